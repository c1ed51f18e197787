package stream

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ClientSASL2 is the [Feature] with which the initiating entity says who it is in the newer
// way (XEP-0388), and asks at the same time for what comes next: that a session is resumed
// (XEP-0198), else that a resource is bound (Bind 2, XEP-0386) and acknowledgements are enabled; and
// for a token for the next login (FAST, XEP-0484). With a ticket from before, all of that is one
// journey there and back after TLS. List it before [ClientSASL].
//
// Mechanisms are chosen as by [ClientSASL], and the server must prove itself as there. The
// zero fields ask for nothing.
type ClientSASL2 struct {
	Credentials sasl.Credentials
	Policy      *sasl.Policy
	Agent       UserAgent
	// Bind asks for a resource; nil leaves that to [Bind].
	Bind *Bind2
	// Ticket returns what Keep was given on an earlier stream; nil if there is nothing.
	Ticket func() *Ticket
	// Keep is called with a ticket for the next stream: with a new one when the server gives it out, with the
	// old one, its count raised, before it is used, and with nil when there is none any more, because the
	// server has refused it or was told to forget it. Tickets are not changed afterwards. Nil asks for
	// none. Tokens need an id of the Agent.
	Keep func(*Ticket)
	// Forget has the server forget the ticket that is used, as when somebody logs out, and asks for no
	// other.
	Forget bool
}

// Bind2 says what to bind (XEP-0386). The resource begins with the tag, and the server makes up the rest.
type Bind2 struct {
	// Tag says what the client is, shown to others.
	Tag string
	// Management enables acknowledgements, if it is not nil.
	Management *Management
	// Carbons asks for copies of what the other clients of the account send and get (XEP-0280).
	Carbons bool
	// Inactive says that nobody is looking (XEP-0352).
	Inactive bool
}

// Name implements [Feature].
func (ClientSASL2) Name() xml.Name { return sasl2Name }

// Possible implements [Feature].
func (ClientSASL2) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (ClientSASL2) Offer(*Negotiation, *stanza.Writer) {}

// Wants implements [Feature].
func (ClientSASL2) Wants(stanza.Element) bool { return false }

// Serve implements [Feature].
func (ClientSASL2) Serve(context.Context, *Negotiation, stanza.Element) error { return nil }

// attempt2 is one exchange of SASL2.
type attempt2 struct {
	f        ClientSASL2
	exchange sasl.Client
	ticket   *Ticket // that is used; nil without
	offer    offer2
	asked    string // the mechanism for which a token was asked for
	proven   bool   // the server has proven itself
	upgraded []sasl.Hash

	resumes, binds, manages bool // what was asked for
}

// early begins with what a ticket says, before the server has offered anything. It implements
// eager.
func (f ClientSASL2) early(n *Negotiation) ([]byte, error) {
	ticket := f.ticket()
	if !ticket.fresh() || !n.State().Has(Secure) || !f.Agent.valid() {
		return nil, nil
	}
	a, err := f.withTicket(n, ticket, ticket.offer())
	if a == nil {
		return nil, err
	}
	w := stanza.NewWriter(nil)
	if err := a.write(n, w); err != nil {
		return nil, err
	}
	n.begun = a
	return w.Bytes()
}

func (f ClientSASL2) ticket() *Ticket {
	if f.Ticket == nil {
		return nil
	}
	return f.Ticket()
}

// withTicket returns an attempt with a ticket, nil if the channel does not allow it.
func (f ClientSASL2) withTicket(n *Negotiation, ticket *Ticket, offer offer2) (*attempt2, error) {
	username := f.Credentials.Username
	exchange, err := sasl.NewTokenClient(username, ticket.Token, n.Channel())
	if errors.Is(err, sasl.ErrNoMechanism) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	used := *ticket
	used.Count++
	f.keep(&used)
	return &attempt2{f: f, exchange: exchange, ticket: &used, offer: offer}, nil
}

func (f ClientSASL2) keep(ticket *Ticket) {
	if f.Keep != nil {
		f.Keep(ticket)
	}
}

// Use implements [Feature].
func (f ClientSASL2) Use(ctx context.Context, n *Negotiation, e stanza.Element) error {
	offer := readOffer2(e)
	a := n.begun
	n.begun = nil
	if a == nil {
		if ticket := f.ticket(); ticket.fresh() && f.Agent.valid() && slices.Contains(offer.tokens, ticket.Token.Mechanism) {
			var err error
			if a, err = f.withTicket(n, ticket, offer); err != nil {
				return err
			}
		}
		if a != nil {
			if err := a.send(n); err != nil {
				return err
			}
		}
	}
	if a != nil {
		failure, err := a.run(ctx, n)
		if failure == nil || err != nil {
			return err
		}
		n.c.event("fast", "refused: "+string(failure.Condition))
		f.keep(nil)
	}
	return f.withCredentials(ctx, n, offer)
}

// withCredentials logs in without a ticket.
func (f ClientSASL2) withCredentials(ctx context.Context, n *Negotiation, offer offer2) error {
	listed := readOffer(n.Features()) // the channel bindings are beside the mechanisms
	listed.Mechanisms, listed.Listed = offer.mechanisms, true
	exchange, err := sasl.Select(listed, &f.Credentials, n.Channel(), f.Policy)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	a := &attempt2{f: f, exchange: exchange, offer: offer}
	if err := a.send(n); err != nil {
		return err
	}
	failure, err := a.run(ctx, n)
	if err == nil && failure != nil {
		return failure
	}
	return err
}

func (a *attempt2) send(n *Negotiation) error {
	w := stanza.NewWriter(nil)
	if err := a.write(n, w); err != nil {
		return err
	}
	b, err := w.Bytes()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return n.send(b)
}

// write writes the request, with all that is asked for inline.
func (a *attempt2) write(n *Negotiation, w *stanza.Writer) error {
	initial, err := a.exchange.Start()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	w.Start(nsSASL2, "authenticate")
	w.Attr("mechanism", a.exchange.Name())
	if initial != nil {
		writeData2(w, "initial-response", initial)
	}
	a.f.Agent.write(w)
	writeTasks(w, a.upgrades())
	if request := n.resumption(); request != nil && a.offer.sm {
		a.resumes = true
		request(w)
	}
	if a.f.Bind != nil && a.offer.bind {
		a.binds, a.manages = true, a.f.Bind.Management != nil && a.offer.binds(nsSM)
		a.f.Bind.write(w, a.offer)
	}
	a.writeFAST(n, w)
	w.End()
	return nil
}

// writeFAST says that a token is used, or asks for one.
func (a *attempt2) writeFAST(n *Negotiation, w *stanza.Writer) {
	switch {
	case a.ticket != nil:
		w.Start(nsFAST, "fast")
		w.Attr("count", strconv.Itoa(a.ticket.Count))
		if a.f.Forget {
			w.Attr("invalidate", "true")
		} else {
			a.asked = a.ticket.Token.Mechanism // the server may renew it
		}
		w.End()
	case a.f.Keep != nil && a.f.Agent.valid() && !a.f.Forget:
		for _, m := range sasl.TokenMechanisms(n.Channel()) {
			if slices.Contains(a.offer.tokens, m) {
				a.asked = m
				w.Start(nsFAST, "request-token")
				w.Attr("mechanism", m)
				w.End()
				return
			}
		}
	}
}

// write asks for a resource and what goes with it, as far as the server offers it.
func (b *Bind2) write(w *stanza.Writer, offer offer2) {
	w.Start(nsBind2, "bind")
	if b.Tag != "" {
		w.Element("", "tag", b.Tag)
	}
	if b.Management != nil && offer.binds(nsSM) {
		b.Management.request(w)
	}
	if b.Carbons && offer.binds(nsCopy) {
		w.Element(nsCopy, "enable", "")
	}
	if b.Inactive && offer.binds(nsCSI) {
		w.Element(nsCSI, "inactive", "")
	}
	w.End()
}

// run goes on to the end of an exchange that has been begun.
func (a *attempt2) run(ctx context.Context, n *Negotiation) (failure *AuthError, err error) {
	for {
		e, err := n.Read(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case e.Is(nsSASL2, "challenge"):
			if err := a.respond(n, e); err != nil {
				return nil, err
			}
		case e.Is(nsSASL2, "success"):
			return nil, a.succeed(ctx, n, e)
		case e.Is(nsSASL2, "failure"):
			return parseFailure(e), nil
		case e.Is(nsSASL2, "continue"):
			if err := a.proceed(ctx, n, e); err != nil {
				return nil, err
			}
		default:
			return nil, unexpected(e)
		}
	}
}

// errTasks is the error of a server that wants more than a proof.
var errTasks = fmt.Errorf("%w: the server asks for more than credentials", sasl.ErrNoMechanism)

func abort2(w *stanza.Writer) { w.Element(nsSASL2, "abort", "") }

func (a *attempt2) respond(n *Negotiation, e stanza.Element) error {
	challenge, err := readMessage(e)
	var response []byte
	if err == nil {
		response, err = a.exchange.Next(challenge)
	}
	if err != nil {
		_ = n.Write(abort2)
		return fmt.Errorf("stream: %w", err)
	}
	return n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "response")
		w.Text(encoded(response))
		w.End()
	})
}

// succeed takes in the server's word that all is well, and what came with it.
func (a *attempt2) succeed(ctx context.Context, n *Negotiation, e stanza.Element) error {
	additional, err := readData2(e.Child(nsSASL2, "additional-data"))
	if err == nil && !a.proven {
		err = a.exchange.Finish(additional)
	}
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	n.c.event("sasl", a.exchange.Name())
	n.c.mechanism = a.exchange.Name()
	identifier, err := jid.ParseLenient(e.Child(nsSASL2, "authorization-identifier").Text())
	if err != nil {
		return errors.New("stream: sasl: the server does not say who we are")
	}
	if own := n.Account(); own.Localpart() != "" && identifier.Bare() != own.Bare() || identifier.Domain() != n.Domain() {
		return fmt.Errorf("stream: sasl: the server takes us for somebody else, %s", identifier)
	}
	if err := n.authenticated(identifier.Bare()); err != nil {
		return err
	}
	a.keep(e)
	if err := a.bound(n, e, identifier); err != nil {
		return err
	}
	if n.resumed != nil { // no features follow (XEP-0198 §9.2)
		n.c.offered = stanza.Element{}
		return nil
	}
	return n.readFeatures(ctx) // there is no new stream (XEP-0388 §2.6)
}

// keep keeps a token that came, and forgets one that the server has forgotten.
func (a *attempt2) keep(e stanza.Element) {
	if a.ticket != nil && a.f.Forget {
		a.f.keep(nil)
		return
	}
	if token, ok := readToken(e, a.asked); ok && a.asked != "" {
		a.f.keep(&Ticket{Token: token, Bind: a.offer.bind, InBind: a.offer.inBind, Resume: a.offer.sm})
	}
}

// bound takes in what became of the requests to resume and to bind. What was not asked for does not
// count.
func (a *attempt2) bound(n *Negotiation, e stanza.Element, full jid.JID) error {
	if a.resumes {
		for _, local := range []string{"resumed", "failed"} {
			if answer := e.Child(nsSM, local); !answer.IsZero() {
				if err := n.takeResumption(answer); err != nil {
					return err
				}
			}
		}
	}
	bound := e.Child(nsBind2, "bound")
	if !a.binds || bound.IsZero() || n.State().Has(Bound) {
		return nil
	}
	if !full.IsFull() {
		return errors.New("stream: bind: the server assigned no full JID")
	}
	if err := n.Bound(full); err != nil {
		return err
	}
	if enabled := bound.Child(nsSM, "enabled"); a.manages && !enabled.IsZero() {
		return n.enable(enabled)
	}
	return nil
}
