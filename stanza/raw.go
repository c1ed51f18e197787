package stanza

import (
	"encoding/xml"
	"fmt"
	"strings"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// A Raw is a stanza as it crossed the wire: a header, and its bytes, which have
// been checked and never change. It may be kept, shared between goroutines, decoded any
// number of times and sent on as it is.
//
// Only one that was made of a lent [Element] by [Raw.Reset] must not be kept: it
// lasts as long as that, and [Raw.Clone] makes one that lasts longer.
type Raw struct {
	header  Header
	element Element
	others  bool           // the start tag has attributes that header has no field for
	parts   []xmlwire.Part // where the children stand
	few     [few]xml.Name
	fewer   [few]xmlwire.Part
}

// few is how many children a stanza usually has at most: of those, a Raw has room
// for the names.
const few = 4

// Parse reads one stanza from its XML, addresses in the lenient form that suits
// what others sent (see [jid.ParseLenient]).
func Parse(b []byte) (*Raw, error) {
	r := new(Raw)
	if err := r.read(clone(b), limits, jid.ParseLenient); err != nil {
		if _, bad := AsError(err); !bad {
			return nil, fmt.Errorf("stanza: %w", err)
		}
		return r, err
	}
	return r, nil
}

// clone is bytes.Clone without room to grow.
func clone(b []byte) []byte {
	c := make([]byte, len(b))
	copy(c, b)
	return c
}

// NewRaw returns the stanza in e, which may be lent: the Raw has a copy then.
// Its addresses are read with parse: [jid.ParseLenient] for what others sent,
// [jid.Parse] where a server checks what a client asks for.
//
// An address that parse refuses is a jid-malformed [*Error]; the Raw is then
// returned as well, with that address zero, so that it can be answered. Any
// other error means that e is no stanza, and the Raw is nil.
func NewRaw(e Element, parse func(string) (jid.JID, error)) (*Raw, error) {
	r := new(Raw)
	err := r.Reset(e.Clone(), parse)
	if r.header.Kind == 0 {
		return nil, err
	}
	return r, err
}

// Reset makes r the stanza in e, without copying e if that is lent: r lasts as
// long as e, and so does what is taken from its header. The errors are those of
// [NewRaw]; for an e that is no stanza, r is of no kind. Give it a parse that
// keeps nothing of its argument, as the methods of [jid.Cache] do.
func (r *Raw) Reset(e Element, parse func(string) (jid.JID, error)) error {
	if e.lent == nil || e.lent == inLent {
		return r.read(e.Clone().node.Raw(), unlimited, parse)
	}
	return r.take(e, e.lent, parse)
}

// read makes r the stanza in b, which is its own.
func (r *Raw) read(b []byte, limits xmlwire.Limits, parse func(string) (jid.JID, error)) error {
	var err error
	refused := xmlwire.Inspect(b, NS, limits, func(e *xmlwire.Element) {
		raw := e.Raw
		if e.Head.Rewritten {
			raw = clone(raw)
		}
		err = r.take(NewElement(raw), e.Head, parse)
	})
	if refused != nil {
		return refused
	}
	return err
}

// take makes r the stanza in e, of which head was noted.
func (r *Raw) take(e Element, head *xmlwire.Head, parse func(string) (jid.JID, error)) (err error) {
	kind := kindOf(head.Name.Local)
	if head.Name.Space != NS || kind == 0 {
		r.header = Header{}
		return fmt.Errorf("stanza: %s is not a stanza", formatName(head.Name))
	}
	apart := e.lent == nil && (head.Rewritten || head.Decoded) // of e, what head has
	value := func(b []byte) string {
		if apart {
			return string(b)
		}
		return alias(b)
	}
	r.element, r.others = e, head.Others
	r.header = Header{Kind: kind, Type: knownType(alias(head.Type)), ID: value(head.ID), Lang: value(head.Lang)}
	if r.header.Type == "" {
		r.header.Type = value(head.Type)
	}
	if e.lent != nil {
		r.header.Children, r.parts = head.Children, head.Parts
	} else {
		r.setChildren(head.Children, head.Parts)
	}
	if head.From != nil {
		if r.header.From, err = parse(value(head.From)); err != nil {
			err = malformed("from")
		}
	}
	if head.To != nil {
		var bad error
		if r.header.To, bad = parse(value(head.To)); bad != nil {
			err = malformed("to")
		}
	}
	return err
}

// setChildren gives r copies of the names and places of its children.
func (r *Raw) setChildren(names []xml.Name, parts []xmlwire.Part) {
	r.parts = append(r.fewer[:0:few], parts...)
	if r.header.Children = nil; len(names) > 0 {
		r.header.Children = append(r.few[:0:few], names...)
	}
}

func malformed(attr string) error {
	return &Error{Condition: JIDMalformed, Text: "the " + attr + " address is not valid", Lang: "en"}
}

// knownType returns a type of RFC 6121 without copying it, empty for others.
func knownType(s string) string {
	switch s {
	case "chat":
		return "chat"
	case "groupchat":
		return "groupchat"
	case "headline":
		return "headline"
	case "normal":
		return "normal"
	case "error":
		return "error"
	case "get":
		return "get"
	case "set":
		return "set"
	case "result":
		return "result"
	case "unavailable":
		return "unavailable"
	case "subscribe":
		return "subscribe"
	case "subscribed":
		return "subscribed"
	case "unsubscribe":
		return "unsubscribe"
	case "unsubscribed":
		return "unsubscribed"
	case "probe":
		return "probe"
	}
	return ""
}

// lastingType returns a type in memory that lasts.
func lastingType(s string) string {
	if known := knownType(s); known != "" || s == "" {
		return known
	}
	return strings.Clone(s)
}

// Clone returns a copy of r that lasts whatever becomes of r.
func (r *Raw) Clone() *Raw {
	raw := r.element.node.Raw()
	c := &Raw{header: r.header, element: r.element, others: r.others}
	if r.element.lent != nil {
		own := clone(raw)
		c.header, c.element = r.rebased(raw, own), NewElement(own)
	}
	c.setChildren(r.header.Children, r.parts)
	return c
}

// rebased returns the header with its strings in own, a copy of raw.
func (r *Raw) rebased(raw, own []byte) Header {
	h := r.header
	h.ID, h.Lang = rebase(h.ID, raw, own), rebase(h.Lang, raw, own)
	if knownType(h.Type) == "" {
		h.Type = rebase(h.Type, raw, own)
	}
	return h
}

// A content is what is between the tags of a stanza, in memory that lasts.
type content struct {
	raw   []byte
	at    int // of the bytes of the stanza, where raw begins
	parts []xmlwire.Part
}

// content returns what is in r, and puts the id and the language, which are those
// of r, into memory that lasts as well.
func (r *Raw) content(id, lang *string) content {
	raw := r.element.node.Raw()
	if r.element.lent == nil {
		return content{raw, 0, r.parts}
	}
	// One copy of all that is to last: the children, the id, the language.
	from, to := xmlwire.Span(r.parts)
	own := make([]byte, to-from+len(*id)+len(*lang))
	n := copy(own, raw[from:to])
	m := n + copy(own[n:], *id)
	copy(own[m:], *lang)
	*id, *lang = alias(own[n:m]), alias(own[m:])
	return content{own[:n:n], from, r.parts}
}

// child returns one of the children.
func (c *content) child(i int) Element {
	return Element{node: c.parts[i].Child(c.raw, c.at, NS)}
}

// Header implements [Stanza].
func (r *Raw) Header() Header { return r.header }

// Element returns the whole stanza as an element.
func (r *Raw) Element() Element { return r.element }

// Len returns the size of the stanza in bytes.
func (r *Raw) Len() int { return len(r.element.node.Raw()) }

// AppendXML implements [Stanza].
func (r *Raw) AppendXML(dst []byte) ([]byte, error) { return r.element.AppendXML(dst) }

// String returns the stanza as XML.
func (r *Raw) String() string { return r.element.String() }

// Failure returns the error a stanza of type error carries, nil for any other.
func (r *Raw) Failure() *Error {
	if !r.header.IsError() {
		return nil
	}
	if e := r.element.Child(NS, "error"); !e.IsZero() {
		return parseError(e)
	}
	return &Error{Condition: UndefinedCondition}
}

// TokenReader yields the stanza as tokens (mellium.im/xmlstream.Marshaler).
func (r *Raw) TokenReader() xml.TokenReader { return r.element.TokenReader() }

// WriteXML writes the stanza's tokens to w (mellium.im/xmlstream.WriterTo).
func (r *Raw) WriteXML(w xmlstream.TokenWriter) (int, error) { return r.element.WriteXML(w) }

// appendContent writes what is between the tags, byte for byte.
func (r *Raw) appendContent(w *Writer) { w.verbatim(r.element.node.Content()) }

// verbatim appends bytes that the reader has checked.
func (w *Writer) verbatim(b []byte) {
	if len(b) > 0 {
		w.closeTag()
		w.dst = append(w.dst, b...)
	}
}

// appendOtherAttrs writes the attributes that are not among the five common ones,
// as they came.
func (r *Raw) appendOtherAttrs(w *Writer) {
	w.dst = r.element.node.AppendAttrs(w.dst, commonAttrs[:]...)
}

// collected are the children that a struct has no field for.
type collected struct {
	payloads Payloads
	elements []Element
	text     Text // room for one
}

// A handful is room for the payloads of a stanza, what they point to, and a text.
type handful struct {
	payloads [few]Payload
	elements [few]Element
	text     [1]Translation
}

// collecting returns room for the children of r that are in other namespaces.
func (r *Raw) collecting() (to collected) {
	n := 0
	for i := range r.header.Children {
		if r.header.Children[i].Space != NS {
			n++
		}
	}
	if n > 0 && n <= few {
		room := new(handful)
		to = collected{room.payloads[:0:n], room.elements[:0:n], room.text[:0]}
	}
	return to
}

// add appends the child i of in as a payload. It is made where it stays: copying
// what was just written would wait for it.
func (to *collected) add(in *content, i int) {
	n := len(to.elements)
	if n == cap(to.elements) {
		e := in.child(i)
		to.payloads = append(to.payloads, &e)
		return
	}
	to.elements = to.elements[:n+1]
	e := &to.elements[n]
	e.node = in.parts[i].Child(in.raw, in.at, NS)
	to.payloads = append(to.payloads, e)
}

// want checks the kind before decoding.
func (r *Raw) want(k Kind) error {
	if r.header.Kind != k {
		return fmt.Errorf("stanza: decode %s: the stanza is a %s", k, r.header.Kind)
	}
	return nil
}

// appendRest writes payloads and error, the last children of every stanza.
func appendRest(w *Writer, payloads Payloads, e *Error) {
	for _, p := range payloads {
		w.Payload(p)
	}
	if e != nil {
		w.Payload(e)
	}
}

// tokensOf encodes s and reads it back as tokens. What cannot be encoded
// yields its error.
func tokensOf(s Stanza) xml.TokenReader {
	b, err := s.AppendXML(nil)
	if err != nil {
		return xmlstream.ReaderFunc(func() (xml.Token, error) { return nil, err })
	}
	return NewElement(b).TokenReader()
}
