package server

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A session is a connected resource of an account (RFC 6120 §7.1). It exists
// from the moment when the resource is assigned; its client can be reached once
// the stream is negotiated.
type session struct {
	srv     *Server
	account *account
	addr    jid.JID // the full JID
	since   time.Time
	log     *slog.Logger
	work    *worker
	others  sync.WaitGroup // goroutines that deliver offline messages
	left    chan struct{}  // closed when everybody has been told that it is gone

	// Of the reader alone.
	unflushed int       // elements handled since the queue was last seen empty
	addresses jid.Cache // that the client writes to

	// Guarded by account.mu.
	conn       *stream.Conn // nil until the stream is negotiated
	gone       bool         // nothing is delivered any more
	crowded    bool         // a message for it went to the store for want of room
	interested bool         // it asked for the roster (RFC 6121 §2.2)
	shown      *announcement
	priority   int8                 // of shown
	directed   map[jid.JID]struct{} // who got directed presence and was not yet told otherwise (§4.6)
}

// An announcement is the presence that an available session has broadcast last.
// It is never changed.
type announcement struct {
	st     stanza.Stanza
	header stanza.Header // from is the session, to is zero
}

// origin is who a stanza that is being routed came from, to whom errors and
// answers go back: a session, or a domain of the server.
type origin interface {
	answer(ctx context.Context, st stanza.Stanza)
	// trusted reports whether the origin is the server itself.
	trusted() bool
	// context ends with the origin.
	context() context.Context
}

// reachable reports whether stanzas can be delivered. It is called with
// account.mu held.
func (s *session) reachable() bool { return s.conn != nil && !s.gone }

// eligible reports whether messages for the bare JID may be delivered. It is
// called with account.mu held.
func (s *session) eligible() bool { return s.reachable() && s.shown != nil && s.priority >= 0 }

// retire takes the session out of all deliveries.
func (s *session) retire() {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.gone = true
}

// fail ends the session with a stream error. It does not wait.
func (s *session) fail(e *stream.Error) {
	s.retire()
	s.conn.Fail(e)
}

// flushEvery is how many answers of unknown size may be queued before the client
// has to take in what it has caused so far.
const flushEvery = 32

// answer sends a stanza back to the client that caused it. Only the reader of
// the session calls it, or a handler in its place. It waits while the
// queue is full: a client that does not read its answers is not read either.
func (s *session) answer(ctx context.Context, st stanza.Stanza) {
	if st == nil {
		return
	}
	if _, err := s.conn.Send(ctx, st, st.Header()); err != nil && !isDone(s.conn.Done()) && ctx.Err() == nil {
		s.log.Error("an answer could not be sent", "peer", s.addr, "id", strings.Clone(st.Header().ID), "err", err)
	}
}

func (s *session) trusted() bool { return false }

func (s *session) context() context.Context { return lifetime{s.conn.Done()} }

// setConn makes the session reachable, or reports that it is too late.
func (s *session) setConn(conn *stream.Conn) bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.conn = conn
	return !s.account.closed
}
