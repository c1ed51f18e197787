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
//
// What [stream.Conn.Next] returns is lent: such an Element, and those within it,
// are valid until the next call. [Element.Clone] makes one that lasts. All other
// elements last as long as anybody has them. What is taken from an element as a
// string lasts in any case.
//
// [stream.Conn.Next]: https://pkg.go.dev/github.com/parlance-xmpp/xmpp/stream#Conn.Next
type Element struct {
	node xmlwire.Node
	lent *xmlwire.Head // what its reader noted, or inLent; nil if it lasts
}

// inLent marks elements within one that is lent.
var inLent = new(xmlwire.Head)

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
	return Element{node: xmlwire.NewNode(raw, NS)}
}

// Lend returns the element that a stream's reader has lent. It is for package
// stream; elements from anywhere else are made by [ParseElement].
func Lend(e *xmlwire.Element) Element {
	return Element{node: xmlwire.NewNode(e.Raw, NS), lent: e.Head}
}

// Clone returns e in memory of its own, if e is lent; or else e itself.
func (e Element) Clone() Element {
	if e.lent == nil {
		return e
	}
	return Element{node: xmlwire.NewNode(clone(e.node.Raw()), e.node.Inherited())}
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
	switch p := p.(type) {
	case *Element:
		return *p, nil
	case Element:
		return p, nil
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
func (e Element) Is(space, local string) bool { return e.node.Is(space, local) }

// Attr returns the value of an attribute without a namespace, empty when absent.
func (e Element) Attr(local string) string {
	v, _ := e.LookupAttr("", local)
	return v
}

// LookupAttr returns the value of an attribute and whether it is present.
func (e Element) LookupAttr(space, local string) (string, bool) {
	v, ok := e.node.AttrBytes(space, local)
	return e.text(v), ok
}

// Attrs yields the attributes in order, without namespace declarations.
func (e Element) Attrs() iter.Seq2[xml.Name, string] { return e.node.Attrs() }

// Lang returns the element's own xml:lang, empty when absent.
func (e Element) Lang() string {
	v, _ := e.LookupAttr(xmlwire.NSXML, "lang")
	return v
}

// Text returns the character data directly inside the element, without that of
// its children.
func (e Element) Text() string { return e.text(e.node.TextBytes()) }

// text returns b, which is a part of e or was made for the caller, as a string.
func (e Element) text(b []byte) string {
	if e.lent != nil {
		return string(b)
	}
	return alias(b)
}

// Children yields the child elements in order.
func (e Element) Children() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		lent := e.lent
		if lent != nil {
			lent = inLent
		}
		for n := range e.node.Children() {
			if !yield(Element{n, lent}) {
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

// Decode fills v, a [Decoder] or a pointer to a struct with tags as for [Marshal].
// What has no counterpart in the element stays as it is; slices grow. Nothing that
// tags fill shares memory with the element.
func (e Element) Decode(v any) error {
	if e.IsZero() {
		return fmt.Errorf("stanza: decode: %w", errNoElement)
	}
	e = e.Clone() // what is read of it may be kept
	if d, ok := v.(Decoder); ok {
		return e.decodeBy(d)
	}
	if err := tags.Decode(e.node, v); err != nil {
		return fmt.Errorf("stanza: decode %s: %w", formatName(e.Name()), err)
	}
	return nil
}

// decodeBy has d read the element, if that is what d reads.
func (e Element) decodeBy(d Decoder) error {
	if n := d.PayloadName(); n != e.Name() {
		return fmt.Errorf("stanza: decode %s: the element is %s", formatName(n), formatName(e.Name()))
	}
	return d.ParseXML(e)
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
