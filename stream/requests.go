package stream

import (
	"context"
	"encoding/xml"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// requestsBefore is how many requests a client may make before it has logged in.
const requestsBefore = 20

// Requests is the [Feature] that answers requests of clients that have not logged in, such as one
// for an account (XEP-0077). It is for the receiving entity, and not possible after authentication.
type Requests struct {
	// Offers is what the features say about it. The first gives the feature its name.
	Offers []stanza.Payload
	// Takes reports whether a request with a payload of that name is answered. Others end the stream (RFC
	// 6120 §7.1).
	Takes func(t stanza.IQType, name xml.Name) bool
	// Answer answers a request. An error that is no [*stanza.Error] or [stanza.Condition] is
	// internal-server-error to the client. ctx ends with negotiation.
	Answer func(ctx context.Context, n *Negotiation, iq *stanza.IQ) (stanza.Payload, error)
}

// Name implements [Feature].
func (f Requests) Name() xml.Name {
	if len(f.Offers) == 0 {
		return xml.Name{}
	}
	return Announce{Payload: f.Offers[0]}.Name()
}

// Possible implements [Feature].
func (Requests) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (f Requests) Offer(_ *Negotiation, w *stanza.Writer) {
	for _, p := range f.Offers {
		w.Payload(p)
	}
}

// Wants implements [Feature].
func (f Requests) Wants(e stanza.Element) bool {
	return e.Is(stanza.NS, "iq") && f.Takes(stanza.IQType(e.Attr("type")), e.First().Name())
}

// Serve implements [Feature].
func (f Requests) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	raw, err := stanza.NewRaw(e, jid.ParseLenient)
	if raw == nil {
		return &Error{Condition: BadFormat}
	}
	h := raw.Header()
	answer := stanza.IQ{ID: h.ID, Type: stanza.IQResult, From: n.Domain()}
	var iq stanza.IQ
	if err == nil {
		iq, err = raw.IQ()
	}
	if err == nil && !h.To.IsZero() && h.To != n.Domain() {
		err = stanza.NotAuthorized
	}
	if err == nil {
		answer.Payload, err = f.Answer(ctx, n, &iq)
	}
	if err != nil {
		refusal, ok := stanza.AsError(err)
		if !ok {
			refusal = &stanza.Error{Condition: stanza.InternalServerError}
		}
		answer.Type, answer.Payload, answer.Error = stanza.IQError, nil, refusal
	}
	if err := n.Reply(answer); err != nil {
		return err
	}
	return n.Retry(f.Name(), requestsBefore)
}

// Use implements [Feature].
func (Requests) Use(context.Context, *Negotiation, stanza.Element) error { return nil }
