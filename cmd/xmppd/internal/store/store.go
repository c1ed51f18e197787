// Package store opens what a server keeps, as its file says.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/server/storage/postgres"
	"github.com/parlance-xmpp/xmpp/server/storage/sqlite"
)

// DatabaseFile is where SQLite keeps everything.
func DatabaseFile(c *config.Config) string { return c.Path("server.db") }

// Open opens the stores. Whoever does so holds the [Lock] of the folder.
func Open(ctx context.Context, c *config.Config) (stores storage.Stores, closeAll func() error, err error) {
	switch c.Storage.Kind {
	case config.SQLite:
		db, err := sqlite.Open(ctx, DatabaseFile(c))
		if err != nil {
			return storage.Stores{}, nil, err
		}
		give(c, DatabaseFile(c), DatabaseFile(c)+"-wal", DatabaseFile(c)+"-shm") // what comes later SQLite gives to the owner of the first
		return db.Stores(), db.Close, nil
	case config.Postgres:
		db, err := postgres.Open(ctx, c.Storage.Database)
		if err != nil {
			return storage.Stores{}, nil, err
		}
		return db.Stores(), db.Close, nil
	}
	return memory.New(), func() error { return nil }, nil
}

// Version returns the version of the schema of what is kept, and the one that this program needs. Nothing is brought to it. The error is
// fs.ErrNotExist when nothing was ever kept. In memory there is no schema: both are zero.
func Version(ctx context.Context, c *config.Config) (now, needed int, err error) {
	switch c.Storage.Kind {
	case config.SQLite:
		now, err = sqlite.Version(ctx, DatabaseFile(c))
		return now, sqlite.Newest, err
	case config.Postgres:
		now, err = postgres.Version(ctx, c.Storage.Database)
		return now, postgres.Newest, err
	}
	return 0, 0, nil
}

// ErrLocked is the error of who wants to use a folder that another process uses.
var ErrLocked = errors.New("another xmppd uses it")

// A Lock is a folder in use. It ends with the process, however that ends.
type Lock struct{ f *os.File }

// Take makes the folder of a config, for its owner only, if it is not there, and locks it. [ErrLocked] when another process has.
func Take(c *config.Config) (*Lock, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, c.Outside("data", err, "let the user that runs xmppd make the folder, or write another one")
	}
	f, err := os.OpenFile(c.Path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, c.Outside("data", err, "run this as the user that runs xmppd, or let that user write there")
	}
	give(c, f.Name())
	return locked(c, f)
}

// Probe returns [ErrLocked] when another process has the folder of a config. It makes nothing.
func Probe(c *config.Config) error {
	f, err := os.OpenFile(c.Path("lock"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := locked(c, f)
	if err != nil {
		return err
	}
	return l.Release()
}

// locked locks an open file of the folder, or closes it.
func locked(c *config.Config, f *os.File) (*Lock, error) {
	if err := lock(f); err != nil {
		f.Close()
		if errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("%s: %w", c.Data, ErrLocked)
		}
		return nil, &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return &Lock{f}, nil
}

// Release gives the folder back.
func (l *Lock) Release() error { return l.f.Close() }
