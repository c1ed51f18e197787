package storagetest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

var blocklistTests = []test[storage.Blocklists]{
	{"adds and removes", blocklistChange},
	{"bounds", blocklistLimit},
	{"lists in pages", blocklistList},
	{"keeps owners apart", blocklistOwners},
	{"loses no entry", blocklistConcurrent},
	{"keeps any address, in order", blocklistAddresses},
	{"pages while others write", blocklistPaging},
	{"obeys the context", blocklistContext},
}

// blocked returns everything on the owner's list.
func blocked(t *testing.T, s storage.Blocklists, limit int) []jid.JID {
	t.Helper()
	return pages(t, limit, func(j jid.JID) jid.JID { return j }, func(ctx context.Context, after jid.JID, limit int) ([]jid.JID, error) {
		return s.List(ctx, owner, after, limit)
	})
}

func blocklistChange(t *testing.T, s storage.Blocklists) {
	require.Empty(t, blocked(t, s, 10))
	domain, bare, full := jid.MustParse("spam.example"), jid.MustParse("a@spam.example"), jid.MustParse("a@spam.example/\U0001F389 x")
	require.NoError(t, s.Add(t.Context(), owner, 0, full, domain))
	require.NoError(t, s.Add(t.Context(), owner, 0, bare, domain, bare))
	require.NoError(t, s.Add(t.Context(), owner, 0))
	require.Equal(t, []jid.JID{domain, bare, full}, blocked(t, s, 10))
	require.NoError(t, s.Remove(t.Context(), owner, bare, jid.MustParse("nobody@spam.example")))
	require.Equal(t, []jid.JID{domain, full}, blocked(t, s, 10))
	require.NoError(t, s.Remove(t.Context(), owner, domain, full))
	require.NoError(t, s.Remove(t.Context(), owner, domain))
	require.Empty(t, blocked(t, s, 10))
}

func blocklistLimit(t *testing.T, s storage.Blocklists) {
	require.NoError(t, s.Add(t.Context(), owner, 2, contact(1), contact(2)))
	require.ErrorIs(t, s.Add(t.Context(), owner, 2, contact(3)), storage.ErrFull)
	require.NoError(t, s.Add(t.Context(), owner, 2, contact(2)), "it is there already")
	require.ErrorIs(t, s.Add(t.Context(), owner, 3, contact(3), contact(4)), storage.ErrFull, "all or none")
	require.Len(t, blocked(t, s, 10), 2)
}

func blocklistList(t *testing.T, s storage.Blocklists) {
	var want []jid.JID
	for n := range 17 {
		want = append(want, contact(n))
	}
	require.NoError(t, s.Add(t.Context(), owner, 0, want...))
	slices.SortFunc(want, jid.JID.Compare)
	for _, limit := range []int{1, 2, 16, 17, 18} {
		require.Equal(t, want, blocked(t, s, limit), "pages of %d", limit)
	}
}

func blocklistOwners(t *testing.T, s storage.Blocklists) {
	require.NoError(t, s.Add(t.Context(), owner, 0, contact(1)))
	require.NoError(t, s.Remove(t.Context(), "other", contact(1)))
	require.NoError(t, s.DeleteAll(t.Context(), "other"))
	require.Len(t, blocked(t, s, 10), 1)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	require.Empty(t, blocked(t, s, 10))
}

func blocklistConcurrent(t *testing.T, s storage.Blocklists) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for n := range 8 {
		wg.Go(func() { errs <- s.Add(t.Context(), owner, 0, contact(n)) })
	}
	wg.Wait()
	for range 8 {
		require.NoError(t, <-errs)
	}
	require.Len(t, blocked(t, s, 3), 8)
}

func blocklistContext(t *testing.T, s storage.Blocklists) {
	ctx := ended(t)
	_, listErr := s.List(ctx, owner, jid.JID{}, 1)
	for _, err := range []error{listErr, s.Add(ctx, owner, 0, contact(1)), s.Remove(ctx, owner, contact(1)), s.DeleteAll(ctx, owner)} {
		require.ErrorIs(t, err, ctx.Err())
	}
}
