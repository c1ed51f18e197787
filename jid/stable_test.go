package jid

import (
	"errors"
	"testing"
	"unicode/utf8"
)

func TestUntilStable(t *testing.T) {
	// countdown changes its string n times: "xxx" to "xx" to "x".
	countdown := func(s string) (string, error) { return s[:max(1, len(s)-1)], nil }
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{"x", "x", nil},
		{"xx", "x", nil},
		{"xxxx", "x", nil}, // three changes, and a fourth time without one
		{"xxxxx", "", errUnstable},
	} {
		if got, err := untilStable(tt.in, countdown); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("untilStable(%q) = %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

// TestPreparationIsIdempotent prepares twice every character of the first two
// planes, which hold all that change, alone and beside others.
func TestPreparationIsIdempotent(t *testing.T) {
	prepare := map[string]func(string) (string, error){
		"localpart":    prepareLocalpart,
		"domainpart":   prepareDomainpart,
		"resourcepart": prepareResourcepart,
	}
	for r := range rune(0x20000) {
		if !utf8.ValidRune(r) {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r), string(r) + "\u0323"} {
			for part, f := range prepare {
				once, err := f(s)
				if err != nil {
					continue
				}
				if twice, err := f(once); twice != once {
					t.Errorf("%s %+q: %+q, then %+q, %v", part, s, once, twice, err)
				}
			}
		}
	}
}
