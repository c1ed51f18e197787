package sasl

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewAuthenticator(t *testing.T) {
	scram := newAccounts(t, "juliet", "secret", SHA1)
	for _, tt := range []struct {
		name  string
		store any
		opts  *Options
		ok    bool
	}{
		{"SCRAM", scram, nil, true},
		{"nothing", nil, nil, false},
		{"no store", struct{}{}, &Options{AllowPlain: true}, false},
		{"anonymous needs no store", nil, &Options{AllowAnonymous: true}, true},
		{"passwords, and PLAIN is not allowed", directory{}, nil, false},
		{"passwords", directory{}, &Options{AllowPlain: true}, true},
		{"unknown mechanism", scram, &Options{Mechanisms: []string{SCRAMSHA1, "X-NEW"}}, false},
		{"mechanism twice", scram, &Options{Mechanisms: []string{SCRAMSHA1, SCRAMSHA1}}, false},
		{"no mechanisms", scram, &Options{Mechanisms: []string{}}, false},
		{"unknown hash", md5Store{}, nil, false},
		{"short key", scram, &Options{FakeKey: []byte("short")}, false},
		{"few iterations", scram, &Options{FakeIterations: 1000}, false},
	} {
		a, err := NewAuthenticator(tt.store, tt.opts)
		if (err == nil) != tt.ok || (a != nil) != tt.ok {
			t.Errorf("%s: NewAuthenticator = %v, %v; want ok %t", tt.name, a, err, tt.ok)
		}
	}
}

type md5Store struct{ *accounts }

func (md5Store) SCRAMHashes() []Hash { return []Hash{"MD5"} }

// oneHash is a store with secrets for one hash function.
type oneHash struct{ *accounts }

func (oneHash) SCRAMHashes() []Hash { return []Hash{SHA256} }

func TestOffer(t *testing.T) {
	_, bound := tlsPair(t, tlsOptions{clientCert: true})
	all := newAccounts(t, "juliet", "secret", SHA1)
	for _, tt := range []struct {
		name     string
		store    any
		opts     *Options
		channel  *Channel
		want     []string
		bindings []string
	}{
		{"in clear", all, nil, nil, []string{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1}, nil},
		{"everything", all, &Options{AllowPlain: true, AllowAnonymous: true}, bound, Mechanisms(), []string{TLSExporter, TLSServerEndPoint}},
		{"confidential, no TLS", all, &Options{AllowPlain: true}, secure, []string{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1, OAuthBearer, Plain}, nil},
		{"PLAIN in clear", all, &Options{AllowPlain: true}, nil, []string{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1}, nil},
		{"one hash", oneHash{all}, &Options{Mechanisms: []string{SCRAMSHA512, SCRAMSHA256}}, nil, []string{SCRAMSHA256}, nil},
		{"order", all, &Options{Mechanisms: []string{SCRAMSHA1, SCRAMSHA1Plus}}, bound, []string{SCRAMSHA1, SCRAMSHA1Plus}, []string{TLSExporter, TLSServerEndPoint}},
		{"no -PLUS", all, &Options{Mechanisms: []string{SCRAMSHA1}}, bound, []string{SCRAMSHA1}, nil},
		{"nothing on this channel", directory{}, &Options{AllowPlain: true}, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newAuth(t, tt.store, tt.opts).Offer(tt.channel)
			if !slices.Equal(got.Mechanisms, tt.want) || !slices.Equal(got.Bindings, tt.bindings) {
				t.Errorf("Offer = %+v; want %+v, %+v", got, tt.want, tt.bindings)
			}
		})
	}
}

// Every mechanism that was not offered is refused, known or not: to accept one
// was a fault of Openfire (OF-3273) and of jabberd2.
func TestSec_MechanismNotOffered(t *testing.T) {
	_, bound := tlsPair(t, tlsOptions{clientCert: true})
	auth := newAuth(t, newAccounts(t, "juliet", "secret", SHA1), &Options{AllowPlain: true, AllowAnonymous: true})
	for _, name := range append(Mechanisms(), "DIGEST-MD5", "SCRAM-MD5", "SCRAM-", "-PLUS", "plain", "") {
		offer := auth.Offer(bound)
		offer.Mechanisms = slices.DeleteFunc(offer.Mechanisms, func(s string) bool { return s == name })
		if s, err := auth.Start(name, offer, bound); s != nil || !errors.Is(err, ErrInvalidMechanism) {
			t.Errorf("Start(%q) = %v, %v; want ErrInvalidMechanism", name, s, err)
		}
	}
	// RFC 6120 §6.5.4 has a better word for PLAIN in clear.
	_, err := auth.Start(Plain, Offer{Mechanisms: Mechanisms()}, nil)
	require.ErrorIs(t, err, ErrEncryptionRequired)
}

// authcid ≠ authzid, for every mechanism: to check one and log in the other was a
// fault of ejabberd.
func TestSec_Authzid(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{clientCert: true})
	store := newAccounts(t, "juliet", "secret")
	store.certs = []string{"juliet"}
	creds := Credentials{Username: "juliet", Password: "secret", Token: "letmein", Certificate: true}
	friend := func(_ context.Context, id Identity) error {
		if id.Authzid != "" && id.Authzid != "juliet" && id.Authzid != "nurse" {
			return ErrInvalidAuthzid
		}
		return nil
	}
	disabled := func(context.Context, Identity) error { return ErrAccountDisabled }
	broken := func(context.Context, Identity) error { return errors.New("disk on fire") }
	for _, name := range Mechanisms() {
		if name == Anonymous {
			continue // has no authzid
		}
		for _, tt := range []struct {
			what, authzid string
			authorize     func(context.Context, Identity) error
			want          error
		}{
			{"none", "", nil, nil},
			{"the same", "juliet", nil, nil},
			{"another", "romeo", nil, ErrInvalidAuthzid},
			{"another case", "Juliet", nil, ErrInvalidAuthzid},
			{"address", "juliet@example.org", nil, ErrInvalidAuthzid},
			{"hook allows", "nurse", friend, nil},
			{"hook refuses", "romeo", friend, ErrInvalidAuthzid},
			{"hook refuses the account", "", disabled, ErrAccountDisabled},
			{"hook fails", "", broken, ErrTemporary},
		} {
			t.Run(name+" "+tt.what, func(t *testing.T) {
				auth := newAuth(t, store, &Options{AllowPlain: true, Authorize: tt.authorize})
				creds := creds
				creds.Authzid = tt.authzid
				policy := &Policy{AllowPlain: true, Mechanisms: []string{name, SCRAMSHA512Plus}}
				got, id, clientErr, serverErr := login(t, auth, &creds, client, server, policy)
				require.Equal(t, name, got)
				want := Identity{Username: "juliet", Authzid: tt.authzid}
				if tt.want != nil {
					want = Identity{}
				}
				if !errors.Is(serverErr, tt.want) || (clientErr == nil) != (tt.want == nil) || id != want {
					t.Errorf("%+v, client %v, server %v; want %+v, %v", id, clientErr, serverErr, want, tt.want)
				}
			})
		}
	}
}

// The hook is not asked before the proof.
func TestSec_AuthorizeComesLast(t *testing.T) {
	asked := 0
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), &Options{AllowPlain: true, Authorize: func(context.Context, Identity) error {
		asked++
		return nil
	}})
	for _, policy := range []*Policy{nil, {AllowPlain: true, Mechanisms: []string{Plain}}} {
		_, _, _, serverErr := login(t, auth, &Credentials{Username: "juliet", Password: "wrong", Authzid: "romeo"}, secure, secure, policy)
		require.ErrorIs(t, serverErr, ErrNotAuthorized)
	}
	require.Zero(t, asked)
}

func TestServerOutOfOrder(t *testing.T) {
	auth := newAuth(t, directory{"tim": "tan"}, &Options{AllowPlain: true})
	s := begin(t, auth, Plain, auth.Offer(secure), secure)
	_, done, err := s.Next(t.Context(), []byte("\x00tim\x00tan"))
	require.NoError(t, err)
	require.True(t, done)
	_, done, err = s.Next(t.Context(), []byte("\x00tim\x00tan"))
	require.False(t, done)
	require.ErrorIs(t, err, ErrMalformed)
	require.Equal(t, Identity{Username: "tim"}, s.Identity(), "what was proven stays")
}
