package storagetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// RunReopen shows that what was stored is there when the stores are closed and opened again. open opens the same ones each
// time.
func RunReopen(t *testing.T, open func(t *testing.T) (stores storage.Stores, closed func())) {
	ctx := t.Context()
	juliet := jid.MustParse("juliet@capulet.example")
	account := storage.Account{ID: owner, Addr: juliet, Created: noon, Secrets: []sasl.Secrets{{Hash: sasl.SHA256, Salt: []byte("s"), Iterations: 4096, StoredKey: []byte("k"), ServerKey: []byte("v")}}}
	s, closed := open(t)
	require.NoError(t, s.Accounts.Create(ctx, account))
	require.NoError(t, set(t, s.Rosters, storage.Contact{JID: contact(1), Listed: true, Groups: []string{"a"}, Subscription: storage.From}))
	require.NoError(t, add(t, s.Offline, storage.OfflineLimits{}, "1"))
	require.NoError(t, add(t, s.Offline, storage.OfflineLimits{}, "2"))
	last := waiting(t, s.Offline, 10)[1].ID
	require.NoError(t, s.Offline.Delete(ctx, owner, last))
	require.NoError(t, s.Tokens.Set(ctx, owner, "client", []sasl.Token{{Secret: "x", Mechanism: sasl.HTSHA256None, Expiry: noon}}, 3))
	put(t, s.Documents, "a", "x")
	require.NoError(t, s.Blocklists.Add(ctx, owner, 0, contact(1)))
	require.NoError(t, s.Invites.Create(ctx, invite("a", 1), 0))
	before := version(t, s.Rosters)
	closed()

	s, closed = open(t)
	defer closed()
	got, err := s.Accounts.Get(ctx, juliet)
	require.NoError(t, err)
	require.Equal(t, account.ID, got.ID)
	require.Equal(t, account.Secrets, got.Secrets)
	require.ErrorIs(t, s.Accounts.Create(ctx, account), storage.ErrExists)
	require.Equal(t, before, version(t, s.Rosters))
	require.Equal(t, []string{"1"}, texts(waiting(t, s.Offline, 10)))
	require.NoError(t, add(t, s.Offline, storage.OfflineLimits{}, "3"))
	require.Greater(t, waiting(t, s.Offline, 10)[1].ID, last, "an ID is never given again")
	tokens, err := s.Tokens.Get(ctx, owner, "client")
	require.NoError(t, err)
	require.Len(t, tokens, 1)
	_, err = s.Documents.Get(ctx, owner, "kind", "a")
	require.NoError(t, err)
	require.Len(t, blocked(t, s.Blocklists, 10), 1)
	_, err = s.Invites.Use(ctx, "a", noon)
	require.NoError(t, err)
}

// BenchmarkOffline measures how many messages are stored when so many wait at a time: stores that share commits do better
// with many.
func BenchmarkOffline(b *testing.B, s storage.Stores) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d at a time", n), func(b *testing.B) {
			var wg sync.WaitGroup
			work := make(chan struct{})
			for w := range n {
				wg.Go(func() {
					id := storage.AccountID(fmt.Sprint(n, "/", w))
					for range work {
						_, err := s.Offline.Add(context.Background(), id, storage.OfflineLimits{}, storage.OfflineMessage{Stored: noon, Stanza: make([]byte, 300)})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
		})
	}
}
