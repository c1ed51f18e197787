package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Documents is a [storage.Documents].
type Documents struct {
	mu      sync.RWMutex // guards the field below
	byOwner map[storage.AccountID]map[string]*shelf
}

// A shelf has the documents of one kind.
type shelf struct {
	byName map[string][]byte
	bytes  int
}

// Get implements [storage.Documents].
func (s *Documents) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sh := s.byOwner[owner][kind]; sh != nil {
		if data, ok := sh.byName[name]; ok {
			return bytes.Clone(data), nil
		}
	}
	return nil, fmt.Errorf("memory: document %s %q: %w", kind, name, storage.ErrNotFound)
}

// Set implements [storage.Documents].
func (s *Documents) Set(ctx context.Context, owner storage.AccountID, kind, name string, data []byte, limits storage.DocumentLimits) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shelf(owner, kind)
	old, had := sh.byName[name]
	if len(data) == 0 {
		delete(sh.byName, name)
		sh.bytes -= len(old)
		return nil
	}
	if !had && limits.Count > 0 && len(sh.byName) >= limits.Count || limits.Bytes > 0 && sh.bytes-len(old)+len(data) > limits.Bytes {
		return fmt.Errorf("memory: document %s %q: %w", kind, name, storage.ErrFull)
	}
	sh.byName[name] = bytes.Clone(data)
	sh.bytes += len(data) - len(old)
	return nil
}

// shelf returns that of a kind, made if there is none. It is called with mu held.
func (s *Documents) shelf(owner storage.AccountID, kind string) *shelf {
	if s.byOwner == nil {
		s.byOwner = make(map[storage.AccountID]map[string]*shelf)
	}
	kinds := s.byOwner[owner]
	if kinds == nil {
		kinds = make(map[string]*shelf)
		s.byOwner[owner] = kinds
	}
	if kinds[kind] == nil {
		kinds[kind] = &shelf{byName: make(map[string][]byte)}
	}
	return kinds[kind]
}

// List implements [storage.Documents].
func (s *Documents) List(ctx context.Context, owner storage.AccountID, kind, after string, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh := s.byOwner[owner][kind]
	if sh == nil {
		return nil, nil
	}
	var names []string
	for name := range maps.Keys(sh.byName) {
		if name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), max(limit, 0))], nil
}

// Owners implements [storage.Documents].
func (s *Documents) Owners(ctx context.Context, kind string, after storage.AccountID, limit int) ([]storage.AccountID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var owners []storage.AccountID
	for owner, kinds := range s.byOwner {
		if sh := kinds[kind]; owner > after && sh != nil && len(sh.byName) > 0 {
			owners = append(owners, owner)
		}
	}
	slices.Sort(owners)
	return owners[:min(len(owners), max(limit, 0))], nil
}

// DeleteAll implements [storage.Documents].
func (s *Documents) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byOwner, owner)
	return nil
}
