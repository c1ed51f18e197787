package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

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

var (
	errNotOurs     = errors.New("server: not an address of this service")
	errNoRecipient = errors.New("server: a stanza from a service needs a recipient")
)

// Session returns the session of a domain that the server serves, for programs
// that speak in its name: what it sends is from the domain, and what is sent to
// the domain is handled by [Options.Mux]. It is also what handlers find in
// their context. Its RemoteAddr is the domain too: the other side is everybody.
func (s *Server) Session(domain jid.JID) (xmpp.Session, error) {
	if sv := s.service(domain); sv != nil {
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
		return nil, h, errNoRecipient
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
		if h.To.IsFull() && h.Type != string(stanza.PresenceSubscribe) && sv.srv.session(h.To) == nil {
			return // RFC 6121 §8.5.3.2.2
		}
		ctx, cancel := lasting(ctx)
		defer cancel()
		h.To = h.To.Bare()
		follow(ctx, func(ctx context.Context) []task { return sv.srv.inbound(ctx, raw, h) })
	case h.Type == string(stanza.PresenceProbe):
		ctx, cancel := lasting(ctx)
		defer cancel()
		follow(ctx, func(ctx context.Context) []task { return sv.srv.answerProbe(ctx, h, jid.JID{}) })
	case h.To.Localpart() == "":
		sv.srv.service(h.To.Domain()).receive(ctx, sv, raw, h)
	default:
		sv.srv.tell(raw, h, nil)
	}
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
	if sv == nil { // the domain has just been removed
		return
	}
	j, ok := sv.job(o, st, h)
	if !ok {
		return
	}
	work := sv.work
	client, ok := o.(*session)
	if ok {
		work, ctx = client.work, client.transport(ctx)
	}
	switch err := work.put(ctx, j); {
	case err == nil:
	case client != nil && ctx.Err() != nil:
		client.undone.Store(true)
	default:
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

// routed is the [xmpp.Progress] of what has been routed.
type routed struct{}

func (routed) Stage(uint64) xmpp.Stage { return xmpp.Sent }

func (routed) Await(_ context.Context, _ uint64, want xmpp.Stage) (xmpp.Stage, error) {
	if want == xmpp.Acked {
		return xmpp.Sent, errors.New("server: what a service sends is not acknowledged")
	}
	return xmpp.Sent, nil
}
