// Package accounts remembers for modules of a server what they keep of accounts, while these have sessions.
package accounts

import (
	"context"
	"errors"
	"sync"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A Cache holds one value for each account that has sessions. Others are read each time. Make one with [New].
type Cache[V any] struct {
	read func(context.Context, storage.AccountID) (V, error)

	mu     sync.RWMutex // guards what is below; not held over I/O
	online map[storage.AccountID]*entry[V]
}

// An entry is what is known of an account while it has sessions.
type entry[V any] struct {
	turns chan struct{} // has an item while it is somebody's turn to change the value

	// Guarded by Cache.mu.
	sessions int
	known    bool
	value    V
	changes  uint64 // how often it was changed: what was read before that does not count any more
}

// New returns a cache of what read gets from a store.
func New[V any](read func(context.Context, storage.AccountID) (V, error)) *Cache[V] {
	return &Cache[V]{read: read, online: make(map[storage.AccountID]*entry[V])}
}

// Follow has the cache follow the sessions of a server. A module calls it when it is installed.
func (c *Cache[V]) Follow(h module.Host) {
	h.Hook(module.Hooks{
		Opened: func(_ context.Context, s module.Session) { c.open(s.Account().ID) },
		Closed: func(_ context.Context, s module.Session) { c.close(s.Account().ID) },
	})
}

func (c *Cache[V]) open(id storage.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.online[id]
	if e == nil {
		e = &entry[V]{turns: make(chan struct{}, 1)}
		c.online[id] = e
	}
	e.sessions++
}

func (c *Cache[V]) close(id storage.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.online[id]; e != nil {
		if e.sessions--; e.sessions == 0 {
			delete(c.online, id)
		}
	}
}

// Get returns the value of an account. Others get the same one: it must not be changed.
func (c *Cache[V]) Get(ctx context.Context, id storage.AccountID) (V, error) {
	for {
		e, v, known, changes := c.look(id)
		if known {
			return v, nil
		}
		v, err := c.read(ctx, id)
		if err != nil || e == nil || c.keep(id, e, v, changes) {
			return v, err
		}
	}
}

// look returns what is known of an account.
func (c *Cache[V]) look(id storage.AccountID) (e *entry[V], v V, known bool, changes uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e = c.online[id]; e != nil {
		v, known, changes = e.value, e.known, e.changes
	}
	return e, v, known, changes
}

// keep remembers what was read after a look, and is false when something has changed since.
func (c *Cache[V]) keep(id storage.AccountID, e *entry[V], v V, changes uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.online[id] != e || e.changes != changes {
		return false
	}
	e.value, e.known = v, true
	return true
}

// Set says what the store holds of an account from now on. It is called in the turn in which that was stored.
func (c *Cache[V]) Set(id storage.AccountID, v V) { c.change(id, v, true) }

// Forget has the value of an account read again, because the store has changed or may have.
func (c *Cache[V]) Forget(id storage.AccountID) {
	var none V
	c.change(id, none, false)
}

func (c *Cache[V]) change(id storage.AccountID, v V, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.online[id]; e != nil {
		e.value, e.known = v, known
		e.changes++
	}
}

var errOffline = errors.New("the account has no sessions")

// Turn waits for the turn to change the value of an account, which must have sessions. The caller ends it. Get never waits for it.
func (c *Cache[V]) Turn(ctx context.Context, id storage.AccountID) (end func(), err error) {
	c.mu.RLock()
	e := c.online[id]
	c.mu.RUnlock()
	if e == nil {
		return nil, errOffline
	}
	select {
	case e.turns <- struct{}{}:
		return func() { <-e.turns }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
