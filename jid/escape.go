package jid

import "strings"

// escapable are the characters that XEP-0106 writes as a backslash and two
// hexadecimal digits, the backslash itself last.
const escapable = " " + excluded + `\`

const hexDigits = "0123456789abcdef"

// EscapeLocalpart writes s so that it can be a localpart although it contains
// spaces or the characters that RFC 7622 §3.3.1 excludes: "d'artagnan" becomes
// `d\27artagnan` (XEP-0106 §3.2). Use it on what a person typed or another network
// calls its user, before [New]; an address that is one already needs none.
//
// A backslash is escaped only where it would otherwise be read as the start of an
// escape, in either case of its digits: `\2F` is not an escape, but a localpart is
// mapped to lower case and then it would be.
//
// Spaces at the start and the end are left alone, since XEP-0106 has no way to
// write them there; [New] then refuses the result. It would be wrong to drop them:
// the name without them is another's.
func EscapeLocalpart(s string) string {
	if !strings.ContainsAny(s, escapable) {
		return s
	}
	start := len(s) - len(strings.TrimLeft(s, " "))
	end := max(start, len(strings.TrimRight(s, " ")))
	var b strings.Builder
	b.WriteString(s[:start])
	for i := start; i < end; i++ {
		c := s[i]
		if strings.IndexByte(escapable, c) < 0 || c == '\\' && !isEscape(strings.ToLower(s[i:min(i+3, end)])) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&0xf])
	}
	b.WriteString(s[end:])
	return b.String()
}

// UnescapeLocalpart undoes [EscapeLocalpart], for display or for another network:
// UnescapeLocalpart(EscapeLocalpart(s)) is s. Never compare what it returns, or
// make an address of it (XEP-0106 §4.1).
//
// Only the ten escapes of XEP-0106 are read, with their digits in lower case; any
// other backslash stands for itself. So does one that begins \20 at the start or
// the end, where no escaped localpart has it: shown as a space there, it would make
// one user look like another.
func UnescapeLocalpart(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		esc := s[i:min(i+3, len(s))]
		if !isEscape(esc) || esc == `\20` && (i == 0 || i+3 == len(s)) {
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte(unhex(esc[1])<<4 | unhex(esc[2]))
		i += 2
	}
	return b.String()
}

// isEscape reports whether s is one of the ten escapes.
func isEscape(s string) bool {
	if len(s) != 3 || s[0] != '\\' {
		return false
	}
	hi, lo := strings.IndexByte(hexDigits, s[1]), strings.IndexByte(hexDigits, s[2])
	return hi >= 0 && lo >= 0 && strings.IndexByte(escapable, byte(hi<<4|lo)) >= 0
}

// unhex returns the value of a digit in lower case.
func unhex(c byte) byte { return byte(strings.IndexByte(hexDigits, c)) }
