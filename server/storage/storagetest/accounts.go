package storagetest

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

var juliet = jid.MustParse("juliet@example.com")

var accountTests = []test[storage.Accounts]{
	{"keeps what it is given", accountRoundTrip},
	{"refuses a taken address and a taken id", accountExists},
	{"replaces secrets", accountSecrets},
	{"disables", accountDisabled},
	{"deletes", accountDelete},
	{"does not know others", accountNotFound},
	{"lists in pages", accountList},
	{"copies", accountCopies},
	{"keeps any address", accountAddresses},
	{"pages while others write", accountPaging},
	{"obeys the context", accountContext},
}

func secrets(password string) []sasl.Secrets {
	var all []sasl.Secrets
	for _, h := range []sasl.Hash{sasl.SHA1, sasl.SHA256} {
		s, err := sasl.NewSecrets(h, password, sasl.MinIterations)
		if err != nil {
			panic(err)
		}
		all = append(all, s)
	}
	return all
}

func account(id string, addr jid.JID) storage.Account {
	return storage.Account{ID: storage.AccountID(id), Addr: addr, Secrets: secrets("r0m30"), Created: noon}
}

func accountRoundTrip(t *testing.T, s storage.Accounts) {
	want := account("1", juliet)
	require.NoError(t, s.Create(t.Context(), want))
	got, err := s.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.True(t, got.Created.Equal(want.Created), "created: got %v, want %v", got.Created, want.Created)
	got.Created = want.Created
	require.Equal(t, want, got)
}

func accountExists(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	require.ErrorIs(t, s.Create(t.Context(), account("2", juliet)), storage.ErrExists)
	require.ErrorIs(t, s.Create(t.Context(), account("1", contact(1))), storage.ErrExists)
	got, err := s.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, storage.AccountID("1"), got.ID)
}

func accountSecrets(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	want := secrets("another")[:1]
	require.NoError(t, s.SetSecrets(t.Context(), "1", want))
	got, err := s.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, want, got.Secrets)
}

func accountDisabled(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	off := account("2", contact(1))
	off.Disabled = true
	require.NoError(t, s.Create(t.Context(), off))
	for _, want := range []bool{true, true, false} {
		require.NoError(t, s.SetDisabled(t.Context(), "1", want))
		got, err := s.Get(t.Context(), juliet)
		require.NoError(t, err)
		require.Equal(t, want, got.Disabled)
		require.Equal(t, account("1", juliet).ID, got.ID)
		require.Len(t, got.Secrets, 2, "nothing else changes")
		page, err := s.List(t.Context(), juliet.Domainpart(), jid.JID{}, 10)
		require.NoError(t, err)
		for _, a := range page {
			if a.ID == "1" {
				require.Equal(t, want, a.Disabled)
			} else {
				require.True(t, a.Disabled)
			}
		}
	}
	require.ErrorIs(t, s.SetDisabled(t.Context(), "3", true), storage.ErrNotFound)
}

func accountDelete(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	require.NoError(t, s.Delete(t.Context(), "1"))
	_, err := s.Get(t.Context(), juliet)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.Create(t.Context(), account("2", juliet)), "the address is free again")
}

func accountNotFound(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	_, err := s.Get(t.Context(), contact(1))
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.ErrorIs(t, s.SetSecrets(t.Context(), "2", nil), storage.ErrNotFound)
	require.ErrorIs(t, s.Delete(t.Context(), "2"), storage.ErrNotFound)
}

func accountList(t *testing.T, s storage.Accounts) {
	var want []jid.JID
	for n := range 10 {
		addr := contact(n)
		require.NoError(t, s.Create(t.Context(), account(strconv.Itoa(n), addr)))
		if addr.Domainpart() == "b.example" {
			want = append(want, addr)
		}
	}
	slices.SortFunc(want, jid.JID.Compare)
	for _, limit := range []int{1, 2, 3, 100} {
		var got []jid.JID
		var after jid.JID
		for {
			page, err := s.List(t.Context(), "b.example", after, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), limit)
			for _, a := range page {
				require.Len(t, a.Secrets, 2)
				got = append(got, a.Addr)
				after = a.Addr
			}
			if len(page) < limit {
				break
			}
		}
		require.Equal(t, want, got, "pages of %d", limit)
	}
}

func accountCopies(t *testing.T, s storage.Accounts) {
	mine := account("1", juliet)
	require.NoError(t, s.Create(t.Context(), mine))
	want := slices.Clone(mine.Secrets[0].StoredKey)
	clear(mine.Secrets[0].StoredKey)
	clear(mine.Secrets[1:])
	got, err := s.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, want, got.Secrets[0].StoredKey, "the caller changed what it had passed")
	clear(got.Secrets[0].StoredKey)
	again, err := s.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, want, again.Secrets[0].StoredKey, "the caller changed what it had got")
}

func accountContext(t *testing.T, s storage.Accounts) {
	require.NoError(t, s.Create(t.Context(), account("1", juliet)))
	ctx := ended(t)
	_, getErr := s.Get(ctx, juliet)
	_, listErr := s.List(ctx, "example.com", jid.JID{}, 1)
	for _, err := range []error{
		getErr, listErr, s.Create(ctx, account("2", contact(1))), s.SetSecrets(ctx, "1", nil), s.SetDisabled(ctx, "1", true), s.Delete(ctx, "1"),
	} {
		require.ErrorIs(t, err, ctx.Err())
		require.False(t, errors.Is(err, storage.ErrNotFound))
	}
}
