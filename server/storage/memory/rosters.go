package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Rosters is a [storage.Rosters].
type Rosters struct {
	mu      sync.RWMutex // guards the fields below
	byOwner map[storage.AccountID]*roster
}

// A roster is the contacts of one account, sorted.
type roster struct {
	contacts  []storage.Contact
	listed    int // how many of them are
	version   uint64
	removed   []storage.Contact // once listed and no longer so, by version
	forgotten uint64            // the version of the last that is no longer in removed
}

// unlisted is the number of contacts that have only asked.
func (r *roster) unlisted() int { return len(r.contacts) - r.listed }

func byJID(c storage.Contact, j jid.JID) int { return c.JID.Compare(j) }

// Get implements [storage.Rosters].
func (s *Rosters) Get(ctx context.Context, owner storage.AccountID, contact jid.JID) (storage.Contact, error) {
	if err := ctx.Err(); err != nil {
		return storage.Contact{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.byOwner[owner]; r != nil {
		if at, ok := slices.BinarySearchFunc(r.contacts, contact, byJID); ok {
			return r.contacts[at].Clone(), nil
		}
	}
	return storage.Contact{}, fmt.Errorf("memory: contact %s: %w", contact, storage.ErrNotFound)
}

// List implements [storage.Rosters].
func (s *Rosters) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) ([]storage.Contact, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.byOwner[owner]
	if r == nil {
		return nil, nil
	}
	rest := r.contacts[behind(r.contacts, after, byJID):]
	rest = rest[:min(len(rest), max(limit, 0))]
	page := make([]storage.Contact, 0, len(rest))
	for _, c := range rest {
		page = append(page, c.Clone())
	}
	return page, nil
}

// Update implements [storage.Rosters].
func (s *Rosters) Update(ctx context.Context, owner storage.AccountID, contact jid.JID, limits storage.RosterLimits, change func(storage.Contact) (storage.Contact, error)) (storage.Contact, error) {
	if err := ctx.Err(); err != nil {
		return storage.Contact{}, err
	}
	for {
		before, known := s.contact(owner, contact)
		after, err := change(before.Clone())
		if err != nil {
			return storage.Contact{}, err
		}
		after.JID, after.Version = contact, before.Version
		after = after.Clone()
		after.Request = bytes.Clone(after.Request)
		if done, err := s.swap(owner, before, known, &after, limits); done {
			return after.Clone(), err
		}
	}
}

// Version implements [storage.Rosters].
func (s *Rosters) Version(ctx context.Context, owner storage.AccountID) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.byOwner[owner]; r != nil {
		return r.version, nil
	}
	return 0, nil
}

// Changes implements [storage.Rosters].
func (s *Rosters) Changes(ctx context.Context, owner storage.AccountID, since uint64, limit int) ([]storage.Contact, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.byOwner[owner]
	if r == nil {
		r = new(roster)
	}
	if since < r.forgotten || since > r.version {
		return nil, fmt.Errorf("memory: changes since version %d: %w", since, storage.ErrNotFound)
	}
	var changed []storage.Contact
	for _, c := range r.contacts {
		if c.Listed && c.Version > since {
			changed = append(changed, c.Clone())
		}
	}
	changed = append(changed, r.removed[behind(r.removed, since, byVersion):]...)
	slices.SortFunc(changed, func(a, b storage.Contact) int { return cmp.Compare(a.Version, b.Version) })
	return changed[:min(len(changed), max(limit, 0))], nil
}

func byVersion(c storage.Contact, v uint64) int { return cmp.Compare(c.Version, v) }

// contact returns what is known about a contact.
func (s *Rosters) contact(owner storage.AccountID, contact jid.JID) (c storage.Contact, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.byOwner[owner]; r != nil {
		if at, ok := slices.BinarySearchFunc(r.contacts, contact, byJID); ok {
			return r.contacts[at], true
		}
	}
	return storage.Contact{JID: contact}, false
}

// swap replaces before with after, which it gives its version. It is not done if before is no longer true.
func (s *Rosters) swap(owner storage.AccountID, before storage.Contact, known bool, after *storage.Contact, limits storage.RosterLimits) (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byOwner[owner]
	if r == nil {
		if after.IsEmpty() {
			return !known, nil
		}
		r = new(roster)
	}
	at, found := slices.BinarySearchFunc(r.contacts, after.JID, byJID)
	if found != known || found && !equal(r.contacts[at], before) {
		return false, nil
	}
	if err := r.allows(before, known, *after, limits); err != nil {
		return true, err
	}
	r.count(before, after, limits.Removed)
	switch {
	case after.IsEmpty():
		if known {
			r.contacts = slices.Delete(r.contacts, at, at+1)
		}
	case known:
		r.contacts[at] = *after
	default:
		r.contacts = slices.Insert(r.contacts, at, *after)
	}
	s.keep(owner, r)
	return true, nil
}

// count gives a contact that the owner sees change a version, and remembers one that the owner
// no longer sees.
func (r *roster) count(before storage.Contact, after *storage.Contact, removed int) {
	if !before.Listed && !after.Listed {
		return
	}
	r.version++
	after.Version = r.version
	r.removed = slices.DeleteFunc(r.removed, func(c storage.Contact) bool { return c.JID == after.JID })
	if before.Listed {
		r.listed--
	}
	if after.Listed {
		r.listed++
		return
	}
	r.removed = append(r.removed, storage.Contact{JID: after.JID, Version: r.version})
	for removed > 0 && len(r.removed) > removed {
		r.forgotten = r.removed[0].Version
		r.removed = r.removed[1:]
	}
}

// keep notes a roster, or forgets one that has become empty.
func (s *Rosters) keep(owner storage.AccountID, r *roster) {
	if s.byOwner == nil {
		s.byOwner = make(map[storage.AccountID]*roster)
	}
	if len(r.contacts) == 0 && r.version == 0 {
		delete(s.byOwner, owner)
		return
	}
	s.byOwner[owner] = r
}

// allows checks the limits before a contact is added to those listed, or to
// those that have asked.
func (r *roster) allows(before storage.Contact, known bool, after storage.Contact, limits storage.RosterLimits) error {
	wasListed, wasUnlisted := known && before.Listed, known && !before.Listed
	switch {
	case after.IsEmpty():
	case after.Listed && !wasListed && limits.Listed > 0 && r.listed >= limits.Listed,
		!after.Listed && !wasUnlisted && limits.Requests > 0 && r.unlisted() >= limits.Requests:
		return fmt.Errorf("memory: contact %s: %w", after.JID, storage.ErrFull)
	}
	return nil
}

func equal(a, b storage.Contact) bool {
	return a.JID == b.JID && a.Name == b.Name && slices.Equal(a.Groups, b.Groups) && a.Subscription == b.Subscription &&
		a.Approved == b.Approved && a.Listed == b.Listed && a.Version == b.Version && bytes.Equal(a.Request, b.Request)
}

// DeleteAll implements [storage.Rosters].
func (s *Rosters) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byOwner, owner)
	return nil
}
