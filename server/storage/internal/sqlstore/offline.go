package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// offline is a [storage.Offline].
type offline struct{ s *Store }

// A box is what is known of all messages of an account.
type box struct {
	last            uint64 // the greatest id given
	messages, bytes int
}

// box reads that of an owner, empty if there is none.
func (t *tx) box(owner storage.AccountID) (b box, err error) {
	err = t.row("SELECT last, messages, bytes FROM offline_boxes WHERE owner = ?", string(owner)).Scan(&b.last, &b.messages, &b.bytes)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return b, err
}

func (t *tx) setBox(owner storage.AccountID, b box) error {
	_, err := t.exec("INSERT INTO offline_boxes (owner, last, messages, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET last = excluded.last, messages = excluded.messages, bytes = excluded.bytes",
		string(owner), b.last, b.messages, b.bytes)
	return err
}

// Add implements [storage.Offline].
func (o offline) Add(ctx context.Context, owner storage.AccountID, limits storage.OfflineLimits, messages ...storage.OfflineMessage) (added int, err error) {
	if len(messages) == 0 {
		return 0, ctx.Err()
	}
	all := slices.Clone(messages) // the caller may not wait for the end
	for i := range all {
		all[i].Stanza = append([]byte{}, all[i].Stanza...)
	}
	err = o.s.write(ctx, "add offline messages", string(owner), func(t *tx) error {
		have, err := t.box(owner)
		if err != nil {
			return err
		}
		added = have.take(all, limits)
		if added == 0 {
			return nil
		}
		for rest := all[:added]; len(rest) > 0; {
			n := min(len(rest), insertions)
			if err := t.insertOffline(owner, have.last-uint64(len(rest))+1, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return t.setBox(owner, have)
	})
	switch {
	case err != nil:
		return 0, err // added may still be written to, when ctx has ended
	case added < len(all):
		return added, o.s.failed("add offline messages", storage.ErrFull)
	}
	return added, nil
}

// take counts in the messages that the limits let in, from the front, and returns how many these are.
func (b *box) take(all []storage.OfflineMessage, limits storage.OfflineLimits) int {
	for i, m := range all {
		if limits.Messages > 0 && b.messages >= limits.Messages || limits.Bytes > 0 && b.bytes+len(m.Stanza) > limits.Bytes {
			return i
		}
		b.last++
		b.messages++
		b.bytes += len(m.Stanza)
	}
	return len(all)
}

// insertOffline inserts messages with ids from the first on.
func (t *tx) insertOffline(owner storage.AccountID, first uint64, messages []storage.OfflineMessage) error {
	var args []any
	for i, m := range messages {
		args = append(args, string(owner), first+uint64(i), micros(m.Stored), m.Stanza)
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", len(messages)), ", ")
	_, err := t.exec("INSERT INTO offline_messages (owner, id, stored, stanza) VALUES "+rows, args...)
	return err
}

// List implements [storage.Offline].
func (o offline) List(ctx context.Context, owner storage.AccountID, after uint64, limit int) (page []storage.OfflineMessage, err error) {
	err = o.s.list(ctx, "list offline messages", func(rows *sql.Rows) error {
		var m storage.OfflineMessage
		var stored int64
		if err := rows.Scan(&m.ID, &stored, &m.Stanza); err != nil {
			return err
		}
		m.Stored = fromMicros(stored)
		page = append(page, m)
		return nil
	}, "SELECT id, stored, stanza FROM offline_messages WHERE owner = ? AND id > ? ORDER BY id LIMIT ?", string(owner), number(after), max(limit, 0))
	return page, err
}

// insertions and deletions are how many messages one statement inserts or deletes at most.
const (
	insertions = 50
	deletions  = 100
)

// Delete implements [storage.Offline].
func (o offline) Delete(ctx context.Context, owner storage.AccountID, ids ...uint64) error {
	if len(ids) == 0 {
		return ctx.Err()
	}
	ids = append([]uint64{}, ids...)
	return o.s.write(ctx, "delete offline messages", string(owner), func(t *tx) error {
		have, err := t.box(owner)
		if err != nil {
			return err
		}
		for rest := ids; len(rest) > 0; {
			n := min(len(rest), deletions)
			if err := t.deleteOffline(owner, rest[:n], &have); err != nil {
				return err
			}
			rest = rest[n:]
		}
		if have.last == 0 { // there never was one
			return nil
		}
		return t.setBox(owner, have)
	})
}

// deleteOffline deletes messages and counts them off.
func (t *tx) deleteOffline(owner storage.AccountID, ids []uint64, have *box) error {
	args := []any{string(owner)}
	for _, id := range ids {
		args = append(args, number(id))
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	return t.all(func(rows *sql.Rows) error {
		var bytes int
		err := rows.Scan(&bytes)
		have.messages--
		have.bytes -= bytes
		return err
	}, "DELETE FROM offline_messages WHERE owner = ? AND id IN ("+marks+") RETURNING LENGTH(stanza)", args...)
}

// DeleteAll implements [storage.Offline].
func (o offline) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return o.s.write(ctx, "delete offline messages", string(owner), func(t *tx) error {
		if _, err := t.exec("DELETE FROM offline_messages WHERE owner = ?", string(owner)); err != nil {
			return err
		}
		// The box stays: what has been given is not given again.
		_, err := t.exec("UPDATE offline_boxes SET messages = 0, bytes = 0 WHERE owner = ?", string(owner))
		return err
	})
}
