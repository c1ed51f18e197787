package xmlwire

// A byte is special if it does not stand for itself. The functions that begin with
// special yield masks (see words.go).

// The angle brackets differ in one bit, ampersand and apostrophe in another: with
// that bit set in every byte, one comparison finds both.
const (
	angleBit = '<' ^ '>'
	quoteBit = '&' ^ '\''
)

// specialText marks what is not plain character data: a control character, '<',
// '>', '&', or none of ASCII.
func specialText(x uint64) uint64 {
	angle := (x | angleBit*ones) ^ '>'*ones
	amp := x ^ '&'*ones
	return (x | (x - ' '*ones) | zero(angle) | zero(amp)) & highs
}

// specialValue marks what is not a plain part of any attribute's value: as
// specialText, and either quote.
func specialValue(x uint64) uint64 {
	angle := (x | angleBit*ones) ^ '>'*ones
	amp := (x | quoteBit*ones) ^ '\''*ones
	quote := x ^ '"'*ones
	return (x | (x - ' '*ones) | zero(angle) | zero(amp) | zero(quote)) & highs
}

// specialOdd is 0 for a word in which specialValue finds nothing, and cheaper: it
// takes all that is less than '(' for special, which addresses, namespaces and
// identifiers have little of.
func specialOdd(x uint64) uint64 {
	angle := (x | angleBit*ones) ^ '>'*ones
	return (x | (x - '('*ones) | zero(angle)) & highs
}

// specialQuoted marks what ends plainValue. The ampersand and the quote differ in
// one bit; with the bits of or set, both are xor.
func specialQuoted(x, or, xor uint64) uint64 {
	return (x | (x - ' '*ones) | zero(x^'<'*ones) | zero((x|or)^xor)) & highs
}

// indexSpecialText returns the index of the first byte of s, from one on, that is
// not plain character data: '<', '>', '&', a control character other than tab and
// line feed, or none of ASCII. It is len(s) if there is none.
func indexSpecialText(s []byte, from int) int {
	for {
		i := from
		var mark uint64
		for ; i+2*wordSize <= len(s); i += 2 * wordSize {
			first, second := specialText(word(s[i:i+wordSize])), specialText(word(s[i+wordSize:i+2*wordSize]))
			if first|second == 0 {
				continue
			}
			if mark = first; first == 0 {
				i, mark = i+wordSize, second
			}
			break
		}
		if mark == 0 && i+wordSize <= len(s) {
			if mark = specialText(word(s[i : i+wordSize])); mark == 0 {
				i += wordSize
			}
		}
		if mark == 0 {
			if i == len(s) {
				return i
			}
			if mark = specialText(tail(s, i)); mark == 0 {
				return len(s)
			}
		}
		i += firstMarked(mark)
		if c := s[i]; c != '\t' && c != '\n' {
			return i
		}
		from = i + 1
	}
}

// indexSpecialValue returns the index of the first byte of s, from one on, that
// is not a plain part of an attribute's value: '<', '>', '&', a quote of either
// kind, a control character, or none of ASCII. It is len(s) if there is none.
func indexSpecialValue(s []byte, from int) int {
	i := from
	for ; i+wordSize <= len(s); i += wordSize {
		x := word(s[i : i+wordSize])
		if specialOdd(x) == 0 {
			continue
		}
		if mark := specialValue(x); mark != 0 {
			return i + firstMarked(mark)
		}
	}
	if i == len(s) {
		return i
	}
	if mark := specialValue(tail(s, i)); mark != 0 {
		return i + firstMarked(mark)
	}
	return len(s)
}

// copyPlainValue copies s to dst, which is at least a word longer, as long as it is
// a plain part of an attribute's value, and reports whether all of it is. What it
// leaves in the rest of dst means nothing. For a short text that takes less time
// than to look at it and to copy it then.
func copyPlainValue(dst, s []byte) bool {
	i := 0
	for ; i+wordSize <= len(s); i += wordSize {
		x := word(s[i : i+wordSize])
		putWord(dst[i:i+wordSize], x)
		if specialOdd(x) != 0 && specialValue(x) != 0 {
			return false
		}
	}
	switch {
	case i == len(s):
		return true
	case i > 0: // once more some bytes that are plain
		x := word(s[len(s)-wordSize:])
		putWord(dst[len(s)-wordSize:len(s)], x)
		return specialValue(x) == 0
	default:
		x := tail(s, 0)
		putWord(dst, x)
		return specialValue(x) == 0
	}
}

// plainValue returns the index of the first byte from pos on that is quote, or is
// not plain in a value between such quotes: '<', '&', a control character, or none
// of ASCII. It is len(b) if there is none.
func plainValue(b []byte, pos int, quote byte) int {
	or, xor := uint64(quoteBit*ones), uint64('\''*ones)
	if quote == '"' {
		or, xor = ('"'^'&')*ones, '&'*ones
	}
	for ; pos+wordSize <= len(b); pos += wordSize {
		if mark := specialQuoted(word(b[pos:pos+wordSize]), or, xor); mark != 0 {
			return pos + firstMarked(mark)
		}
	}
	if pos == len(b) {
		return pos
	}
	return min(pos+firstMarked(specialQuoted(tail(b, pos), or, xor)), len(b))
}
