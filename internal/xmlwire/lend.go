package xmlwire

import (
	"encoding/xml"
	"sync"
)

// scanners are lent to readers that have an element in progress, or have lent one.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

// The largest parts of a scanner that are lent again.
const (
	keepChildren = 128
	keepAttrs    = 128
	keepBytes    = 16 << 10
)

// giveBack returns the scanner, if r has one, and its memo with it.
func (r *Reader) giveBack() {
	s := r.scan
	if s == nil {
		return
	}
	r.scan, r.inElem = nil, false
	s.forget()
	s.doc = nil
	scanners.Put(s)
}

// forget drops what s refers to that others made, and what is too large to keep.
func (s *scanner) forget() {
	s.err, s.out, s.head, s.name, s.innerNS = nil, Element{}, Head{}, xml.Name{}, ""
	clear(s.binds[:cap(s.binds)]) // whose number maxPrefixes bounds
	if cap(s.children) > keepChildren {
		s.children = nil
	}
	clear(s.children[:cap(s.children)]) // an element before may have had more
	if cap(s.parts) > keepChildren {
		s.parts = nil
	}
	if cap(s.attrs) > keepAttrs {
		s.attrs = nil
	}
	if cap(s.open) > keepChildren {
		s.open = nil
	}
	if cap(s.rewritten) > keepBytes {
		s.rewritten = nil
	}
	if cap(s.scratch) > keepBytes {
		s.scratch = nil
	}
}

// reclaim ends the lease of the element that was returned last. Where races are
// looked for, so are those who still use it: they find it overwritten.
func (r *Reader) reclaim() {
	if !poison || r.inElem || r.scan == nil {
		return
	}
	for i := range r.lent {
		r.lent[i] = 0xFF // which is not even UTF-8
	}
	r.lent = nil
	scratch := r.scan.scratch[:cap(r.scan.scratch)]
	for i := range scratch {
		scratch[i] = 0xFF
	}
}
