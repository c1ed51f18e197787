package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const exampleToken = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

// tokens verifies the token of RFC 7628.
type tokens struct{ err error }

func (s tokens) VerifyToken(_ context.Context, token string) (string, error) {
	if s.err != nil || token != exampleToken {
		return "", s.err
	}
	return "user@example.com", nil
}

func TestRFC7628_4_1_SuccessfulExchange(t *testing.T) {
	auth := newAuth(t, tokens{}, &Options{Host: "Server.example.com"})
	creds := &Credentials{Token: exampleToken, Authzid: "user@example.com", Host: "server.example.com", Port: 143}
	offer := auth.Offer(secure)
	c, err := Select(offer, creds, secure, nil)
	require.NoError(t, err)
	id, clientErr, serverErr := talk(c, begin(t, auth, c.Name(), offer, secure), func(i int, msg []byte) []byte {
		want := "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer " + exampleToken + "\x01\x01"
		if string(msg) != want {
			t.Errorf("message %d = %q; want %q", i, msg, want)
		}
		return msg
	})
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	require.Equal(t, Identity{Username: "user@example.com", Authzid: "user@example.com"}, id)
}

func TestRFC7628_4_3_FailedExchange(t *testing.T) {
	auth := newAuth(t, tokens{}, &Options{TokenError: TokenError{
		Scope:               "example_scope",
		OpenIDConfiguration: "https://example.com/.well-known/openid-configuration",
	}})
	s := begin(t, auth, OAuthBearer, auth.Offer(secure), secure)
	challenge, done, err := s.Next(t.Context(), []byte("n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01"))
	require.NoError(t, err)
	require.False(t, done)
	const want = `{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}`
	require.Equal(t, want, string(challenge))

	_, done, err = s.Next(t.Context(), []byte("\x01"))
	require.False(t, done)
	require.ErrorIs(t, err, ErrNotAuthorized)
	require.Zero(t, s.Identity())

	// The client learns what to get, and aborts.
	c := &clientExchange{mech: &oauthClient{creds: Credentials{Token: "stale"}}}
	_, err = c.Start()
	require.NoError(t, err)
	_, err = c.Next(challenge)
	got, ok := errors.AsType[*TokenError](err)
	require.True(t, ok)
	require.Equal(t, TokenError{"invalid_token", "example_scope", "https://example.com/.well-known/openid-configuration"}, *got)
	require.ErrorIs(t, err, ErrNotAuthorized)
	require.Error(t, c.Finish(nil))
}

// §4.4: a challenge with a member that is not ours.
func TestRFC7628_4_4_Challenge(t *testing.T) {
	for _, tt := range []struct{ challenge, status string }{
		{`{"status":"invalid_token","schemes":"bearer mac","scope":"https://mail.example.com/"}`, "invalid_token"},
		{`{"status":"insufficient_scope"}`, "insufficient_scope"},
		{`{"scope":"x"}`, ""},
		{`{}`, ""},
		{`{"status":1}`, ""},
		{`[]`, ""},
		{`"`, ""},
		{``, ""},
	} {
		_, err := (&oauthClient{}).next([]byte(tt.challenge))
		if e, _ := errors.AsType[*TokenError](err); (e != nil) != (tt.status != "") || e != nil && e.Status != tt.status {
			t.Errorf("next(%s) = %v; want %q", tt.challenge, err, tt.status)
		}
		if tt.status == "" && !errors.Is(err, ErrMalformed) {
			t.Errorf("next(%s) = %v; want ErrMalformed", tt.challenge, err)
		}
	}
}

func TestRFC7628_3_1_ClientResponse(t *testing.T) {
	auth := newAuth(t, tokens{}, &Options{Host: "example.org", Authorize: func(context.Context, Identity) error { return nil }})
	good := "auth=Bearer " + exampleToken + "\x01"
	for _, tt := range []struct {
		name, msg string
		refused   bool // with an explanation
		want      error
	}{
		{"token alone", "n,,\x01" + good + "\x01", false, nil},
		{"y", "y,,\x01" + good + "\x01", false, nil},
		{"escaped authzid", "n,a=a=2Cb,\x01" + good + "\x01", false, nil},
		{"unknown fields", "n,,\x01path=/\x01" + good + "qs=\x01XY=1\t\r\n\x01\x01", false, nil},
		{"scheme of another case", "n,,\x01auth=bEARER  " + exampleToken + "\x01\x01", false, nil},
		{"host", "n,,\x01host=EXAMPLE.org\x01" + good + "\x01", false, nil},

		{"other host", "n,,\x01host=example.com\x01" + good + "\x01", false, ErrNotAuthorized},
		{"other token", "n,,\x01auth=Bearer other\x01\x01", true, ErrNotAuthorized},
		{"no token", "n,,\x01auth=Bearer \x01\x01", true, ErrNotAuthorized},
		{"no scheme", "n,,\x01auth=" + exampleToken + "\x01\x01", true, ErrNotAuthorized},
		{"other scheme", "n,,\x01auth=Basic " + exampleToken + "\x01\x01", true, ErrNotAuthorized},
		{"two tokens", "n,,\x01auth=Bearer " + exampleToken + " x\x01\x01", true, ErrNotAuthorized},
		{"empty auth", "n,,\x01auth=\x01\x01", true, ErrNotAuthorized},

		{"empty", "", false, ErrMalformed},
		{"dummy response first", "\x01", false, ErrMalformed},
		{"no header", "\x01" + good + "\x01", false, ErrMalformed},
		{"user= in the header, as in the example of §4.4", "n,user=someuser@example.com,\x01" + good + "\x01", false, ErrMalformed},
		{"channel binding", "p=tls-exporter,,\x01" + good + "\x01", false, ErrMalformed},
		{"no fields", "n,,\x01\x01", false, ErrMalformed},
		{"one separator for all", "n,,\x01", false, ErrMalformed},
		{"not opened", "n,," + good + "\x01", false, ErrMalformed},
		{"not closed", "n,,\x01" + good, false, ErrMalformed},
		{"more after the end", "n,,\x01" + good + "\x01x", false, ErrMalformed},
		{"no auth", "n,,\x01host=example.org\x01\x01", false, ErrMalformed},
		{"auth twice", "n,,\x01" + good + good + "\x01", false, ErrMalformed},
		{"not a field", "n,,\x01auth\x01\x01", false, ErrMalformed},
		{"empty key", "n,,\x01=x\x01" + good + "\x01", false, ErrMalformed},
		{"key with a digit", "n,,\x01a1=x\x01" + good + "\x01", false, ErrMalformed},
		{"value with a control character", "n,,\x01a=\x02\x01" + good + "\x01", false, ErrMalformed},
		{"value beyond ASCII", "n,,\x01a=é\x01" + good + "\x01", false, ErrMalformed},
		{"NUL", "n,,\x01a=\x00\x01" + good + "\x01", false, ErrMalformed},
		{"not UTF-8", "n,,\x01a=\xff\x01" + good + "\x01", false, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := begin(t, auth, OAuthBearer, auth.Offer(secure), secure)
			challenge, done, err := s.Next(t.Context(), []byte(tt.msg))
			if tt.refused {
				require.NoError(t, err)
				require.False(t, done)
				require.Equal(t, `{"status":"invalid_token"}`, string(challenge))
				_, done, err = s.Next(t.Context(), []byte("\x01"))
			}
			if done != (tt.want == nil) || !errors.Is(err, tt.want) {
				t.Errorf("Next = %q, %t, %v; want %v", challenge, done, err, tt.want)
			}
		})
	}
}

func TestRFC7628_3_2_2_VerifierSaysWhy(t *testing.T) {
	next := func(err error) (string, error) {
		auth := newAuth(t, tokens{err}, nil)
		s := begin(t, auth, OAuthBearer, auth.Offer(secure), secure)
		challenge, _, err := s.Next(t.Context(), []byte("n,,\x01auth=Bearer x\x01\x01"))
		return string(challenge), err
	}
	for _, tt := range []struct {
		err       error
		challenge string
		want      error
	}{
		{&TokenError{Status: "insufficient_scope", Scope: "xmpp"}, `{"status":"insufficient_scope","scope":"xmpp"}`, nil},
		{&TokenError{Scope: "xmpp"}, `{"status":"invalid_token","scope":"xmpp"}`, nil},
		{ErrNotAuthorized, `{"status":"invalid_token"}`, nil},
		{ErrAccountDisabled, "", ErrAccountDisabled},
		{errors.New("timeout"), "", ErrTemporary},
		{nil, `{"status":"invalid_token"}`, nil}, // a username of nothing
	} {
		if challenge, err := next(tt.err); challenge != tt.challenge || !errors.Is(err, tt.want) {
			t.Errorf("VerifyToken = %v: Next = %s, %v; want %s, %v", tt.err, challenge, err, tt.challenge, tt.want)
		}
	}
}

func TestOAuthBearerClient(t *testing.T) {
	for _, creds := range []Credentials{
		{},
		{Token: "a b"},
		{Token: "a\x01auth=Bearer b"},
		{Token: "="},
		{Token: "é"},
		{Token: "t", Host: "a\x01b"},
		{Token: "t", Host: "a b"},
		{Token: "t", Authzid: "a\x00"},
	} {
		if got, err := (&oauthClient{creds: creds}).start(); err == nil {
			t.Errorf("start = %q; want an error", got)
		} else if strings.Contains(err.Error(), "auth=Bearer") {
			t.Errorf("start = %v: shows the token", err)
		}
	}
	got, err := (&oauthClient{creds: Credentials{Token: "t"}}).start()
	require.NoError(t, err)
	require.Equal(t, "n,,\x01auth=Bearer t\x01\x01", string(got))

	c := &clientExchange{mech: &oauthClient{creds: Credentials{Token: "t"}}}
	_, err = c.Start()
	require.NoError(t, err)
	require.NoError(t, c.Finish(nil))
}

func TestSec_NoTokenInClear(t *testing.T) {
	auth := newAuth(t, tokens{}, nil)
	for _, channel := range []*Channel{nil, {}, {TLS: fakeTLS13}} {
		require.Empty(t, auth.Offer(channel).Mechanisms)
		_, err := auth.Start(OAuthBearer, Offer{Mechanisms: []string{OAuthBearer}}, channel)
		require.ErrorIs(t, err, ErrEncryptionRequired)
	}
}
