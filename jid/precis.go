package jid

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// username is the UsernameCaseMapped profile without its directionality rule.
// precis.UsernameCaseMapped applies the Bidi Rule to every string, which refuses
// left-to-right ones such as "1ü"; RFC 8265 §3.3.1 wants it only for strings that
// have a right-to-left character. mapLocalpart does that.
var username = precis.NewIdentifier(
	precis.FoldWidth,
	precis.LowerCase(),
	precis.Norm(norm.NFC),
)

var (
	errUTF8         = errors.New("not UTF-8")
	errBidi         = errors.New("right-to-left and left-to-right characters in an order that the Bidi Rule forbids (RFC 5893)")
	errUnstable     = errors.New("mapping it again changes it again")
	errLeadingSpace = errors.New("a space at the start")
)

// prepareLocalpart applies RFC 7622 §3.3 to s.
func prepareLocalpart(s string) (string, error) {
	if ok, upper := scanLocal(s); ok {
		if upper {
			s = strings.ToLower(s)
		}
		return s, nil
	}
	return prepareWith(Localpart, s, mapLocalpart)
}

// prepareResourcepart applies RFC 7622 §3.4 to s.
func prepareResourcepart(s string) (string, error) {
	if isPlainResource(s) {
		return s, nil
	}
	return prepareWith(Resourcepart, s, mapResourcepart)
}

// prepareWith checks what holds for localparts and resourceparts alike, around
// the mapping of the one or the other.
func prepareWith(part Part, s string, mapping func(string) (string, error)) (string, error) {
	switch {
	case len(s) > maxRaw:
		return "", fail(ErrTooLong, part, s, nil)
	case !utf8.ValidString(s): // the mappings would write U+FFFD for what is broken
		return "", fail(part.invalid(), part, s, errUTF8)
	}
	out, err := untilStable(s, mapping)
	switch {
	case err != nil:
		return "", fail(part.invalid(), part, s, err)
	case out == "":
		return "", fail(ErrEmpty, part, s, nil)
	case len(out) > maxPart:
		return "", fail(ErrTooLong, part, s, nil)
	}
	return out, nil
}

// untilStable applies mapping until it changes nothing, so that what is stored
// is canonical by construction: the rules of a profile, each applied once, do not
// promise that. The bound is that of RFC 8266 §2.1, three times after the first.
func untilStable(s string, mapping func(string) (string, error)) (string, error) {
	for range 4 {
		t, err := mapping(s)
		if err != nil || t == s {
			return t, err
		}
		s = t
	}
	return "", errUnstable
}

func mapLocalpart(s string) (string, error) {
	s, err := username.String(s)
	if err != nil {
		return "", err
	}
	// The excluded characters have fullwidth forms, so they are looked for behind the mapping.
	if i := strings.IndexAny(s, excluded); i >= 0 {
		return "", fmt.Errorf("character %q is not allowed", s[i])
	}
	if isRTL(s) && !bidirule.ValidString(s) {
		return "", errBidi
	}
	return s, nil
}

func mapResourcepart(s string) (string, error) {
	s, err := precis.OpaqueString.String(s)
	if err != nil {
		return "", err
	}
	// OpaqueString has no such rule; example 18 of RFC 7622 §3.5 has.
	if s[0] == ' ' {
		return "", errLeadingSpace
	}
	return s, nil
}

// isRTL reports whether s has a right-to-left character, one of the classes R, AL
// and AN (RFC 5893 §1.4).
func isRTL(s string) bool { return bidirule.DirectionString(s) == bidi.RightToLeft }
