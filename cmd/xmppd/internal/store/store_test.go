package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
)

// A secret is made once, for its owner only, and stays; one that is damaged is not taken for one.
func TestSec_Secret(t *testing.T) {
	c := &config.Config{Data: t.TempDir()}
	first, err := store.Secret(c)
	require.NoError(t, err)
	require.Len(t, first, 32)
	again, err := store.Secret(c)
	require.NoError(t, err)
	require.Equal(t, first, again)
	other, err := store.Secret(&config.Config{Data: t.TempDir()})
	require.NoError(t, err)
	require.NotEqual(t, first, other)

	name := filepath.Join(c.Data, "secret")
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.WriteFile(name, []byte("short"), 0o600))
	_, err = store.Secret(c)
	require.ErrorContains(t, err, "remove it")
}

// One process has a folder at a time. Who only looks makes nothing.
func TestTake(t *testing.T) {
	c := &config.Config{Data: filepath.Join(t.TempDir(), "data")}
	require.NoError(t, store.Probe(c))
	require.NoDirExists(t, c.Data)
	l, err := store.Take(c)
	require.NoError(t, err)
	require.ErrorIs(t, store.Probe(c), store.ErrLocked)
	_, err = store.Take(c)
	require.ErrorIs(t, err, store.ErrLocked)
	require.NoError(t, l.Release())
	require.NoError(t, store.Probe(c))
	l, err = store.Take(c)
	require.NoError(t, err)
	require.NoError(t, l.Release())
}
