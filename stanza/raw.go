package stanza

import (
	"encoding/xml"
	"fmt"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// A Raw is a stanza as it crossed the wire: a header, and its bytes, which have
// been checked and never change. It may be kept, shared between goroutines, decoded any
// number of times and sent on as it is.
type Raw struct {
	header  Header
	element Element
}

// Parse reads one stanza from its XML, addresses in the lenient form that suits
// what others sent (see [jid.ParseLenient]).
func Parse(b []byte) (*Raw, error) {
	e, err := ParseElement(b)
	if err != nil {
		return nil, err
	}
	return NewRaw(e, jid.ParseLenient)
}

// NewRaw returns the stanza in e. Its addresses are read with parse:
// [jid.ParseLenient] for what others sent, [jid.Parse] where a server checks
// what a client asks for.
//
// An address that parse refuses is a jid-malformed [*Error]; the Raw is then
// returned as well, with that address zero, so that it can be answered. Any
// other error means that e is no stanza, and the Raw is nil.
func NewRaw(e Element, parse func(string) (jid.JID, error)) (*Raw, error) {
	name := e.Name()
	kind := kindOf(name.Local)
	if name.Space != NS || kind == 0 {
		return nil, fmt.Errorf("stanza: %s is not a stanza", formatName(name))
	}
	r := &Raw{element: e, header: Header{Kind: kind, Children: names(e)}}
	var bad error
	for name, value := range e.Attrs() {
		if name.Space == xmlwire.NSXML && name.Local == "lang" {
			r.header.Lang = value
		}
		if name.Space != "" {
			continue
		}
		if err := r.attr(name.Local, value, parse); err != nil {
			bad = err
		}
	}
	return r, bad
}

// attr takes in one attribute of the start tag.
func (r *Raw) attr(local, value string, parse func(string) (jid.JID, error)) error {
	var err error
	switch local {
	case "type":
		r.header.Type = value
	case "id":
		r.header.ID = value
	case "to":
		r.header.To, err = parse(value)
	case "from":
		r.header.From, err = parse(value)
	}
	if err != nil {
		return &Error{Condition: JIDMalformed, Text: "the " + local + " address is not valid", Lang: "en"}
	}
	return nil
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

// appendOtherAttrs writes the attributes that are not among the five common ones.
func (r *Raw) appendOtherAttrs(w *Writer) {
	prefixes := 0
	for name, value := range r.element.Attrs() {
		switch {
		case name.Space == "":
			switch name.Local {
			case "type", "id", "to", "from":
			default:
				w.attr(name.Local, value)
			}
		case name.Space == xmlwire.NSXML:
			if name.Local != "lang" {
				w.attr("xml:"+name.Local, value)
			}
		default:
			prefixes++
			prefix := fmt.Sprintf("ns%d", prefixes)
			w.attr("xmlns:"+prefix, name.Space)
			w.attr(prefix+":"+name.Local, value)
		}
	}
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
