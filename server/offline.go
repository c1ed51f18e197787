package server

import (
	"context"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces and features of offline messages.
const (
	nsDelay        = "urn:xmpp:delay"                        // XEP-0203
	nsChatStates   = "http://jabber.org/protocol/chatstates" // XEP-0085
	featureOffline = "msgoffline"                            // XEP-0160
)

// offlinePage is how many offline messages are read at a time.
const offlinePage = 50

// delay says when a stanza was sent that is delivered only now (XEP-0203).
type delay struct {
	from  jid.JID // who kept it
	stamp time.Time
}

// AppendXML implements [stanza.Payload].
func (d delay) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(nsDelay, "delay")
	w.Attr("from", d.from.String())
	w.Attr("stamp", d.stamp.UTC().Format("2006-01-02T15:04:05.000Z"))
	w.End()
	return w.Bytes()
}

// ours reports whether an element is a delay that claims to be from a domain of
// this server. Nobody else may say that (XEP-0203 §5).
func (s *Server) ours(e stanza.Element) bool {
	if !e.Is(nsDelay, "delay") {
		return false
	}
	from, err := jid.ParseLenient(e.Attr("from"))
	return err == nil && s.hosts(from) && from.Localpart() == ""
}

// storeMessage keeps a message for an account until somebody is there to get it
// (XEP-0160). The sender is told when that cannot be.
func (s *Server) storeMessage(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) {
	raw, err := withHeader(st, h)
	if err != nil {
		s.failed(ctx, o, h, "store a message", err)
		return
	}
	if isFleeting(raw) {
		return
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	now := time.Now()
	raw, err = raw.Edit(s.ours, delay{h.To.Domain(), now})
	if err != nil {
		s.failed(ctx, o, h, "store a message", err)
		return
	}
	b, err := raw.AppendXML(nil)
	if err != nil {
		s.failed(ctx, o, h, "store a message", err)
		return
	}
	id, err := s.directory.id(ctx, h.To.Bare())
	known := s.entitled(ctx, o, h.To, h.From)
	if err == nil {
		limits := storage.OfflineLimits{Messages: s.opts.Limits.OfflineMessages, Bytes: s.opts.Limits.OfflineBytes}
		if !known { // strangers leave room for others
			limits.Messages, limits.Bytes = (limits.Messages+1)/2, (limits.Bytes+1)/2
		}
		err = s.opts.Storage.Offline.Add(ctx, id, storage.OfflineMessage{Stored: now, Stanza: b}, limits)
	}
	switch {
	case errors.Is(err, storage.ErrNotFound): // deleted just now
	case errors.Is(err, storage.ErrFull) && !known:
		// An answer would say that there is such an account (RFC 6120 §13.10.2).
	case errors.Is(err, storage.ErrFull):
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
	case err != nil:
		s.failed(ctx, o, h, "store a message", err)
	default:
		if a := s.directory.online(h.To.Bare()); a != nil {
			s.drain(ctx, a) // somebody may have come online since the message was placed
		}
	}
}

// isStorable reports whether a message of that type may be kept for later.
func isStorable(h stanza.Header) bool {
	c := classOf(h.Type)
	return c == normal || c == chat
}

// isFleeting reports whether a chat message tells nothing but what its sender
// is doing at the moment (XEP-0085 §5.5), which is not worth keeping (XEP-0160 §3).
func isFleeting(raw *stanza.Raw) bool {
	h := raw.Header()
	if classOf(h.Type) != chat {
		return false
	}
	states := false
	for _, name := range h.Children {
		switch {
		case name.Space == nsChatStates:
			states = true
		case name.Space == stanza.NS && name.Local == "thread":
		default:
			return false
		}
	}
	return states
}

// drain delivers the offline messages of an account to its best session, unless
// that is happening already or nobody is there. While it goes on, new messages
// for the bare JID are stored behind the others, so that the order is kept.
func (s *Server) drain(ctx context.Context, a *account) {
	if t := a.startDraining(); t != nil {
		s.drainTo(ctx, t)
	}
}

// drainTo delivers offline messages to a session for which that was started. It
// returns when there are none, or when a goroutine has begun to deliver them.
func (s *Server) drainTo(ctx context.Context, t *session) {
	page, err := s.opts.Storage.Offline.List(ctx, t.account.id, 0, offlinePage)
	if err == nil && len(page) == 0 && t.account.drained() {
		t.others.Done()
		return
	}
	go func() {
		defer t.others.Done()
		s.deliverOffline(t, page, err)
	}()
}

// startDraining returns the session that is to get the offline messages of the
// account; nil if there is none, or if it has begun already.
func (a *account) startDraining() *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		a.again = true
		return nil
	}
	var target *session
	for _, t := range a.sessions {
		if t.eligible() && (target == nil || t.priority > target.priority) {
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
	a.draining, a.again = true, false
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
	a.mu.Unlock()
	if !errors.Is(err, xmpp.ErrClosed) && !isDone(t.conn.Done()) {
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
	for _, t := range a.sessions {
		t.crowded = false
	}
	return true
}

// drainPage delivers some messages. Those that have been handed to the transport are
// deleted, whatever becomes of the others.
func (s *Server) drainPage(ctx context.Context, t *session, page []storage.OfflineMessage) error {
	var (
		done     []uint64
		waiting  []uint64
		receipts []xmpp.Receipt
		bytes    int
		failure  error
	)
	settle := func() {
		for i, r := range receipts {
			stage, err := r.Await(ctx, xmpp.Sent)
			if stage == xmpp.Sent || stage == xmpp.Acked {
				done = append(done, waiting[i])
			} else if failure == nil {
				failure = err
			}
		}
		waiting, receipts, bytes = nil, nil, 0
	}
	for _, m := range page {
		raw, err := stanza.Parse(m.Stanza)
		if err != nil {
			t.log.Error("an offline message is damaged", "peer", t.addr, "err", err)
			done = append(done, m.ID)
			continue
		}
		r, err := t.conn.Send(ctx, raw, raw.Header())
		if err != nil {
			failure = err
			break
		}
		waiting, receipts = append(waiting, m.ID), append(receipts, r)
		if bytes += len(m.Stanza); bytes > s.opts.Limits.QueueBytes/4 {
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
