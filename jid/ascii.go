package jid

import "strings"

// Nearly all addresses are ASCII, and for ASCII the profiles say little: which
// bytes a part may have, and that a localpart and a domainpart are in lower case.
// One table says it here; a test holds it against PRECIS and IDNA, byte by byte.

const (
	inLocal    = 1 << iota // allowed in a localpart
	inDomain               // allowed in a domain name, dots included
	inResource             // allowed in a resourcepart
	isUpper                // to be mapped to lower case, except in a resourcepart
)

// excluded is what a localpart must not contain although PRECIS allows it
// (RFC 7622 §3.3.1).
const excluded = "\"&'/:<>@"

// class gives the marks of each byte; those beyond ASCII have none.
var class = classify()

func classify() (t [256]uint8) {
	for c := byte(' '); c <= '~'; c++ {
		t[c] |= inResource
		if c != ' ' && strings.IndexByte(excluded, c) < 0 {
			t[c] |= inLocal
		}
		switch {
		case 'A' <= c && c <= 'Z':
			t[c] |= inDomain | isUpper
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.':
			t[c] |= inDomain
		}
	}
	return t
}

// scan reports whether all bytes of s have the mark in, and whether any is an
// upper-case letter.
func scan(s string, in uint8) (ok, upper bool) {
	all, any := in, uint8(0)
	for i := range len(s) {
		marks := class[s[i]]
		all &= marks
		any |= marks
	}
	return all != 0, any&isUpper != 0
}

// parseASCII parses an address that needs no more than lower case to be
// canonical. It refuses, by ok, whatever it cannot settle; that says nothing of
// its validity.
func parseASCII(s string) (_ JID, ok bool) {
	bare := len(s)
	if i := strings.IndexByte(s, '/'); i >= 0 {
		if !isPlainResource(s[i+1:]) {
			return JID{}, false
		}
		bare = i
	}
	local, start, upper := 0, 0, false
	if i := strings.IndexByte(s[:bare], '@'); i >= 0 {
		if ok, upper = scanLocal(s[:i]); !ok {
			return JID{}, false
		}
		local, start = i, i+1
	}
	ok, domainUpper := scanDomain(s[start:bare])
	if !ok {
		return JID{}, false
	}
	if upper || domainUpper {
		s = lower(s, bare)
	}
	return JID{s: s, local: uint16(local), domain: uint16(bare - start)}, true
}

// isPlainResource reports whether s is an ASCII resourcepart. It then needs no
// preparation.
func isPlainResource(s string) bool {
	if s == "" || len(s) > maxPart || s[0] == ' ' {
		return false
	}
	ok, _ := scan(s, inResource)
	return ok
}

// scanLocal reports whether s is an ASCII localpart, and whether it has an
// upper-case letter.
func scanLocal(s string) (ok, upper bool) {
	if s == "" || len(s) > maxPart {
		return false, false
	}
	return scan(s, inLocal)
}

// scanDomain reports whether s is a domain name of NR-LDH labels, without a
// trailing dot, and whether it has an upper-case letter. An IPv4 address is one too.
func scanDomain(s string) (ok, upper bool) {
	if len(s) > maxDomain {
		return false, false
	}
	all, any, start := uint8(inDomain), uint8(0), 0
	for i := range len(s) {
		c := s[i]
		marks := class[c]
		all &= marks
		any |= marks
		if c == '.' {
			if !isLDH(s[start:i]) {
				return false, false
			}
			start = i + 1
		}
	}
	return all != 0 && isLDH(s[start:]), any&isUpper != 0
}

// isLDH reports whether a label of letters, digits and hyphens has the length and
// the hyphens of an NR-LDH label (RFC 5890 §2.3.1): none at either end, and not
// two in the third and fourth place, which is where A-labels are marked.
func isLDH(label string) bool {
	n := len(label)
	return 0 < n && n <= maxLabel &&
		label[0] != '-' && label[n-1] != '-' &&
		(n < 4 || label[2] != '-' || label[3] != '-')
}

// lower returns s with its first n bytes, which are ASCII, in lower case.
func lower(s string, n int) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := range n {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	b.WriteString(s[n:])
	return b.String()
}

// isASCII reports whether s has no byte beyond ASCII.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
