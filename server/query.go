package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// queryTimeout bounds a query whose context has no deadline.
const queryTimeout = 30 * time.Second

// A question is what an answer is matched by.
type question struct {
	id       string
	asked    jid.JID
	askedFor jid.JID // the address of ours that asked
}

// Query implements [xmpp.Session].
func (sv *service) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	if !iq.Type.IsRequest() {
		return stanza.IQ{}, &xmpp.UnsentError{Err: fmt.Errorf("server: a query has type get or set, not %.20q", iq.Type)}
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, queryTimeout, xmpp.ErrTimeout)
		defer cancel()
	}
	if node := sv.srv.cluster.Node(); iq.ID == "" && node != "" {
		iq.ID = string(node) + nodeSep + stanza.NewID() // by which another node that gets the answer knows whose it is
	}
	st, h, err := sv.prepare(ctx, iq)
	if err != nil {
		return stanza.IQ{}, &xmpp.UnsentError{Err: err}
	}
	q := question{h.ID, h.To, h.From}
	answer, err := sv.ask(q)
	if err != nil {
		return stanza.IQ{}, &xmpp.UnsentError{Err: err}
	}
	defer sv.unask(q)
	if err := sv.route(ctx, st, h); err != nil {
		return stanza.IQ{}, &xmpp.UnsentError{Err: err}
	}
	select {
	case raw := <-answer:
		iq, err := raw.IQ()
		if err == nil && iq.Error != nil {
			err = iq.Error
		}
		return iq, err
	case <-ctx.Done():
		return stanza.IQ{}, fmt.Errorf("server: query %s: %w", h.To, context.Cause(ctx))
	}
}

func (sv *service) ask(q question) (<-chan *stanza.Raw, error) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if _, taken := sv.queries[q]; taken {
		return nil, fmt.Errorf("server: the id %.40q is taken by a query that still waits", q.id)
	}
	answer := make(chan *stanza.Raw, 1)
	sv.queries[q] = answer
	return answer, nil
}

func (sv *service) unask(q question) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	delete(sv.queries, q)
}

// Claim implements [xmpp.Session].
func (sv *service) Claim(match func(stanza.Header) bool) *xmpp.Claim {
	c := xmpp.NewClaim(match, func(c *xmpp.Claim) {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		sv.claims = slices.DeleteFunc(slices.Clone(sv.claims), func(o *xmpp.Claim) bool { return o == c })
	})
	sv.mu.Lock()
	defer sv.mu.Unlock()
	sv.claims = append(slices.Clip(sv.claims), c)
	return c
}

// take gives a stanza to the query or the claim that waits for it. An answer that
// nobody waits for is dropped (RFC 6120 §10.3.3).
func (sv *service) take(raw *stanza.Raw) bool {
	h := raw.Header()
	if h.Kind == stanza.KindIQ {
		switch stanza.IQType(h.Type) {
		case stanza.IQResult, stanza.IQError:
			if !sv.answered(question{h.ID, h.From, h.To}, raw) {
				sv.srv.answerElsewhere(raw, h)
			}
			return true
		}
		return false
	}
	sv.mu.Lock()
	claims := sv.claims
	sv.mu.Unlock()
	return slices.ContainsFunc(claims, func(c *xmpp.Claim) bool { return c.Offer(raw) })
}

// answered gives an answer to the query that waits for it, and reports whether one does.
func (sv *service) answered(q question, raw *stanza.Raw) bool {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	answer := sv.queries[q]
	if answer != nil {
		answer <- raw // it has room, once
		delete(sv.queries, q)
	}
	return answer != nil
}
