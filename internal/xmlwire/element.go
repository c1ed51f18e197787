package xmlwire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"hash/maphash"
	"io"
)

// Element is one first-level element, checked and in plain form.
type Element struct {
	Name xml.Name // expanded
	// Raw is the element, from the < of its start tag to the > of its end tag, in
	// memory of its own. It inherits the content namespace of its document:
	// NewNode(e.Raw, header.ContentNS).
	Raw []byte
}

// Parse reads b, which holds exactly one element, with blanks around it or
// without, and nothing else: no XML declaration, no part of a second element. It
// is what [Reader.Next] would return for it in a stream whose content namespace
// is inheritedNS and whose header binds no prefix. All errors are [*Error]; an
// element that ends too soon is not well-formed.
func Parse(b []byte, inheritedNS string, limits Limits) (Element, error) {
	r := Reader{srcErr: io.EOF, phase: inRoot} // which is met before anything is read from src
	r.scan.seed, r.scan.contentNS = maphash.MakeSeed(), inheritedNS
	r.SetLimits(limits)
	r.win = window{buf: b, end: len(b)}
	e, err := r.Next()
	if err == nil {
		r.phase = afterRoot
		if err = r.end(); err == io.EOF {
			return e, nil
		}
	}
	if _, refused := errors.AsType[*Error](err); refused {
		return Element{}, err
	}
	return Element{}, &Error{Condition: notWellFormed, Detail: "not one element, or not to its end (XML §2.1)", Offset: int64(len(b))}
}

// element returns what was scanned, which is b.
func (s *scanner) element(b []byte) (Element, *Error) {
	if s.plain {
		return Element{Name: s.name, Raw: bytes.Clone(b)}, nil
	}
	raw, ok := s.rewrite(b)
	if !ok {
		return Element{}, &Error{Condition: policyViolation, Detail: "element too long when written in plain form", Offset: int64(len(b))}
	}
	return Element{Name: s.name, Raw: raw}, nil
}
