// Package postgres keeps what a server stores in a PostgreSQL database, 13 or newer.
//
//	db, err := postgres.Open(ctx, "postgres://xmpp@db.example.org/xmpp")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	srv, err := server.New(&server.Options{Storage: db.Stores(), …})
//
// What a method of a store has returned without an error is committed, and lost by nothing that PostgreSQL survives, as long as
// fsync and synchronous_commit are on, as they are unless somebody has turned them off. Many writes at a time share a commit.
// Several processes may use one database.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/internal/sqlstore"
)

// A DB is a pool of connections to a database. Close it when the server that uses it has shut down.
type DB struct{ store *sqlstore.Store }

// Stores returns the store of each concern.
func (db *DB) Stores() storage.Stores { return db.store.Stores() }

// Close waits for the writes that have begun, and closes the connections.
func (db *DB) Close() error { return db.store.Close() }

// connections is how many there are at most: for each writer one, and some for those who read.
const (
	writers     = 4
	connections = writers + 12
)

// Open connects to a database, by a URL or by keywords as libpq takes them, and brings its schema to the version that this
// package needs. The database itself must exist, with the encoding UTF8. One that was used by a newer version is refused.
func Open(ctx context.Context, database string) (*DB, error) {
	db, err := open(database)
	if err != nil {
		return nil, err
	}
	if err := checkEncoding(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := sqlstore.Migrate(ctx, dialect, db, sqlstore.Newest); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{sqlstore.New(dialect, db, db)}, nil
}

// checkEncoding refuses a database that has not got every character. Without an encoding, as SQL_ASCII, it keeps bytes.
func checkEncoding(ctx context.Context, db *sql.DB) error {
	var encoding string
	if err := db.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return fmt.Errorf("postgres: open: %w", err)
	}
	if encoding != "UTF8" && encoding != "SQL_ASCII" {
		return fmt.Errorf("postgres: open: the encoding of the database is %s; it has to be UTF8", encoding)
	}
	return nil
}

// Migrate brings the schema of a database to a version, up or down; [Newest] is the last one. Downwards, what the
// older version has no place for is lost.
func Migrate(ctx context.Context, database string, version int) error {
	db, err := open(database)
	if err != nil {
		return err
	}
	return errors.Join(sqlstore.Migrate(ctx, dialect, db, version), db.Close())
}

// Version returns the version of the schema of a database; others may use it. It changes nothing, but for an empty database: that
// gets a place for the version.
func Version(ctx context.Context, database string) (int, error) {
	db, err := open(database)
	if err != nil {
		return 0, err
	}
	if err := checkEncoding(ctx, db); err != nil {
		return 0, errors.Join(err, db.Close())
	}
	version, err := sqlstore.Version(ctx, dialect, db)
	if err != nil {
		err = fmt.Errorf("postgres: version of the schema: %w", err)
	}
	return version, errors.Join(err, db.Close())
}

// Newest is the newest version of the schema.
var Newest = sqlstore.Newest

// open prepares a pool; it does not connect yet.
func open(database string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err) // pgx leaves out the password
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrating is the advisory lock of those who migrate.
const migrating = 0x7061726c616e6365

// dialect is PostgreSQL's.
var dialect = &sqlstore.Dialect{
	Name:     "postgres",
	Writers:  writers,
	Numbered: true,
	Types:    strings.NewReplacer("INTEGER", "BIGINT", "TEXT", `TEXT COLLATE "C"`, "BLOB", "BYTEA"), // ordered by bytes
	Lock: func(ctx context.Context, tx *sql.Tx, owner string) error {
		h := fnv.New64a()
		_, _ = h.Write([]byte(owner))
		_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64()))
		return err
	},
	LockAll: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrating))
		return err
	},
	Undone: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		if !ok {
			return false
		}
		switch e.Code {
		case "40001", "40P01", "23505": // serialization failure, deadlock, somebody else was first
			return true
		}
		return false
	},
}
