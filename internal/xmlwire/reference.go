package xmlwire

import "unicode/utf8"

// reference scans the reference at pos and returns the position behind it.
func (s *scanner) reference(b []byte, pos int, inAttr bool) (int, bool) {
	end, ok := s.referenceEnd(b, pos)
	if !ok {
		return pos, false
	}
	r, known := referenced(b[pos+1 : end])
	switch {
	case !known:
		return s.fail(restrictedXML, "entity reference (RFC 6120 §11.1)", pos)
	case !isChar(r):
		return s.fail(notWellFormed, "reference to a character that XML forbids (XML §4.1)", pos)
	case b[pos+1] == '#' && !plainReference(b[pos:end+1], inAttr):
		s.plain = false
	}
	return end + 1, true
}

// plainReference reports whether a reference by number is one of the few of plain form.
func plainReference(ref []byte, inAttr bool) bool {
	switch string(ref) {
	case "&#13;":
		return true
	case "&#9;", "&#10;":
		return inAttr
	}
	return false
}

// referenceEnd finds the semicolon of the reference at pos, judging every byte up
// to there.
func (s *scanner) referenceEnd(b []byte, pos int) (int, bool) {
	for i := pos + 1; i < len(b); i++ {
		switch {
		case !continues(b[pos+1:i], b[i]):
			return s.fail(notWellFormed, "malformed reference (XML §4.1)", pos)
		case b[i] == ';':
			return i, true
		case i-pos < maxReference:
		case b[pos+1] == '#':
			return s.fail(policyViolation, "reference too long", pos)
		default: // no predefined entity has such a name
			return s.fail(restrictedXML, "entity reference (RFC 6120 §11.1)", pos)
		}
	}
	return pos, false
}

// continues reports whether c may follow ref, the beginning of a reference behind
// its "&" (XML §4.1).
func continues(ref []byte, c byte) bool {
	switch {
	case len(ref) == 0:
		return c == '#' || is(c, charNameStart) || c >= utf8.RuneSelf
	case ref[0] != '#':
		return c == ';' || is(c, charName) || c >= utf8.RuneSelf
	case len(ref) == 1:
		return c == 'x' || isDecimal(c)
	case ref[1] != 'x':
		return c == ';' || isDecimal(c)
	default:
		return c == ';' && len(ref) > 2 || isHex(c)
	}
}

func isDecimal(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 5 }

// referenced is the character that a reference stands for; name is what is
// between & and ;. It reports false for an entity that is not predefined
// (XML §4.6). What is out of range comes back as a character that XML forbids.
func referenced(name []byte) (r rune, ok bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		d := rune(c - '0')
		if c > '9' {
			d = rune(c|0x20-'a') + 10
		}
		if r = r*base + d; r > utf8.MaxRune {
			return utf8.MaxRune + 1, true
		}
	}
	return r, true
}
