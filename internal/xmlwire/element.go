package xmlwire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"sync"
)

// Element is one first-level element, checked and in plain form.
//
// That of [Reader.Next] is lent: it is valid until the next call of the reader.
// Whoever keeps more than the name copies it.
type Element struct {
	Name xml.Name // expanded
	// Raw is the element, from the < of its start tag to the > of its end tag. It
	// inherits the content namespace of its document: NewNode(e.Raw, header.ContentNS).
	Raw []byte
	// Head is what the element's start tag says, and the names of its children.
	Head *Head
}

// Parse reads b, which holds exactly one element, with blanks around it or
// without, and nothing else: no XML declaration, no part of a second element. It
// is what [Reader.Next] would return for it in a stream whose content namespace
// is inheritedNS and whose header binds no prefix, but in memory of its own, and
// without a Head. All errors are [*Error]; an element that ends too soon is not
// well-formed.
func Parse(b []byte, inheritedNS string, limits Limits) (e Element, err error) {
	err = Inspect(b, inheritedNS, limits, func(lent *Element) {
		e = Element{Name: lent.Name, Raw: bytes.Clone(lent.Raw)}
	})
	return e, err
}

// Inspect is [Parse] for what need not last: it calls use with the element, if
// all is well, and lends it for the time of the call. Raw is a part of b if the
// element stands there in plain form.
func Inspect(b []byte, inheritedNS string, limits Limits, use func(*Element)) error {
	r := inspectors.Get().(*Reader)    // which is lost if use panics
	r.srcErr, r.phase = io.EOF, inRoot // the error is met before anything is read, or b taken for a buffer
	r.doc.contentNS = inheritedNS
	r.SetLimits(limits)
	r.win.buf, r.win.end = b, len(b)
	err := r.inspect(use)
	r.err, r.inElem = nil, false
	if s := r.scan; s != nil {
		if !s.head.Rewritten {
			r.lent = nil // it is the caller's
		}
		r.reclaim()
		s.forget()
	}
	r.win.drop()
	r.lent, r.doc = nil, document{}
	inspectors.Put(r)
	return err
}

// inspect reads the only element that is in the window.
func (r *Reader) inspect(use func(*Element)) error {
	e, err := r.Next()
	if err == nil {
		if r.skipBlanks(); r.win.len() == 0 {
			use(e)
			return nil
		}
		r.phase = afterRoot
		err = r.end()
	}
	if _, refused := errors.AsType[*Error](err); refused {
		return err
	}
	return &Error{Condition: notWellFormed, Detail: "not one element, or not to its end (XML §2.1)", Offset: r.win.offset + int64(r.win.len())}
}

var inspectors = sync.Pool{New: func() any { return new(Reader) }}

// finish makes s.out of what was scanned, which is b.
func (s *scanner) finish(b []byte) *Error {
	s.head.Rewritten = !s.plain
	if !s.plain {
		raw, ok := s.rewrite(b)
		if !ok {
			return &Error{Condition: policyViolation, Detail: "element too long when written in plain form", Offset: int64(len(b))}
		}
		if !s.rescan(raw) { // what a receiver would refuse is refused here
			return &Error{Condition: policyViolation, Detail: "too many prefixes in scope when written in plain form", Offset: int64(len(b))}
		}
		b = raw
	}
	s.fillHead(b)
	s.out.Name, s.out.Raw, s.out.Head = s.name, b[:len(b):len(b)], &s.head
	return nil
}

// rescan notes where things stand in raw, which was written in plain form of what
// was scanned.
func (s *scanner) rescan(raw []byte) bool {
	lim := s.lim
	s.lim = Limits{Bytes: maxBytes, Depth: maxBytes, Elements: maxBytes, Attrs: maxBytes, Namespaces: maxBytes, AttrBytes: maxBytes}
	s.begin(false)
	s.binds = s.binds[:0] // raw refers to no prefix of the root
	done := s.scan(raw)
	s.lim = lim
	return done
}
