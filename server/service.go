package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// queryTimeout bounds a query whose context has no deadline.
const queryTimeout = 30 * time.Second

// serviceBytes is how much of what comes from no session may wait for the
// handlers of a service. What is beyond that is dropped: it is presence.
const serviceBytes = 4 << 20

// overhead is what a stanza takes beside its bytes while it waits.
const overhead = 512

// A service is a domain of the server as an entity: the [xmpp.Session] of
// whoever handles what is addressed to it.
//
// What a session sends to it is handled by the session's worker, one after
// another. Slow handlers hold up that client and nobody else, and a handler may
// query the very client it serves. Presence that accounts broadcast to it, and
// what else comes from no session, is handled by its own worker.
type service struct {
	srv      *Server
	addr     jid.JID
	handler  xmpp.Handler
	outgoing xmpp.Outgoing // nil if the handler is none
	work     *worker       // for what comes from no session
	log      *slog.Logger

	mu      sync.Mutex // guards the fields below
	queries map[question]chan *stanza.Raw
	claims  []*xmpp.Claim // replaced, never changed
}

// A question is what an answer is matched by.
type question struct {
	id       string
	asked    jid.JID
	askedFor jid.JID // the address of ours that asked
}

var errNotOurs = errors.New("server: not an address of this service")

// Session returns the session of a domain that the server serves, for programs
// that speak in its name: what it sends is from the domain, and what is sent to
// the domain is handled by [Options.Mux]. It is also what handlers find in
// their context. Its RemoteAddr is the domain too: the other side is everybody.
func (s *Server) Session(domain jid.JID) (xmpp.Session, error) {
	if sv := s.services[domain]; sv != nil {
		return sv, nil
	}
	return nil, fmt.Errorf("server: %s is not served here", domain)
}

// LocalAddr implements [xmpp.Session].
func (sv *service) LocalAddr() jid.JID { return sv.addr }

// RemoteAddr implements [xmpp.Session].
func (sv *service) RemoteAddr() jid.JID { return sv.addr }

// Send implements [xmpp.Session]. It routes the stanza at once; where it goes
// on, and whether it does, is not known.
func (sv *service) Send(ctx context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	st, h, err := sv.prepare(ctx, st)
	if err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	if err := sv.route(ctx, st, h); err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	return xmpp.NewReceipt(routed{}, 0), nil
}

// prepare returns what is sent in place of st, and its header.
func (sv *service) prepare(ctx context.Context, st stanza.Stanza) (stanza.Stanza, stanza.Header, error) {
	if sv.outgoing != nil {
		var err error
		if st, err = sv.outgoing.OutgoingStanza(xmpp.WithSession(ctx, sv), st); err != nil {
			return nil, stanza.Header{}, err
		}
	}
	h := st.Header()
	if h.From.IsZero() {
		h.From = sv.addr
	}
	if h.From.Domain() != sv.addr || h.From.Localpart() != "" {
		return nil, h, fmt.Errorf("%w: %s", errNotOurs, h.From)
	}
	if h.To.IsZero() {
		return nil, h, errors.New("server: a stanza from a service needs a recipient")
	}
	if h.ID == "" && h.Kind != stanza.KindPresence {
		h.ID = stanza.NewID()
	}
	return st, h, nil
}

// route brings a stanza of the service to its recipient.
func (sv *service) route(ctx context.Context, st stanza.Stanza, h stanza.Header) error {
	raw, err := withHeader(st, h)
	if err != nil {
		return err
	}
	if !sv.srv.begin() {
		return errShutDown
	}
	defer sv.srv.end()
	h = raw.Header()
	switch h.Kind {
	case stanza.KindMessage:
		sv.srv.routeMessage(ctx, sv, raw, h)
	case stanza.KindIQ:
		sv.srv.routeIQ(ctx, sv, raw, h)
	case stanza.KindPresence:
		sv.routePresence(ctx, raw, h)
	}
	return nil
}

func (sv *service) routePresence(ctx context.Context, raw *stanza.Raw, h stanza.Header) {
	switch {
	case !sv.srv.hosts(h.To):
		refuseTo(ctx, sv, h, stanza.RemoteServerNotFound)
	case isSubscription(stanza.PresenceType(h.Type)):
		ctx, cancel := lasting(ctx)
		defer cancel()
		h.To = h.To.Bare()
		follow(ctx, func(ctx context.Context) []task { return sv.srv.inbound(ctx, raw, h) })
	case h.Type == string(stanza.PresenceProbe):
		ctx, cancel := lasting(ctx)
		defer cancel()
		follow(ctx, func(ctx context.Context) []task { return sv.srv.answerProbe(ctx, h, nil) })
	case h.To.Localpart() == "":
		sv.srv.services[h.To.Domain()].receive(ctx, sv, raw, h)
	default:
		sv.srv.tell(raw, h, nil)
	}
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

// answer implements [origin]: what comes back to the service.
func (sv *service) answer(ctx context.Context, st stanza.Stanza) {
	sv.receive(ctx, sv, st, st.Header())
}

func (sv *service) trusted() bool { return true }

func (sv *service) context() context.Context { return lifetime{sv.srv.aborted} }

// receive takes in a stanza addressed to the service. It waits while too
// many of its origin wait to be handled.
func (sv *service) receive(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) {
	j, ok := sv.job(o, st, h)
	if !ok {
		return
	}
	work := sv.work
	if client, ok := o.(*session); ok {
		work = client.work
	}
	if err := work.put(ctx, j); err != nil {
		sv.log.Warn("a stanza to a service was dropped", "peer", h.From, "id", h.ID, "err", err)
	}
}

// offer is [service.receive] for callers that must not wait, and to whom
// nothing can be answered.
func (sv *service) offer(st stanza.Stanza, h stanza.Header) {
	if j, ok := sv.job(sv, st, h); ok && !sv.work.offer(j) {
		sv.log.Warn("a stanza to a service was dropped", "peer", h.From, "id", h.ID)
	}
}

// job returns what is to be done about a stanza, false if nothing remains to be.
func (sv *service) job(o origin, st stanza.Stanza, h stanza.Header) (job, bool) {
	raw, err := withHeader(st, h)
	if err != nil {
		sv.log.Error("a stanza to a service could not be read", "peer", h.From, "id", h.ID, "err", err)
		return job{}, false
	}
	if sv.take(raw) {
		return job{}, false
	}
	return job{func() { sv.serve(o, raw) }, raw.Len() + overhead}, true
}

// take gives a stanza to the query or the claim that waits for it. An answer that
// nobody waits for is dropped (RFC 6120 §10.3.3).
func (sv *service) take(raw *stanza.Raw) bool {
	h := raw.Header()
	if h.Kind == stanza.KindIQ {
		switch stanza.IQType(h.Type) {
		case stanza.IQResult, stanza.IQError:
			sv.mu.Lock()
			defer sv.mu.Unlock()
			q := question{h.ID, h.From, h.To}
			if answer := sv.queries[q]; answer != nil {
				answer <- raw // it has room, once
				delete(sv.queries, q)
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

// serve has a stanza handled, and answers a request exactly once whatever the
// handler does (RFC 6120 §8.2.3).
func (sv *service) serve(o origin, raw *stanza.Raw) {
	h := raw.Header()
	ctx := o.context()
	payload, err := sv.call(xmpp.WithSession(ctx, sv), raw)
	if err != nil {
		if _, ok := stanza.AsError(err); !ok {
			sv.log.Error("a handler failed", "peer", h.From, "id", h.ID, "err", err)
		}
	}
	switch {
	case h.Kind != stanza.KindIQ:
	case err != nil:
		refuseTo(ctx, o, h, err)
	default:
		sv.reply(ctx, o, stanza.IQ{To: h.From, From: h.To, ID: h.ID, Type: stanza.IQResult, Payload: payload})
	}
}

// call calls the handler and makes a panic of it an error.
func (sv *service) call(ctx context.Context, raw *stanza.Raw) (payload stanza.Payload, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return sv.handler.HandleStanza(ctx, raw)
}

// reply sends the answer to a request. One that cannot be written, or that a
// layer of the mux refuses to let out, becomes an internal-server-error.
func (sv *service) reply(ctx context.Context, o origin, iq stanza.IQ) {
	st, err := sv.written(ctx, iq)
	if err != nil {
		sv.log.Error("an answer could not be sent", "peer", iq.To, "id", iq.ID, "err", err)
		st = stanza.IQ{To: iq.To, From: iq.From, ID: iq.ID, Type: stanza.IQError, Error: &stanza.Error{Condition: stanza.InternalServerError}}
	}
	o.answer(ctx, st)
}

// written returns an answer as it is to leave. Code of others writes it: a panic
// of that is an error too.
func (sv *service) written(ctx context.Context, iq stanza.IQ) (st stanza.Stanza, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	st, h, err := sv.prepare(ctx, iq)
	if err != nil {
		return nil, err
	}
	return withHeader(st, h)
}

// routed is the [xmpp.Progress] of what has been routed.
type routed struct{}

func (routed) Stage(uint64) xmpp.Stage { return xmpp.Sent }

func (routed) Await(_ context.Context, _ uint64, want xmpp.Stage) (xmpp.Stage, error) {
	if want == xmpp.Acked {
		return xmpp.Sent, errors.New("server: what a service sends is not acknowledged")
	}
	return xmpp.Sent, nil
}
