package server

import (
	"context"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

// The namespaces and features of offline messages.
const (
	nsChatStates   = "http://jabber.org/protocol/chatstates" // XEP-0085
	featureOffline = "msgoffline"                            // XEP-0160
)

// offlinePage is how many offline messages are read at a time.
const offlinePage = 50

// ours reports whether an element is a delay that claims to be from a domain of
// this server. Nobody else may say that (XEP-0203 §5).
func (s *Server) ours(e stanza.Element) bool {
	if !e.Is(delay.NS, "delay") {
		return false
	}
	from, err := jid.ParseLenient(e.Attr("from"))
	return err == nil && s.hosts(from) && from.Localpart() == ""
}

// isStorable reports whether a message of that type may be kept for later.
func isStorable(h stanza.Header) bool {
	c := classOf(h.Type)
	return c == normal || c == chat
}

// drainAddr is drain for the account at a bare JID, on whatever node its best session is: just now, as nobody else may look again.
func (s *Server) drainAddr(ctx context.Context, addr jid.JID) {
	if best := bestOf(s.elsewhere(ctx, addr, 1)); best != nil {
		s.drainAt(best, addr)
	} else if a := s.directory.online(addr); a != nil {
		s.drain(ctx, a)
	}
}

// drain delivers the offline messages of an account to its best session, unless
// that is happening already or nobody is there. While it goes on, new messages
// for the bare JID are stored behind the others, so that the order is kept.
func (s *Server) drain(ctx context.Context, a *account) {
	a.mu.Lock()
	t := a.startDraining()
	a.mu.Unlock()
	if t != nil {
		s.drainTo(ctx, t)
	}
}

// drainTo delivers offline messages to a session for which that was started. It
// returns when there are none, or when a goroutine has begun to deliver them.
func (s *Server) drainTo(ctx context.Context, t *session) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	page, err := s.opts.Storage.Offline.List(ctx, t.account.id, 0, offlinePage)
	for err == nil && len(page) == 0 {
		if t.account.drained() {
			t.others.Done()
			return
		}
		page, err = s.opts.Storage.Offline.List(ctx, t.account.id, 0, offlinePage) // some came since
	}
	go func() {
		defer t.others.Done()
		s.deliverOffline(t, page, err)
	}()
}

// startDraining returns the session that is to get the offline messages of the
// account; nil if there is none, or if it has begun already. A suspended one gets them when its client is back:
// it would hold up those for others. It is called with mu held.
func (a *account) startDraining() *session {
	if a.draining {
		a.again = true
		return nil
	}
	var target *session
	for _, t := range a.sessions {
		switch {
		case !t.eligible():
		case t.state != attached:
			a.waiting = true
		case target == nil || t.priority > target.priority:
			target = t
		}
	}
	if target != nil {
		a.drainTo(target)
	}
	return target
}

// drainTo starts the delivery to a session, which has one more goroutine from
// now on. It is called with mu held.
func (a *account) drainTo(t *session) {
	a.draining, a.again, a.waiting = true, false, false
	t.others.Add(1)
}

// deliverOffline delivers offline messages to a session until there are none, given
// the first page.
func (s *Server) deliverOffline(t *session, page []storage.OfflineMessage, err error) {
	a, ctx, after := t.account, t.context(), uint64(0)
	for {
		if err == nil && len(page) > 0 {
			after = page[len(page)-1].ID
			err = s.drainPage(ctx, t, page)
			a.mu.Lock()
			a.relieve()
			a.mu.Unlock()
		}
		if err != nil {
			break
		}
		if len(page) < offlinePage && a.drained() {
			return
		}
		page, err = s.opts.Storage.Offline.List(ctx, a.id, after, offlinePage)
	}
	a.mu.Lock()
	a.draining = false
	if !t.keeping {
		t.inFlight = nil
	}
	a.relieve()
	a.mu.Unlock()
	if !errors.Is(err, xmpp.ErrClosed) && !isDone(ctx.Done()) {
		t.log.Error("could not deliver offline messages", "peer", t.addr, "err", err)
		return
	}
	t.retire()
	ctx, cancel := lasting(ctx)
	defer cancel()
	s.drain(ctx, a) // perhaps to another session
}

// drained ends the delivery, unless more was stored meanwhile.
func (a *account) drained() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.again {
		a.again = false
		return false
	}
	a.draining = false
	a.relieve()
	if a.pending > 0 { // and delivered when they are stored
		return true
	}
	for _, t := range a.sessions {
		t.crowded = false
	}
	return true
}

// drainPage delivers some messages. Those that the client has acknowledged, or the
// transport has taken if it acknowledges nothing, are deleted, whatever becomes of the others.
func (s *Server) drainPage(ctx context.Context, t *session, page []storage.OfflineMessage) error {
	var (
		done     []uint64
		waiting  []uint64
		receipts []xmpp.Receipt
		bytes    int
		failure  error
	)
	conn, until := t.conn.Load(), xmpp.Sent
	if conn.Managed() {
		until = xmpp.Acked
	}
	settle := func() {
		for i, r := range receipts {
			if _, err := r.Await(ctx, until); err == nil {
				done = append(done, waiting[i])
				t.land(waiting[i])
			} else if failure == nil {
				failure = err
			}
		}
		waiting, receipts, bytes = nil, nil, 0
	}
	for _, m := range page {
		if t.account.isInFlight(m.ID) {
			continue
		}
		raw, err := stanza.Parse(m.Stanza)
		if err != nil {
			t.log.Error("an offline message is damaged", "peer", t.addr, "err", err)
			done = append(done, m.ID)
			continue
		}
		h := raw.Header()
		if err := s.permit(ctx, t.account.identity(), h.From, module.In, h); err != nil {
			if _, decided := stanza.AsError(err); !decided && err != module.ErrDrop {
				failure = err // it may still be permitted
				break
			}
			done = append(done, m.ID) // what was permitted when it came is not any more
			continue
		}
		r, err := conn.Send(ctx, raw, h)
		if err != nil {
			failure = err
			break
		}
		t.fly(m.ID)
		waiting, receipts = append(waiting, m.ID), append(receipts, r)
		if bytes += len(m.Stanza); bytes > s.limits().QueueBytes/4 {
			settle() // leave room for what others send
		}
	}
	settle()
	if len(done) > 0 {
		ctx, cancel := lasting(ctx)
		defer cancel()
		if err := s.opts.Storage.Offline.Delete(ctx, t.account.id, done...); err != nil {
			t.log.Error("delivered offline messages could not be deleted", "peer", t.addr, "err", err)
		}
	}
	return failure
}

// fly notes that a stored message is in the queue of the session.
func (s *session) fly(id uint64) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.inFlight = append(s.inFlight, id)
}

// land undoes fly: the message has arrived.
func (s *session) land(ids ...uint64) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.inFlight = slices.DeleteFunc(s.inFlight, func(f uint64) bool { return slices.Contains(ids, f) })
}

// isInFlight reports whether a stored message is in the queue of a session.
func (a *account) isInFlight(id uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.sessions, func(t *session) bool { return slices.Contains(t.inFlight, id) })
}
