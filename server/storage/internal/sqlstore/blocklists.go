package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// blocklists is a [storage.Blocklists].
type blocklists struct{ s *Store }

// List implements [storage.Blocklists].
func (b blocklists) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) (page []jid.JID, err error) {
	from := addressKey(after)
	err = b.s.list(ctx, "list a block list", func(rows *sql.Rows) error {
		var j jid.JID
		err := rows.Scan(&j)
		page = append(page, j)
		return err
	}, "SELECT jid FROM blocked WHERE owner = ? AND (key_head, key_tail) > (?, ?) ORDER BY key_head, key_tail LIMIT ?",
		string(owner), from.head, from.tail, max(limit, 0))
	return page, err
}

// Add implements [storage.Blocklists].
func (b blocklists) Add(ctx context.Context, owner storage.AccountID, limit int, entries ...jid.JID) error {
	fresh := slices.Clone(entries)
	slices.SortFunc(fresh, jid.JID.Compare)
	fresh = slices.Compact(fresh)
	return b.s.write(ctx, "add to a block list", string(owner), func(t *tx) error {
		var have int
		if err := t.row("SELECT COUNT(*) FROM blocked WHERE owner = ?", string(owner)).Scan(&have); err != nil {
			return err
		}
		more := 0
		for _, j := range fresh {
			var known int
			if err := t.row("SELECT COUNT(*) FROM blocked "+whereContact, ofContact(owner, j)...).Scan(&known); err != nil {
				return err
			}
			more += 1 - known
		}
		if limit > 0 && more > 0 && have+more > limit {
			return refuse(storage.ErrFull)
		}
		for _, j := range fresh {
			if _, err := t.exec("INSERT INTO blocked (owner, jid, key_head, key_tail, key_sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", entry(owner, j)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// entry is what begins each row about an address: owner, jid, key_head, key_tail, key_sum.
func entry(owner storage.AccountID, j jid.JID) []any {
	k := addressKey(j)
	return []any{string(owner), j.String(), k.head, k.tail, k.sum}
}

// Remove implements [storage.Blocklists].
func (b blocklists) Remove(ctx context.Context, owner storage.AccountID, entries ...jid.JID) error {
	entries = slices.Clone(entries)
	return b.s.write(ctx, "remove from a block list", string(owner), func(t *tx) error {
		for _, j := range entries {
			if _, err := t.exec("DELETE FROM blocked "+whereContact, ofContact(owner, j)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteAll implements [storage.Blocklists].
func (b blocklists) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return b.s.write(ctx, "delete a block list", string(owner), func(t *tx) error {
		_, err := t.exec("DELETE FROM blocked WHERE owner = ?", string(owner))
		return err
	})
}
