package server

import (
	"context"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// An account is what the server holds of somebody's account while it is in the
// [directory].
//
// # Turns
//
// What changes the roster of an account, or tells others of its presence, happens
// one at a time: in a turn. Pushes then leave in the order in which changes were
// stored, and nobody gets a presence that is older than one already got, or one
// more after the subscription was cancelled. A turn may wait for the store. It
// never waits for a client, nor for the turn of another account: what follows
// elsewhere is done when it is over, see [tasks].
//
// Messages and queries take no turn.
type account struct {
	addr  jid.JID // bare
	id    storage.AccountID
	turns chan struct{} // has an item while it is somebody's turn
	holds int           // guarded by the directory
	rate  *bucket       // what its sessions cause together

	spooling chan struct{} // has an item while somebody adds to its offline messages
	disabled bool          // nobody can bind

	mu       sync.Mutex // guards the fields below, and those of sessions that say so; a leaf: no other lock is taken under it
	sessions []*session // all that have bound a resource, oldest first
	closed   bool       // the account is deleted: nobody can bind any more
	draining bool       // offline messages are being delivered: see [Server.drain]
	again    bool       // some were stored meanwhile
	waiting  bool       // some wait in the store until a client is back: others for the bare JID wait behind them
	keeping
}

// turn waits for the account's turn. The caller ends it.
func (a *account) turn(ctx context.Context) (end func(), err error) {
	select {
	case a.turns <- struct{}{}:
		return func() { <-a.turns }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// find returns the session with a full JID, if its client can be reached.
func (a *account) find(full jid.JID) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sessions {
		if s.addr == full && s.reachable() {
			return s
		}
	}
	return nil
}

// coming returns the session with a full JID if its stream is just being completed: its client may have told others of it.
func (a *account) coming(full jid.JID) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sessions {
		if s.addr == full && s.conn.Load() == nil && !s.gone {
			return s
		}
	}
	return nil
}

// all returns the sessions that like says, which is called with mu held, and
// whose clients can be reached.
func (a *account) all(like func(*session) bool) []*session {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []*session
	for _, s := range a.sessions {
		if s.reachable() && like(s) {
			out = append(out, s)
		}
	}
	return out
}

// every returns all sessions, also those whose clients cannot be reached.
func (a *account) every() []*session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sessions)
}

// drop takes out a session.
func (a *account) drop(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.sessions, s); i >= 0 {
		a.sessions = slices.Delete(slices.Clone(a.sessions), i, i+1)
	}
}

// The likes of [account.all].
var (
	isAvailable  = func(s *session) bool { return s.shown != nil }
	isInterested = func(s *session) bool { return s.interested }
)

// A placing is what is known of an account when a message for it is placed.
type placing struct {
	named    *session   // the one that the full JID names, nil if none
	eligible []*session // available, with a priority that is not negative
	best     []*session // those of them with the highest priority
	negative bool       // some are available with another priority
	draining bool
	crowded  bool // messages for the named session are in the store
	away     away // the sessions on other nodes
}

// condition says in which part of the table the account is.
func (p *placing) condition() condition {
	switch n := len(p.eligible) + len(p.away.eligible); {
	case n > 1:
		return manyResource
	case n == 1:
		return oneResource
	case p.negative:
		return onlyNegative
	}
	return noResource
}

// look tells how things stand for a message to that address. The lists begin in
// room, which saves an allocation.
func (a *account) look(addr jid.JID, room *[2][4]*session) placing {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := placing{draining: a.draining || a.waiting || a.pending > 0}
	eligible, best := room[0][:0], room[1][:0]
	for _, s := range a.sessions {
		if !s.reachable() {
			continue
		}
		if s.addr == addr {
			p.named, p.crowded = s, s.crowded
		}
		switch {
		case s.shown == nil:
			continue
		case s.priority < 0:
			p.negative = true
			continue
		}
		eligible = append(eligible, s)
		switch {
		case len(best) == 0 || s.priority > best[0].priority:
			best = append(best[:0], s)
		case s.priority == best[0].priority:
			best = append(best, s)
		}
	}
	p.eligible, p.best = eligible, best
	return p
}
