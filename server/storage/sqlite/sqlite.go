// Package sqlite keeps what a server stores in one file, an SQLite database. It needs no other program, and no cgo.
//
//	db, err := sqlite.Open(ctx, "data/server.db")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	srv, err := server.New(&server.Options{Storage: db.Stores(), …})
//
// What a method of a store has returned without an error is on the disk: a process that is killed, or a
// machine that loses power, loses nothing of it. Many writes at a time share one commit. A file is for one process; another may
// read it (a backup: `sqlite3 server.db ".backup copy.db"`).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/internal/sqlstore"
)

// A DB is an open database. Close it when the server that uses it has shut down.
type DB struct{ store *sqlstore.Store }

// Stores returns the store of each concern.
func (db *DB) Stores() storage.Stores { return db.store.Stores() }

// Close waits for the writes that have begun, and closes the file.
func (db *DB) Close() error { return db.store.Close() }

// Open opens a database, which is made if there is none, for its owner only to read, and brings its schema to the version that this
// package needs. One that was used by a newer version is refused.
func Open(ctx context.Context, path string) (*DB, error) {
	if err := Migrate(ctx, path, sqlstore.Newest); err != nil {
		return nil, err
	}
	writes, err := open(path, 1)
	if err != nil {
		return nil, err
	}
	reads, err := open(path, max(4, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	return &DB{sqlstore.New(dialect, writes, reads)}, nil
}

// Migrate brings the schema of a database to a version, up or down; [Newest] is the last one. Downwards, what the
// older version has no place for is lost. Nothing else may use the file meanwhile.
func Migrate(ctx context.Context, path string, version int) error {
	db, err := open(path, 1)
	if err != nil {
		return err
	}
	return errors.Join(sqlstore.Migrate(ctx, dialect, db, version), db.Close())
}

// Version returns the version of the schema of a database, which must be there; others may use it. It changes nothing, but for an empty
// file: that gets a place for the version.
func Version(ctx context.Context, path string) (int, error) {
	if _, err := os.Stat(path); err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	db, err := open(path, 1)
	if err != nil {
		return 0, err
	}
	version, err := sqlstore.Version(ctx, dialect, db)
	if err != nil {
		err = fmt.Errorf("sqlite: version of the schema: %w", err)
	}
	return version, errors.Join(err, db.Close())
}

// Newest is the newest version of the schema.
var Newest = sqlstore.Newest

// open opens a pool of connections.
func open(path string, connections int) (*sql.DB, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err) // which has the path
	}
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// create makes an empty file, for its owner only, if there is none: SQLite would let others read what is secret. The files that
// SQLite puts beside it get the mode of this one.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// source is a path as the driver wants it: a URI, so that whatever is in the path is no option. The path in it has one slash
// in front, and is no ":memory:".
func source(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = "/" + strings.TrimLeft(filepath.ToSlash(path), "/")
	options := url.Values{"_pragma": {
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)", // a commit is on the disk
		"journal_size_limit(67108864)",
	}, "_txlock": {"immediate"}} // a transaction here writes
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}
	return u.String()
}

// dialect is SQLite's.
var dialect = &sqlstore.Dialect{
	Name:    "sqlite",
	Writers: 1,
	Types:   strings.NewReplacer(),
	Undone: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		return ok && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
	},
}
