package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/sqlite"
	"github.com/parlance-xmpp/xmpp/server/storage/storagetest"
)

// open opens a database that is closed when the test ends.
func open(t testing.TB, path string) storage.Stores {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db.Stores()
}

func TestDriver(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Stores { return open(t, filepath.Join(t.TempDir(), "server.db")) })
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	storagetest.RunReopen(t, func(t *testing.T) (storage.Stores, func()) {
		db, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		return db.Stores(), func() { require.NoError(t, db.Close()) }
	})
}

// A process that is killed loses nothing that it has acknowledged.
func TestCrash(t *testing.T) {
	storagetest.Crashes{
		Place: func(t *testing.T) string { return filepath.Join(t.TempDir(), "server.db") },
		Open: func(ctx context.Context, place string) (storage.Stores, func() error, error) {
			db, err := sqlite.Open(ctx, place)
			if err != nil {
				return storage.Stores{}, nil, err
			}
			return db.Stores(), db.Close, nil
		},
	}.Run(t)
}

// Whatever is in a path is part of it.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory.db", "a%20b#c.db", "é\U0001F389.db", "&_pragma=x.db"} {
		path := filepath.Join(t.TempDir(), name)
		db, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err, name)
		require.NoError(t, db.Close())
		_, err = os.Stat(path)
		require.NoError(t, err, name)
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "no", "such", "folder.db"), t.TempDir(), ""} {
		_, err := sqlite.Open(t.Context(), path)
		require.ErrorContains(t, err, "sqlite", "%q", path)
	}
}

// What is a name elsewhere is a path here, from wherever it leads.
func TestRelativePaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{":memory:", "file:x.db", "./a.db", "//" + filepath.Join(t.TempDir(), "b.db")} {
		db, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err, path)
		require.NoError(t, db.Stores().Documents.Set(t.Context(), "a", "kind", "", []byte("x"), storage.DocumentLimits{}))
		_, err = db.Stores().Documents.Get(t.Context(), "a", "kind", "")
		require.NoError(t, err, path)
		require.NoError(t, db.Close())
		_, err = os.Stat(path)
		require.NoError(t, err, path)
	}
}

// Nobody else may read what is in it, nor what SQLite puts beside it.
func TestSec_FileMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	dir := t.TempDir()
	stores := open(t, filepath.Join(dir, "server.db"))
	require.NoError(t, stores.Documents.Set(t.Context(), "a", "kind", "", []byte("x"), storage.DocumentLimits{}))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Greater(t, len(files), 1)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is %s", f.Name(), info.Mode())
	}
}

// The schema goes up and down again; one that is newer than this program is refused, and left alone.
func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	for _, version := range []int{sqlite.Newest, 0, sqlite.Newest, sqlite.Newest} {
		require.NoError(t, sqlite.Migrate(t.Context(), path, version))
		now, err := sqlite.Version(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, version, now)
	}
	require.Error(t, sqlite.Migrate(t.Context(), path, sqlite.Newest+1))
	open(t, path)
	run(t, path, "UPDATE schema_version SET version = version + 1")
	_, err := sqlite.Open(t.Context(), path)
	require.ErrorContains(t, err, "newer")
}

// run runs a statement of SQL, as another program might.
func run(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

// A migration that fails in the middle has done nothing.
func TestFailedMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	run(t, path, "CREATE TABLE invites (x)") // is in the way of the last table
	_, err := sqlite.Open(t.Context(), path)
	require.ErrorContains(t, err, "invites")
	require.ErrorContains(t, err, "from version 0")
	run(t, path, "DROP TABLE invites")
	require.NoError(t, open(t, path).Invites.Expire(t.Context(), time.Now()))
}

// Those who open a new database at the same time all get it.
func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "server.db"))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.ErrorContains(t, db.Stores().Documents.Set(t.Context(), "a", "b", "c", []byte("d"), storage.DocumentLimits{}), "closed")
	_, err = db.Stores().Documents.Get(t.Context(), "a", "b", "c")
	require.ErrorContains(t, err, "closed")
}

func BenchmarkOffline(b *testing.B) {
	storagetest.BenchmarkOffline(b, open(b, filepath.Join(b.TempDir(), "server.db")))
}

func BenchmarkRosters(b *testing.B) {
	storagetest.BenchmarkRosters(b, open(b, filepath.Join(b.TempDir(), "server.db")))
}

// What one program has stored another one finds.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for range 2 {
		db, err := sqlite.Open(ctx, filepath.Join(dir, "server.db"))
		if err != nil {
			fmt.Println(err)
			return
		}
		juliet := jid.MustParse("juliet@example.org")
		err = db.Stores().Accounts.Create(ctx, storage.Account{ID: "1", Addr: juliet})
		fmt.Println(err)
		if err := db.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// <nil>
	// sqlite: create an account: storage: exists already
}
