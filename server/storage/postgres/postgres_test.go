//go:build linux

package postgres_test

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/pgtest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/postgres"
	"github.com/parlance-xmpp/xmpp/server/storage/storagetest"
)

// open opens a database that is closed when the test ends.
func open(t testing.TB, database string) storage.Stores {
	t.Helper()
	db, err := postgres.Open(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db.Stores()
}

func TestDriver(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Stores { return open(t, pgtest.Database(t)) })
}

func TestReopen(t *testing.T) {
	database := pgtest.Database(t)
	storagetest.RunReopen(t, func(t *testing.T) (storage.Stores, func()) {
		db, err := postgres.Open(t.Context(), database)
		require.NoError(t, err)
		return db.Stores(), func() { require.NoError(t, db.Close()) }
	})
}

// The schema goes up and down again; processes that start at the same time do not get in each other's way.
func TestMigrate(t *testing.T) {
	database := pgtest.Database(t)
	for _, version := range []int{postgres.Newest, 0} {
		require.NoError(t, postgres.Migrate(t.Context(), database, version))
		now, err := postgres.Version(t.Context(), database)
		require.NoError(t, err)
		require.Equal(t, version, now)
	}
	require.Error(t, postgres.Migrate(t.Context(), database, postgres.Newest+1))
	errs := make(chan error)
	for range 4 {
		go func() { errs <- postgres.Migrate(t.Context(), database, postgres.Newest) }()
	}
	for range 4 {
		require.NoError(t, <-errs)
	}
	open(t, database)
}

// Two processes on one database do not lose each other's updates.
func TestTwoProcesses(t *testing.T) {
	database := pgtest.Database(t)
	both := []storage.Stores{open(t, database), open(t, database)}
	storagetest.Shared(t, both)
}

// A database may be set up for other transactions than ours.
func TestIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		database := pgtest.Database(t) + ` default_transaction_isolation='` + level + `'`
		storagetest.Shared(t, []storage.Stores{open(t, database), open(t, database)})
	}
}

// run runs a statement of SQL, as another program might.
func run(t *testing.T, database, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	require.NoError(t, err)
}

// A migration that fails in the middle has done nothing.
func TestFailedMigration(t *testing.T) {
	database := pgtest.Database(t)
	run(t, database, "CREATE TABLE invites (x INTEGER)") // is in the way of the last table
	_, err := postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "invites")
	require.ErrorContains(t, err, "from version 0")
	run(t, database, "DROP TABLE invites")
	open(t, database)
	run(t, database, "UPDATE schema_version SET version = version + 1")
	_, err = postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "newer")
}

// A database that cannot keep every character is refused before anybody trusts it.
func TestEncoding(t *testing.T) {
	database := pgtest.Database(t)
	name := regexp.MustCompile("dbname=[a-z0-9]+").FindString(database)
	for encoding, good := range map[string]bool{"LATIN1": false, "SQL_ASCII": true} {
		other := strings.Replace(name, "dbname=", "", 1) + strings.ToLower(encoding)
		run(t, database, "CREATE DATABASE "+other+" ENCODING "+encoding+" LOCALE 'C' TEMPLATE template0")
		t.Cleanup(func() { run(t, strings.Replace(database, name, "dbname=postgres", 1), "DROP DATABASE "+other) })
		db, err := postgres.Open(t.Context(), strings.Replace(database, name, "dbname="+other, 1))
		if !good {
			require.ErrorContains(t, err, "UTF8")
			continue
		}
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
}

// crashes keeps what is to crash in a database of its own.
func crashes(before func(t *testing.T)) storagetest.Crashes {
	return storagetest.Crashes{
		Place: func(t *testing.T) string { return pgtest.Database(t) },
		Open: func(ctx context.Context, place string) (storage.Stores, func() error, error) {
			db, err := postgres.Open(ctx, place)
			if err != nil {
				return storage.Stores{}, nil, err
			}
			return db.Stores(), db.Close, nil
		},
		Before: before,
	}
}

// A process that is killed loses nothing that it has acknowledged.
func TestCrash(t *testing.T) { crashes(nil).Run(t) }

// Neither does a PostgreSQL that is killed before.
func TestCrashOfBoth(t *testing.T) {
	crashes(func(t *testing.T) { pgtest.Crash(t) }).Run(t)
}

// When the database has come back, so have the stores, as soon as they have noticed of each connection that it is lost. What
// was acknowledged is there.
func TestServerCrash(t *testing.T) {
	offline := open(t, pgtest.Database(t)).Offline
	again := func(do func() error) {
		err := do()
		for n := 0; err != nil && n < 20; n++ {
			err = do()
		}
		require.NoError(t, err)
	}
	for n := range 3 {
		again(func() error {
			_, err := offline.Add(t.Context(), "a", storage.OfflineLimits{}, storage.OfflineMessage{Stanza: []byte{byte(n)}})
			return err
		})
		pgtest.Crash(t)
		again(func() error {
			all, err := offline.List(t.Context(), "a", 0, 10)
			if err == nil {
				require.Len(t, all, n+1)
			}
			return err
		})
	}
}

// What is wrong with an address is said without the password.
func TestBadAddress(t *testing.T) {
	_, err := postgres.Open(t.Context(), "host=/nowhere user=x password=s3cret dbname=x")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
	_, err = postgres.Open(t.Context(), "postgres://x:s3cret@[")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}

func BenchmarkOffline(b *testing.B) {
	storagetest.BenchmarkOffline(b, open(b, pgtest.Database(b)))
}

func BenchmarkRosters(b *testing.B) {
	storagetest.BenchmarkRosters(b, open(b, pgtest.Database(b)))
}
