package xmlwire

// markup looks at what follows a "<". Tags that have arrived whole are taken
// whole, one behind the other; of the others the state says where to go on.
func (s *scanner) markup(b []byte, pos int) (next int, ok, done bool) {
	for pos < len(b) {
		if c := b[pos]; c == '/' {
			if next = s.wholeEnd(b, pos+1); next == 0 {
				if s.root {
					s.fail(notWellFormed, "end tag before the root (XML §2.1)", pos)
					return pos, false, false
				}
				s.state, s.mark = stEndName, pos+1
				return pos + 1, true, false
			}
			done = len(s.open) == 0
		} else {
			if !is(c, charNameStart) {
				if next, ok = s.noTag(b, pos); !ok || s.state != stMarkup {
					return next, ok, false
				}
			}
			if s.elements++; s.elements > s.lim.Elements {
				s.fail(policyViolation, "too many elements", pos)
				return pos, false, false
			}
			if len(s.open) >= s.lim.Depth {
				s.fail(policyViolation, "elements nested too deeply", pos)
				return pos, false, false
			}
			if next, ok, done = s.start(b, pos); !ok || s.state == stName {
				return next, ok, false
			}
		}
		if done || next == len(b) || b[next] != '<' {
			s.state = stText
			return next, true, done
		}
		s.state = stMarkup
		pos = next + 1
	}
	return pos, false, false
}

// start takes the start tag whose name begins at pos. When that cannot be done
// at once, it sets the state to stName, to go on step by step.
func (s *scanner) start(b []byte, pos int) (next int, ok, done bool) {
	if !s.root {
		known := s.memo.tag(b, pos, len(s.open) > 0)
		if next, done = s.knownStart(known, b, pos); next == 0 {
			next, done = s.wholeStart(b, pos, known)
		}
	}
	if next == 0 {
		s.state, s.mark, s.part = stName, pos, pos
		s.attrs = s.attrs[:0]
		return pos, true, false
	}
	return next, true, done
}

// noTag looks at what follows a "<" and begins no name in ASCII. It leaves the
// state as it is when that may still be a start tag.
func (s *scanner) noTag(b []byte, pos int) (int, bool) {
	switch b[pos] {
	case '!':
		return s.declaration(b, pos)
	case '?':
		return s.instruction(b, pos)
	case 0:
		if s.root {
			return s.fail(unsupportedEncoding, "UTF-16 or UTF-32 (RFC 6120 §11.6)", pos)
		}
	}
	return pos, true
}

// wholeEnd takes an end tag whose name begins at pos, and returns the position
// behind it. It returns 0, with nothing changed, unless the tag is the one that
// has to come here, without blanks, all of it is in b, and the root goes on.
func (s *scanner) wholeEnd(b []byte, pos int) (next int) {
	last := len(s.open) - 1
	if last < 0 {
		return 0
	}
	name := s.open[last].name
	end := pos + name.len()
	if end >= len(b) || b[end] != '>' || string(b[pos:end]) != string(name.of(b)) {
		return 0
	}
	s.binds = s.binds[:s.open[last].binds]
	s.open = s.open[:last]
	if last == 1 {
		s.endPart(pos-len("</"), end+1)
	}
	return end + 1
}
