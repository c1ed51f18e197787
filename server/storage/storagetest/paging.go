package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// staying is how many elements are on a list all along while others come and go.
const staying = 40

// disturbed pages through a list while disturb, in another goroutine, changes what else is on it, at least once for each
// page. It returns all that was seen.
func disturbed[E, P any](t *testing.T, position func(E) P, disturb func(n int) error, list func(ctx context.Context, after P, limit int) ([]E, error)) []E {
	t.Helper()
	done, change := make(chan struct{}), make(chan error)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case change <- disturb(n):
			case <-done:
				return
			}
		}
	})
	defer wg.Wait()
	defer close(done)
	return pages(t, 3, position, func(ctx context.Context, after P, limit int) ([]E, error) {
		if err := <-change; err != nil {
			return nil, err
		}
		return list(ctx, after, limit)
	})
}

// sawStaying requires that each of those that stayed was seen once, and in order, whatever else was seen.
func sawStaying[E any](t *testing.T, want, got []E, compare func(a, b E) int) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		require.Negative(t, compare(got[i-1], got[i]), "%v comes before %v", got[i-1], got[i])
	}
	slices.SortFunc(want, compare)
	require.Equal(t, want, slices.DeleteFunc(got, func(e E) bool { _, stayed := slices.BinarySearchFunc(want, e, compare); return !stayed }))
}

func rosterPaging(t *testing.T, s storage.Rosters) {
	var want []jid.JID
	for n := range staying {
		want = append(want, contact(2*n))
		require.NoError(t, set(t, s, storage.Contact{JID: contact(2 * n), Listed: true}))
	}
	var got []jid.JID
	for _, c := range disturbed(t, func(c storage.Contact) jid.JID { return c.JID }, func(n int) error {
		if err := set(t, s, storage.Contact{JID: contact(2 * (n % staying)), Listed: true, Name: fmt.Sprint(n)}); err != nil {
			return err // what changes stays
		}
		return set(t, s, storage.Contact{JID: contact(2*(n*7%staying) + 1), Listed: n/staying%2 == 0})
	}, func(ctx context.Context, after jid.JID, limit int) ([]storage.Contact, error) {
		return s.List(ctx, owner, after, limit)
	}) {
		got = append(got, c.JID)
	}
	sawStaying(t, want, got, jid.JID.Compare)
}

func blocklistPaging(t *testing.T, s storage.Blocklists) {
	var want []jid.JID
	for n := range staying {
		want = append(want, contact(2*n))
	}
	require.NoError(t, s.Add(t.Context(), owner, 0, want...))
	got := disturbed(t, func(j jid.JID) jid.JID { return j }, func(n int) error {
		other := contact(2*(n*7%staying) + 1)
		if n/staying%2 == 0 {
			return s.Add(t.Context(), owner, 0, other, want[n%staying])
		}
		return s.Remove(t.Context(), owner, other)
	}, func(ctx context.Context, after jid.JID, limit int) ([]jid.JID, error) {
		return s.List(ctx, owner, after, limit)
	})
	sawStaying(t, want, got, jid.JID.Compare)
}

func documentPaging(t *testing.T, s storage.Documents) {
	var want []string
	for n := range staying {
		want = append(want, strconv.Itoa(2*n))
		put(t, s, want[n], "x")
	}
	got := disturbed(t, func(name string) string { return name }, func(n int) error {
		other := []byte("x")[:1-n/staying%2]
		return s.Set(t.Context(), owner, "kind", strconv.Itoa(2*(n*7%staying)+1), other, storage.DocumentLimits{})
	}, func(ctx context.Context, after string, limit int) ([]string, error) {
		return s.List(ctx, owner, "kind", after, limit)
	})
	sawStaying(t, want, got, func(a, b string) int { return slices.Compare([]byte(a), []byte(b)) })
}

func accountPaging(t *testing.T, s storage.Accounts) {
	bare := func(n int) storage.Account {
		return storage.Account{ID: storage.AccountID(fmt.Sprint(n)), Addr: jid.MustParse(fmt.Sprintf("c%d@d.example", n)), Created: noon}
	}
	var want []jid.JID
	for n := range staying {
		want = append(want, bare(2*n).Addr)
		require.NoError(t, s.Create(t.Context(), bare(2*n)))
	}
	var got []jid.JID
	for _, a := range disturbed(t, func(a storage.Account) jid.JID { return a.Addr }, func(n int) error {
		other := bare(2*(n*7%staying) + 1)
		if n/staying%2 == 0 {
			return s.Create(t.Context(), other)
		}
		return s.Delete(t.Context(), other.ID)
	}, func(ctx context.Context, after jid.JID, limit int) ([]storage.Account, error) {
		return s.List(ctx, "d.example", after, limit)
	}) {
		got = append(got, a.Addr)
	}
	sawStaying(t, want, got, jid.JID.Compare)
}

func invitePaging(t *testing.T, s storage.Invites) {
	var want []string
	for n := range staying {
		want = append(want, fmt.Sprint(2*n))
		require.NoError(t, s.Create(t.Context(), invite(want[n], 1), 0))
	}
	var got []string
	for _, i := range disturbed(t, func(i storage.Invite) string { return i.ID }, func(n int) error {
		other := fmt.Sprint(2*(n*7%staying) + 1)
		if n/staying%2 == 0 {
			return s.Create(t.Context(), invite(other, 1), 0)
		}
		return s.Delete(t.Context(), other)
	}, func(ctx context.Context, after string, limit int) ([]storage.Invite, error) {
		return s.List(ctx, owner, after, limit)
	}) {
		got = append(got, i.ID)
	}
	sawStaying(t, want, got, func(a, b string) int { return slices.Compare([]byte(a), []byte(b)) })
}

// A server delivers a page and deletes it, while more come.
func offlinePaging(t *testing.T, s storage.Offline) {
	for n := range staying {
		require.NoError(t, add(t, s, storage.OfflineLimits{}, fmt.Sprint(n)))
	}
	more := staying
	var last []uint64
	got := disturbed(t, func(m storage.OfflineMessage) uint64 { return m.ID }, func(int) error {
		if more == 2*staying {
			return nil
		}
		more++
		return add(t, s, storage.OfflineLimits{}, fmt.Sprint(more-1))
	}, func(ctx context.Context, after uint64, limit int) ([]storage.OfflineMessage, error) {
		if err := s.Delete(ctx, owner, last...); err != nil { // the position too
			return nil, err
		}
		page, err := s.List(ctx, owner, after, limit)
		last = nil
		for _, m := range page {
			last = append(last, m.ID)
		}
		return page, err
	})
	require.GreaterOrEqual(t, len(got), staying)
	for n, text := range texts(got) {
		require.Equal(t, fmt.Sprint(n), text)
	}
	left := waiting(t, s, 10)
	require.Len(t, left, more-len(got)+len(last), "nothing else was deleted")
}
