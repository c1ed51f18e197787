package stanza

import (
	"encoding/xml"
	"fmt"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// A Payload is a child element of a stanza that can write itself.
//
// AppendXML appends one element, complete and well-formed, to be read as a child of a
// stanza: without a declaration its namespace is [NS]. A [Writer] does it
// right. On error it returns dst as it was.
type Payload interface {
	AppendXML(dst []byte) ([]byte, error)
}

// A Decoder is a payload that can read itself. It is implemented by a pointer.
//
// PayloadName is asked of the zero value and tells which element the type
// reads. ParseXML fills the value from such an element; e and what is taken
// from it may be kept, as it never changes. An error means that the element breaks
// its specification; the sender is answered with bad-request.
type Decoder interface {
	PayloadName() xml.Name
	ParseXML(e Element) error
}

// Payloads are the children of a stanza that its struct has no field for, in
// the order they came. In a received stanza each is an [*Element].
type Payloads []Payload

// Element returns the first of those that are elements, as received ones are, with
// that name.
func (p Payloads) Element(space, local string) (Element, bool) {
	for _, pl := range p {
		switch e := pl.(type) {
		case *Element:
			if e.Is(space, local) {
				return *e, true
			}
		case Element:
			if e.Is(space, local) {
				return e, true
			}
		}
	}
	return Element{}, false
}

// Decode fills d from the first received element of its name and reports
// whether there was one.
func (p Payloads) Decode(d Decoder) (bool, error) {
	n := d.PayloadName()
	e, ok := p.Element(n.Space, n.Local)
	if !ok {
		return false, nil
	}
	return true, d.ParseXML(e)
}

// FromMarshaler returns a payload that writes the tokens of m, one element.
func FromMarshaler(m xmlstream.Marshaler) Payload { return tokens{m} }

// appendTokens appends the element that r yields.
func appendTokens(dst []byte, r xml.TokenReader) ([]byte, error) {
	out, err := xmlwire.AppendTokens(dst, r, NS)
	if err == nil && len(out) == len(dst) {
		err = errNoElement
	}
	return out, err
}

type tokens struct{ m xmlstream.Marshaler }

func (t tokens) AppendXML(dst []byte) ([]byte, error) {
	out, err := appendTokens(dst, t.m.TokenReader())
	if err != nil {
		return dst, fmt.Errorf("stanza: %T: %w", t.m, err)
	}
	return out, nil
}
