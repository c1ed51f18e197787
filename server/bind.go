package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// bind gives a client that has proven to be an account a session of it, with the resource it
// wants or a random one (RFC 6120 §7). A resource that is taken gets something
// random appended, which §7.7.2.2 encourages: neither client has to give way, or to
// try again.
func (s *Server) bind(ctx context.Context, c *claims, addr jid.JID, wanted, agent string) (*session, error) {
	a, err := s.directory.hold(ctx, addr.Bare())
	if err == nil && a.id != c.id {
		a, err = s.succeed(ctx, a)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nil, stanza.NotAllowed // deleted since the proof
	}
	if err != nil {
		return nil, fmt.Errorf("server: bind %s: %w", addr, err)
	}
	s.makeRoom(ctx, a, wanted, agent)
	full, revision, err := s.reserve(ctx, a, wanted)
	if err != nil {
		s.directory.release(a)
		return nil, err
	}
	t, err := s.newSession(a, c, full, revision, agent)
	if err != nil {
		s.cluster.Unbind(full, revision)
		s.directory.release(a)
		return nil, err
	}
	return t, nil
}

// succeed returns, held, who has the address of an account now. Where a name has changed hands in the table of the program, which need
// not have told, the sessions of who had it end; the account is released.
func (s *Server) succeed(ctx context.Context, a *account) (*account, error) {
	if s.users == nil {
		return a, nil
	}
	now, err := s.opts.Storage.Accounts.Get(ctx, a.addr)
	if err == nil && now.ID == a.id { // it is who wants to bind that is late
		return a, nil
	}
	defer s.directory.release(a)
	if err != nil {
		return nil, err
	}
	s.directory.remove(a)
	s.expelElsewhere(ctx, a)
	a.close(loggedOut())
	if err := a.left(ctx); err != nil {
		return nil, err
	}
	return s.directory.hold(ctx, a.addr)
}

// reserve returns a full JID that no session has, the wanted one if possible, and its revision in the directory of
// the cluster.
func (s *Server) reserve(ctx context.Context, a *account, wanted string) (full jid.JID, revision uint64, err error) {
	for try := 0; ; try++ {
		if full, err = resource(a.addr, wanted, try); err != nil {
			return full, 0, stanza.BadRequest // §7.7.2.1
		}
		revision, err = s.cluster.Bind(ctx, full)
		switch {
		case err == nil:
			return full, revision, nil
		case !errors.Is(err, cluster.ErrTaken) || try == 2:
			return full, 0, fmt.Errorf("server: bind %s: %w", full, err)
		}
	}
}

// resource returns a full JID of an account: the wanted one at first, then with something random behind it,
// then random as a whole.
func resource(account jid.JID, wanted string, try int) (jid.JID, error) {
	if wanted == "" || try > 1 {
		return account.WithResource(rand.Text()) // not to be guessed (RFC 6120 §7.6)
	}
	full, err := account.WithResource(wanted)
	if err != nil || try == 0 {
		return full, err
	}
	longer, err := account.WithResource(full.Resourcepart() + " " + rand.Text())
	if err != nil { // too long
		return resource(account, "", try)
	}
	return longer, nil
}

// newSession adds a session to an account that is held for it.
func (s *Server) newSession(a *account, c *claims, full jid.JID, revision uint64, agent string) (*session, error) {
	elsewhere := len(s.cluster.Elsewhere(a.addr))
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed || a.disabled || !s.hosts(a.addr) || c.addr != a.addr || c.id != a.id:
		return nil, stanza.NotAllowed // since the proof, or it was another account of that address that was proven to be
	case len(a.sessions)+elsewhere >= s.limits().SessionsPerAccount:
		return nil, stanza.ResourceConstraint // §7.6.2.1
	}
	t := &session{
		srv: s, account: a, addr: full, rev: revision, agent: agent, since: time.Now(), log: s.log,
		rate:  newBucket(s.limits().SessionRate, time.Now()),
		ready: make(chan struct{}), done: make(chan struct{}), kept: make(chan struct{}), left: make(chan struct{}),
	}
	t.work = &worker{
		limit: s.limits().WorkBytes,
		begin: func() bool { t.others.Add(1); return true },
		end:   t.others.Done,
	}
	a.sessions = append(a.sessions, t)
	s.sessions.Add(1)
	s.counts.opened.Add(1)
	return t, nil
}
