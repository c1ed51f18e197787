package storagetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

var tokenTests = []test[storage.Tokens]{
	{"keeps what it is given", tokensRoundTrip},
	{"keeps owners and clients apart", tokensOwners},
	{"forgets who expires first", tokensBound},
	{"may be used by many", tokensConcurrent},
	{"obeys the context", tokensContext},
}

func tokenOf(secret string, days int) sasl.Token {
	return sasl.Token{Secret: secret, Mechanism: sasl.HTSHA256Expr, Expiry: noon.Add(time.Duration(days) * 24 * time.Hour)}
}

// sameTokens compares tokens, whose times a store may keep in another zone.
func sameTokens(t *testing.T, want, got []sasl.Token) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].Secret, got[i].Secret)
		require.Equal(t, want[i].Mechanism, got[i].Mechanism)
		require.True(t, want[i].Expiry.Equal(got[i].Expiry))
	}
}

func tokensRoundTrip(t *testing.T, s storage.Tokens) {
	got, err := s.Get(t.Context(), owner, "a")
	require.NoError(t, err)
	require.Empty(t, got)
	two := []sasl.Token{tokenOf("one", 1), tokenOf("two", 2)}
	require.NoError(t, s.Set(t.Context(), owner, "a", two, 10))
	got, err = s.Get(t.Context(), owner, "a")
	require.NoError(t, err)
	sameTokens(t, two, got)
	require.NoError(t, s.Set(t.Context(), owner, "a", two[1:], 10))
	got, _ = s.Get(t.Context(), owner, "a")
	sameTokens(t, two[1:], got)
	require.NoError(t, s.Set(t.Context(), owner, "a", nil, 10))
	require.NoError(t, s.Set(t.Context(), owner, "a", nil, 10))
	got, _ = s.Get(t.Context(), owner, "a")
	require.Empty(t, got)
}

func tokensOwners(t *testing.T, s storage.Tokens) {
	require.NoError(t, s.Set(t.Context(), owner, "a", []sasl.Token{tokenOf("mine", 1)}, 10))
	require.NoError(t, s.Set(t.Context(), owner, "b", []sasl.Token{tokenOf("other", 1)}, 10))
	require.NoError(t, s.Set(t.Context(), owner+"2", "a", []sasl.Token{tokenOf("theirs", 1)}, 10))
	got, _ := s.Get(t.Context(), owner, "a")
	sameTokens(t, []sasl.Token{tokenOf("mine", 1)}, got)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	for _, client := range []string{"a", "b"} {
		got, err := s.Get(t.Context(), owner, client)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	got, _ = s.Get(t.Context(), owner+"2", "a")
	sameTokens(t, []sasl.Token{tokenOf("theirs", 1)}, got)
}

func tokensBound(t *testing.T, s storage.Tokens) {
	for n := range 5 {
		require.NoError(t, s.Set(t.Context(), owner, fmt.Sprint(n), []sasl.Token{tokenOf("x", 10-n)}, 3))
	}
	for n, want := range []int{1, 1, 0, 0, 1} { // the last is new, and stays
		got, err := s.Get(t.Context(), owner, fmt.Sprint(n))
		require.NoError(t, err)
		require.Len(t, got, want, "client %d", n)
	}
}

func tokensConcurrent(t *testing.T, s storage.Tokens) {
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for m := range 20 {
				client := fmt.Sprint(n)
				if err := s.Set(t.Context(), owner, client, []sasl.Token{tokenOf(fmt.Sprint(m), m)}, 100); err != nil {
					t.Error(err)
				}
				if got, err := s.Get(t.Context(), owner, client); err != nil || len(got) != 1 || got[0].Secret != fmt.Sprint(m) {
					t.Errorf("client %s: %d tokens, %v", client, len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

func tokensContext(t *testing.T, s storage.Tokens) {
	_, err := s.Get(ended(t), owner, "a")
	require.Error(t, err)
	require.Error(t, s.Set(ended(t), owner, "a", []sasl.Token{tokenOf("x", 1)}, 1))
	require.Error(t, s.DeleteAll(ended(t), owner))
}
