package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Migrations are pairs of files: 0001_words.up.sql leads from version 0 to 1, and 0001_words.down.sql back.
// Statements end with a semicolon at the end of a line.
//
//go:embed migrations/*.sql
var files embed.FS

// Newest is the version of the schema that a [Store] needs.
var Newest = len(migrations("up"))

// migrations returns the files of a direction, in order.
func migrations(direction string) []string {
	names, err := fs.Glob(files, "migrations/*."+direction+".sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	slices.Sort(names)
	return names
}

// Version returns the version of a database's schema, zero for an empty one.
func Version(ctx context.Context, d *Dialect, db *sql.DB) (version int, err error) {
	err = inTransaction(ctx, d, db, func(t *tx) (err error) {
		version, err = t.version()
		return err
	})
	return version, err
}

// How often a step is tried that others were in the way of, and how long they are given.
const (
	migrateTries = 100
	migratePause = 20 * time.Millisecond
)

// Migrate brings a database to a version of the schema, up or down, one step after another: each is done or not. A
// database that is newer than this code is refused.
func Migrate(ctx context.Context, d *Dialect, db *sql.DB, to int) error {
	if to < 0 || to > Newest {
		return fmt.Errorf("%s: there is no version %d of the schema, only 0 to %d", d.Name, to, Newest)
	}
	for tries := 0; ; {
		now, err := step(ctx, d, db, to)
		if err != nil && d.Undone(err) && tries < migrateTries && pause(ctx, migratePause) {
			tries++ // another process opens it at the same time, or closes it
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: migrate from version %d: %w", d.Name, now, err)
		}
		if now == to {
			return nil
		}
	}
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// step takes one step towards a version, and returns where it came from.
func step(ctx context.Context, d *Dialect, db *sql.DB, to int) (now int, err error) {
	err = inTransaction(ctx, d, db, func(t *tx) (err error) {
		if now, err = t.version(); err != nil {
			return err
		}
		switch {
		case now > Newest:
			return fmt.Errorf("the database has version %d of the schema, this program knows %d: it was used by a newer one", now, Newest)
		case now < to:
			return t.apply(migrations("up")[now], now+1)
		case now > to:
			return t.apply(migrations("down")[now-1], now-1)
		}
		return nil
	})
	return now, err
}

// version reads the version, and makes the place for it if there is none.
func (t *tx) version() (version int, err error) {
	if t.d.LockAll != nil {
		if err := t.d.LockAll(t.ctx, t.Tx); err != nil {
			return 0, err
		}
	}
	if _, err := t.exec(t.d.Types.Replace("CREATE TABLE IF NOT EXISTS schema_version (only_one INTEGER PRIMARY KEY, version INTEGER NOT NULL)")); err != nil {
		return 0, err
	}
	if _, err := t.exec("INSERT INTO schema_version (only_one, version) VALUES (1, 0) ON CONFLICT DO NOTHING"); err != nil {
		return 0, err
	}
	err = t.row("SELECT version FROM schema_version").Scan(&version)
	return version, err
}

// apply runs the statements of a file, and notes the version that is reached.
func (t *tx) apply(file string, version int) error {
	b, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	for statement := range strings.SplitSeq(string(b), ";\n") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		if _, err := t.exec(t.d.Types.Replace(statement)); err != nil {
			return fmt.Errorf("%s: %w", path.Base(file), err)
		}
	}
	_, err = t.exec("UPDATE schema_version SET version = ?", version)
	return err
}

func inTransaction(ctx context.Context, d *Dialect, db *sql.DB, do func(*tx) error) error {
	sqlTx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&tx{Tx: sqlTx, ctx: ctx, d: d}); err != nil {
		_ = sqlTx.Rollback()
		return err
	}
	return sqlTx.Commit()
}
