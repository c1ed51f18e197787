package xmlwire

import "bytes"

// endTag scans on in an end tag. It reports done when that ends the first-level
// element, or the root.
func (s *scanner) endTag(b []byte, pos int) (next int, ok, done bool) {
	if s.state == stEndName {
		want := s.expectedEnd(b)
		if want == nil {
			s.fail(notWellFormed, "end tag without a start tag (XML §2.1)", s.mark)
			return pos, false, false
		}
		// Up to pos it agrees already.
		end := s.mark + len(want)
		if got := b[pos:min(len(b), end)]; !bytes.Equal(got, want[pos-s.mark:][:len(got)]) {
			s.fail(notWellFormed, "end tag of another name than the start tag (XML §3)", s.mark)
			return pos, false, false
		}
		if len(b) < end {
			return len(b), false, false
		}
		pos = end
		s.state = stAfterEnd
	}
	if pos = skipBlanks(b, pos); pos == len(b) {
		return pos, false, false
	}
	if b[pos] != '>' {
		s.fail(notWellFormed, "end tag of another name than the start tag (XML §3)", pos)
		return pos, false, false
	}
	depth := len(s.open)
	if depth == 0 {
		s.isRootEnd = true
		return pos + 1, true, true
	}
	s.binds = s.binds[:s.open[depth-1].binds]
	s.open = s.open[:depth-1]
	if depth == 2 {
		s.endPart(s.mark-len("</"), pos+1)
	}
	s.state = stText
	return pos + 1, true, depth == 1
}

// expectedEnd is the name that an end tag has to have here, as its start tag
// wrote it, or nil.
func (s *scanner) expectedEnd(b []byte) []byte {
	switch depth := len(s.open); {
	case depth > 0:
		return s.open[depth-1].name.of(b)
	case s.doc.rootText != nil:
		return s.doc.rootName.of(s.doc.rootText)
	}
	return nil
}
