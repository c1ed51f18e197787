package stanza

import (
	"encoding/xml"
	"fmt"
	"iter"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// An Element is one XML element with everything inside it. It was checked when
// it was made and never changes; copies are cheap and share its bytes. The zero
// Element is none: it has no name, attributes or content, and cannot be written.
type Element struct{ node xmlwire.Node }

// ParseElement reads exactly one element, which may use anything that XMPP
// allows (RFC 6120 §11). Without a declaration its namespace is [NS].
func ParseElement(b []byte) (Element, error) {
	e, err := xmlwire.Parse(b, NS, limits)
	if err != nil {
		return Element{}, fmt.Errorf("stanza: %w", err)
	}
	return NewElement(e.Raw), nil
}

// NewElement returns the element in raw, which the stream's reader or a
// [Payload] made and nobody changes any more. It is not checked again: for
// bytes from anywhere else use [ParseElement].
func NewElement(raw []byte) Element {
	return Element{xmlwire.NewNode(raw, NS)}
}

// FromTokens reads one element from r.
func FromTokens(r xml.TokenReader) (Element, error) {
	raw, err := appendTokens(nil, r)
	if err != nil {
		return Element{}, fmt.Errorf("stanza: %w", err)
	}
	return NewElement(raw), nil
}

// ElementOf returns p as an element: itself, or what it writes.
func ElementOf(p Payload) (Element, error) {
	if e, ok := p.(Element); ok {
		return e, nil
	}
	raw, err := p.AppendXML(nil)
	if err != nil {
		return Element{}, err
	}
	return NewElement(raw), nil
}

// IsZero reports whether e is no element.
func (e Element) IsZero() bool { return len(e.node.Raw()) == 0 }

// Name returns the element's name with its namespace.
func (e Element) Name() xml.Name { return e.node.Name() }

// Is reports whether the element has that name.
func (e Element) Is(space, local string) bool {
	n := e.node.Name()
	return n.Local == local && n.Space == space
}

// Attr returns the value of an attribute without a namespace, empty when absent.
func (e Element) Attr(local string) string {
	v, _ := e.node.Attr("", local)
	return v
}

// LookupAttr returns the value of an attribute and whether it is present.
func (e Element) LookupAttr(space, local string) (string, bool) {
	return e.node.Attr(space, local)
}

// Attrs yields the attributes in order, without namespace declarations.
func (e Element) Attrs() iter.Seq2[xml.Name, string] { return e.node.Attrs() }

// Lang returns the element's own xml:lang, empty when absent.
func (e Element) Lang() string {
	v, _ := e.node.Attr(xmlwire.NSXML, "lang")
	return v
}

// Text returns the character data directly inside the element, without that of
// its children.
func (e Element) Text() string { return e.node.Text() }

// Children yields the child elements in order.
func (e Element) Children() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for n := range e.node.Children() {
			if !yield(Element{n}) {
				return
			}
		}
	}
}

// Child returns the first child of that name; the zero Element when there is none.
func (e Element) Child(space, local string) Element {
	for c := range e.Children() {
		if c.Is(space, local) {
			return c
		}
	}
	return Element{}
}

// First returns the first child; the zero Element when there is none.
func (e Element) First() Element {
	for c := range e.Children() {
		return c
	}
	return Element{}
}

// AppendXML appends the element as a child of a stanza. It implements [Payload].
func (e Element) AppendXML(dst []byte) ([]byte, error) {
	if e.IsZero() {
		return dst, fmt.Errorf("stanza: %w", errNoElement)
	}
	return e.node.AppendTo(dst, NS), nil
}

// String returns the element as XML.
func (e Element) String() string {
	if e.IsZero() {
		return ""
	}
	return string(e.node.AppendTo(nil, NS))
}

// Decode fills v, a [Decoder] or a pointer to a type with encoding/xml tags.
func (e Element) Decode(v any) error {
	if e.IsZero() {
		return fmt.Errorf("stanza: decode: %w", errNoElement)
	}
	if d, ok := v.(Decoder); ok {
		if n := d.PayloadName(); n != e.Name() {
			return fmt.Errorf("stanza: decode %s: the element is %s", formatName(n), formatName(e.Name()))
		}
		return d.ParseXML(e)
	}
	if err := xml.NewTokenDecoder(e.TokenReader()).Decode(v); err != nil {
		return fmt.Errorf("stanza: decode %s: %w", formatName(e.Name()), err)
	}
	return nil
}

// TokenReader yields the element as tokens of encoding/xml, ending with io.EOF.
func (e Element) TokenReader() xml.TokenReader { return e.node.Tokens() }

// WriteXML writes the element's tokens to w (mellium.im/xmlstream).
func (e Element) WriteXML(w xmlstream.TokenWriter) (int, error) {
	return xmlstream.Copy(w, e.TokenReader())
}

func formatName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
