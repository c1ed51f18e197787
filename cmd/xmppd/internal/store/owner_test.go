//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A command of root leaves nothing in the folder of a server that this, which is somebody else, could not open; but it gives away nothing that
// was only linked to from there.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes files for others")
	}
	const somebody = 65534
	c := config.Default()
	c.Data = t.TempDir()
	require.NoError(t, os.Chown(c.Data, somebody, somebody))
	owner := func(name string) uint32 {
		info, err := os.Stat(name)
		require.NoError(t, err)
		return info.Sys().(*syscall.Stat_t).Uid
	}
	l, err := store.Take(c)
	require.NoError(t, err)
	_, err = store.Secret(c)
	require.NoError(t, err)
	stores, closeAll, err := store.Open(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, stores.Accounts.Create(t.Context(), storage.Account{ID: "a", Addr: jid.MustParse("juliet@localhost")}))
	entries, err := os.ReadDir(c.Data)
	require.NoError(t, err)
	require.Greater(t, len(entries), 2, "the lock, the secret and the database, which may have more than one")
	for _, e := range entries {
		require.EqualValues(t, somebody, owner(c.Path(e.Name())), e.Name())
	}
	require.NoError(t, closeAll())
	require.NoError(t, l.Release())

	precious := filepath.Join(t.TempDir(), "shadow")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	require.NoError(t, os.Remove(c.Path("lock")))
	require.NoError(t, os.Link(precious, c.Path("lock")))
	l, err = store.Take(c)
	require.NoError(t, err)
	require.NoError(t, l.Release())
	require.Zero(t, owner(precious))
}
