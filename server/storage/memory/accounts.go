package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Accounts is a [storage.Accounts].
type Accounts struct {
	mu     sync.RWMutex // guards the fields below
	byAddr map[jid.JID]storage.Account
	byID   map[storage.AccountID]jid.JID
	sorted []jid.JID
}

// Create implements [storage.Accounts].
func (s *Accounts) Create(ctx context.Context, a storage.Account) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, taken := slices.BinarySearchFunc(s.sorted, a.Addr, jid.JID.Compare)
	if _, known := s.byID[a.ID]; taken || known {
		return fmt.Errorf("memory: account %s: %w", a.Addr, storage.ErrExists)
	}
	if s.byAddr == nil {
		s.byAddr = make(map[jid.JID]storage.Account)
		s.byID = make(map[storage.AccountID]jid.JID)
	}
	a.Secrets = cloneSecrets(a.Secrets)
	s.byAddr[a.Addr], s.byID[a.ID] = a, a.Addr
	s.sorted = slices.Insert(s.sorted, at, a.Addr)
	return nil
}

// Get implements [storage.Accounts].
func (s *Accounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	if err := ctx.Err(); err != nil {
		return storage.Account{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.byAddr[addr]
	if !ok {
		return storage.Account{}, fmt.Errorf("memory: account %s: %w", addr, storage.ErrNotFound)
	}
	a.Secrets = cloneSecrets(a.Secrets)
	return a, nil
}

// SetSecrets implements [storage.Accounts].
func (s *Accounts) SetSecrets(ctx context.Context, id storage.AccountID, secrets []sasl.Secrets) error {
	return s.change(ctx, id, func(a *storage.Account) { a.Secrets = cloneSecrets(secrets) })
}

// SetDisabled implements [storage.Accounts].
func (s *Accounts) SetDisabled(ctx context.Context, id storage.AccountID, disabled bool) error {
	return s.change(ctx, id, func(a *storage.Account) { a.Disabled = disabled })
}

// change changes an account.
func (s *Accounts) change(ctx context.Context, id storage.AccountID, do func(*storage.Account)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	addr, ok := s.byID[id]
	if !ok {
		return fmt.Errorf("memory: account id %s: %w", id, storage.ErrNotFound)
	}
	a := s.byAddr[addr]
	do(&a)
	s.byAddr[addr] = a
	return nil
}

// Delete implements [storage.Accounts].
func (s *Accounts) Delete(ctx context.Context, id storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	addr, ok := s.byID[id]
	if !ok {
		return fmt.Errorf("memory: account id %s: %w", id, storage.ErrNotFound)
	}
	delete(s.byID, id)
	delete(s.byAddr, addr)
	at, _ := slices.BinarySearchFunc(s.sorted, addr, jid.JID.Compare)
	s.sorted = slices.Delete(s.sorted, at, at+1)
	return nil
}

// List implements [storage.Accounts].
func (s *Accounts) List(ctx context.Context, domain string, after jid.JID, limit int) ([]storage.Account, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page []storage.Account
	for _, addr := range s.sorted[behind(s.sorted, after, jid.JID.Compare):] {
		if len(page) == limit {
			break
		}
		if addr.Domainpart() == domain {
			a := s.byAddr[addr]
			a.Secrets = cloneSecrets(a.Secrets)
			page = append(page, a)
		}
	}
	return page, nil
}

func cloneSecrets(all []sasl.Secrets) []sasl.Secrets {
	out := slices.Clone(all)
	for i, s := range out {
		out[i].Salt = slices.Clone(s.Salt)
		out[i].StoredKey = slices.Clone(s.StoredKey)
		out[i].ServerKey = slices.Clone(s.ServerKey)
	}
	return out
}

// behind returns the index of the first element of a sorted slice that is
// greater than target.
func behind[E, T any](sorted []E, target T, cmp func(E, T) int) int {
	at, found := slices.BinarySearchFunc(sorted, target, cmp)
	if found {
		at++
	}
	return at
}
