// Package delay says when a stanza was sent that arrives only now (XEP-0203).
//
//	if d, ok := delay.Of(msg.Payloads, xmpp.SessionFrom(ctx)); ok {
//		fmt.Println("sent at", d.Stamp.Local())
//	}
//
// Anybody can write a delay into a stanza. Servers remove those that claim to be theirs, so that [Of] can
// tell which one to believe.
package delay

import (
	"encoding/xml"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace.
const NS = "urn:xmpp:delay"

// A Delay is a note on a stanza.
type Delay struct {
	From   jid.JID   // who noted it, may be zero
	Stamp  time.Time // when the stanza was sent first; written in UTC, to the millisecond
	Reason string
}

// AppendXML implements [stanza.Payload].
func (d Delay) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "delay")
	w.OptAttr("from", d.From.String())
	w.Attr("stamp", d.Stamp.UTC().Format("2006-01-02T15:04:05.000Z")) // XEP-0082
	w.Text(d.Reason)
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Delay) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "delay"} }

// ParseXML implements [stanza.Decoder]. It fails when there is no valid stamp; a from that is no address is
// zero.
func (d *Delay) ParseXML(e stanza.Element) error {
	stamp, err := time.Parse(time.RFC3339Nano, e.Attr("stamp"))
	if err != nil {
		return errors.New("delay: no valid stamp")
	}
	from, err := jid.ParseLenient(e.Attr("from"))
	if err != nil {
		from = jid.JID{}
	}
	*d = Delay{From: from, Stamp: stamp.UTC(), Reason: e.Text()}
	return nil
}

// Of returns the delay that the own server has noted on a stanza with these payloads, false if it has none:
// one from the server, or from the account itself. Others are what their writers say.
func Of(payloads stanza.Payloads, s xmpp.Session) (Delay, bool) {
	for _, p := range payloads {
		e, err := stanza.ElementOf(p)
		if err != nil || !e.Is(NS, "delay") {
			continue
		}
		var d Delay
		if d.ParseXML(e) != nil || d.From.IsZero() {
			continue
		}
		switch xmpp.OriginOf(s.LocalAddr(), d.From) {
		case xmpp.FromServer, xmpp.FromAccount:
			return d, true
		}
	}
	return Delay{}, false
}
