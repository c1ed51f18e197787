package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"testing"
)

// A fake is a database that keeps the statements of committed transactions, and fails as it is told.
type fake struct {
	begin, commit func() error
	exec          func(statement string) error

	mu        sync.Mutex // guards the fields below
	began     int
	committed [][]string
}

// open returns a store over the fake.
func (f *fake) open(t *testing.T, writers int) *Store {
	t.Helper()
	db := sql.OpenDB(f)
	return New(&Dialect{Name: "fake", Writers: writers, Undone: func(err error) bool { return errors.Is(err, errBusy) }}, db, db)
}

// errBusy is an error after which nothing has happened, errBroken one after which nobody knows.
var errBusy, errBroken = errors.New("busy"), errors.New("broken")

func (f *fake) transactions() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.committed)
}

func (f *fake) beginnings() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.began
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return &fakeConn{f: f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct {
	f          *fake
	statements []string
}

func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not here") }
func (c *fakeConn) Close() error                        { return nil }
func (c *fakeConn) Begin() (driver.Tx, error) {
	c.f.mu.Lock()
	c.f.began++
	c.f.mu.Unlock()
	c.statements = nil
	if c.f.begin != nil {
		if err := c.f.begin(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *fakeConn) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	if c.f.exec != nil {
		if err := c.f.exec(statement); err != nil {
			return nil, err
		}
	}
	c.statements = append(c.statements, statement)
	return driver.RowsAffected(1), nil
}

func (c *fakeConn) Commit() error {
	if c.f.commit != nil {
		if err := c.f.commit(); err != nil {
			return err
		}
	}
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.committed = append(c.f.committed, c.statements)
	return nil
}

func (c *fakeConn) Rollback() error { return nil }
