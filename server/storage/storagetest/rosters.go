package storagetest

import (
	"context"
	"errors"
	"fmt"
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
	{"keeps owners apart", rosterOwners},
	{"copies", rosterCopies},
	{"loses no update", rosterConcurrent},
	{"obeys the context", rosterContext},
}

const owner storage.AccountID = "owner"

// set makes a contact what c says.
func set(t *testing.T, s storage.Rosters, c storage.Contact) error {
	return s.Update(t.Context(), owner, c.JID, storage.RosterLimits{}, func(storage.Contact) (storage.Contact, error) { return c, nil })
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
		require.Equal(t, want, got)
	}
	_, err := s.Get(t.Context(), owner, contact(9))
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func rosterKnown(t *testing.T, s storage.Rosters) {
	want := storage.Contact{JID: contact(1), Listed: true, Name: "Nurse", Subscription: storage.To}
	for _, known := range []storage.Contact{{JID: contact(1)}, want} {
		err := s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			require.Equal(t, known, c)
			return want, nil
		})
		require.NoError(t, err)
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
	want := storage.Contact{JID: contact(1), Listed: true, Name: "Nurse"}
	require.NoError(t, set(t, s, want))
	refused := errors.New("refused")
	err := s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
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
		return s.Update(t.Context(), owner, contact(n), limits, func(c storage.Contact) (storage.Contact, error) {
			c.Listed, c.Subscription = listed, sub
			return c, nil
		})
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
			errs <- s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
				c.Listed, c.Groups = true, append(c.Groups, fmt.Sprint(n))
				return c, nil
			})
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
	updateErr := s.Update(ctx, owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		c.Listed = true
		return c, nil
	})
	for _, err := range []error{getErr, listErr, updateErr, s.DeleteAll(ctx, owner)} {
		require.ErrorIs(t, err, ctx.Err())
	}
}
