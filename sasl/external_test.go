package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRFC4422_A_External(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{clientCert: true})
	// juliet may act as her nurse.
	authorize := func(_ context.Context, id Identity) error {
		switch {
		case id.Username == "montague":
			return ErrAccountDisabled
		case id.Authzid == "", id.Authzid == id.Username, id.Username == "juliet" && id.Authzid == "nurse":
			return nil
		}
		return ErrInvalidAuthzid
	}
	for _, tt := range []struct {
		name    string
		certs   []string
		authzid string
		id      Identity
		want    error
	}{
		{"one account, none asked for", []string{"juliet"}, "", Identity{Username: "juliet"}, nil},
		{"one account, asked for", []string{"juliet"}, "juliet", Identity{Username: "juliet", Authzid: "juliet"}, nil},
		{"one account, another asked for", []string{"juliet"}, "romeo", Identity{}, ErrInvalidAuthzid},
		{"one account, that may act as another", []string{"juliet"}, "nurse", Identity{Username: "juliet", Authzid: "nurse"}, nil},
		{"two accounts, none asked for", []string{"romeo", "juliet"}, "", Identity{}, ErrInvalidAuthzid},
		{"two accounts, second asked for", []string{"romeo", "juliet"}, "juliet", Identity{Username: "juliet", Authzid: "juliet"}, nil},
		{"two accounts, second may act as another", []string{"romeo", "juliet"}, "nurse", Identity{Username: "juliet", Authzid: "nurse"}, nil},
		{"two accounts, a third asked for", []string{"romeo", "juliet"}, "tybalt", Identity{}, ErrInvalidAuthzid},
		{"no account", nil, "", Identity{}, ErrNotAuthorized},
		{"no account, one asked for", nil, "juliet", Identity{}, ErrNotAuthorized},
		{"an account without name", []string{""}, "", Identity{}, ErrNotAuthorized},
		{"disabled account", []string{"montague", "juliet"}, "juliet", Identity{}, ErrAccountDisabled},
		{"NUL", []string{"juliet"}, "jul\x00iet", Identity{}, ErrMalformed},
		{"not UTF-8", []string{"juliet"}, "\xff", Identity{}, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth := newAuth(t, &accounts{certs: tt.certs}, &Options{Authorize: authorize})
			s := begin(t, auth, External, auth.Offer(server), server)
			additional, done, err := s.Next(t.Context(), []byte(tt.authzid))
			if done != (tt.want == nil) || !errors.Is(err, tt.want) || additional != nil || s.Identity() != tt.id {
				t.Errorf("Next = %q, %t, %v, %+v; want %v, %+v", additional, done, err, s.Identity(), tt.want, tt.id)
			}
		})
	}

	auth := newAuth(t, &accounts{certs: []string{"juliet"}}, nil)
	name, id, clientErr, serverErr := login(t, auth, &Credentials{Certificate: true}, client, server, nil)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	require.Equal(t, External, name)
	require.Equal(t, Identity{Username: "juliet"}, id)

	c, err := Select(auth.Offer(server), &Credentials{Certificate: true, Authzid: "juliet"}, client, nil)
	require.NoError(t, err)
	initial, err := c.Start()
	require.NoError(t, err)
	require.Equal(t, "juliet", string(initial))

	_, err = (&externalClient{authzid: "a\x00"}).start()
	require.Error(t, err)
	initial, err = (&externalClient{}).start()
	require.NoError(t, err)
	require.Equal(t, []byte{}, initial, "empty, which differs from none")
}

func TestSec_ExternalNeedsACertificate(t *testing.T) {
	_, server := tlsPair(t, tlsOptions{})
	auth := newAuth(t, &accounts{certs: []string{"juliet"}}, nil)
	for name, channel := range map[string]*Channel{"nil": nil, "no TLS": secure, "no certificate": server} {
		if offer := auth.Offer(channel); offer.has(External) {
			t.Errorf("%s: offered", name)
		}
		if _, err := auth.Start(External, Offer{Mechanisms: []string{External}}, channel); !errors.Is(err, ErrNotAuthorized) {
			t.Errorf("%s: Start = %v; want ErrNotAuthorized", name, err)
		}
	}
}

func TestExternalStoreFails(t *testing.T) {
	_, server := tlsPair(t, tlsOptions{clientCert: true})
	store := &accounts{certs: []string{"juliet"}, err: errors.New("disk on fire")}
	auth := newAuth(t, store, nil)
	_, _, err := begin(t, auth, External, auth.Offer(server), server).Next(t.Context(), []byte{})
	require.ErrorIs(t, err, ErrTemporary)
	require.ErrorIs(t, err, store.err)
}

// guests names anonymous clients.
type guests struct{ names []string }

func (g *guests) AnonymousUsername(_ context.Context, trace string) (string, error) {
	if len(g.names) == 0 {
		return "", errors.New("full")
	}
	name := g.names[0] + trace
	g.names = g.names[1:]
	return name, nil
}

func TestRFC4505_2_Anonymous(t *testing.T) {
	for _, tt := range []struct {
		name, trace string
		want        error
	}{
		{"the example", "sirhc", nil},
		{"nothing", "", nil},
		{"address", "sirhc@example.org", nil},
		{"255 characters", strings.Repeat("é", 255), nil},
		{"256 characters", strings.Repeat("é", 256), ErrMalformed},
		{"control character", "a\nb", ErrMalformed},
		{"NUL", "\x00", ErrMalformed},
		{"private use", "\ue000", ErrMalformed},
		{"non-character", "\ufdd0", ErrMalformed},
		{"replacement character", "\ufffd", ErrMalformed},
		{"right-to-left override", "\u202e", ErrMalformed},
		{"tag", "\U000e0041", ErrMalformed},
		{"not UTF-8", "\xff", ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth := newAuth(t, &guests{names: []string{"guest-"}}, &Options{AllowAnonymous: true})
			s := begin(t, auth, Anonymous, auth.Offer(nil), nil)
			_, done, err := s.Next(t.Context(), []byte(tt.trace))
			if done != (tt.want == nil) || !errors.Is(err, tt.want) {
				t.Errorf("Next = %t, %v; want %v", done, err, tt.want)
			}
			if want := "guest-" + tt.trace; done && s.Identity() != (Identity{Username: want}) {
				t.Errorf("Identity = %+v; want %s", s.Identity(), want)
			}
		})
	}

	auth := newAuth(t, nil, &Options{AllowAnonymous: true})
	seen := map[string]bool{}
	for range 10 {
		_, id, clientErr, serverErr := login(t, auth, &Credentials{Anonymous: true}, nil, nil, nil)
		require.NoError(t, clientErr)
		require.NoError(t, serverErr)
		require.False(t, seen[id.Username])
		require.Equal(t, strings.ToLower(id.Username), id.Username)
		seen[id.Username] = true
	}

	full := newAuth(t, &guests{}, &Options{AllowAnonymous: true})
	_, _, err := begin(t, full, Anonymous, full.Offer(nil), nil).Next(t.Context(), []byte{})
	require.ErrorIs(t, err, ErrTemporary)
}

// RFC 4505 §5, and CVE-2017-10807: a store that could name guests is no wish to
// have them.
func TestSec_AnonymousMustBeAllowed(t *testing.T) {
	store := struct {
		directory
		*guests
	}{directory{}, &guests{}}
	auth := newAuth(t, store, &Options{AllowPlain: true})
	require.False(t, auth.Offer(secure).has(Anonymous))
	_, err := auth.Start(Anonymous, Offer{Mechanisms: []string{Anonymous}}, secure)
	require.ErrorIs(t, err, ErrInvalidMechanism)
}
