package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Shared shows that several sets of stores over one place, as of several processes, lose nothing of each other's, and
// keep limits together.
func Shared(t *testing.T, all []storage.Stores) {
	const each = 20
	var wg sync.WaitGroup
	errs := make(chan error, 4*each*len(all))
	for i, s := range all {
		for n := range each {
			wg.Go(func() {
				_, err := s.Rosters.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
					c.Listed, c.Groups = true, append(c.Groups, fmt.Sprint(i, n))
					return c, nil
				})
				errs <- err
			})
			wg.Go(func() {
				_, err := s.Offline.Add(t.Context(), owner, storage.OfflineLimits{}, storage.OfflineMessage{Stored: noon, Stanza: fmt.Append(nil, i, n)})
				errs <- err
			})
			wg.Go(func() { errs <- s.Blocklists.Add(t.Context(), owner, 0, contact(n)) })
			wg.Go(func() {
				err := s.Documents.Set(t.Context(), owner, "kind", fmt.Sprint(i, n), []byte("x"), storage.DocumentLimits{Count: each})
				if err != nil && !errors.Is(err, storage.ErrFull) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	for _, s := range all {
		c, err := s.Rosters.Get(t.Context(), owner, contact(1))
		require.NoError(t, err)
		require.Len(t, c.Groups, each*len(all))
		require.Equal(t, uint64(each*len(all)), c.Version)
		require.Len(t, waiting(t, s.Offline, 7), each*len(all))
		require.Len(t, blocked(t, s.Blocklists, 7), each)
		names, err := s.Documents.List(t.Context(), owner, "kind", "", 1000)
		require.NoError(t, err)
		require.Len(t, names, each, "the limit is kept together")
	}
}
