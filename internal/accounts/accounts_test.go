package accounts

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A host takes the hooks of a cache.
type host struct {
	module.Host
	hooks module.Hooks
}

func (h *host) Hook(k module.Hooks) { h.hooks = k }

type session struct {
	module.Session
	id storage.AccountID
}

func (s session) Account() module.Account { return module.Account{ID: s.id} }

// A value is read once while its account has sessions, and what was read before a change is not taken for what is there now.
func TestCache(t *testing.T) {
	const id = "account"
	var (
		stored string
		reads  int
		during func() // happens behind a reader's back
		down   error
	)
	c := New(func(context.Context, storage.AccountID) (string, error) {
		got := stored
		reads++
		if f := during; f != nil {
			during = nil
			f()
		}
		return got, down
	})
	h := new(host)
	c.Follow(h)
	open := func() { h.hooks.Opened(t.Context(), session{id: id}) }
	closed := func() { h.hooks.Closed(t.Context(), session{id: id}) }
	get := func(want string, n int) {
		t.Helper()
		reads = 0
		got, err := c.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, n, reads)
	}

	get("", 1)
	get("", 1)
	open()
	open()
	get("", 1)
	get("", 0)
	closed()
	get("", 0)

	stored = "1"
	get("", 0)
	c.Forget(id)
	during = func() {
		stored = "2"
		c.Set(id, "2")
	}
	get("2", 1)

	c.Forget(id)
	during = func() { // the last session ends, another one begins
		closed()
		open()
	}
	get("2", 2)
	c.Forget(id)
	during = func() { // and changes something, and ends, and another one begins
		closed()
		open()
		stored = "3"
		c.Set(id, "3")
		closed()
		open()
	}
	get("3", 2)
	get("3", 0)

	down = errors.New("the database is down")
	get("3", 0)
	c.Forget(id)
	_, err := c.Get(t.Context(), id)
	require.ErrorIs(t, err, down)
	down = nil

	closed()
	require.Empty(t, c.online)
	c.Set(id, "4")
	get("3", 1)
	closed()
}

func TestTurn(t *testing.T) {
	const id = "account"
	c := New(func(context.Context, storage.AccountID) (int, error) { return 1, nil })
	_, err := c.Turn(t.Context(), id)
	require.ErrorIs(t, err, errOffline)
	c.open(id)
	end, err := c.Turn(t.Context(), id)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Turn(ctx, id)
	require.ErrorIs(t, err, context.Canceled)
	v, err := c.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 1, v)
	end()
	end, err = c.Turn(t.Context(), id)
	require.NoError(t, err)
	end()
}
