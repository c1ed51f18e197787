package xmlwire

import "unicode/utf8"

// startTag scans on in a start tag. It reports done when the tag ends all there
// is to scan: an empty first-level element, or the root's start tag.
func (s *scanner) startTag(b []byte, pos int) (next int, ok, done bool) {
	for {
		if s.state == stName || s.state == stAttrName || s.state == stValue {
			if pos, ok = s.nameOrValue(b, pos); !ok {
				return pos, false, false
			}
			continue
		}
		if pos == len(b) {
			return pos, false, false
		}
		c := b[pos]
		switch s.state {
		case stAfterName, stBetween:
			switch {
			case is(c, charBlank):
				s.state = stBetween
			case c == '>':
				return s.endStart(b, pos+1, false)
			case c == '/':
				s.state = stEmptyTag
			case s.state == stAfterName:
				s.fail(notWellFormed, "no blank between attributes (XML §3.1)", pos)
				return pos, false, false
			case len(s.attrs) >= s.lim.Attrs:
				s.fail(policyViolation, "too many attributes", pos)
				return pos, false, false
			default:
				s.attrs = append(s.attrs, attrSpan{binding: noPrefix})
				s.state, s.mark, s.part, s.attr = stAttrName, pos, pos, pos
				continue
			}
		case stAfterAttr:
			switch {
			case is(c, charBlank):
			case c == '=':
				s.state = stBeforeValue
			default:
				s.fail(notWellFormed, "attribute without a value (XML §3.1)", pos)
				return pos, false, false
			}
		case stBeforeValue:
			switch {
			case is(c, charBlank):
			case c == '"' || c == '\'':
				s.state, s.quote, s.mark = stValue, c, pos+1
			default:
				s.fail(notWellFormed, "attribute value without quotes (XML §3.1)", pos)
				return pos, false, false
			}
		case stEmptyTag:
			if c != '>' {
				s.fail(notWellFormed, "/ in a start tag (XML §3.1)", pos)
				return pos, false, false
			}
			return s.endStart(b, pos+1, true)
		}
		pos++
	}
}

// nameOrValue scans on in a name or a value and notes it when it ends.
func (s *scanner) nameOrValue(b []byte, pos int) (int, bool) {
	window, capped := b, false
	switch s.state {
	case stAttrName:
		window, capped = head(b, s.mark+s.lim.AttrBytes+1)
	case stValue:
		window, capped = head(b, s.mark+s.lim.AttrBytes-s.attrs[len(s.attrs)-1].nameLen()+1)
	}
	var ok bool
	if s.state == stValue {
		pos, ok = s.value(window, pos)
	} else {
		pos, ok = s.qname(window, pos)
	}
	if !ok {
		if capped && s.err == nil {
			return s.fail(policyViolation, "attribute too long", s.attr)
		}
		return pos, false
	}
	switch s.state {
	case stName:
		s.elem = attrSpan{from: int32(s.mark), local: int32(s.part), end: int32(pos)}
		s.state = stAfterName
	case stAttrName:
		a := &s.attrs[len(s.attrs)-1]
		a.from, a.local, a.end = int32(s.mark), int32(s.part), int32(pos)
		s.state = stAfterAttr
	case stValue:
		s.attrs[len(s.attrs)-1].value = span{int32(s.mark), int32(pos)}
		s.state = stAfterName
		pos++ // the quote
	}
	return pos, true
}

// head returns b[:n], and whether that cut anything off.
func head(b []byte, n int) ([]byte, bool) {
	if n >= len(b) {
		return b, false
	}
	return b[:n], true
}

// qname scans a name with at most one colon, from s.mark (Namespaces in XML §4).
func (s *scanner) qname(b []byte, pos int) (int, bool) {
	for pos < len(b) {
		c := b[pos]
		first := pos == s.part
		switch {
		case is(c, charName) && (!first || is(c, charNameStart)):
			pos++
		case c >= utf8.RuneSelf:
			n := s.char(b, pos)
			if n == 0 {
				return pos, false
			}
			r, _ := utf8.DecodeRune(b[pos:])
			switch nameRune(r, first) {
			case nameIllegal:
				return s.fail(notWellFormed, "character not allowed in a name (XML §2.3)", pos)
			case nameTooFresh:
				return s.fail(policyViolation, "name that XML allows only since its fifth edition", pos)
			}
			pos += n
		case first:
			return s.fail(notWellFormed, "name expected (XML §2.3, Namespaces in XML §4)", pos)
		case c == ':' && s.part == s.mark:
			pos++
			s.part = pos
		case c == ':':
			return s.fail(notWellFormed, "two colons in a name (Namespaces in XML §4)", pos)
		default:
			return pos, true
		}
	}
	return pos, false
}

// value scans an attribute value up to its closing quote.
func (s *scanner) value(b []byte, pos int) (int, bool) {
	for {
		if pos = plainValue(b, pos, s.quote); pos == len(b) {
			return pos, false
		}
		switch c := b[pos]; c {
		case s.quote:
			return pos, true
		case '\t', '\n', '\r':
			s.plain = false // they read as blanks (XML §3.3.3)
			pos++
		case '<':
			return s.fail(notWellFormed, "< in an attribute value (XML §3.1)", pos)
		case '&':
			next, ok := s.reference(b, pos, true)
			if !ok {
				return pos, false
			}
			pos = next
		default:
			n := s.char(b, pos)
			if n == 0 {
				return pos, false
			}
			pos += n
		}
	}
}
