package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
)

// A Dialect is what a database has to itself.
type Dialect struct {
	Name    string // for errors
	Writers int    // how many transactions write at the same time
	// Numbered says that arguments are $1, $2 …, and not ?.
	Numbered bool
	// Types replaces the names of types in the migrations: INTEGER, TEXT, BLOB.
	Types *strings.Replacer
	// Lock keeps other processes from an owner until the transaction ends. Nil if there can be no others.
	Lock func(ctx context.Context, tx *sql.Tx, owner string) error
	// LockAll keeps other processes from migrations until the transaction ends. Nil as above.
	LockAll func(ctx context.Context, tx *sql.Tx) error
	// Undone reports an error that says that the transaction was undone, also in committing, and might do at another time.
	Undone func(error) bool
}

// numbered are queries as they are written for numbered arguments.
var numbered sync.Map

// query returns a query as the database wants it.
func (d *Dialect) query(q string) string {
	if !d.Numbered {
		return q
	}
	if done, ok := numbered.Load(q); ok {
		return done.(string)
	}
	var b strings.Builder
	n := 0
	for _, r := range q {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	numbered.Store(q, b.String())
	return b.String()
}

// A tx is a transaction.
type tx struct {
	*sql.Tx
	ctx    context.Context // the transaction's, and as short-lived as this
	d      *Dialect
	locked string // the owner that was locked last
}

// lock keeps others from an owner until the transaction ends. Those of one owner come one after another.
func (t *tx) lock(owner string) error {
	if t.d.Lock == nil || owner == t.locked {
		return nil
	}
	t.locked = owner
	return t.d.Lock(t.ctx, t.Tx, owner)
}

func (t *tx) exec(q string, args ...any) (int64, error) {
	r, err := t.ExecContext(t.ctx, t.d.query(q), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t *tx) row(q string, args ...any) *sql.Row {
	return t.QueryRowContext(t.ctx, t.d.query(q), args...)
}

// all reads every row by scan.
func (t *tx) all(scan func(*sql.Rows) error, q string, args ...any) error {
	rows, err := t.QueryContext(t.ctx, t.d.query(q), args...)
	return each(rows, err, scan)
}

// each reads every row by scan, and closes them.
func each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
