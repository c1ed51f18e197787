package stream

import (
	"context"
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ClientSASL is the [Feature] with which the initiating entity says who it is
// (RFC 6120 §6). Printing a value shows no credentials.
//
// The mechanism is the best that is offered and that credentials, channel and
// policy allow; see [sasl.Select]. There is no fallback to a weaker one after a
// failure. That the server has not proven itself where the mechanism makes it do
// so is an error, [sasl.ErrServerNotProven].
type ClientSASL struct {
	Credentials sasl.Credentials
	Policy      *sasl.Policy // nil is the default one
	// Retry is asked, if it is not nil, for other credentials when the server
	// has refused, as by the person who mistyped a password. Nil from it gives
	// up. The server allows a few attempts and the context of [Initiate] goes on
	// running.
	Retry func(ctx context.Context, failure *AuthError) *sasl.Credentials
}

// Name implements [Feature].
func (ClientSASL) Name() xml.Name { return mechanismsName }

// Possible implements [Feature].
func (ClientSASL) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (ClientSASL) Offer(*Negotiation, *stanza.Writer) {}

// Wants implements [Feature].
func (ClientSASL) Wants(stanza.Element) bool { return false }

// Serve implements [Feature].
func (ClientSASL) Serve(context.Context, *Negotiation, stanza.Element) error { return nil }

// Use implements [Feature].
func (f ClientSASL) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	creds := &f.Credentials
	for {
		exchange, err := sasl.Select(readOffer(n.Features()), creds, n.Channel(), f.Policy)
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		failure, err := authenticate(ctx, n, exchange)
		if err != nil {
			return err
		}
		if failure == nil {
			n.c.event("sasl", exchange.Name())
			n.c.mechanism = exchange.Name()
			return n.Authenticated(n.Account())
		}
		if f.Retry == nil {
			return failure
		}
		if creds = f.Retry(ctx, failure); creds == nil {
			return failure
		}
	}
}

// authenticate runs one exchange. The failure is the server's word that it came
// to nothing; the stream is as it was then.
func authenticate(ctx context.Context, n *Negotiation, exchange sasl.Client) (failure *AuthError, err error) {
	initial, err := exchange.Start()
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	err = n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL, "auth")
		w.Attr("mechanism", exchange.Name())
		writeData(w, initial)
		w.End()
	})
	for err == nil {
		var e stanza.Element
		if e, err = n.Read(ctx); err != nil {
			break
		}
		switch {
		case e.Is(nsSASL, "challenge"):
			err = respond(n, exchange, e)
		case e.Is(nsSASL, "success"):
			return nil, succeed(exchange, e)
		case e.Is(nsSASL, "failure"):
			return parseFailure(e), nil
		default:
			err = unexpected(e)
		}
	}
	return nil, err
}

// respond answers a challenge, or aborts the exchange (§6.4.4).
func respond(n *Negotiation, exchange sasl.Client, e stanza.Element) error {
	challenge, err := readMessage(e)
	var response []byte
	if err == nil {
		response, err = exchange.Next(challenge)
	}
	if err != nil {
		_ = n.Write(func(w *stanza.Writer) { w.Element(nsSASL, "abort", "") })
		return fmt.Errorf("stream: %w", err)
	}
	return n.Write(func(w *stanza.Writer) { writeMessage(w, "response", response) })
}

// succeed checks whether the server is right in saying so.
func succeed(exchange sasl.Client, e stanza.Element) error {
	additional, err := readData(e)
	if err == nil {
		err = exchange.Finish(additional)
	}
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}
