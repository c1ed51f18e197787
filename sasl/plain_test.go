package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// directory verifies passwords and keeps none.
type directory map[string]string

func (d directory) VerifyPassword(_ context.Context, username, password string) error {
	if want, ok := d[username]; !ok || want != password {
		return ErrNotAuthorized
	}
	return nil
}

func TestRFC4616_4_Examples(t *testing.T) {
	auth := newAuth(t, directory{"tim": "tanstaaftanstaaf", "Kurt": "xipj3plmq"}, &Options{AllowPlain: true})
	for _, tt := range []struct {
		creds Credentials
		wire  string
		id    Identity
		want  error
	}{
		{Credentials{Username: "tim", Password: "tanstaaftanstaaf"}, "\x00tim\x00tanstaaftanstaaf", Identity{Username: "tim"}, nil},
		{Credentials{Username: "Kurt", Password: "xipj3plmq", Authzid: "Ursel"}, "Ursel\x00Kurt\x00xipj3plmq", Identity{}, ErrInvalidAuthzid},
	} {
		offer := auth.Offer(secure)
		c, err := Select(offer, &tt.creds, secure, &Policy{AllowPlain: true})
		require.NoError(t, err)
		s, err := auth.Start(c.Name(), offer, secure)
		require.NoError(t, err)
		id, clientErr, serverErr := talk(c, s, func(i int, msg []byte) []byte {
			if i == 0 && string(msg) != tt.wire {
				t.Errorf("message = %q; want %q", msg, tt.wire)
			}
			return msg
		})
		if id != tt.id || !errors.Is(serverErr, tt.want) || (clientErr == nil) != (tt.want == nil) {
			t.Errorf("%q: %+v, %v, %v; want %+v, %v", tt.wire, id, clientErr, serverErr, tt.id, tt.want)
		}
	}
}

func TestRFC4616_2_Server(t *testing.T) {
	long := strings.Repeat("é", 127) + "x" // 255 octets
	verifier := newAuth(t, directory{"tim": "tan", long: long, "IX": "pass\u00a0word"}, &Options{AllowPlain: true})
	secrets := newAccounts(t, "tim", "tan")
	for name, password := range map[string]string{long: long, "IX": "pass\u00a0word"} {
		secrets.secrets[name] = newAccounts(t, name, password).secrets[name]
	}
	for _, tt := range []struct {
		name, msg string
		want      error
	}{
		{"right", "\x00tim\x00tan", nil},
		{"as oneself", "tim\x00tim\x00tan", nil},
		{"255 octets each", long + "\x00" + long + "\x00" + long, nil},
		{"username is prepared", "\x00I\u00adX\x00pass\u00a0word", nil},

		{"empty", "", ErrMalformed},
		{"no NUL", "tim", ErrMalformed},
		{"one NUL", "tim\x00tan", ErrMalformed},
		{"three NUL", "\x00tim\x00tan\x00", ErrMalformed},
		{"no username", "\x00\x00tan", ErrMalformed},
		{"no password", "\x00tim\x00", ErrMalformed},
		{"authzid only", "tim\x00\x00", ErrMalformed},
		{"not UTF-8", "\x00tim\x00t\xffn", ErrMalformed},
		{"too long", "\x00tim\x00" + strings.Repeat("x", maxMessage), ErrMalformed},
		{"wrong password", "\x00tim\x00tin", ErrNotAuthorized},
		{"password of another case", "\x00tim\x00Tan", ErrNotAuthorized},
		{"unknown user", "\x00tom\x00tan", ErrNotAuthorized},
		{"username that cannot be prepared", "\x00t\u0007m\x00tan", ErrNotAuthorized},
		{"as another", "root\x00tim\x00tan", ErrInvalidAuthzid},
		{"as another, wrong password", "root\x00tim\x00tin", ErrNotAuthorized},
	} {
		for store, auth := range map[string]*Authenticator{
			"verifier": verifier,
			"secrets":  newAuth(t, secrets, &Options{AllowPlain: true, FakeIterations: MinIterations}),
		} {
			t.Run(store+" "+tt.name, func(t *testing.T) {
				s := begin(t, auth, Plain, auth.Offer(secure), secure)
				additional, done, err := s.Next(t.Context(), []byte(tt.msg))
				if !errors.Is(err, tt.want) || done != (tt.want == nil) || additional != nil {
					t.Errorf("Next = %q, %t, %v; want %v", additional, done, err, tt.want)
				}
				if done != (s.Identity().Username != "") {
					t.Errorf("Identity = %+v", s.Identity())
				}
			})
		}
	}
}

// With secrets for some hash functions only, PLAIN uses what there is.
func TestPlainAgainstAnyHash(t *testing.T) {
	for _, h := range allHashes {
		auth := newAuth(t, newAccounts(t, "tim", "tan", h), &Options{AllowPlain: true, Mechanisms: []string{Plain}})
		for password, want := range map[string]error{"tan": nil, "tin": ErrNotAuthorized} {
			_, _, err := begin(t, auth, Plain, auth.Offer(secure), secure).Next(t.Context(), []byte("\x00tim\x00"+password))
			if !errors.Is(err, want) {
				t.Errorf("%s, %s: %v; want %v", h, password, err, want)
			}
		}
	}
	store := newAccounts(t, "tim", "tan")
	store.err = errors.New("disk on fire")
	auth := newAuth(t, store, &Options{AllowPlain: true})
	_, _, err := begin(t, auth, Plain, auth.Offer(secure), secure).Next(t.Context(), []byte("\x00tim\x00tan"))
	require.ErrorIs(t, err, ErrTemporary)
	require.ErrorIs(t, err, store.err)
}

func TestPlainClient(t *testing.T) {
	for _, creds := range []Credentials{
		{Username: "a\x00b", Password: "p"},
		{Username: "a", Password: "p\x00"},
		{Username: "a", Password: "p", Authzid: "\x00"},
		{Username: "a", Password: "\xff"},
	} {
		if got, err := (&plainClient{creds: creds}).start(); err == nil {
			t.Errorf("start = %q; want an error", got)
		}
	}
	c := &clientExchange{mech: &plainClient{creds: Credentials{Username: "a", Password: "p"}}}
	require.Error(t, c.Finish(nil), "success before the password was sent")

	for _, tt := range []struct {
		additional []byte
		want       error
	}{{nil, nil}, {[]byte{}, nil}, {[]byte("v=AAAA"), ErrMalformed}} {
		c := &clientExchange{mech: &plainClient{creds: Credentials{Username: "a", Password: "p"}}}
		_, err := c.Start()
		require.NoError(t, err)
		if err := c.Finish(tt.additional); !errors.Is(err, tt.want) {
			t.Errorf("Finish(%q) = %v; want %v", tt.additional, err, tt.want)
		}
	}
	c = &clientExchange{mech: &plainClient{creds: Credentials{Username: "a", Password: "p"}}}
	_, err := c.Start()
	require.NoError(t, err)
	_, err = c.Next([]byte{})
	require.ErrorIs(t, err, ErrMalformed, "PLAIN has no challenges")
}
