package jid

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// keep returns s as [ParseLenient] keeps it after its preparation has failed, and
// whether it may be kept.
//
// A kept part never equals a prepared one. Preparation leaves a prepared part as
// it is, so if s were one it would not have failed.
func keep(part Part, s string) (kept string, ok bool) {
	if part == Domainpart {
		s = strings.TrimSuffix(s, ".") // RFC 7622 §3.2 strips it before all else
		if !isDistinctDomain(s) {
			return "", false
		}
	}
	if s == "" || len(s) > maxPart || !utf8.ValidString(s) || strings.ContainsFunc(s, isForbidden) {
		return "", false
	}
	return s, true
}

// isForbidden reports whether r cannot stand in an address at all: the characters
// that XML 1.0 §2.2 excludes (surrogates are not UTF-8 to begin with), and
// control characters.
func isForbidden(r rune) bool {
	return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF
}

// isDistinctDomain reports whether a domainpart that is not valid still has the
// shape of one. Software that normalizes before it splits would read
// "juliet＠example.com" as juliet at example.com, and a second trailing dot
// would be stripped, and so change the address, each time it is parsed.
func isDistinctDomain(s string) bool {
	s = norm.NFKC.String(s)
	return !strings.ContainsAny(s, "@/") &&
		!strings.ContainsFunc(s, unicode.IsSpace) &&
		!strings.HasSuffix(dots.Replace(s), ".")
}
