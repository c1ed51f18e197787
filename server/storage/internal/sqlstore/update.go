package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Update implements [storage.Rosters]. It calls change in the goroutine of its caller and with nothing locked, so change may
// take its time, panic or exit: nobody else waits for it. If somebody was faster, it begins again.
func (r rosters) Update(ctx context.Context, owner storage.AccountID, contact jid.JID, limits storage.RosterLimits, change func(storage.Contact) (storage.Contact, error)) (storage.Contact, error) {
	for {
		before, err := r.Get(ctx, owner, contact)
		known := !errors.Is(err, storage.ErrNotFound)
		if err != nil && known {
			return storage.Contact{}, err
		}
		before.JID = contact
		after, err := change(before.Clone())
		if err != nil {
			return storage.Contact{}, err
		}
		after = after.Clone()
		after.JID, after.Version, after.Request = contact, before.Version, bytes.Clone(after.Request)
		if after.IsEmpty() && !known {
			return after, nil
		}
		groups, err := encodeGroups(after.Groups)
		if err != nil {
			return storage.Contact{}, r.s.failed("update a contact", err)
		}
		u := update{owner: owner, before: before, known: known, groups: groups, limits: limits}
		kept, err := u.swap(ctx, r.s, after)
		if err == nil || !errors.Is(err, errFaster) {
			return kept, err
		}
	}
}

// encodeGroups writes names in JSON, which has no way to keep what is not text.
func encodeGroups(names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	for _, name := range names {
		if !utf8.ValidString(name) {
			return "", fmt.Errorf("the group %q is not UTF-8", name)
		}
	}
	b, err := json.Marshal(names)
	return string(b), err
}

// errFaster says that what an update began with is no longer true.
var errFaster = errors.New("somebody else was faster")

// An update replaces what is known about a contact, if that is still what it was.
type update struct {
	owner  storage.AccountID
	before storage.Contact
	known  bool // before is there, not just an address
	groups string
	limits storage.RosterLimits
}

// swap does it and returns what is kept, or errFaster.
func (u update) swap(ctx context.Context, s *Store, after storage.Contact) (storage.Contact, error) {
	version := after.Version
	err := s.write(ctx, "update a contact", string(u.owner), func(t *tx) (err error) {
		version, err = u.run(t, after)
		return err
	})
	if err != nil {
		return storage.Contact{}, err // version may still be written to, when ctx has ended
	}
	after.Version = version
	return after, nil
}

func (u update) row() []any { return ofContact(u.owner, u.before.JID) }

// run looks whether it may be done, does it, and returns the version of the contact.
func (u update) run(t *tx, after storage.Contact) (uint64, error) {
	now, err := scanContact(t.row("SELECT "+contactColumns+" FROM contacts "+whereContact, u.row()...).Scan)
	known := !errors.Is(err, sql.ErrNoRows)
	if err != nil && known {
		return 0, err
	}
	if known != u.known || known && !equal(now, u.before) {
		return 0, refuse(errFaster)
	}
	l, err := scanLedger(t.row("SELECT "+ledgerColumns+" FROM rosters WHERE owner = ?", string(u.owner)).Scan)
	if err != nil {
		return 0, err
	}
	if err := u.count(&l, &after); err != nil {
		return 0, err
	}
	if u.before.Listed || after.Listed {
		if err := u.note(t, &l, after); err != nil {
			return 0, err
		}
	}
	return after.Version, u.keep(t, l, after)
}

func equal(a, b storage.Contact) bool {
	return a.JID == b.JID && a.Name == b.Name && slices.Equal(a.Groups, b.Groups) && a.Subscription == b.Subscription &&
		a.Approved == b.Approved && a.Listed == b.Listed && a.Version == b.Version && bytes.Equal(a.Request, b.Request)
}

// count refuses what exceeds the limits; else it counts the contact, and gives it its version.
func (u update) count(l *ledger, after *storage.Contact) error {
	wasRequest, isRequest := u.known && !u.before.Listed, !after.IsEmpty() && !after.Listed
	switch {
	case after.Listed && !u.before.Listed && u.limits.Listed > 0 && l.listed >= u.limits.Listed,
		isRequest && !wasRequest && u.limits.Requests > 0 && l.requests >= u.limits.Requests:
		return refuse(storage.ErrFull)
	}
	l.listed += one(after.Listed) - one(u.before.Listed)
	l.requests += one(isRequest) - one(wasRequest)
	if u.before.Listed || after.Listed {
		l.version++
		after.Version = l.version
	}
	return nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// note remembers a contact that the owner no longer sees, and no longer one that the owner sees.
func (u update) note(t *tx, l *ledger, after storage.Contact) error {
	n, err := t.exec("DELETE FROM removed_contacts "+whereContact, u.row()...)
	if err != nil {
		return err
	}
	l.removed -= int(n)
	if after.Listed {
		return nil
	}
	if _, err := t.exec("INSERT INTO removed_contacts (owner, jid, key_head, key_tail, key_sum, version) VALUES (?, ?, ?, ?, ?, ?)", append(entry(u.owner, after.JID), l.version)...); err != nil {
		return err
	}
	l.removed++
	return u.forget(t, l)
}

// forget forgets the oldest of too many contacts that were removed.
func (u update) forget(t *tx, l *ledger) error {
	for u.limits.Removed > 0 && l.removed > u.limits.Removed {
		var oldest uint64
		if err := t.row("SELECT MIN(version) FROM removed_contacts WHERE owner = ?", string(u.owner)).Scan(&oldest); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM removed_contacts WHERE owner = ? AND version = ?", string(u.owner), oldest); err != nil {
			return err
		}
		l.forgotten = oldest
		l.removed--
	}
	return nil
}

// keep writes the contact, and the ledger.
func (u update) keep(t *tx, l ledger, after storage.Contact) error {
	if u.known {
		if _, err := t.exec("DELETE FROM contacts "+whereContact, u.row()...); err != nil {
			return err
		}
	}
	if !after.IsEmpty() {
		if _, err := t.exec("INSERT INTO contacts (owner, jid, key_head, key_tail, key_sum, name, group_names, subscription, approved, listed, request, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			append(entry(u.owner, after.JID), after.Name, u.groups, int(after.Subscription), one(after.Approved), one(after.Listed), blob(after.Request), after.Version)...); err != nil {
			return err
		}
	}
	_, err := t.exec(`INSERT INTO rosters (owner, `+ledgerColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET
		version = excluded.version, forgotten = excluded.forgotten, listed = excluded.listed, requests = excluded.requests, removed = excluded.removed`,
		string(u.owner), l.version, l.forgotten, l.listed, l.requests, l.removed)
	return err
}
