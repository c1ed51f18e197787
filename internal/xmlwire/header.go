package xmlwire

import (
	"encoding/xml"
	"errors"
	"slices"
)

// Header is the start tag of the root of a document: an XMPP stream header.
type Header struct {
	// Name is expanded. That it is {NSStreams, "stream"} is for the caller to check.
	Name xml.Name
	// Attrs are the attributes with expanded names and their values unescaped.
	// Declarations are left out; xml:lang is {NSXML, "lang"}.
	Attrs []xml.Attr
	// ContentNS is the default namespace that the header declares, which
	// first-level elements inherit; empty if it declares none.
	ContentNS string

	prefixed []string // the namespaces bound to prefixes
}

// Attr returns the value of the attribute with this expanded name.
func (h Header) Attr(space, local string) (string, bool) {
	for _, a := range h.Attrs {
		if a.Name.Space == space && a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// Declares reports whether the header binds a prefix to the namespace ns, by
// which some peers show what they support (XEP-0220 §2.4).
func (h Header) Declares(ns string) bool {
	return slices.Contains(h.prefixed, ns)
}

// Header reads the XML declaration, if there is one, and the start tag of the
// root.
//
// The declaration must be the first thing in the document, its version 1.x and
// its encoding, if named, UTF-8; standalone is ignored (RFC 6120 §11.5). Errors
// are those of [Reader.Next], except that io.EOF means that the source ended
// before the document began.
func (r *Reader) Header() (Header, error) {
	r.reclaim()
	if r.err != nil {
		return Header{}, r.err
	}
	if r.phase > atRoot {
		return Header{}, errHeaderTwice
	}
	for {
		if r.phase == atDocument {
			r.prolog()
		}
		if r.phase == atRoot && r.err == nil && (r.inElem || r.seek(notWellFormed, "text before the root (XML §2.1)")) && r.advance() {
			if r.phase = inRoot; r.scan.isRootEnd {
				r.phase = atRootEnd
			}
			h := r.scan.header(r.win.bytes())
			r.win.consume(r.scan.pos)
			return h, nil
		}
		if r.err != nil {
			return Header{}, r.err
		}
		begun := r.phase > atDocument || r.win.len() > 0
		if err := r.fill(); err != nil && begun {
			return Header{}, unexpected(err)
		} else if err != nil {
			return Header{}, err
		}
	}
}

var errHeaderTwice = errors.New("xmlwire: Header after Header")

// header returns what was scanned of the root's start tag, in b.
func (s *scanner) header(b []byte) Header {
	s.borrow()
	h := Header{Name: s.name, ContentNS: s.doc.contentNS}
	for i := range s.attrs {
		a := &s.attrs[i]
		value := string(unescaped(a.value.of(b)))
		switch {
		case !a.declares:
			name := xml.Name{Local: string(a.localOf(b))}
			if a.binding != noPrefix {
				name = s.expand(b, a, nil, "")
			}
			h.Attrs = append(h.Attrs, xml.Attr{Name: name, Value: value})
		case a.prefixed():
			h.prefixed = append(h.prefixed, value)
		}
	}
	return h
}
