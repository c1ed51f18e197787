// Package forward wraps one stanza in another (XEP-0297), as carbons and archives do. Who may be believed
// about what is inside is decided by those.
package forward

import (
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

// NS is the namespace.
const NS = "urn:xmpp:forward:0"

// Forwarded is a stanza inside another one.
type Forwarded struct {
	// Delay says when the stanza was sent, nil if that is not said.
	Delay *delay.Delay
	// Stanza is written with the addresses that it has.
	Stanza stanza.Stanza
}

// AppendXML implements [stanza.Payload].
func (f Forwarded) AppendXML(dst []byte) ([]byte, error) {
	if f.Stanza == nil {
		return dst, errors.New("forward: no stanza")
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "forwarded")
	if f.Delay != nil {
		w.Payload(*f.Delay)
	}
	w.Payload(f.Stanza)
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Forwarded) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "forwarded"} }

// ParseXML implements [stanza.Decoder]. The stanza becomes a [*stanza.Raw]. It fails unless there is exactly
// one; a delay that cannot be read is none.
func (f *Forwarded) ParseXML(e stanza.Element) error {
	*f = Forwarded{}
	for c := range e.Children() {
		switch {
		case c.Is(delay.NS, "delay"):
			var d delay.Delay
			if d.ParseXML(c) == nil && f.Delay == nil {
				f.Delay = &d
			}
		case c.Name().Space == stanza.NS:
			b, err := c.AppendXML(nil)
			if err != nil {
				return fmt.Errorf("forward: %w", err)
			}
			raw, err := stanza.Parse(b)
			if err != nil {
				return fmt.Errorf("forward: %w", err)
			}
			if f.Stanza != nil {
				return errors.New("forward: several stanzas")
			}
			f.Stanza = raw
		}
	}
	if f.Stanza == nil {
		return errors.New("forward: no stanza")
	}
	return nil
}

// Raw is the forwarded stanza after ParseXML, nil before.
func (f *Forwarded) Raw() *stanza.Raw {
	raw, _ := f.Stanza.(*stanza.Raw)
	return raw
}
