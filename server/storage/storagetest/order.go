package storagetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Messages to several accounts, from several senders each: nothing is lost, and what one sender sent one after another
// stays in that order.
func offlineOrder(t *testing.T, s storage.Offline) {
	const accounts, senders, each = 5, 3, 20
	var wg sync.WaitGroup
	for a := range accounts {
		for sender := range senders {
			wg.Go(func() {
				for n := range each {
					m := storage.OfflineMessage{Stored: noon, Stanza: fmt.Appendf(nil, "%d %d", sender, n)}
					if _, err := s.Add(t.Context(), storage.AccountID(fmt.Sprint(a)), storage.OfflineLimits{Messages: senders * each}, m); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for a := range accounts {
		all, err := s.List(t.Context(), storage.AccountID(fmt.Sprint(a)), 0, 1000)
		require.NoError(t, err)
		require.Len(t, all, senders*each)
		bySender := map[string][]string{}
		for i, m := range all {
			require.True(t, i == 0 || m.ID > all[i-1].ID)
			sender, n, _ := strings.Cut(string(m.Stanza), " ")
			require.Equal(t, fmt.Sprint(len(bySender[sender])), n, "the next of sender %s", sender)
			bySender[sender] = append(bySender[sender], n)
		}
	}
}

// Versions of a roster are those of its contacts, each given once, whoever changes it.
func rosterOrder(t *testing.T, s storage.Rosters) {
	const writers, each = 6, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			last := uint64(0)
			for n := range each {
				kept, err := s.Update(t.Context(), owner, contact(w), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
					c.Listed, c.Name = true, fmt.Sprint(n)
					return c, nil
				})
				if err != nil || kept.Version <= last {
					t.Errorf("version %d after %d, %v", kept.Version, last, err)
				}
				last = kept.Version
			}
		})
	}
	wg.Wait()
	all, err := s.Changes(t.Context(), owner, 0, 100)
	require.NoError(t, err)
	require.Len(t, all, writers)
	seen := map[uint64]bool{}
	for _, c := range all {
		require.Equal(t, fmt.Sprint(each-1), c.Name)
		require.False(t, seen[c.Version])
		seen[c.Version] = true
	}
	require.EqualValues(t, writers*each, version(t, s))
}
