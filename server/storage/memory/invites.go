package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Invites is a [storage.Invites].
type Invites struct {
	mu   sync.RWMutex // guards the field below
	byID map[string]storage.Invite
}

// Create implements [storage.Invites].
func (s *Invites) Create(ctx context.Context, i storage.Invite, limit int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.byID[i.ID]; taken {
		return fmt.Errorf("memory: invite: %w", storage.ErrExists)
	}
	have := 0
	for _, o := range s.byID {
		if o.Inviter == i.Inviter && o.Uses > 0 && o.Expires.After(i.Created) {
			have++
		}
	}
	if limit > 0 && have >= limit {
		return fmt.Errorf("memory: invites: %w", storage.ErrFull)
	}
	if s.byID == nil {
		s.byID = make(map[string]storage.Invite)
	}
	s.byID[i.ID] = i
	return nil
}

// Get implements [storage.Invites].
func (s *Invites) Get(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	if err := ctx.Err(); err != nil {
		return storage.Invite{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(id, now)
}

// get is called with mu held.
func (s *Invites) get(id string, now time.Time) (storage.Invite, error) {
	i, ok := s.byID[id]
	if !ok || i.Uses <= 0 || !i.Expires.After(now) {
		return storage.Invite{}, fmt.Errorf("memory: invite: %w", storage.ErrNotFound)
	}
	return i, nil
}

// Use implements [storage.Invites].
func (s *Invites) Use(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	if err := ctx.Err(); err != nil {
		return storage.Invite{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.get(id, now)
	if err != nil {
		return i, err
	}
	used := i
	used.Uses--
	s.byID[id] = used
	return i, nil
}

// Restore implements [storage.Invites].
func (s *Invites) Restore(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.byID[id]; ok {
		i.Uses++
		s.byID[id] = i
	}
	return nil
}

// List implements [storage.Invites].
func (s *Invites) List(ctx context.Context, inviter storage.AccountID, after string, limit int) ([]storage.Invite, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := slices.SortedFunc(maps.Values(s.byID), func(a, b storage.Invite) int { return cmp.Compare(a.ID, b.ID) })
	all = slices.DeleteFunc(all, func(i storage.Invite) bool { return i.Inviter != inviter || i.ID <= after || i.Uses <= 0 })
	return all[:min(len(all), max(limit, 0))], nil
}

// Delete implements [storage.Invites].
func (s *Invites) Delete(ctx context.Context, id string) error {
	return s.drop(ctx, func(i storage.Invite) bool { return i.ID == id })
}

// DeleteAll implements [storage.Invites].
func (s *Invites) DeleteAll(ctx context.Context, inviter storage.AccountID) error {
	return s.drop(ctx, func(i storage.Invite) bool { return i.Inviter == inviter })
}

// Expire implements [storage.Invites].
func (s *Invites) Expire(ctx context.Context, now time.Time) error {
	return s.drop(ctx, func(i storage.Invite) bool { return !i.Expires.After(now) })
}

func (s *Invites) drop(ctx context.Context, which func(storage.Invite) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byID, func(_ string, i storage.Invite) bool { return which(i) })
	return nil
}
