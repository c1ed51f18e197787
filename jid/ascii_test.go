package jid

import (
	"strings"
	"testing"

	"golang.org/x/text/secure/precis"
)

// TestASCIIAgreesWithPRECIS holds the table of the fast path against the profiles,
// for each byte in each place.
func TestASCIIAgreesWithPRECIS(t *testing.T) {
	for c := range 0x80 {
		for _, s := range []string{string(rune(c)), "a" + string(rune(c)), string(rune(c)) + "a", "a" + string(rune(c)) + "a"} {
			want, err := precis.UsernameCaseMapped.String(s)
			if strings.ContainsAny(want, excluded) {
				want, err = "", errLDH
			}
			if got, gotErr := prepareLocalpart(s); got != want || (gotErr == nil) != (err == nil) {
				t.Errorf("localpart %q: %q, %v; want %q, %v", s, got, gotErr, want, err)
			}

			want, err = precis.OpaqueString.String(s)
			if strings.HasPrefix(want, " ") {
				want, err = "", errLeadingSpace
			}
			if got, gotErr := prepareResourcepart(s); got != want || (gotErr == nil) != (err == nil) {
				t.Errorf("resourcepart %q: %q, %v; want %q, %v", s, got, gotErr, want, err)
			}
		}
	}
}

// TestASCIIAgreesWithIDNA holds the fast path for domainparts against the long
// way, and both against x/net/idna, for all short names over the characters that matter.
func TestASCIIAgreesWithIDNA(t *testing.T) {
	const alphabet = "aX1-._ "
	var names func(prefix string, n int)
	names = func(prefix string, n int) {
		if prefix != "" && !strings.HasSuffix(prefix, ".") {
			compareDomain(t, prefix)
		}
		if n == 0 {
			return
		}
		for i := range len(alphabet) {
			names(prefix+alphabet[i:i+1], n-1)
		}
	}
	names("", 6)
}

func compareDomain(t *testing.T, s string) {
	t.Helper()
	ok, upper := scanDomain(s)
	fast := strings.ToLower(s)
	slow, err := prepareName(s)
	if ok != (err == nil) || ok && (fast != slow || upper != (s != fast)) {
		t.Errorf("%q: fast %v; slow %q, %v", s, ok, slow, err)
	}
	// UTS #46 lets an empty label pass when lengths are not verified.
	if _, err := registered.ToASCII(fast); ok && err != nil {
		t.Errorf("%q: fast %v; idna: %v", s, ok, err)
	}
}
