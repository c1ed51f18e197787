package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// documents is a [storage.Documents].
type documents struct{ s *Store }

// whereDocument is the condition for the row of a document.
const whereDocument = "WHERE owner = ? AND kind = ? AND name_head = ? AND name_sum = ?"

// Get implements [storage.Documents].
func (d documents) Get(ctx context.Context, owner storage.AccountID, kind, name string) (data []byte, err error) {
	k := keyOf(name)
	err = d.s.get(ctx, "get a document", into(&data), "SELECT data FROM documents "+whereDocument, string(owner), kind, k.head, k.sum)
	return data, err
}

// Set implements [storage.Documents].
func (d documents) Set(ctx context.Context, owner storage.AccountID, kind, name string, data []byte, limits storage.DocumentLimits) error {
	data, k := bytes.Clone(data), keyOf(name)
	return d.s.write(ctx, "set a document", string(owner), func(t *tx) error {
		if len(data) == 0 {
			_, err := t.exec("DELETE FROM documents "+whereDocument, string(owner), kind, k.head, k.sum)
			return err
		}
		if limits != (storage.DocumentLimits{}) {
			if err := t.roomFor(owner, kind, k, len(data), limits); err != nil {
				return err
			}
		}
		_, err := t.exec("INSERT INTO documents (owner, kind, name_head, name_tail, name_sum, data) VALUES (?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (owner, kind, name_head, name_sum) DO UPDATE SET data = excluded.data",
			string(owner), kind, k.head, k.tail, k.sum, data)
		return err
	})
}

// roomFor refuses a document for which there is no room.
func (t *tx) roomFor(owner storage.AccountID, kind string, name key, size int, limits storage.DocumentLimits) error {
	var count, all, old int
	if err := t.row("SELECT COUNT(*), COALESCE(SUM(LENGTH(data)), 0) FROM documents WHERE owner = ? AND kind = ?", string(owner), kind).Scan(&count, &all); err != nil {
		return err
	}
	err := t.row("SELECT LENGTH(data) FROM documents "+whereDocument, string(owner), kind, name.head, name.sum).Scan(&old)
	had := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if !had && limits.Count > 0 && count >= limits.Count || limits.Bytes > 0 && all-old+size > limits.Bytes {
		return refuse(storage.ErrFull)
	}
	return nil
}

// List implements [storage.Documents].
func (d documents) List(ctx context.Context, owner storage.AccountID, kind, after string, limit int) (names []string, err error) {
	from := keyOf(after)
	err = d.s.list(ctx, "list documents", func(rows *sql.Rows) error {
		var k key
		err := rows.Scan(&k.head, &k.tail)
		names = append(names, k.head+k.tail)
		return err
	}, "SELECT name_head, name_tail FROM documents WHERE owner = ? AND kind = ? AND (name_head, name_tail) > (?, ?) ORDER BY name_head, name_tail LIMIT ?",
		string(owner), kind, from.head, from.tail, max(limit, 0))
	return names, err
}

// Owners implements [storage.Documents].
func (d documents) Owners(ctx context.Context, kind string, after storage.AccountID, limit int) (owners []storage.AccountID, err error) {
	err = d.s.list(ctx, "list owners of documents", func(rows *sql.Rows) error {
		var owner string
		err := rows.Scan(&owner)
		owners = append(owners, storage.AccountID(owner))
		return err
	}, "SELECT DISTINCT owner FROM documents WHERE kind = ? AND owner > ? ORDER BY owner LIMIT ?", kind, string(after), max(limit, 0))
	return owners, err
}

// DeleteAll implements [storage.Documents].
func (d documents) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return d.s.write(ctx, "delete documents", string(owner), func(t *tx) error {
		_, err := t.exec("DELETE FROM documents WHERE owner = ?", string(owner))
		return err
	})
}
