//go:build linux

package postgres_test

import (
	"context"
	"testing"

	"github.com/parlance-xmpp/xmpp/internal/pgtest"
	"github.com/parlance-xmpp/xmpp/server/servertest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/postgres"
)

// All 72 transitions of a subscription, over PostgreSQL.
func TestI3_AppendixA_PostgreSQL(t *testing.T) {
	servertest.Subscriptions(t, open(t, pgtest.Database(t)))
}

// Every cell of the table of deliveries, over PostgreSQL.
func TestI8_5_4_PostgreSQL(t *testing.T) {
	servertest.Deliveries(t, func(t *testing.T) storage.Stores { return open(t, pgtest.Database(t)) })
}

// A process that embeds a server over PostgreSQL is killed over and over: nothing that it has acknowledged is missing.
func TestSec_KilledOverPostgreSQL(t *testing.T) {
	servertest.Crash(t, pgtest.Database(t), 30, func(ctx context.Context, place string) (storage.Stores, error) {
		db, err := postgres.Open(ctx, place)
		if err != nil {
			return storage.Stores{}, err
		}
		t.Cleanup(func() { _ = db.Close() })
		return db.Stores(), nil
	})
}

func BenchmarkFlood(b *testing.B) {
	servertest.BenchmarkFlood(b, open(b, pgtest.Database(b)))
}
