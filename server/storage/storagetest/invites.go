package storagetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

var inviteTests = []test[storage.Invites]{
	{"keeps what it is given", inviteRoundTrip},
	{"is used up", inviteUse},
	{"expires", inviteExpires},
	{"bounds", inviteLimit},
	{"lists in pages", inviteList},
	{"pages while others write", invitePaging},
	{"deletes", inviteDelete},
	{"is used as often as it may be", inviteConcurrent},
	{"obeys the context", inviteContext},
}

// invite returns an invite of the owner.
func invite(id string, uses int) storage.Invite {
	return storage.Invite{ID: id, Inviter: owner, Addr: jid.MustParse("juliet@capulet.example"), Account: jid.MustParse("capulet.example"),
		Created: noon, Expires: noon.Add(time.Hour), Uses: uses}
}

func inviteRoundTrip(t *testing.T, s storage.Invites) {
	contact := invite("contact", 3)
	contact.Account = jid.JID{}
	server := invite("server", 1)
	server.Inviter, server.Addr, server.Account = "", jid.MustParse("capulet.example"), jid.MustParse("romeo@capulet.example")
	for _, want := range []storage.Invite{invite("account", 1), contact, server} {
		require.NoError(t, s.Create(t.Context(), want, 0))
		got, err := s.Get(t.Context(), want.ID, noon)
		require.NoError(t, err)
		got.Created, got.Expires = got.Created.UTC(), got.Expires.UTC()
		require.Equal(t, want, got)
		require.ErrorIs(t, s.Create(t.Context(), want, 0), storage.ErrExists)
	}
	_, err := s.Get(t.Context(), "none", noon)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func inviteUse(t *testing.T, s storage.Invites) {
	require.NoError(t, s.Create(t.Context(), invite("a", 2), 0))
	for left := 2; left > 0; left-- {
		i, err := s.Use(t.Context(), "a", noon)
		require.NoError(t, err)
		require.Equal(t, left, i.Uses, "as it was before")
	}
	_, err := s.Use(t.Context(), "a", noon)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = s.Get(t.Context(), "a", noon)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.Restore(t.Context(), "a"))
	_, err = s.Use(t.Context(), "a", noon)
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), "a"))
	require.NoError(t, s.Restore(t.Context(), "a"))
	_, err = s.Use(t.Context(), "a", noon)
	require.ErrorIs(t, err, storage.ErrNotFound, "it was revoked")
}

func inviteExpires(t *testing.T, s storage.Invites) {
	require.NoError(t, s.Create(t.Context(), invite("a", 1), 0))
	_, err := s.Use(t.Context(), "a", noon.Add(time.Hour))
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.Expire(t.Context(), noon))
	_, err = s.Get(t.Context(), "a", noon)
	require.NoError(t, err)
	require.NoError(t, s.Expire(t.Context(), noon.Add(time.Hour)))
	_, err = s.Get(t.Context(), "a", noon)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func inviteLimit(t *testing.T, s storage.Invites) {
	require.NoError(t, s.Create(t.Context(), invite("a", 1), 2))
	require.NoError(t, s.Create(t.Context(), invite("b", 1), 2))
	require.ErrorIs(t, s.Create(t.Context(), invite("c", 1), 2), storage.ErrFull)
	other := invite("d", 1)
	other.Inviter = "other"
	require.NoError(t, s.Create(t.Context(), other, 2))
	_, err := s.Use(t.Context(), "a", noon)
	require.NoError(t, err)
	require.NoError(t, s.Create(t.Context(), invite("c", 1), 2), "one is used up")
	later := invite("e", 1)
	later.Created, later.Expires = noon.Add(2*time.Hour), noon.Add(3*time.Hour)
	require.NoError(t, s.Create(t.Context(), later, 1), "the others have expired by then")
}

func inviteList(t *testing.T, s storage.Invites) {
	var want []string
	for n := range 7 {
		id := fmt.Sprint(n)
		require.NoError(t, s.Create(t.Context(), invite(id, 1), 0))
		if n == 3 {
			_, err := s.Use(t.Context(), id, noon)
			require.NoError(t, err)
			continue
		}
		want = append(want, id)
	}
	for _, limit := range []int{1, 2, 6, 7} {
		var got []string
		for _, i := range pages(t, limit, func(i storage.Invite) string { return i.ID }, func(ctx context.Context, after string, limit int) ([]storage.Invite, error) {
			return s.List(ctx, owner, after, limit)
		}) {
			got = append(got, i.ID)
		}
		require.Equal(t, want, got, "pages of %d", limit)
	}
}

func inviteDelete(t *testing.T, s storage.Invites) {
	require.NoError(t, s.Create(t.Context(), invite("a", 1), 0))
	require.NoError(t, s.Create(t.Context(), invite("b", 1), 0))
	require.NoError(t, s.Delete(t.Context(), "a"))
	require.NoError(t, s.Delete(t.Context(), "a"))
	require.NoError(t, s.DeleteAll(t.Context(), "other"))
	_, err := s.Get(t.Context(), "b", noon)
	require.NoError(t, err)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	_, err = s.Get(t.Context(), "b", noon)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func inviteConcurrent(t *testing.T, s storage.Invites) {
	require.NoError(t, s.Create(t.Context(), invite("a", 3), 0))
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			_, err := s.Use(t.Context(), "a", noon)
			errs <- err
		})
	}
	wg.Wait()
	used := 0
	for range 8 {
		if err := <-errs; err == nil {
			used++
		} else {
			require.ErrorIs(t, err, storage.ErrNotFound)
		}
	}
	require.Equal(t, 3, used)
}

func inviteContext(t *testing.T, s storage.Invites) {
	ctx := ended(t)
	_, getErr := s.Get(ctx, "a", noon)
	_, useErr := s.Use(ctx, "a", noon)
	_, listErr := s.List(ctx, owner, "", 1)
	for _, err := range []error{getErr, useErr, listErr, s.Create(ctx, invite("a", 1), 0), s.Restore(ctx, "a"), s.Delete(ctx, "a"), s.DeleteAll(ctx, owner), s.Expire(ctx, noon)} {
		require.ErrorIs(t, err, ctx.Err())
	}
}
