package sasl

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tokenExchange lets a client prove one token to a server that knows others, over channels that may
// differ.
func tokenExchange(t *testing.T, mechanism string, have Token, known []Token, client, server *Channel) (used int, clientErr, serverErr error) {
	t.Helper()
	auth, err := NewAuthenticator(noStore{}, &Options{AllowAnonymous: true})
	require.NoError(t, err)
	c, err := NewTokenClient("juliet", have, client)
	if err != nil {
		return -1, err, nil
	}
	used = -1
	s, err := auth.StartToken(mechanism, server,
		func(_ context.Context, username string) ([]Token, error) {
			require.Equal(t, "juliet", username)
			return known, nil
		},
		func(_ context.Context, _ string, i int) error { used = i; return nil })
	if err != nil {
		return -1, nil, err
	}
	initial, err := c.Start()
	require.NoError(t, err)
	additional, done, err := s.Next(t.Context(), initial)
	if err != nil {
		return used, nil, err
	}
	require.True(t, done)
	require.Equal(t, Identity{Username: "juliet"}, s.Identity())
	return used, c.Finish(additional), nil
}

type noStore struct{}

func TestTokens(t *testing.T) {
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	client, server := tlsPair(t, tlsOptions{})
	other, _ := tlsPair(t, tlsOptions{})
	token := func(secret, mechanism string, expiry time.Time) Token { return Token{secret, mechanism, expiry} }
	for _, m := range []string{HTSHA256Expr, HTSHA256Endp, HTSHA256None} {
		have := token("secret", m, later)
		used, cErr, sErr := tokenExchange(t, m, have, []Token{token("newer", m, later), have}, client, server)
		require.NoError(t, errors.Join(cErr, sErr), m)
		require.Equal(t, 1, used)

		_, _, err := tokenExchange(t, m, have, []Token{token("newer", m, later)}, client, server)
		require.ErrorIs(t, err, ErrNotAuthorized)
		_, _, err = tokenExchange(t, m, have, nil, client, server)
		require.ErrorIs(t, err, ErrNotAuthorized)
		_, _, err = tokenExchange(t, m, token("secret", m, before), []Token{token("secret", m, before)}, client, server)
		require.ErrorIs(t, err, ErrCredentialsExpired)
		_, _, err = tokenExchange(t, m, have, []Token{token("secret", "HT-SHA-256-UNIQ", later)}, client, server)
		require.ErrorIs(t, err, ErrNotAuthorized, "a token is good for one mechanism")

		_, err, _ = tokenExchange(t, m, have, []Token{have}, nil, server)
		require.ErrorIs(t, err, ErrNoMechanism, "not in the clear")
		_, _, err = tokenExchange(t, m, have, []Token{have}, client, nil)
		require.ErrorIs(t, err, ErrInvalidMechanism)
	}
	_, _, err := tokenExchange(t, HTSHA256Expr, token("secret", HTSHA256Expr, later), []Token{token("secret", HTSHA256Expr, later)}, other, server)
	require.ErrorIs(t, err, ErrNotAuthorized, "somebody stands between the two channels")
}

// A server that does not know the token is not believed, whatever it says.
func TestSec_TokenServerNotProven(t *testing.T) {
	client, _ := tlsPair(t, tlsOptions{})
	for _, additional := range [][]byte{nil, {}, []byte("x"), make([]byte, 32)} {
		c, err := NewTokenClient("juliet", Token{"secret", HTSHA256Expr, time.Time{}}, client)
		require.NoError(t, err)
		_, err = c.Start()
		require.NoError(t, err)
		require.ErrorIs(t, c.Finish(additional), ErrServerNotProven)
	}
}

// What a client may send as its one message.
func FuzzToken(f *testing.F) {
	f.Add([]byte("juliet\x00" + string(htProof("secret", htInitiator, nil))))
	f.Add([]byte("juliet\x00"))
	f.Add([]byte("\x00\x00"))
	auth, err := NewAuthenticator(noStore{}, &Options{AllowAnonymous: true})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, message []byte) {
		s := &serverExchange{mech: &htServer{
			auth: auth, mechanism: HTSHA256None,
			tokens: func(context.Context, string) ([]Token, error) {
				return []Token{{"secret", HTSHA256None, time.Now().Add(time.Hour)}}, nil
			},
			used: func(context.Context, string, int) error { return nil },
		}}
		_, done, err := s.Next(t.Context(), message)
		if err != nil {
			if _, ok := errors.AsType[Condition](err); !ok {
				t.Errorf("an error without a condition: %v", err)
			}
			return
		}
		if done && string(message[len(message)-32:]) != string(htProof("secret", htInitiator, nil)) {
			t.Error("let in without the token")
		}
	})
}
