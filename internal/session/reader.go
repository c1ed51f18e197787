package session

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// overhead is what a queued stanza takes beside its bytes: the header and the
// names of children.
const overhead = 512

// read is the reader. It returns what ended the stream.
func (s *Session) read(ctx context.Context) error {
	for {
		e, err := s.conn.Next()
		if err != nil {
			return err
		}
		if s.acker != nil {
			s.arrived(s.acker.Received())
		}
		if raw := s.stanza(e); raw != nil {
			s.dispatch(ctx, raw)
		}
		s.placed()
		s.acknowledge()
		s.pause()
	}
}

// stanza returns a copy of the stanza in e, which the stream has lent; nil if
// there is none to go on with.
func (s *Session) stanza(e stanza.Element) *stanza.Raw {
	err := s.lent.Reset(e, s.addresses.ParseLenient)
	if s.lent.Header().Kind == 0 {
		s.log.Debug("ignored what is no stanza", "err", err)
		return nil
	}
	raw := s.lent.Clone()
	if err != nil && raw.Header().From.IsZero() {
		// Without a sender it would pass for a word of the own account
		// (xmpp.OriginOf), and nobody could be answered.
		if _, has := e.LookupAttr("", "from"); has {
			s.log.Debug("ignored a stanza from an unreadable address", "id", raw.Header().ID, "err", err)
			return nil
		}
	}
	return raw
}

// dispatch gives a stanza to whom it belongs.
func (s *Session) dispatch(ctx context.Context, raw *stanza.Raw) {
	h := raw.Header()
	if h.Kind == stanza.KindIQ {
		switch stanza.IQType(h.Type) {
		case stanza.IQResult, stanza.IQError:
			if !s.deliver(raw, &h) {
				s.log.Debug("dropped an answer nobody waits for", "peer", h.From, "id", h.ID)
			}
			return
		}
	} else if s.claimed(raw) {
		return
	}
	s.enqueue(ctx, raw)
}

// enqueue leaves a stanza to the worker, or ends the stream when there is too
// much for it.
func (s *Session) enqueue(ctx context.Context, raw *stanza.Raw) {
	s.mu.Lock()
	if s.bytes > s.opts.MaxQueueBytes {
		s.overrun = true
		s.mu.Unlock()
		s.conn.Fail(&stream.Error{Condition: stream.PolicyViolation, Text: "more stanzas than can be handled", Lang: "en"})
		return
	}
	start := s.put(item{raw: raw, seq: s.seq})
	s.mu.Unlock()
	if start {
		s.worker.Go(func() { s.work(ctx) })
	}
}

// put queues an item and reports whether a worker has to be started. It is called with mu held.
func (s *Session) put(i item) (start bool) {
	s.queue = append(s.queue, i)
	s.bytes += i.size()
	start = !s.working
	s.working = true
	return start
}

// Notify has the handler told of an event, behind what has arrived. Only whoever is
// in the stream's Next calls it.
func (s *Session) Notify(e xmpp.Event) {
	if s.observer == nil {
		return
	}
	s.mu.Lock()
	start := s.put(item{event: &e})
	ctx := s.ctx
	s.mu.Unlock()
	if start {
		s.worker.Go(func() { s.work(ctx) })
	}
}

// Interrupt ends all queries and claims: the session at the other side is gone, and
// with it the answers.
func (s *Session) Interrupt(err error) {
	s.mu.Lock()
	old, claims := s.epoch, s.claims
	s.epoch = &epoch{over: make(chan struct{})}
	s.claims = nil
	s.mu.Unlock()
	old.err = err
	close(old.over)
	for _, c := range claims {
		c.Fail(err)
	}
}

// arrived notes the number of a stanza that is to be placed.
func (s *Session) arrived(n uint64) {
	s.mu.Lock()
	s.seq, s.placing = n, true
	s.mu.Unlock()
}

// placed notes that it is where it belongs.
func (s *Session) placed() {
	s.mu.Lock()
	s.placing = false
	s.mu.Unlock()
}

// acknowledge tells the stream how much has been handled: all that stands before the
// oldest stanza that was not.
func (s *Session) acknowledge() {
	if s.acker == nil {
		return
	}
	s.mu.Lock()
	n := s.seq
	if s.busy > 0 {
		n = s.busy - 1
	} else {
		for _, i := range s.queue {
			if i.seq > 0 {
				n = i.seq - 1
				break
			}
		}
	}
	if s.placing {
		n = min(n, s.seq-1)
	}
	s.mu.Unlock()
	s.acker.Handled(n)
}

// pause returns when the reader may go on: at once, unless too much is queued.
func (s *Session) pause() {
	for s.full() {
		select {
		case <-s.wake:
		case <-s.conn.Done():
			return
		}
	}
}

// full reports whether the reader has to wait. Once it does, half of what is
// allowed must be gone before it goes on.
func (s *Session) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.opts.QueueBytes
	if s.paused {
		limit /= 2
	}
	s.paused = s.bytes > limit && s.waiting == 0 && !s.closing && !s.overrun
	return s.paused
}

// rouse makes a paused reader look again. It is called with mu held.
func (s *Session) rouse() {
	if s.paused {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// claimed reports whether a claim takes the stanza.
func (s *Session) claimed(raw *stanza.Raw) bool {
	s.mu.Lock()
	claims := s.claims
	s.mu.Unlock()
	for _, c := range claims {
		if c.Offer(raw) {
			return true
		}
	}
	return false
}

// Claim implements [xmpp.Session].
func (s *Session) Claim(match func(stanza.Header) bool) *xmpp.Claim {
	c := xmpp.NewClaim(match, s.disclaim)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		c.Fail(s.closed())
		return c
	}
	s.claims = append(s.claims[:len(s.claims):len(s.claims)], c)
	return c
}

// disclaim forgets a claim that was closed.
func (s *Session) disclaim(c *xmpp.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*xmpp.Claim
	for _, other := range s.claims {
		if other != c {
			rest = append(rest, other)
		}
	}
	s.claims = rest
}
