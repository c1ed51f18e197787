package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Tokens is a [storage.Tokens].
type Tokens struct {
	mu      sync.RWMutex // guards the fields below
	byOwner map[storage.AccountID]map[string][]sasl.Token
}

// Get implements [storage.Tokens].
func (s *Tokens) Get(ctx context.Context, owner storage.AccountID, client string) ([]sasl.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.byOwner[owner][client]), nil
}

// Set implements [storage.Tokens].
func (s *Tokens) Set(ctx context.Context, owner storage.AccountID, client string, tokens []sasl.Token, clients int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.byOwner[owner]
	if len(tokens) == 0 {
		delete(all, client)
		return nil
	}
	if all == nil {
		all = make(map[string][]sasl.Token)
		if s.byOwner == nil {
			s.byOwner = make(map[storage.AccountID]map[string][]sasl.Token)
		}
		s.byOwner[owner] = all
	}
	all[client] = slices.Clone(tokens)
	for len(all) > max(clients, 1) {
		delete(all, firstToExpire(all, client))
	}
	return nil
}

// firstToExpire returns the client, other than one, whose tokens are over first.
func firstToExpire(all map[string][]sasl.Token, except string) (first string) {
	var when time.Time
	for client, tokens := range all {
		if end := expiry(tokens); client != except && (first == "" || end.Before(when)) {
			first, when = client, end
		}
	}
	return first
}

// expiry is when the last of some tokens expires.
func expiry(tokens []sasl.Token) (last time.Time) {
	for _, t := range tokens {
		if t.Expiry.After(last) {
			last = t.Expiry
		}
	}
	return last
}

// DeleteAll implements [storage.Tokens].
func (s *Tokens) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byOwner, owner)
	return nil
}
