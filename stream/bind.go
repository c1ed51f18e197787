package stream

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsBind = "urn:ietf:params:xml:ns:xmpp-bind"

// bindRetries is how often a client may ask again (RFC 6120 §7.7.3: 5 to 10).
const bindRetries = 10

// Bind is the [Feature] that gives the initiating entity its full JID (RFC 6120
// §7), for both roles.
type Bind struct {
	// Resource is what the initiating entity wishes for; empty leaves it to the
	// server. It is a wish: the server may give another one, and if it is taken
	// or not accepted the server is asked for a random one.
	Resource string
	// Assign decides, for the receiving entity, which full JID of the account
	// the stream gets: wanted is a valid resourcepart, or empty if the client
	// has no wish or none that could be met. An assigned resourcepart that the client did
	// not choose has to be random (§7.6), such as [rand.Text] makes.
	//
	// A [*stanza.Error] or [stanza.Condition] is told to the client, which may
	// try again: resource-constraint when it has too many (§7.6.2.1), conflict
	// (§7.7.2.2), not-allowed. Any other error is internal-server-error.
	// Nil gives the client its wish, or a random resourcepart.
	Assign func(ctx context.Context, account jid.JID, wanted string) (jid.JID, error)
}

// Name implements [Feature].
func (Bind) Name() xml.Name { return xml.Name{Space: nsBind, Local: "bind"} }

// Possible implements [Feature].
func (Bind) Possible(s State) bool { return s.Has(Authenticated) && !s.Has(Bound) }

// Offer implements [Feature].
func (Bind) Offer(_ *Negotiation, w *stanza.Writer) { w.Element(nsBind, "bind", "") }

// Wants implements [Feature].
func (Bind) Wants(e stanza.Element) bool {
	return e.Is(stanza.NS, "iq") && !e.Child(nsBind, "bind").IsZero()
}

// Serve implements [Feature].
func (f Bind) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	if !n.addressed(e) {
		return &Error{Condition: NotAuthorized} // §7.1
	}
	iq, full, err := f.assign(ctx, n, e)
	if err != nil {
		refusal, ok := stanza.AsError(err)
		if !ok {
			refusal = &stanza.Error{Condition: stanza.InternalServerError}
		}
		n.c.event("bind", "refused: "+string(refusal.Condition))
		if err := n.Reply(iq.Fail(refusal)); err != nil {
			return err
		}
		return n.Retry(f.Name(), bindRetries)
	}
	if err := n.Reply(iq.Result(binding{jid: full})); err != nil {
		return err
	}
	return n.Bound(full)
}

// assign reads the request and finds a full JID for it.
func (f Bind) assign(ctx context.Context, n *Negotiation, e stanza.Element) (iq stanza.IQ, full jid.JID, err error) {
	raw, err := stanza.NewRaw(e, jid.ParseLenient)
	if raw == nil {
		return iq, full, stanza.BadRequest
	}
	h := raw.Header()
	iq.ID, iq.From, iq.To = h.ID, h.From, h.To // for the answer, whatever else is wrong
	if err != nil {
		return iq, full, err
	}
	request, err := raw.IQ()
	if err != nil {
		return iq, full, err
	}
	wanted, err := readWish(e.Child(nsBind, "bind"), n.Account())
	if request.Type != stanza.IQSet || err != nil {
		return iq, full, stanza.BadRequest
	}
	if f.Assign != nil {
		full, err = f.Assign(ctx, n.Account(), wanted)
		if err == nil && !full.IsFull() {
			err = errors.New("stream: bind: the assigned address is not a full JID")
		}
		return iq, full, err
	}
	if wanted == "" {
		wanted = rand.Text()
	}
	full, err = n.Account().WithResource(wanted)
	return iq, full, err
}

// readWish returns the resourcepart that the client wishes for, in canonical
// form. One that cannot be met is no wish: the client gets what conforms (§7.7.2.1).
func readWish(bind stanza.Element, account jid.JID) (string, error) {
	children := slices.Collect(bind.Children())
	switch {
	case len(children) == 0:
		return "", nil
	case len(children) > 1 || !children[0].Is(nsBind, "resource") || !children[0].First().IsZero():
		return "", stanza.BadRequest
	}
	full, err := account.WithResource(children[0].Text())
	if err != nil {
		return "", nil
	}
	return full.Resourcepart(), nil
}

// Use implements [Feature].
func (f Bind) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	full, err := f.ask(ctx, n, f.Resource)
	if f.Resource != "" && (errors.Is(err, stanza.Conflict) || errors.Is(err, stanza.BadRequest)) {
		full, err = f.ask(ctx, n, "")
	}
	if err != nil {
		return err
	}
	return n.Bound(full)
}

// ask asks the server for a resource. A refusal is a [*stanza.Error].
func (f Bind) ask(ctx context.Context, n *Negotiation, wish string) (jid.JID, error) {
	request := stanza.IQ{Type: stanza.IQSet, ID: stanza.NewID(), Payload: binding{resource: wish}}
	answer, err := query(ctx, n, request)
	if err != nil {
		return jid.JID{}, refused("bind", err)
	}
	text := strings.TrimSpace(answer.Child(nsBind, "bind").Child(nsBind, "jid").Text())
	full, err := jid.ParseLenient(text)
	if err != nil || !full.IsFull() {
		return jid.JID{}, errors.New("stream: bind: the server assigned no full JID")
	}
	// What is trusted as the own account (xmpp.OriginOf) follows from it.
	own := n.Account().Bare()
	if full.Domain() != n.Domain() || own.Localpart() != "" && full.Bare() != own {
		return jid.JID{}, fmt.Errorf("stream: bind: the server assigned an address of somebody else, %s", full)
	}
	return full, nil
}

// refused says at which request the server answered with an error. Any other
// error speaks for itself.
func refused(what string, err error) error {
	if _, ok := errors.AsType[*stanza.Error](err); ok {
		return fmt.Errorf("stream: %s: %w", what, err)
	}
	return err
}

// query sends a request to the server and returns the result. An error answer is
// a [*stanza.Error]. Nothing else is expected; what comes is dropped.
func query(ctx context.Context, n *Negotiation, request stanza.IQ) (stanza.Element, error) {
	if err := n.Write(func(w *stanza.Writer) { w.Payload(request) }); err != nil {
		return stanza.Element{}, err
	}
	for {
		e, err := n.Read(ctx)
		if err != nil {
			return e, err
		}
		if !e.Is(stanza.NS, "iq") || e.Attr("id") != request.ID {
			continue
		}
		raw, err := stanza.NewRaw(e, jid.ParseLenient)
		if raw == nil {
			return e, err
		}
		switch stanza.IQType(raw.Header().Type) {
		case stanza.IQResult:
			return e, nil
		case stanza.IQError:
			return e, raw.Failure()
		}
	}
}

// A binding is the payload of a request, with a resource or without, and of the
// result, with a JID.
type binding struct {
	resource string
	jid      jid.JID
}

// AppendXML implements [stanza.Payload].
func (b binding) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(nsBind, "bind")
	if b.resource != "" {
		w.Element("", "resource", b.resource)
	}
	if !b.jid.IsZero() {
		w.Element("", "jid", b.jid.String())
	}
	w.End()
	return w.Bytes()
}
