package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// bind gives a client that has proven to be an account a session of it, with the resource it
// wants or a random one (RFC 6120 §7). A resource that is taken gets something
// random appended, which §7.7.2.2 encourages: neither client has to give way, or to
// try again.
func (s *Server) bind(ctx context.Context, c *claims, addr jid.JID, wanted, agent string) (*session, error) {
	a, err := s.directory.hold(ctx, addr.Bare())
	if errors.Is(err, storage.ErrNotFound) {
		return nil, stanza.NotAllowed // deleted since the proof
	}
	if err != nil {
		return nil, fmt.Errorf("server: bind %s: %w", addr, err)
	}
	s.makeRoom(ctx, a, wanted, agent)
	t, err := s.newSession(a, c, wanted, agent)
	if err != nil {
		s.directory.release(a)
		return nil, err
	}
	return t, nil
}

// newSession adds a session to an account that is held for it.
func (s *Server) newSession(a *account, c *claims, wanted, agent string) (*session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed || c.addr != a.addr || c.id != a.id:
		return nil, stanza.NotAllowed // it was another account of that address that was proven to be
	case len(a.sessions) >= s.opts.Limits.SessionsPerAccount:
		return nil, stanza.ResourceConstraint // §7.6.2.1
	}
	full, err := a.free(wanted)
	if err != nil {
		return nil, stanza.BadRequest // §7.7.2.1
	}
	t := &session{
		srv: s, account: a, addr: full, agent: agent, since: time.Now(), log: s.log, rate: newBucket(s.opts.Limits.SessionRate, time.Now()),
		ready: make(chan struct{}), done: make(chan struct{}), kept: make(chan struct{}), left: make(chan struct{}),
	}
	t.work = &worker{
		limit: s.opts.Limits.WorkBytes,
		begin: func() bool { t.others.Add(1); return true },
		end:   t.others.Done,
	}
	a.sessions = append(a.sessions, t)
	s.sessions.Add(1)
	s.counts.opened.Add(1)
	return t, nil
}

// free returns a full JID that no session has, the wanted one if possible. It
// is called with mu held.
func (a *account) free(wanted string) (jid.JID, error) {
	if wanted == "" {
		return a.addr.WithResource(rand.Text()) // not to be guessed (RFC 6120 §7.6)
	}
	full, err := a.addr.WithResource(wanted)
	if err != nil {
		return jid.JID{}, err
	}
	for _, t := range a.sessions {
		if t.addr == full {
			full, err = a.addr.WithResource(full.Resourcepart() + " " + rand.Text())
			if err != nil { // too long
				return a.addr.WithResource(rand.Text())
			}
			return full, nil
		}
	}
	return full, nil
}
