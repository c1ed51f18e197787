package stream

import (
	"context"
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// BeforeLogin is the [Feature] of an initiating entity that has something to ask before it logs in, such
// as for an account (XEP-0077): the counterpart of [Requests]. It needs no offer, and has no name: Do finds in
// [Negotiation.Features] what the server can do. It comes before the features for authentication, and is called on each stream that
// is not authenticated. To give it to the receiving entity does nothing.
type BeforeLogin struct {
	// Do asks by [Negotiation.Query]. Its error ends the stream.
	Do func(ctx context.Context, n *Negotiation) error
}

// Name implements [Feature].
func (BeforeLogin) Name() xml.Name { return xml.Name{} }

// Possible implements [Feature].
func (BeforeLogin) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (BeforeLogin) Offer(*Negotiation, *stanza.Writer) {}

// Wants implements [Feature].
func (BeforeLogin) Wants(stanza.Element) bool { return false }

// Serve implements [Feature].
func (BeforeLogin) Serve(context.Context, *Negotiation, stanza.Element) error { return nil }

// Use implements [Feature].
func (f BeforeLogin) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	return f.Do(ctx, n)
}

// Query sends a request to the server and returns the result that answers it. An error answer is a
// [*stanza.Error]; after it the stream goes on, after any other error it does not. Nothing but the answer may come meanwhile.
func (n *Negotiation) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	if !iq.Type.IsRequest() {
		return stanza.IQ{}, fmt.Errorf("stream: an IQ of type %q is not a request", iq.Type)
	}
	iq.ID = stanza.NewID() // its own: the answer is known by it alone
	if err := n.Write(func(w *stanza.Writer) { w.Payload(iq) }); err != nil {
		return stanza.IQ{}, err
	}
	e, err := n.Read(ctx)
	if err != nil {
		return stanza.IQ{}, err
	}
	raw, err := stanza.NewRaw(e, jid.ParseLenient)
	if err != nil || raw.Header().Kind != stanza.KindIQ {
		return stanza.IQ{}, unexpected(e)
	}
	answer, err := raw.IQ()
	if err != nil || answer.Type.IsRequest() || answer.ID != iq.ID || !answer.From.IsZero() && answer.From != n.Domain() {
		return stanza.IQ{}, unexpected(e)
	}
	if answer.Error != nil {
		return stanza.IQ{}, answer.Error
	}
	return answer, nil
}
