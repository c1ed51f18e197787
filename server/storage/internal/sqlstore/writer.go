package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// batch is how many operations go into one transaction at most.
const batch = 256

// attempts is how often a transaction is tried that was undone.
const attempts = 8

// patience is how long one transaction may take.
const patience = time.Minute

// A writer does operations one after another, many in one transaction. Its goroutine exists only while there is
// something to do.
type writer struct {
	store *Store

	mu      sync.Mutex // guards the fields below
	waiting []*operation
	running bool
	closed  bool
	idle    *sync.Cond // told when running ends
}

// An operation is one write. Its caller may leave while it is under way, so it must use nothing that is the caller's.
type operation struct {
	owner string
	do    func(*tx) error
	left  func() error // why the caller has left, nil if it has not
	err   error        // the result, once done is closed
	done  chan struct{}
}

func newWriter(s *Store) *writer {
	w := &writer{store: s}
	w.idle = sync.NewCond(&w.mu)
	return w
}

// do has an operation done, and waits until it is committed. When ctx ends first, it is left out, unless it
// has begun: then it may be done or not.
func (w *writer) do(ctx context.Context, owner string, do func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &operation{owner: owner, do: do, left: ctx.Err, done: make(chan struct{})}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.waiting = append(w.waiting, o)
	if !w.running {
		w.running = true
		go w.run()
	}
	w.mu.Unlock()
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets what waits be done, and nothing more.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for w.running {
		w.idle.Wait()
	}
}

// run does operations until there are none.
func (w *writer) run() {
	for {
		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.running, w.waiting = false, nil
			w.idle.Broadcast()
			w.mu.Unlock()
			return
		}
		n := min(len(w.waiting), batch)
		all := w.waiting[:n:n]
		w.waiting = w.waiting[n:]
		w.mu.Unlock()
		if w.store.d.Lock != nil {
			// Transactions that lock owners in one order never wait for each other in a circle.
			slices.SortStableFunc(all, func(a, b *operation) int { return cmp.Compare(a.owner, b.owner) })
		}
		w.write(all)
		for _, o := range all {
			close(o.done)
		}
	}
}

// write does operations in one transaction, or each in one of its own when one of them may be to blame.
func (w *writer) write(all []*operation) {
	for n := 1; ; n++ {
		at, err := w.transaction(all)
		if err == nil {
			return
		}
		if at == running && len(all) > 1 {
			for i := range all {
				w.write(all[i : i+1])
			}
			return
		}
		if n == attempts || !w.store.d.Undone(err) {
			for _, o := range all {
				o.err = err
			}
			return
		}
		time.Sleep(time.Duration(n) * 5 * time.Millisecond) // somebody else was in the way
	}
}

// A stage is how far a transaction came.
type stage int

const (
	beginning stage = iota
	running
	committing // what has become of it is not known, unless the dialect knows the error
)

// transaction does operations and commits. Their results count only if it does not fail.
func (w *writer) transaction(all []*operation) (stage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun, err := w.store.writes.BeginTx(ctx, w.store.d.transaction())
	if err != nil {
		return beginning, err
	}
	t := &tx{Tx: begun, ctx: ctx, d: w.store.d}
	for _, o := range all {
		o.err = o.run(t)
		if _, decided := errors.AsType[*decision](o.err); o.err != nil && !decided {
			_ = begun.Rollback()
			return running, o.err
		}
	}
	return committing, begun.Commit()
}

// transaction returns the options of one. Where there are others, what is read behind a lock has to be what is there then, not
// what was there before; a database may be set up otherwise.
func (d *Dialect) transaction() *sql.TxOptions {
	if d.Lock == nil {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// run does an operation, unless nobody waits for it. A panic becomes an error.
func (o *operation) run(t *tx) (err error) {
	if err := o.left(); err != nil {
		return refuse(err)
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if err := t.lock(o.owner); err != nil {
		return err
	}
	return o.do(t)
}
