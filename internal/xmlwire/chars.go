package xmlwire

import "unicode/utf8"

// What a byte can be without looking further. Bytes from 0x80 are in no class:
// they are decoded.
const (
	charText      = 1 << iota // character data that stands for itself, also when written
	charValue                 // an attribute value's that stands for itself, also when written
	charCDATA                 // a CDATA section's, short of its possible end
	charName                  // a name's
	charNameStart             // a name's first
	charBlank                 // white space (XML §2.3)
)

var class = classes()

func classes() (t [256]uint8) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = charText | charValue | charCDATA
	}
	t['\t'], t['\n'] = charText|charCDATA, charText|charCDATA
	for _, c := range "<>&" {
		t[c] &^= charText | charValue
	}
	for _, c := range "'\"" {
		t[c] &^= charValue
	}
	t['>'] &^= charCDATA
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= charName | charNameStart
		t[c-'a'+'A'] |= charName | charNameStart
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= charName
	}
	t['_'] |= charName | charNameStart
	t['-'] |= charName
	t['.'] |= charName
	for _, c := range " \t\r\n" {
		t[c] |= charBlank
	}
	return t
}

func is(c byte, what uint8) bool { return class[c]&what != 0 }

// isChar reports whether XML allows r anywhere (XML §2.2, production Char).
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	default:
		return r != 0xFFFE && r != 0xFFFF && r <= utf8.MaxRune
	}
}

// skipBlanks returns the position of the first byte from pos on that is not white space.
func skipBlanks(b []byte, pos int) int {
	for pos < len(b) && is(b[pos], charBlank) {
		pos++
	}
	return pos
}
