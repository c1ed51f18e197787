package stream

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ServerSASL is the [Feature] with which the receiving entity learns who the
// initiating entity is (RFC 6120 §6). Only what was offered on the stream can be
// used on it.
//
// The account is the authenticated username at the domain of the stream, or the
// authorization identity, a bare JID at that domain, if the client named one and
// the Authenticator's Authorize allows it; see [Authorize]. A client that wrote
// another account into the from of its header is not let in (§6.4.6).
type ServerSASL struct {
	// Authenticator returns the authenticator for a domain that is served; nil if
	// nobody can log in there.
	Authenticator func(domain jid.JID) *sasl.Authenticator
	// For, if it is not nil, is asked in place of Authenticator. It also gets the account that the client
	// says it is in the from of its header, which it has not proven: zero if it does not say, or says it without TLS. It
	// has to return the same for the same as long as the stream lasts.
	For func(domain, account jid.JID) *sasl.Authenticator
	// Retries is how often a client may try a mechanism again on one stream.
	// Zero means 3; RFC 6120 §6.4.5 wants 2 to 5. It counts for each mechanism by itself,
	// so that a client can go down its list to one that both sides master.
	Retries int
}

// Authorize returns an Authorize function for [sasl.Options] that lets every
// account of a domain act as itself and nobody else: an authorization identity is
// then the account's own bare JID (RFC 6120 §6.3.8).
func Authorize(domain jid.JID) func(context.Context, sasl.Identity) error {
	return func(_ context.Context, id sasl.Identity) error {
		if id.Authzid == "" {
			return nil
		}
		own, err := jid.New(id.Username, domain.Domainpart(), "")
		if err != nil {
			return sasl.ErrNotAuthorized
		}
		if as, err := jid.Parse(id.Authzid); err != nil || as != own {
			return sasl.ErrInvalidAuthzid
		}
		return nil
	}
}

// Name implements [Feature].
func (ServerSASL) Name() xml.Name { return mechanismsName }

// Possible implements [Feature].
func (ServerSASL) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (f ServerSASL) Offer(n *Negotiation, w *stanza.Writer) {
	if auth := n.authenticator(f.Authenticator, f.For); auth != nil {
		writeOffer(w, auth.Offer(n.Channel()))
	}
}

// authenticator returns that for whoever opened the stream.
func (n *Negotiation) authenticator(of func(jid.JID) *sasl.Authenticator, who func(domain, account jid.JID) *sasl.Authenticator) *sasl.Authenticator {
	if who == nil {
		return of(n.Domain())
	}
	account := n.peer.Bare()
	if !n.State().Has(Secure) || account.Domain() != n.Domain() || account.Localpart() == "" {
		account = jid.JID{}
	}
	return who(n.Domain(), account)
}

// Wants implements [Feature].
func (ServerSASL) Wants(e stanza.Element) bool {
	name := e.Name()
	if name.Space != nsSASL {
		return false
	}
	switch name.Local {
	case "auth", "response", "abort":
		return true
	}
	return false
}

// Serve implements [Feature].
func (f ServerSASL) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	for {
		again, err := f.exchange(ctx, n, e)
		if err != nil || again.IsZero() {
			return err
		}
		e = again
	}
}

// Refuse answers who wants to authenticate where that cannot be, usually before
// TLS. It implements [Refuser].
func (f ServerSASL) Refuse(_ context.Context, n *Negotiation, e stanza.Element) error {
	switch {
	case n.State().Has(Authenticated):
		return unexpected(e)
	case !n.State().Has(Secure):
		return f.fail(n, "", sasl.ErrEncryptionRequired)
	}
	return f.fail(n, "", sasl.ErrInvalidMechanism)
}

// Use implements [Feature].
func (ServerSASL) Use(context.Context, *Negotiation, stanza.Element) error { return nil }

// exchange serves one exchange, which e begins. If it does not come to an end
// because the client begins another one, it returns the element that does so
// (§6.4.2).
func (f ServerSASL) exchange(ctx context.Context, n *Negotiation, e stanza.Element) (again stanza.Element, err error) {
	switch {
	case e.Is(nsSASL, "abort"):
		return again, f.fail(n, "", sasl.ErrAborted)
	case !e.Is(nsSASL, "auth"):
		return again, f.fail(n, "", sasl.ErrMalformed)
	}
	var mechanism string // the client's word for it only if it was offered
	server, err := f.begin(n, e.Attr("mechanism"))
	if server != nil {
		mechanism = server.Name()
	}
	var data []byte
	if err == nil {
		data, err = readData(e)
	}
	for {
		var challenge []byte
		var done bool
		if err == nil {
			challenge, done, err = server.Next(ctx, data)
		}
		if done && err == nil {
			return again, f.succeed(n, server, challenge)
		}
		if err != nil {
			return again, f.fail(n, mechanism, err)
		}
		if err := n.Write(func(w *stanza.Writer) { writeMessage(w, "challenge", challenge) }); err != nil {
			return again, err
		}
		e, readErr := n.Read(ctx)
		switch {
		case readErr != nil:
			return again, readErr
		case e.Is(nsSASL, "response"):
			data, err = readMessage(e)
		case e.Is(nsSASL, "abort"):
			return again, f.fail(n, mechanism, sasl.ErrAborted)
		case e.Is(nsSASL, "auth"):
			return e, f.retry(n, mechanism)
		default:
			return again, unexpected(e)
		}
	}
}

// begin starts the mechanism that the client chose.
func (f ServerSASL) begin(n *Negotiation, mechanism string) (sasl.Server, error) {
	auth := n.authenticator(f.Authenticator, f.For)
	if auth == nil {
		return nil, sasl.ErrInvalidMechanism
	}
	channel := n.Channel()
	return auth.Start(mechanism, auth.Offer(channel), channel)
}

// succeed lets the client in, if its account is one that the stream can have.
func (f ServerSASL) succeed(n *Negotiation, server sasl.Server, additional []byte) error {
	own, account, err := accountOf(server.Identity(), n.Domain())
	if err != nil {
		return f.fail(n, server.Name(), err)
	}
	if said := n.peer.Bare(); n.State().Has(Secure) && said.Localpart() != "" && said != own && said != account {
		return &Error{Condition: InvalidFrom, Text: "the header is from another account", Lang: "en"}
	}
	err = n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL, "success")
		writeData(w, additional)
		w.End()
	})
	if err != nil {
		return err
	}
	n.c.event("sasl", server.Name())
	return n.Authenticated(account)
}

// accountOf returns the account whose credentials were proven, and the one to
// act as: the same, unless the client asked for another one at the same domain.
func accountOf(id sasl.Identity, domain jid.JID) (own, account jid.JID, err error) {
	own, err = jid.New(id.Username, domain.Domainpart(), "")
	if err != nil || id.Username == "" {
		return own, own, fmt.Errorf("stream: %w: the username is no localpart", sasl.ErrNotAuthorized)
	}
	if id.Authzid == "" {
		return own, own, nil
	}
	account, err = jid.Parse(id.Authzid)
	if err != nil || !account.IsBare() || account.Localpart() == "" || account.Domain() != domain {
		return own, own, fmt.Errorf("stream: %w: not an account of this domain", sasl.ErrInvalidAuthzid)
	}
	return own, account, nil
}

// fail tells the client that the exchange has failed, and ends the stream if
// that was its last attempt (§6.4.5). Of err it learns the condition.
func (f ServerSASL) fail(n *Negotiation, mechanism string, err error) error {
	condition, ok := errors.AsType[sasl.Condition](err)
	if !ok {
		condition = sasl.ErrTemporary
	}
	n.c.event("sasl", "failure: "+string(condition))
	err = n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL, "failure")
		w.Element("", string(condition), "")
		w.End()
	})
	if err != nil {
		return err
	}
	return f.retry(n, mechanism)
}

// retry counts a failed attempt with a mechanism; all that were not offered count as
// one.
func (f ServerSASL) retry(n *Negotiation, mechanism string) error {
	return n.Retry(xml.Name{Space: nsSASL, Local: mechanism}, cmp.Or(max(f.Retries, 0), 3))
}
