package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// rosters is a [storage.Rosters].
type rosters struct{ s *Store }

const contactColumns = "jid, name, group_names, subscription, approved, listed, request, version"

// scanContact reads a row of contactColumns.
func scanContact(scan func(...any) error) (c storage.Contact, err error) {
	var (
		groups                         string
		subscription, approved, listed int
	)
	if err := scan(&c.JID, &c.Name, &groups, &subscription, &approved, &listed, &c.Request, &c.Version); err != nil {
		return c, err
	}
	c.Subscription, c.Approved, c.Listed = storage.Subscription(subscription), approved != 0, listed != 0
	if len(c.Request) == 0 {
		c.Request = nil
	}
	if groups == "" {
		return c, nil
	}
	return c, json.Unmarshal([]byte(groups), &c.Groups)
}

// whereContact is the condition for the row of a contact, and ofContact what it asks for.
const whereContact = "WHERE owner = ? AND key_head = ? AND key_sum = ?"

func ofContact(owner storage.AccountID, contact jid.JID) []any {
	k := addressKey(contact)
	return []any{string(owner), k.head, k.sum}
}

// Get implements [storage.Rosters].
func (r rosters) Get(ctx context.Context, owner storage.AccountID, contact jid.JID) (c storage.Contact, err error) {
	err = r.s.get(ctx, "get a contact", func(scan func(...any) error) (err error) {
		c, err = scanContact(scan)
		return err
	}, "SELECT "+contactColumns+" FROM contacts "+whereContact, ofContact(owner, contact)...)
	return c, err
}

// List implements [storage.Rosters].
func (r rosters) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) (page []storage.Contact, err error) {
	from := addressKey(after)
	err = r.s.list(ctx, "list contacts", func(rows *sql.Rows) error {
		c, err := scanContact(rows.Scan)
		page = append(page, c)
		return err
	}, "SELECT "+contactColumns+" FROM contacts WHERE owner = ? AND (key_head, key_tail) > (?, ?) ORDER BY key_head, key_tail LIMIT ?",
		string(owner), from.head, from.tail, max(limit, 0))
	return page, err
}

// A ledger is what is known of a whole roster.
type ledger struct {
	version, forgotten        uint64
	listed, requests, removed int // how many there are
}

const ledgerColumns = "version, forgotten, listed, requests, removed"

// scanLedger reads a row of ledgerColumns. No row is an empty ledger.
func scanLedger(scan func(...any) error) (l ledger, err error) {
	err = scan(&l.version, &l.forgotten, &l.listed, &l.requests, &l.removed)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return l, err
}

// Version implements [storage.Rosters].
func (r rosters) Version(ctx context.Context, owner storage.AccountID) (uint64, error) {
	l, err := r.ledger(ctx, owner)
	return l.version, err
}

func (r rosters) ledger(ctx context.Context, owner storage.AccountID) (l ledger, err error) {
	err = r.s.get(ctx, "get the version of a roster", func(scan func(...any) error) (err error) {
		l, err = scanLedger(scan)
		return err
	}, "SELECT "+ledgerColumns+" FROM rosters WHERE owner = ?", string(owner))
	return l, err
}

// Changes implements [storage.Rosters]. What is forgotten is looked at last: what was read before it is then whole.
func (r rosters) Changes(ctx context.Context, owner storage.AccountID, since uint64, limit int) (page []storage.Contact, err error) {
	err = r.s.list(ctx, "list changes", func(rows *sql.Rows) error {
		c, err := scanContact(rows.Scan)
		page = append(page, c)
		return err
	}, `SELECT `+contactColumns+` FROM contacts WHERE owner = ? AND listed = 1 AND version > ?
		UNION ALL SELECT jid, '', '', 0, 0, 0, `+r.s.d.Types.Replace("CAST('' AS BLOB)")+`, version FROM removed_contacts WHERE owner = ? AND version > ?
		ORDER BY version LIMIT ?`, string(owner), number(since), string(owner), number(since), max(limit, 0))
	if err != nil {
		return nil, err
	}
	l, err := r.ledger(ctx, owner)
	if err != nil {
		return nil, err
	}
	if since < l.forgotten || since > l.version {
		return nil, r.s.failed("list changes", storage.ErrNotFound)
	}
	return page, nil
}

// DeleteAll implements [storage.Rosters].
func (r rosters) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return r.s.write(ctx, "delete a roster", string(owner), func(t *tx) error {
		for _, table := range []string{"contacts", "removed_contacts", "rosters"} {
			if _, err := t.exec("DELETE FROM "+table+" WHERE owner = ?", string(owner)); err != nil {
				return err
			}
		}
		return nil
	})
}
