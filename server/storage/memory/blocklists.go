package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Blocklists is a [storage.Blocklists].
type Blocklists struct {
	mu      sync.RWMutex                    // guards the field below
	byOwner map[storage.AccountID][]jid.JID // sorted; replaced, never changed
}

// List implements [storage.Blocklists].
func (s *Blocklists) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) ([]jid.JID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.byOwner[owner]
	rest := all[behind(all, after, jid.JID.Compare):]
	return slices.Clone(rest[:min(len(rest), max(limit, 0))]), nil
}

// Add implements [storage.Blocklists].
func (s *Blocklists) Add(ctx context.Context, owner storage.AccountID, limit int, entries ...jid.JID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Concat(s.byOwner[owner], entries)
	slices.SortFunc(all, jid.JID.Compare)
	all = slices.Compact(all)
	if limit > 0 && len(all) > max(limit, len(s.byOwner[owner])) {
		return fmt.Errorf("memory: block list: %w", storage.ErrFull)
	}
	if s.byOwner == nil {
		s.byOwner = make(map[storage.AccountID][]jid.JID)
	}
	s.byOwner[owner] = all
	return nil
}

// Remove implements [storage.Blocklists].
func (s *Blocklists) Remove(ctx context.Context, owner storage.AccountID, entries ...jid.JID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(s.byOwner[owner]), func(j jid.JID) bool { return slices.Contains(entries, j) })
	if len(all) == 0 {
		delete(s.byOwner, owner)
		return nil
	}
	s.byOwner[owner] = all
	return nil
}

// DeleteAll implements [storage.Blocklists].
func (s *Blocklists) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byOwner, owner)
	return nil
}
