package sasl

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// errPrepare names no character: it may be one of a password.
var errPrepare = errors.New("empty, not UTF-8, or with characters that are not allowed")

// prepare brings usernames and passwords into one form, so that it does not
// matter on which keyboard they were typed.
//
// It gives what SASLprep (RFC 4013) gives for every string that SASLprep accepts,
// because that is what the other side of RFC 5802 computes. PRECIS (RFC 8265), its
// successor, gives another form for some, such as U+FF11 FULLWIDTH DIGIT ONE, and
// would lock out a password set by another client. Two refusals of SASLprep are
// left out, as they are from PRECIS: that of characters younger than Unicode 3.2,
// emoji among them, and the bidi rule, which forbids a Hebrew word followed by a
// digit.
func prepare(s string) (string, error) {
	if isPrintableASCII(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", errPrepare
	}
	s = norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case mappedToNothing.has(r): // first, for U+200B is in both tables
			return -1
		case otherSpaces.has(r):
			return ' '
		}
		return r
	}, s))
	if s == "" || strings.ContainsFunc(s, prohibited) {
		return "", errPrepare
	}
	return s, nil
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// prohibited reports what SASLprep prohibits in its output (RFC 4013 §2.3).
func prohibited(r rune) bool {
	return otherSpaces.has(r) || controls.has(r) || privateUse.has(r) || isNonCharacter(r) ||
		notPlainText.has(r) || notCanonical.has(r) || changesDisplay.has(r) || tagging.has(r)
}

// ranges are characters, each pair the first and the last of a run.
type ranges [][2]rune

func (t ranges) has(r rune) bool {
	for _, run := range t {
		if run[0] <= r && r <= run[1] {
			return true
		}
	}
	return false
}

// isNonCharacter is table C.4 of RFC 3454.
func isNonCharacter(r rune) bool {
	return 0xFDD0 <= r && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// The other tables of RFC 3454. Surrogates, C.5, do not occur in UTF-8.
var (
	// B.1, commonly mapped to nothing.
	mappedToNothing = ranges{
		{0xAD, 0xAD}, {0x34F, 0x34F}, {0x1806, 0x1806}, {0x180B, 0x180D}, {0x200B, 0x200D},
		{0x2060, 0x2060}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
	}
	// C.1.2, spaces other than U+0020.
	otherSpaces = ranges{
		{0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200B}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
	}
	// C.2.1 and C.2.2, control characters.
	controls = ranges{
		{0, 0x1F}, {0x7F, 0x9F}, {0x6DD, 0x6DD}, {0x70F, 0x70F}, {0x180E, 0x180E}, {0x200C, 0x200D},
		{0x2028, 0x2029}, {0x2060, 0x2063}, {0x206A, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFC}, {0x1D173, 0x1D17A},
	}
	// C.3, private use.
	privateUse = ranges{{0xE000, 0xF8FF}, {0xF0000, 0xFFFFD}, {0x100000, 0x10FFFD}}
	// C.6, inappropriate for plain text.
	notPlainText = ranges{{0xFFF9, 0xFFFD}}
	// C.7, inappropriate for canonical representation.
	notCanonical = ranges{{0x2FF0, 0x2FFB}}
	// C.8, change display properties or are deprecated.
	changesDisplay = ranges{{0x340, 0x341}, {0x200E, 0x200F}, {0x202A, 0x202E}, {0x206A, 0x206F}}
	// C.9, tagging characters.
	tagging = ranges{{0xE0001, 0xE0001}, {0xE0020, 0xE007F}}
)
