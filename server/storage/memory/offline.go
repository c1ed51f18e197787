package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Offline is a [storage.Offline].
type Offline struct {
	mu      sync.RWMutex // guards the fields below
	last    uint64       // the greatest ID given
	byOwner map[storage.AccountID]*spool
}

// A spool is what waits for one account, oldest first.
type spool struct {
	messages []storage.OfflineMessage
	bytes    int
}

func byID(m storage.OfflineMessage, id uint64) int { return cmp.Compare(m.ID, id) }

// Add implements [storage.Offline].
func (s *Offline) Add(ctx context.Context, owner storage.AccountID, limits storage.OfflineLimits, messages ...storage.OfflineMessage) (added int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.byOwner[owner]
	if sp == nil {
		sp = new(spool)
	}
	for _, m := range messages {
		if limits.Messages > 0 && len(sp.messages) >= limits.Messages || limits.Bytes > 0 && sp.bytes+len(m.Stanza) > limits.Bytes {
			return added, fmt.Errorf("memory: offline messages: %w", storage.ErrFull)
		}
		s.last++
		m.ID, m.Stanza = s.last, bytes.Clone(m.Stanza)
		sp.messages = append(sp.messages, m)
		sp.bytes += len(m.Stanza)
		if s.byOwner == nil {
			s.byOwner = make(map[storage.AccountID]*spool)
		}
		s.byOwner[owner] = sp
		added++
	}
	return added, nil
}

// List implements [storage.Offline].
func (s *Offline) List(ctx context.Context, owner storage.AccountID, after uint64, limit int) ([]storage.OfflineMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	sp := s.byOwner[owner]
	if sp == nil {
		return nil, nil
	}
	rest := sp.messages[behind(sp.messages, after, byID):]
	return slices.Clone(rest[:min(len(rest), max(limit, 0))]), nil
}

// Delete implements [storage.Offline].
func (s *Offline) Delete(ctx context.Context, owner storage.AccountID, ids ...uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.byOwner[owner]
	if sp == nil {
		return nil
	}
	doomed := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		doomed[id] = true
	}
	sp.messages = slices.DeleteFunc(sp.messages, func(m storage.OfflineMessage) bool {
		if doomed[m.ID] {
			sp.bytes -= len(m.Stanza)
			return true
		}
		return false
	})
	if len(sp.messages) == 0 {
		delete(s.byOwner, owner)
	}
	return nil
}

// DeleteAll implements [storage.Offline].
func (s *Offline) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byOwner, owner)
	return nil
}
