package memory

import (
	"bytes"
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
	contacts []storage.Contact
	listed   int // how many of them are
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
func (s *Rosters) Update(ctx context.Context, owner storage.AccountID, contact jid.JID, limits storage.RosterLimits, change func(storage.Contact) (storage.Contact, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for {
		before, known := s.contact(owner, contact)
		after, err := change(before.Clone())
		if err != nil {
			return err
		}
		after.JID = contact
		after = after.Clone()
		after.Request = bytes.Clone(after.Request)
		if done, err := s.swap(owner, before, known, after, limits); done {
			return err
		}
	}
}

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

// swap replaces before with after. It is not done if before is no longer true.
func (s *Rosters) swap(owner storage.AccountID, before storage.Contact, known bool, after storage.Contact, limits storage.RosterLimits) (done bool, err error) {
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
	if err := r.allows(before, known, after, limits); err != nil {
		return true, err
	}
	if known && before.Listed {
		r.listed--
	}
	switch {
	case after.IsEmpty():
		if known {
			r.contacts = slices.Delete(r.contacts, at, at+1)
		}
	case known:
		r.contacts[at] = after
	default:
		r.contacts = slices.Insert(r.contacts, at, after)
	}
	if after.Listed {
		r.listed++
	}
	s.keep(owner, r)
	return true, nil
}

// keep notes a roster, or forgets one that has become empty.
func (s *Rosters) keep(owner storage.AccountID, r *roster) {
	if s.byOwner == nil {
		s.byOwner = make(map[storage.AccountID]*roster)
	}
	if len(r.contacts) == 0 {
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
		a.Approved == b.Approved && a.Listed == b.Listed && bytes.Equal(a.Request, b.Request)
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
