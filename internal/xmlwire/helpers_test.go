package xmlwire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// opening is a stream header as clients send it.
const opening = `<?xml version='1.0'?><stream:stream to='example.com' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

// transcript is all that a reader returned for a document.
type transcript struct {
	header   Header
	elements []Element
	err      error // the first; nil for a whole document with nothing behind it
}

// readAll reads a document to its end, or to the first error.
func readAll(src io.Reader, limits Limits) (t transcript) {
	r := NewReader(src, limits)
	if t.header, t.err = r.Header(); t.err != nil {
		return t
	}
	for {
		e, err := r.Next()
		switch {
		case err == io.EOF:
			if _, t.err = r.Next(); t.err == io.EOF {
				t.err = nil
			}
			return t
		case err != nil:
			t.err = err
			return t
		}
		t.elements = append(t.elements, owned(e))
	}
}

// owned returns a copy of e that the reader will not take back.
func owned(e *Element) Element {
	h := *e.Head
	h.To, h.From, h.ID, h.Type, h.Lang = bytes.Clone(h.To), bytes.Clone(h.From), bytes.Clone(h.ID), bytes.Clone(h.Type), bytes.Clone(h.Lang)
	h.Children = append([]xml.Name(nil), h.Children...)
	h.Parts = append([]Part(nil), h.Parts...)
	h.Rewritten, h.Decoded = false, false // how it came, not what it is
	return Element{e.Name, bytes.Clone(e.Raw), &h}
}

// first reads the first element of a stream in which s follows the header.
func first(s string, limits Limits) (Element, error) {
	t := readAll(strings.NewReader(opening+s), limits)
	if len(t.elements) > 0 {
		return t.elements[0], nil
	}
	return Element{}, t.err
}

// condition is the stream error that err asks for, or what else it is.
func condition(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Condition
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// chopped gives the bytes of s in pieces of n.
type chopped struct {
	s string
	n int
}

func (c *chopped) Read(p []byte) (int, error) {
	if c.s == "" {
		return 0, io.EOF
	}
	n := copy(p, c.s[:min(c.n, len(c.s))])
	c.s = c.s[n:]
	return n, nil
}

// endless gives prefix, then unit over and over, up to size bytes.
type endless struct {
	prefix, unit string
	size, given  int
	rest         string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.given >= e.size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		if e.rest == "" {
			e.rest, e.prefix = e.prefix, ""
		}
		if e.rest == "" {
			e.rest = e.unit
		}
		c := copy(p[n:], e.rest)
		e.rest = e.rest[c:]
		n += c
	}
	e.given += n
	return n, nil
}
