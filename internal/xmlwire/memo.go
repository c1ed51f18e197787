package xmlwire

import (
	"math/bits"
	"sync"
)

// A memo remembers what was checked before, by its bytes: start tags and names come
// again and again, and need not be looked at each time.
//
// What one peer sends can only make another's be looked at. A scanner has a memo
// while it scans; while it waits in the middle of an element it has none, so a peer
// that never ends its elements does not hold one.
type memo struct {
	names nameTable
	outer [64]knownTag // first-level ones
	inner [64]knownTag
	last  knownTag // of those at the end of what has arrived
}

var memos = sync.Pool{New: func() any { return new(memo) }}

// borrow sees to it that s has a memo.
func (s *scanner) borrow() {
	if s.memo == nil {
		s.memo = memos.Get().(*memo)
	}
}

// release gives the memo of s away.
func (s *scanner) release() {
	memos.Put(s.memo)
	s.memo = nil
}

// tag is where the start tag belongs that stands at pos. Of one inside an element
// the first bytes tell; of first-level ones, which all begin alike, some more.
func (m *memo) tag(b []byte, pos int, inside bool) *knownTag {
	if pos+32 > len(b) && (!inside || pos+8 > len(b)) {
		return &m.last
	}
	x := word(b[pos : pos+8])
	if inside {
		if end := zero(x^'>'*ones) & highs; end != 0 {
			x &= end&-end - 1 // what is behind the tag is not of it
		}
		return &m.inner[x*0x9E3779B97F4A7C15>>58]
	}
	x ^= bits.RotateLeft64(word(b[pos+16:pos+24]), 21) ^ bits.RotateLeft64(word(b[pos+24:pos+32]), 42)
	return &m.outer[x*0x9E3779B97F4A7C15>>58]
}
