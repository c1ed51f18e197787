package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

var rosterTests = []test[storage.Rosters]{
	{"keeps what it is given", rosterRoundTrip},
	{"passes on what is known", rosterKnown},
	{"forgets what is empty", rosterEmpty},
	{"changes nothing on an error", rosterFailedChange},
	{"bounds", rosterLimits},
	{"lists in pages", rosterList},
	{"counts what the owner sees", rosterVersions},
	{"tells what has changed", rosterChanges},
	{"forgets old removals", rosterForgets},
	{"keeps owners apart", rosterOwners},
	{"copies", rosterCopies},
	{"loses no update", rosterConcurrent},
	{"keeps any text as it is", rosterTexts},
	{"keeps any address, in order", rosterAddresses},
	{"keeps a megabyte", rosterLarge},
	{"pages while others write", rosterPaging},
	{"counts each change once", rosterOrder},
	{"survives a change that does not return", rosterPanics},
	{"waits for no change", rosterSlow},
	{"calls no change that nobody waits for", rosterAbandoned},
	{"obeys the context", rosterContext},
}

const owner storage.AccountID = "owner"

// set makes a contact what c says.
func set(t *testing.T, s storage.Rosters, c storage.Contact) error {
	_, err := s.Update(t.Context(), owner, c.JID, storage.RosterLimits{}, func(storage.Contact) (storage.Contact, error) { return c, nil })
	return err
}

func rosterRoundTrip(t *testing.T, s storage.Rosters) {
	for _, want := range []storage.Contact{
		{JID: contact(1), Listed: true},
		{JID: contact(2), Listed: true, Name: "Nurse \U0001F469 <&>'\"", Groups: []string{"Servants", "a b"}, Subscription: storage.To | storage.From},
		{JID: contact(3), Listed: true, Subscription: storage.PendingOut | storage.PendingIn, Approved: true, Request: []byte("<presence type='subscribe'/>")},
		{JID: contact(4), Subscription: storage.PendingIn, Request: []byte("<presence/>")},
		{JID: jid.MustParse("room@muc.example/nick"), Listed: true},
	} {
		require.NoError(t, set(t, s, want))
		got, err := s.Get(t.Context(), owner, want.JID)
		require.NoError(t, err)
		if want.Listed {
			want.Version = got.Version
			require.NotZero(t, want.Version)
		}
		require.Equal(t, want, got)
	}
	_, err := s.Get(t.Context(), owner, contact(9))
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func rosterKnown(t *testing.T, s storage.Rosters) {
	want := storage.Contact{JID: contact(1), Listed: true, Name: "Nurse", Subscription: storage.To}
	known := storage.Contact{JID: contact(1)}
	for range 2 {
		kept, err := s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			require.Equal(t, known, c)
			return want, nil
		})
		require.NoError(t, err)
		require.Greater(t, kept.Version, known.Version)
		known = want
		known.Version = kept.Version
		require.Equal(t, known, kept)
	}
}

func rosterEmpty(t *testing.T, s storage.Rosters) {
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Listed: true}))
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Name: "left over"}))
	_, err := s.Get(t.Context(), owner, contact(1))
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, set(t, s, storage.Contact{JID: contact(2)}), "nothing becomes of nothing")
	page, err := s.List(t.Context(), owner, jid.JID{}, 10)
	require.NoError(t, err)
	require.Empty(t, page)
}

func rosterFailedChange(t *testing.T, s storage.Rosters) {
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Listed: true, Name: "Nurse"}))
	want, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	refused := errors.New("refused")
	_, err = s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		c.Name = "changed"
		return c, refused
	})
	require.ErrorIs(t, err, refused)
	got, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func rosterLimits(t *testing.T, s storage.Rosters) {
	limits := storage.RosterLimits{Listed: 2, Requests: 1}
	update := func(n int, listed bool, sub storage.Subscription) error {
		_, err := s.Update(t.Context(), owner, contact(n), limits, func(c storage.Contact) (storage.Contact, error) {
			c.Listed, c.Subscription = listed, sub
			return c, nil
		})
		return err
	}
	require.NoError(t, update(1, true, 0))
	require.NoError(t, update(2, true, 0))
	require.ErrorIs(t, update(3, true, 0), storage.ErrFull, "a third listed")
	require.NoError(t, update(3, false, storage.PendingIn))
	require.ErrorIs(t, update(4, false, storage.PendingIn), storage.ErrFull, "a second request")
	require.ErrorIs(t, update(3, true, storage.From), storage.ErrFull, "a request that becomes the third listed")
	require.NoError(t, update(1, true, storage.PendingIn), "a request of somebody listed")
	require.NoError(t, update(1, false, 0), "make room")
	require.NoError(t, update(3, true, storage.From))
	require.NoError(t, update(4, false, storage.PendingIn))
	page, err := s.List(t.Context(), owner, jid.JID{}, 10)
	require.NoError(t, err)
	require.Len(t, page, 3)
}

func rosterList(t *testing.T, s storage.Rosters) {
	var want []jid.JID
	for n := range 17 {
		require.NoError(t, set(t, s, storage.Contact{JID: contact(n), Listed: n%2 == 0, Subscription: storage.PendingIn}))
		want = append(want, contact(n))
	}
	slices.SortFunc(want, jid.JID.Compare)
	for _, limit := range []int{1, 2, 16, 17, 18} {
		var got []jid.JID
		for _, c := range pages(t, limit, func(c storage.Contact) jid.JID { return c.JID }, func(ctx context.Context, after jid.JID, limit int) ([]storage.Contact, error) {
			return s.List(ctx, owner, after, limit)
		}) {
			got = append(got, c.JID)
		}
		require.Equal(t, want, got, "pages of %d", limit)
	}
}

// version returns the version of the owner's roster.
func version(t *testing.T, s storage.Rosters) uint64 {
	t.Helper()
	v, err := s.Version(t.Context(), owner)
	require.NoError(t, err)
	return v
}

func rosterVersions(t *testing.T, s storage.Rosters) {
	require.Zero(t, version(t, s))
	last := uint64(0)
	for _, step := range []struct {
		c    storage.Contact
		seen bool
	}{
		{storage.Contact{JID: contact(1), Subscription: storage.PendingIn}, false},
		{storage.Contact{JID: contact(2), Listed: true}, true},
		{storage.Contact{JID: contact(1), Listed: true, Subscription: storage.From}, true},
		{storage.Contact{JID: contact(2), Subscription: storage.PendingIn}, true},
		{storage.Contact{JID: contact(2)}, false},
		{storage.Contact{JID: contact(1)}, true},
		{storage.Contact{JID: contact(1)}, false},
	} {
		require.NoError(t, set(t, s, step.c))
		now := version(t, s)
		require.Equal(t, step.seen, now > last, "%+v: from %d to %d", step.c, last, now)
		last = now
	}
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	require.Zero(t, version(t, s))
}

// changes returns what has changed since a version, in pages, removals with a minus sign.
func changes(t *testing.T, s storage.Rosters, since uint64, limit int) (names []string) {
	t.Helper()
	for _, c := range pages(t, limit, func(c storage.Contact) uint64 { return c.Version }, func(ctx context.Context, after uint64, limit int) ([]storage.Contact, error) {
		return s.Changes(ctx, owner, max(since, after), limit)
	}) {
		name := c.JID.Localpart()
		if !c.Listed {
			name = "-" + name
		}
		names = append(names, name)
	}
	return names
}

func rosterChanges(t *testing.T, s storage.Rosters) {
	require.Empty(t, changes(t, s, 0, 10))
	_, err := s.Changes(t.Context(), owner, 1, 10)
	require.ErrorIs(t, err, storage.ErrNotFound, "a version that is not yet")
	_, err = s.Changes(t.Context(), owner, math.MaxUint64, 10) // a client may say so
	require.ErrorIs(t, err, storage.ErrNotFound)
	for n := range 4 {
		require.NoError(t, set(t, s, storage.Contact{JID: contact(n), Listed: true}))
	}
	before := version(t, s)
	require.Equal(t, []string{"c0", "c1", "c2", "c3"}, changes(t, s, 0, 2))
	require.NoError(t, set(t, s, storage.Contact{JID: contact(3), Listed: true, Subscription: storage.To}))
	require.NoError(t, set(t, s, storage.Contact{JID: contact(5), Subscription: storage.PendingIn})) // nobody sees that
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1)}))
	require.NoError(t, set(t, s, storage.Contact{JID: contact(0)}))
	require.NoError(t, set(t, s, storage.Contact{JID: contact(0), Listed: true})) // after all
	require.NoError(t, set(t, s, storage.Contact{JID: contact(2), Subscription: storage.PendingIn}))
	for _, limit := range []int{1, 2, 10} {
		require.Equal(t, []string{"c3", "-c1", "c0", "-c2"}, changes(t, s, before, limit), "pages of %d", limit)
	}
	require.Empty(t, changes(t, s, version(t, s), 10))
}

func rosterForgets(t *testing.T, s storage.Rosters) {
	var versions []uint64
	update := func(n int, listed bool) {
		_, err := s.Update(t.Context(), owner, contact(n), storage.RosterLimits{Removed: 2}, func(c storage.Contact) (storage.Contact, error) {
			c.Listed = listed
			return c, nil
		})
		require.NoError(t, err)
		versions = append(versions, version(t, s))
	}
	for n := range 3 {
		update(n, true)
	}
	for n := range 3 {
		update(n, false)
	}
	require.Equal(t, []string{"-c1", "-c2"}, changes(t, s, versions[3], 10), "the first removal was known")
	_, err := s.Changes(t.Context(), owner, versions[2], 10)
	require.ErrorIs(t, err, storage.ErrNotFound, "the first removal is forgotten")
}

func rosterOwners(t *testing.T, s storage.Rosters) {
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Listed: true}))
	_, err := s.Get(t.Context(), "other", contact(1))
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.DeleteAll(t.Context(), "other"), "there is none")
	_, err = s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	_, err = s.Get(t.Context(), owner, contact(1))
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func rosterCopies(t *testing.T, s storage.Rosters) {
	mine := storage.Contact{JID: contact(1), Listed: true, Groups: []string{"Friends"}, Subscription: storage.PendingIn, Request: []byte("<presence/>")}
	require.NoError(t, set(t, s, mine))
	mine.Groups[0], mine.Request[0] = "changed", 'X'
	got, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.Equal(t, []string{"Friends"}, got.Groups)
	require.Equal(t, "<presence/>", string(got.Request))
	got.Groups[0] = "changed"
	again, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.Equal(t, []string{"Friends"}, again.Groups)
}

func rosterConcurrent(t *testing.T, s storage.Rosters) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for n := range 8 {
		wg.Go(func() {
			_, err := s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
				c.Listed, c.Groups = true, append(c.Groups, fmt.Sprint(n))
				return c, nil
			})
			errs <- err
		})
	}
	wg.Wait()
	for range 8 {
		require.NoError(t, <-errs)
	}
	got, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.Len(t, got.Groups, 8)
}

func rosterContext(t *testing.T, s storage.Rosters) {
	ctx := ended(t)
	_, getErr := s.Get(ctx, owner, contact(1))
	_, listErr := s.List(ctx, owner, jid.JID{}, 1)
	_, versionErr := s.Version(ctx, owner)
	_, changesErr := s.Changes(ctx, owner, 0, 1)
	_, updateErr := s.Update(ctx, owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		c.Listed = true
		return c, nil
	})
	for _, err := range []error{getErr, listErr, versionErr, changesErr, updateErr, s.DeleteAll(ctx, owner)} {
		require.ErrorIs(t, err, ctx.Err())
	}
}
