package server

import (
	"io"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Whatever a client sends, the server goes on, everybody else's stream stays
// well-formed, and nothing comes to others that is not from the client or the server.
func FuzzSec_ClientInput(f *testing.F) {
	for _, seed := range []string{
		"<message to='juliet@capulet.example'><body>x</body></message>",
		"<message from='juliet@capulet.example' to='juliet@capulet.example/balcony' type='error'><error/></message>",
		"<presence to='juliet@capulet.example' type='subscribe'/><presence type='unavailable'/>",
		"<presence><priority>-1</priority><show/><status xml:lang='x'/></presence>",
		"<presence type='probe' to='juliet@capulet.example'/>",
		"<presence type='unsubscribed' to='juliet@capulet.example'/>",
		"<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='juliet@capulet.example' subscription='remove'/></query></iq>",
		"<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b' name='x'><group>g</group></item></query></iq>",
		"<iq type='get' id='1' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster'/></iq>",
		"<iq type='get' id='1' to='capulet.example'><query xmlns='http://jabber.org/protocol/disco#info' node='x'/></iq>",
		"<p:message xmlns:p='jabber:client' to='juliet@capulet.example'><p:body>&#x41;<![CDATA[<]]></p:body></p:message>",
		"<message to='juliet@capulet.example' xmlns:stream='http://etherx.jabber.org/streams'><stream:error/></message>",
		"</stream:stream>",
		"<message to='juliet@capulet.example'><delay xmlns='urn:xmpp:delay' from='capulet.example'/></message>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		if strings.Contains(input, "jabber:iq:auth") || len(input) > 1<<16 {
			return
		}
		h := newHouse(t, []string{"juliet", "romeo"})
		h.befriend("juliet", "romeo")
		juliet := h.online("juliet", "balcony", "")
		romeo := h.online("romeo", "orchard", "")
		juliet.all()
		_, _ = io.WriteString(romeo.nc, input)
		_, _ = io.WriteString(romeo.nc, "</stream:stream>")
		romeo.nc.Close()
		<-romeo.done
		for _, e := range juliet.all() {
			if e.Name().Space != stanza.NS {
				t.Errorf("got %s", e)
			}
			switch from := e.Attr("from"); from {
			case "romeo@capulet.example", "romeo@capulet.example/orchard":
			case "", "juliet@capulet.example": // of her own account
				if e.Name().Local == "message" {
					t.Errorf("got %s", e)
				}
			default:
				t.Errorf("got %s", e)
			}
		}
		id, err := h.srv.directory.id(t.Context(), h.addr("juliet"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.srv.opts.Storage.Rosters.Get(t.Context(), id, h.addr("romeo"))
		if err != nil || !c.Listed || c.Subscription&^(storage.To|storage.From) != 0 && !c.Subscription.Valid() {
			t.Errorf("juliet's roster has %+v, %v", c, err)
		}
	})
}
