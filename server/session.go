package server

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp"
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
	rev     uint64  // of its entry in the directory of the cluster
	agent   string  // the client's id; empty if it has none
	since   time.Time
	log     *slog.Logger
	work    *worker
	others  sync.WaitGroup // goroutines that deliver offline messages
	done    chan struct{}  // closed when it has ended: nobody resumes it any more
	looked  clientState
	kept    chan struct{} // closed when what it left has been taken care of
	left    chan struct{} // closed when everybody has been told that it is gone
	ready   chan struct{} // closed when its first stream is negotiated

	keepsake *keepsake                   // what it was restored from; nil if it was not. Its field Claimed is of whoever has claimed the session
	conn     atomic.Pointer[stream.Conn] // nil until the stream is negotiated; the last one if it was resumed

	rate    *bucket      // of what its client causes
	sent    tally        // what its client has sent
	pending room         // of that, letters
	caused  atomic.Int64 // bytes that are not yet taken from the rates
	values  sync.Map     // what modules keep with it

	// Of the reader alone.
	unflushed int         // elements handled since the queue was last seen empty
	inside    atomic.Bool // its transport is the memory of this program: see [Server.DialAccount]
	undone    atomic.Bool // what was read last could not be handled: its transport was lost
	addresses jid.Cache   // that the client writes to

	publishing sync.Mutex // held while the cluster is told of its state; taken before account.mu

	// Guarded by account.mu.
	suspension
	marks      []string // of modules; replaced, never changed
	remote     netip.Addr
	keeping    bool     // it is being kept for the next server
	inFlight   []uint64 // messages in its queue that are in the store until they have arrived
	gone       bool     // nothing is delivered any more
	crowded    bool     // a message for it went to the store for want of room
	interested bool     // it asked for the roster (RFC 6121 §2.2)
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
func (s *session) reachable() bool { return s.conn.Load() != nil && !s.gone }

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
	s.conn.Load().Fail(e)
	s.hurry()
}

// flushEvery is how many answers of unknown size may be queued before the client
// has to take in what it has caused so far.
const flushEvery = 32

// answer sends a stanza back to the client that caused it. Only the reader of
// the session calls it, or a handler in its place. It waits while the
// queue is full: a client that does not read its answers is not read either. If the
// transport is lost meanwhile, the answer waits for the next one.
func (s *session) answer(_ context.Context, st stanza.Stanza) {
	if st == nil {
		return
	}
	h, conn := st.Header(), s.conn.Load()
	_, err := conn.Relay(lifetime{conn.Done()}, st, h)
	if err != nil && isDone(conn.Done()) {
		err = conn.SendNow(st, h)
	}
	switch {
	case err == nil, errors.Is(err, xmpp.ErrClosed):
	case errors.Is(err, stream.ErrQueueFull):
		s.srv.counts.slowReaders.Add(1)
		s.fail(tooMuch())
	default:
		s.log.Error("an answer could not be sent", "peer", s.addr, "id", strings.Clone(h.ID), "err", err)
	}
}

// tooMuch is what a client is told that leaves unread what it must have.
func tooMuch() *stream.Error {
	return &stream.Error{Condition: stream.ResourceConstraint, Text: "too much is waiting for you to read it", Lang: "en"}
}

func (s *session) trusted() bool { return false }

// context ends with the session: with its transport, if that cannot be replaced.
func (s *session) context() context.Context {
	conn := s.conn.Load()
	if id, _, _ := conn.Resumable(); id != "" {
		return lifetime{s.done}
	}
	return lifetime{conn.Done()}
}

// transport is ctx for what the reader does: it ends when there is nothing to read
// from any more, so that the reader can leave. When the session has ended, others act for it.
func (s *session) transport(ctx context.Context) context.Context {
	if isDone(s.done) {
		return ctx
	}
	return lifetime{s.conn.Load().Done()}
}

// flush waits until the client has been sent all that waits for it.
func (s *session) flush(ctx context.Context) error {
	err := s.conn.Load().Flush(s.transport(ctx))
	if err != nil {
		s.undone.Store(true)
	}
	return err
}
