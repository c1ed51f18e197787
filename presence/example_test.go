package presence_test

import (
	"context"
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/presence"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// level is a game's state that players show in their presence.
type level struct{ N string }

func (l level) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start("urn:example:game", "level")
	w.Attr("n", l.N)
	w.End()
	return w.Bytes()
}

func (*level) PayloadName() xml.Name {
	return xml.Name{Space: "urn:example:game", Local: "level"}
}

func (l *level) ParseXML(e stanza.Element) error {
	l.N = e.Attr("n")
	return nil
}

func ExampleTracker() {
	mux := muxer.New()
	online := presence.NewTracker(nil)
	online.Register(mux)

	// In a program, a client hands the mux what arrives.
	romeo := jid.MustParse("romeo@example.net")
	for _, p := range []stanza.Presence{
		{From: jid.MustParse("romeo@example.net/phone"), Show: stanza.ShowAway},
		{From: jid.MustParse("romeo@example.net/game"), Priority: 10, Payloads: stanza.Payloads{level{"3"}}},
	} {
		b, _ := p.AppendXML(nil)
		arrived, _ := stanza.Parse(b)
		_, _ = mux.HandleStanza(context.Background(), arrived)
	}

	for _, r := range online.All(romeo) {
		var l level
		found, err := r.Payloads.Decode(&l)
		fmt.Println(r.JID, r.Show, l.N, found, err)
	}
	best, ok := online.Best(romeo)
	fmt.Println("best:", best.JID.Resourcepart(), ok)
	// Output:
	// romeo@example.net/game  3 true <nil>
	// romeo@example.net/phone away  false <nil>
	// best: game true
}

func ExampleRegister() {
	mux := muxer.New()
	presence.Register(mux, presence.OwnDomain(presence.Mutual, presence.Refuse))

	s := newSession() // In a program, s is a client.
	for _, from := range []string{"nurse@example.com", "mallory@example.net"} {
		arrived, _ := stanza.Parse([]byte(`<presence type='subscribe' from='` + from + `'/>`))
		_, _ = mux.HandleStanza(xmpp.WithSession(context.Background(), s), arrived)
	}
	for _, p := range s.sent {
		fmt.Println(p.Type, p.To)
	}
	// Output:
	// subscribed nurse@example.com
	// subscribe nurse@example.com
	// unsubscribed mallory@example.net
}
