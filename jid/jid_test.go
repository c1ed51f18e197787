package jid_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
)

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		in               string
		zero, bare, full bool
	}{
		{"", true, false, false},
		{"example.com", false, true, false},
		{"example.com/x", false, false, true},
		{"a@example.com", false, true, false},
		{"a@example.com/x", false, false, true},
	} {
		var j jid.JID
		if tt.in != "" {
			j = jid.MustParse(tt.in)
		}
		if j.IsZero() != tt.zero || j.IsBare() != tt.bare || j.IsFull() != tt.full {
			t.Errorf("%q: IsZero %v, IsBare %v, IsFull %v; want %v, %v, %v",
				tt.in, j.IsZero(), j.IsBare(), j.IsFull(), tt.zero, tt.bare, tt.full)
		}
	}
}

func TestBareAndDomain(t *testing.T) {
	for _, tt := range []struct{ in, bare, domain string }{
		{"example.com", "example.com", "example.com"},
		{"example.com/x", "example.com", "example.com"},
		{"a@example.com", "a@example.com", "example.com"},
		{"a@example.com/x/y@z", "a@example.com", "example.com"},
		{"é@bücher.example/♚", "é@bücher.example", "bücher.example"},
	} {
		j := jid.MustParse(tt.in)
		if got := j.Bare(); got != jid.MustParse(tt.bare) || got.String() != tt.bare {
			t.Errorf("%q: Bare is %q; want %q", tt.in, got, tt.bare)
		}
		if got := j.Domain(); got != jid.MustParse(tt.domain) || got.String() != tt.domain {
			t.Errorf("%q: Domain is %q; want %q", tt.in, got, tt.domain)
		}
	}
	var zero jid.JID
	if zero.Bare() != zero || zero.Domain() != zero || zero.String() != "" {
		t.Errorf("zero: Bare %q, Domain %q, String %q; want nothing", zero.Bare(), zero.Domain(), zero.String())
	}
}

func TestWith(t *testing.T) {
	for _, tt := range []struct {
		in, part        string
		resource, local string // what WithResource and WithLocal return
	}{
		{"example.com", "X", "example.com/X", "x@example.com"},
		{"example.com/y", "X", "example.com/X", "x@example.com/y"},
		{"a@example.com", "X", "a@example.com/X", "x@example.com"},
		{"a@example.com/y", "X", "a@example.com/X", "x@example.com/y"},
		{"a@example.com/y", "É", "a@example.com/É", "é@example.com/y"},
		{"a@example.com/y", "", "a@example.com", "example.com/y"},
		{"example.com", "", "example.com", "example.com"},
	} {
		j := jid.MustParse(tt.in)
		if got, err := j.WithResource(tt.part); err != nil || got != jid.MustParse(tt.resource) {
			t.Errorf("%q.WithResource(%q) = %q, %v; want %q", tt.in, tt.part, got, err, tt.resource)
		}
		if got, err := j.WithLocal(tt.part); err != nil || got != jid.MustParse(tt.local) {
			t.Errorf("%q.WithLocal(%q) = %q, %v; want %q", tt.in, tt.part, got, err, tt.local)
		}
	}

	j := jid.MustParse("example.com")
	if got, err := j.WithResource("\n"); !errors.Is(err, jid.ErrInvalidResourcepart) || !got.IsZero() {
		t.Errorf("WithResource of a newline: %q, %v", got, err)
	}
	if got, err := j.WithLocal("a@b"); !errors.Is(err, jid.ErrInvalidLocalpart) || !got.IsZero() {
		t.Errorf("WithLocal of an address: %q, %v", got, err)
	}
	for _, part := range []string{"", "x"} {
		if got, err := (jid.JID{}).WithResource(part); !errors.Is(err, jid.ErrNoDomain) {
			t.Errorf("zero.WithResource(%q) = %q, %v; want %v", part, got, err, jid.ErrNoDomain)
		}
		if got, err := (jid.JID{}).WithLocal(part); !errors.Is(err, jid.ErrNoDomain) {
			t.Errorf("zero.WithLocal(%q) = %q, %v; want %v", part, got, err, jid.ErrNoDomain)
		}
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		local, domain, resource string
		want                    string
		err                     error
	}{
		{"A", "B", "C", "a@b/C", nil},
		{"", "b", "", "b", nil},
		{"a", "b.", "", "a@b", nil},
		{"", "b", "c/d@e", "b/c/d@e", nil},
		{"a", "", "c", "", jid.ErrNoDomain},
		{"a@b", "c", "", "", jid.ErrInvalidLocalpart},
		{"a/b", "c", "", "", jid.ErrInvalidLocalpart},
		{"", "a@b", "", "", jid.ErrInvalidDomainpart},
		{"", "a/b", "", "", jid.ErrInvalidDomainpart},
	} {
		got, err := jid.New(tt.local, tt.domain, tt.resource)
		if got.String() != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("New(%q, %q, %q) = %q, %v; want %q, %v", tt.local, tt.domain, tt.resource, got, err, tt.want, tt.err)
		}
	}
}

func TestMustParse(t *testing.T) {
	require.PanicsWithError(t, `jid: no domainpart in "juliet@"`, func() { jid.MustParse("juliet@") })
}

// TestCompare: hosts stay together, and so do the addresses of an account, which
// the order of the strings would not do ("a@b-c" < "a@b/x").
func TestCompare(t *testing.T) {
	want := []string{
		"a.example", "a.example/x",
		"a@a.example", "a@a.example/x", "a@a.example/y",
		"a-b@a.example", "b@a.example",
		"a.example-b", "a@a.example-b",
	}
	var jids []jid.JID
	for _, s := range want {
		jids = append(jids, jid.MustParse(s))
	}
	slices.Reverse(jids)
	slices.SortFunc(jids, jid.JID.Compare)
	var got []string
	for _, j := range jids {
		got = append(got, j.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("sorted\n%q; want\n%q", got, want)
	}
}

func TestPrint(t *testing.T) {
	j := jid.MustParse("a@example.com/x")
	for verb, want := range map[string]string{"%v": "a@example.com/x", "%s": "a@example.com/x", "%q": `"a@example.com/x"`} {
		if got := fmt.Sprintf(verb, j); got != want {
			t.Errorf("%s: %s; want %s", verb, got, want)
		}
	}
}

func TestError(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		part     jid.Part
	}{
		{"", `jid: no domainpart in ""`, jid.Domainpart},
		{"@b", `jid: empty localpart in "@b"`, jid.Localpart},
		{"b/", `jid: empty resourcepart in "b/"`, jid.Resourcepart},
		{"a b@c", `jid: invalid localpart "a b": precis: disallowed rune encountered`, jid.Localpart},
		{"a:b@c", `jid: invalid localpart "a:b": character ':' is not allowed`, jid.Localpart},
		{"a_b", `jid: invalid domainpart "a_b": only letters, digits and hyphens inside labels are allowed`, jid.Domainpart},
		{"b/\u202e", `jid: invalid resourcepart "\u202e": precis: disallowed rune encountered`, jid.Resourcepart},
		{"b/" + strings.Repeat("x", 1024), `jid: resourcepart too long: "` + strings.Repeat("x", 64) + `…"`, jid.Resourcepart},
		{"b/é" + strings.Repeat("é", 1024), `jid: resourcepart too long: "` + strings.Repeat("é", 32) + `…"`, jid.Resourcepart},
		{"b/x" + strings.Repeat("é", 1024), `jid: resourcepart too long: "x` + strings.Repeat("é", 31) + `…"`, jid.Resourcepart},
	} {
		_, err := jid.Parse(tt.in)
		e, ok := errors.AsType[*jid.Error](err)
		if !ok || e.Part != tt.part || err.Error() != tt.want {
			t.Errorf("Parse(%.20q): %v; want %s", tt.in, err, tt.want)
		}
	}
}

// TestConcurrent lets the race detector see that the profiles are shared.
func TestConcurrent(t *testing.T) {
	const in = "ＪULIÉT@xn--bcher-kva.Example/e\u0301 ♚"
	want := jid.MustParse(in)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if got, err := jid.Parse(in); got != want {
					t.Errorf("Parse = %q, %v; want %q", got, err, want)
				}
			}
		})
	}
	wg.Wait()
}
