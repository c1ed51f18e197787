package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A query waits for its answer.
type query struct {
	id       string
	to, from jid.JID          // as sent; from is zero where the server stamps it
	answer   chan *stanza.Raw // has room for the one answer
	next     *query           // of the same id
	epoch    *epoch           // in which it was asked
}

// answeredBy reports whether an answer with that header is for q, on a session of
// local. An id says little: anybody can write one (RFC 6120 §8.1.3).
func (q *query) answeredBy(h *stanza.Header, local jid.JID) bool {
	if !q.from.IsZero() {
		if !h.To.IsZero() && h.To != q.from {
			return false
		}
		local = q.from
	}
	return xmpp.AnswersFor(local, q.to, h.From)
}

// Query implements [xmpp.Session].
func (s *Session) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	if !iq.Type.IsRequest() {
		return stanza.IQ{}, &xmpp.UnsentError{Err: fmt.Errorf("xmpp: a query has type get or set, not %.20q", iq.Type)}
	}
	if _, bounded := ctx.Deadline(); !bounded && s.opts.QueryTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.opts.QueryTimeout, xmpp.ErrTimeout)
		defer cancel()
	}
	st, h, err := s.prepare(ctx, iq)
	if err != nil {
		return stanza.IQ{}, &xmpp.UnsentError{Err: err}
	}
	// The answer may be here before Send returns.
	q := &query{id: h.ID, to: h.To, from: h.From, answer: make(chan *stanza.Raw, 1)}
	if err := s.register(q); err != nil {
		return stanza.IQ{}, &xmpp.UnsentError{Err: err}
	}
	defer s.forget(q)
	receipt, err := s.conn.Send(ctx, st, h)
	if err != nil {
		return stanza.IQ{}, s.unsent(ctx, q, err)
	}
	return s.await(ctx, q, receipt)
}

// await waits for the answer to a query that has been sent.
func (s *Session) await(ctx context.Context, q *query, receipt xmpp.Receipt) (stanza.IQ, error) {
	select {
	case raw := <-q.answer:
		return s.outcome(q, raw)
	case <-ctx.Done():
	case <-s.done:
	case <-q.epoch.over:
	}
	select {
	case raw := <-q.answer: // it came just before; select does not prefer it to what came after
		return s.outcome(q, raw)
	default:
	}
	select {
	case <-s.done:
	case <-q.epoch.over:
	default:
		err := s.gaveUp(ctx, q)
		if receipt.Withdraw() { // nobody waits for the answer any more
			err = &xmpp.UnsentError{Err: err}
		}
		return stanza.IQ{}, err
	}
	receipt.Withdraw()
	var err error
	select {
	case <-q.epoch.over:
		err = q.epoch.err
	default:
		err = s.closed()
	}
	if stage, _ := receipt.Await(ctx, xmpp.Sent); stage == xmpp.Dropped {
		err = &xmpp.UnsentError{Err: err}
	}
	return stanza.IQ{}, err
}

// outcome reads the answer.
func (s *Session) outcome(q *query, raw *stanza.Raw) (stanza.IQ, error) {
	iq, err := raw.IQ()
	if err != nil {
		// Not %w: it is not the peer who said bad-request.
		return iq, fmt.Errorf("xmpp: the answer of %s is malformed: %v", s.peer(q), err)
	}
	if iq.Error != nil {
		return iq, iq.Error
	}
	return iq, nil
}

// gaveUp says why a query whose context is done has no answer.
func (s *Session) gaveUp(ctx context.Context, q *query) error {
	switch err := context.Cause(ctx); {
	case errors.Is(err, xmpp.ErrTimeout):
		return fmt.Errorf("%w from %s", xmpp.ErrTimeout, s.peer(q))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w from %s: %w", xmpp.ErrTimeout, s.peer(q), err)
	default:
		return fmt.Errorf("xmpp: query %s: %w", s.peer(q), err)
	}
}

// unsent adds to err of Send whom it was for, where the context is to blame.
func (s *Session) unsent(ctx context.Context, q *query, err error) error {
	if ctx.Err() == nil || errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, context.Cause(ctx)) {
		return err
	}
	if xmpp.SafeToRetry(err) {
		return &xmpp.UnsentError{Err: s.gaveUp(ctx, q)}
	}
	return s.gaveUp(ctx, q)
}

// peer is who has to answer.
func (s *Session) peer(q *query) jid.JID {
	if q.to.IsZero() {
		return s.LocalAddr().Bare()
	}
	return q.to
}

// register makes the reader look for the answer to q.
func (s *Session) register(q *query) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return s.closed()
	}
	for other := s.queries[q.id]; other != nil; other = other.next {
		if other.to == q.to && other.from == q.from {
			return fmt.Errorf("xmpp: the id %.40q is taken by a query that still waits", q.id)
		}
	}
	q.epoch = s.epoch
	q.next = s.queries[q.id]
	s.queries[q.id] = q
	s.waiting++
	s.rouse()
	return nil
}

// forget undoes register, if nothing has yet.
func (s *Session) forget(q *query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(func(other *query) bool { return other == q }, q.id)
}

// deliver gives an answer to the query it is for and reports whether there is
// one.
func (s *Session) deliver(raw *stanza.Raw, h *stanza.Header) bool {
	local := s.conn.LocalAddr()
	s.mu.Lock()
	q := s.remove(func(q *query) bool { return q.answeredBy(h, local) }, h.ID)
	s.mu.Unlock()
	if q == nil {
		return false
	}
	q.answer <- raw
	return true
}

// remove takes out the first query of an id that match likes. It is called with
// mu held.
func (s *Session) remove(match func(*query) bool, id string) *query {
	var before *query
	for q := s.queries[id]; q != nil; before, q = q, q.next {
		if !match(q) {
			continue
		}
		switch {
		case before != nil:
			before.next = q.next
		case q.next != nil:
			s.queries[id] = q.next
		default:
			delete(s.queries, id)
		}
		s.waiting--
		return q
	}
	return nil
}
