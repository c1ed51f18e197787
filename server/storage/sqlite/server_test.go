package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/parlance-xmpp/xmpp/server/servertest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/sqlite"
)

// All 72 transitions of a subscription, over SQLite.
func TestI3_AppendixA_SQLite(t *testing.T) {
	servertest.Subscriptions(t, open(t, filepath.Join(t.TempDir(), "server.db")))
}

// Every cell of the table of deliveries, over SQLite.
func TestI8_5_4_SQLite(t *testing.T) {
	servertest.Deliveries(t, func(t *testing.T) storage.Stores { return open(t, filepath.Join(t.TempDir(), "server.db")) })
}

// A process that embeds a server over SQLite is killed over and over: nothing that it has acknowledged is missing.
func TestSec_KilledOverSQLite(t *testing.T) {
	servertest.Crash(t, filepath.Join(t.TempDir(), "server.db"), 30, func(ctx context.Context, place string) (storage.Stores, error) {
		db, err := sqlite.Open(ctx, place)
		if err != nil {
			return storage.Stores{}, err
		}
		t.Cleanup(func() { _ = db.Close() })
		return db.Stores(), nil
	})
}

func BenchmarkFlood(b *testing.B) {
	servertest.BenchmarkFlood(b, open(b, filepath.Join(b.TempDir(), "server.db")))
}
