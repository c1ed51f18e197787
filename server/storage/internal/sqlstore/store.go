package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// ErrClosed is the error of everything after [Store.Close].
var ErrClosed = errors.New("the database is closed")

// A Store is a database of the right schema. Its methods may be called from any goroutine.
type Store struct {
	d       *Dialect
	writes  *sql.DB
	reads   *sql.DB
	seed    maphash.Seed
	writers []*writer
	closed  atomic.Bool
}

// New returns a store over a database whose schema is the newest, see [Migrate]. Reads go through reads,
// which may be the same as writes. It owns both.
func New(d *Dialect, writes, reads *sql.DB) *Store {
	s := &Store{d: d, writes: writes, reads: reads, seed: maphash.MakeSeed()}
	for range d.Writers {
		s.writers = append(s.writers, newWriter(s))
	}
	return s
}

// Stores returns the store of each concern.
func (s *Store) Stores() storage.Stores {
	return storage.Stores{
		Accounts: accounts{s}, Rosters: rosters{s}, Offline: offline{s}, Tokens: tokens{s},
		Documents: documents{s}, Blocklists: blocklists{s}, Invites: invites{s},
	}
}

// Close waits for what has begun, and closes the database. It may be called twice.
func (s *Store) Close() error {
	s.closed.Store(true)
	for _, w := range s.writers {
		w.close()
	}
	err := s.reads.Close()
	if s.writes != s.reads {
		err = errors.Join(err, s.writes.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: close: %w", s.d.Name, err)
	}
	return nil
}

// write does something to what an owner has, or to what has that key, and returns when it is committed. A [decision] of do is
// returned as the error in it. When ctx ends write returns at once, so do must use nothing that belongs to the caller.
func (s *Store) write(ctx context.Context, what, owner string, do func(t *tx) error) error {
	w := s.writers[0]
	if len(s.writers) > 1 {
		w = s.writers[maphash.String(s.seed, owner)%uint64(len(s.writers))]
	}
	return s.failed(what, w.do(ctx, owner, do))
}

// failed says what has failed.
func (s *Store) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	if d, ok := errors.AsType[*decision](err); ok {
		err = d.err
	}
	return fmt.Errorf("%s: %s: %w", s.d.Name, what, err)
}

// A decision is an error that is no fault of the database: the operation has looked, and has written nothing.
type decision struct{ err error }

// Error returns the reason.
func (d *decision) Error() string { return d.err.Error() }

// refuse makes a decision of an error.
func refuse(err error) error { return &decision{err} }

// read asks the database something by ask.
func (s *Store) read(ctx context.Context, what string, ask func() error) error {
	err := ctx.Err()
	if err == nil && s.closed.Load() {
		err = ErrClosed
	}
	if err == nil {
		err = ask()
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = storage.ErrNotFound
	case err != nil && ctx.Err() != nil:
		err = ctx.Err() // whatever a driver makes of it
	case err != nil && s.closed.Load():
		err = ErrClosed // in the middle
	}
	return s.failed(what, err)
}

// list reads all rows of a query by scan.
func (s *Store) list(ctx context.Context, what string, scan func(*sql.Rows) error, q string, args ...any) error {
	return s.read(ctx, what, func() error {
		rows, err := s.reads.QueryContext(ctx, s.d.query(q), args...)
		return each(rows, err, scan)
	})
}

// get reads one row by scan. [storage.ErrNotFound] if there is none.
func (s *Store) get(ctx context.Context, what string, scan func(scan func(...any) error) error, q string, args ...any) error {
	return s.read(ctx, what, func() error {
		return scan(s.reads.QueryRowContext(ctx, s.d.query(q), args...).Scan)
	})
}

// into scans a row into these.
func into(dest ...any) func(func(...any) error) error {
	return func(scan func(...any) error) error { return scan(dest...) }
}

// number is n as a database takes it. No number there is greater, so one that is means the same as the greatest.
func number(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// micros is a time as it is kept: in microseconds since 1970, which may be negative.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros undoes micros.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
