package server

import (
	"testing"
)

// What a client may not say is removed from what it sends; what others may say stays.
func TestSec_ForgedMetadata(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo", "orchard", "")
	juliet.all()
	for name, tt := range map[string]struct{ forged, kept string }{
		"a received carbon (CVE-2017-5589)": {forged: "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@capulet.example'><body>x</body></message></forwarded></received>"},
		"a sent carbon":                     {forged: "<sent xmlns='urn:xmpp:carbons:2'/>"},
		"a page of an archive":              {forged: "<result xmlns='urn:xmpp:mam:2' queryid='f27' id='28482-98726-73623'/>"},
		"an occupant's id":                  {forged: "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>"},
		"every one of them":                 {forged: "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='y'/>"},
		"an id by the account of another":   {forged: "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='romeo@capulet.example'/>"},
		"an id by the server":               {forged: "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='capulet.example'/>"},
		"a delay of the server":             {forged: "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2002-09-10T23:08:25Z'/>"},
		"an id by somebody elsewhere":       {kept: "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='room@muc.example'/>"},
		"the sender's own id":               {kept: "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>"},
		"a wish about carbons":              {kept: "<private xmlns='urn:xmpp:carbons:2'/>"},
	} {
		juliet.send(message("romeo@capulet.example", "id='1'", "<body>x</body>"+tt.forged+tt.kept))
		juliet.sync()
		t.Log(name)
		romeo.expect(message("romeo@capulet.example", "from='juliet@capulet.example/balcony' xml:lang='en' id='1'", "<body>x</body>"+tt.kept))
	}
}
