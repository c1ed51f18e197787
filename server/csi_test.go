package server

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client at which nobody looks gets of each contact the latest presence, when it matters.
func TestXEP0352_4_Inactive(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "nurse"})
	h.befriend("juliet", "romeo")
	h.befriend("juliet", "nurse")
	romeo, nurse := h.online("romeo", "orchard", ""), h.online("nurse", "hall", "")
	juliet := h.online("juliet", "balcony", "")
	juliet.all()
	juliet.send("<inactive xmlns='urn:xmpp:csi:0'/>")
	juliet.sync()
	for n := range 3 {
		romeo.send(fmt.Sprintf("<presence><status>%d</status></presence>", n))
	}
	nurse.send("<presence type='unavailable'/>")
	romeo.sync()
	nurse.sync()
	juliet.expect()
	nurse.send("<message to='juliet@capulet.example' type='chat'><body>Madam!</body></message>")
	nurse.sync()
	juliet.expect(
		"<presence from='romeo@capulet.example/orchard' to='juliet@capulet.example' xml:lang='en'><status>2</status></presence>",
		"<presence type='unavailable' from='nurse@capulet.example/hall' to='juliet@capulet.example' xml:lang='en'/>",
		"<message type='chat' from='nurse@capulet.example/hall' to='juliet@capulet.example' xml:lang='en'><body>Madam!</body></message>",
	)
	romeo.send("<presence/>")
	romeo.sync()
	juliet.expect()
	juliet.send("<active xmlns='urn:xmpp:csi:0'/>")
	juliet.expect("<presence from='romeo@capulet.example/orchard' to='juliet@capulet.example' xml:lang='en'/>")
	romeo.send("<presence/>")
	romeo.sync()
	require.Len(t, juliet.all(), 1)
}
