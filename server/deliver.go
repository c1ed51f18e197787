package server

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// roomTimeout is how long a message or query waits for room in the queue of its
// recipient, and its sender with it.
const roomTimeout = time.Second

// A handing is what came of the attempt to hand a stanza to a session.
type handing uint8

const (
	taken   handing = iota
	behind          // on another node, where older ones are on their way from the store
	crowded         // there was no room in time
	missed          // nobody is there any more
)

// deliver queues a stanza that must not be left out, where nobody can wait, and
// reports whether that was possible. A client that has left even the room for
// these unread is gone or reads nothing: its session is ended.
func (s *session) deliver(st stanza.Stanza, h stanza.Header) bool {
	if s.holds(st, h) {
		return true
	}
	result := s.outcome(s.conn.Load().SendNow(st, h), h)
	if result == crowded {
		s.srv.counts.slowReaders.Add(1)
		s.log.Warn("the client does not read what it is sent", "peer", s.addr)
		s.fail(tooMuch())
	}
	return result == taken
}

// offer queues a stanza if there is room for it at once. What anybody may send to
// anybody must not cost the recipient its session.
func (s *session) offer(st stanza.Stanza, h stanza.Header) bool {
	if s.holds(st, h) {
		return true
	}
	return s.outcome(s.conn.Load().TrySend(st, h), h) == taken
}

// hand queues a message or query and waits for room, so that nobody is read
// faster than those it writes to read. A client that is away makes nobody wait.
func (s *session) hand(ctx context.Context, st stanza.Stanza, h stanza.Header) handing {
	s.holds(st, h) // nothing of what is handed over, but what it held goes first
	conn := s.conn.Load()
	err := conn.TrySend(st, h)
	if !errors.Is(err, stream.ErrQueueFull) || isDone(conn.Done()) {
		return s.outcome(err, h)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, roomTimeout, stream.ErrQueueFull)
	defer cancel()
	_, err = conn.Relay(ctx, st, h)
	return s.outcome(err, h)
}

// outcome says what came of a delivery.
func (s *session) outcome(err error, h stanza.Header) handing {
	switch {
	case err == nil:
		return taken
	case errors.Is(err, xmpp.ErrClosed) || isDone(s.done):
		s.retire()
		return missed
	case errors.Is(err, stream.ErrQueueFull) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		s.srv.counts.overflowed.Add(1)
		return crowded
	default:
		s.log.Error("a stanza could not be delivered", "peer", s.addr, "id", strings.Clone(h.ID), "err", err)
		return taken // the fault is the stanza's; others go on
	}
}

// handAll hands a message to several sessions. It is taken if one of them took
// it: nobody waits for those that have no room while others have.
func handAll(ctx context.Context, sessions []*session, st stanza.Stanza, h stanza.Header) handing {
	if len(sessions) > 1 {
		some := false
		for _, t := range sessions {
			if t.offer(st, h) {
				some = true
			}
		}
		if some {
			return taken
		}
	}
	all := missed
	for _, t := range sessions {
		all = min(all, t.hand(ctx, st, h))
	}
	return all
}

// overflow does what is to be done about a message for which there was no room:
// one that could be kept for somebody offline is kept, and follows as soon as there is. As long as that is under way, others for
// the session that was named go to the store too and keep their order.
func (s *Server) overflow(ctx context.Context, o origin, named *session, st stanza.Stanza, h stanza.Header) (pending bool) {
	switch {
	case isStorable(h):
		return s.storeMessage(ctx, o, st, h, named)
	case classOf(h.Type) == groupchat:
		if s.entitled(ctx, o, h.To, h.From) {
			refuseTo(ctx, o, h, stanza.ResourceConstraint)
		}
	}
	return false
}

// crowd notes that messages for the session are in the store. As long as the
// store is being emptied, others go there too and keep their order.
func (s *session) crowd() {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.crowded = true
}

// keepUnsent keeps the messages that the end of a session has left unsent or
// unacknowledged, for the next one, and tells the senders of other stanzas that they
// did not arrive. Messages that went to the store for want of room are younger, and come
// behind those.
func (s *Server) keepUnsent(ctx context.Context, t *session) {
	unsent, others := s.unsent(t)
	if len(unsent)+len(others) == 0 {
		return
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	for _, raw := range others {
		s.undelivered(ctx, raw)
	}
	if len(unsent) == 0 {
		return
	}
	if err := s.keepBefore(ctx, t, unsent); err != nil {
		t.log.Error("could not keep the order of offline messages", "peer", t.addr, "err", err)
	}
	s.drainAddr(ctx, t.account.addr)
}

// keepBefore keeps messages before those that were stored since the session was bound, and before all that are pending.
func (s *Server) keepBefore(ctx context.Context, t *session, unsent []*stanza.Raw) error {
	var younger []storage.OfflineMessage
	end, err := t.account.spool(ctx)
	if err == nil { // else they are kept all the same
		defer end()
		if !s.hasEligible(t.account.addr) { // otherwise they are on their way to another session
			younger, err = s.storedSince(ctx, t)
		}
	}
	var letters []*letter
	for _, raw := range unsent {
		h := raw.Header()
		l, err := s.newLetter(absent{s, h.From}, t.account.addr, raw, h)
		if err != nil {
			s.failed(ctx, absent{s, h.From}, h, "keep a message", err)
		} else if l != nil {
			letters = append(letters, l)
		}
	}
	s.storeLetters(t.account, letters)
	for _, l := range letters {
		s.tellUnkept(ctx, l)
	}
	return errors.Join(err, s.moveBehind(ctx, t.account.id, younger))
}

// moveBehind moves offline messages behind all others.
func (s *Server) moveBehind(ctx context.Context, owner storage.AccountID, messages []storage.OfflineMessage) error {
	if len(messages) == 0 {
		return nil
	}
	if _, err := s.opts.Storage.Offline.Add(ctx, owner, storage.OfflineLimits{}, messages...); err != nil {
		return err
	}
	var moved []uint64
	for _, m := range messages {
		moved = append(moved, m.ID)
	}
	return s.opts.Storage.Offline.Delete(ctx, owner, moved...)
}

// unsent returns the messages that the end of a session has left, that nobody else has
// had and that can be kept; and the other stanzas that it has left.
func (s *Server) unsent(t *session) (unsent, rest []*stanza.Raw) {
	others := s.hasEligible(t.account.addr)
	for _, part := range t.conn.Load().Unsent() {
		raw, err := stanza.Parse(part)
		if err != nil {
			continue // a stream error, or the closing tag
		}
		h := raw.Header()
		switch {
		case h.Kind != stanza.KindMessage || !isStorable(h):
			rest = append(rest, raw)
			continue
		case s.isStored(raw):
			continue
		}
		if h.To.IsBare() && others {
			continue // it was for the best of several, and the others have had it
		}
		unsent = append(unsent, raw)
	}
	return unsent, rest
}

// storedSince returns the offline messages that were stored since the session was
// bound.
func (s *Server) storedSince(ctx context.Context, t *session) (all []storage.OfflineMessage, err error) {
	for after := uint64(0); ; {
		page, err := s.opts.Storage.Offline.List(ctx, t.account.id, after, offlinePage)
		if err != nil {
			return all, err
		}
		for _, m := range page {
			after = m.ID
			if m.Stored.After(t.since) {
				all = append(all, m)
			}
		}
		if len(page) < offlinePage {
			return all, nil
		}
	}
}

// isStored reports whether a message came out of the store, where it still is
// unless it was sent.
func (s *Server) isStored(raw *stanza.Raw) bool {
	for e := range raw.Element().Children() {
		if s.ours(e) {
			return true
		}
	}
	return false
}

// hasEligible reports whether a message for a bare JID would reach a session.
func (s *Server) hasEligible(addr jid.JID) bool {
	a := s.directory.online(addr)
	return a != nil && len(a.all((*session).eligible)) > 0 || s.best(addr) != nil
}
