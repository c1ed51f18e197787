package presence

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Decision is what becomes of a request to see the account's presence.
type Decision uint8

// The decisions.
const (
	Undecided        Decision = iota // nothing is sent: the request stays open
	Approved                         // the contact may see the account
	ApprovedAndAsked                 // it may, and the account asks to see the contact
	Denied                           // it may not
)

// A Policy decides about a request to see the account's presence. The request
// comes from the contact's bare JID and may have a Status, a word to whoever
// decides. A policy runs in a handler and may query.
type Policy func(ctx context.Context, request *stanza.Presence) Decision

// Accept is the [Policy] that approves every request: whoever asks sees when
// the account is online and from which resources.
func Accept(context.Context, *stanza.Presence) Decision { return Approved }

// Mutual is the [Policy] that approves every request and asks the same in
// return, so that each sees the other.
func Mutual(context.Context, *stanza.Presence) Decision { return ApprovedAndAsked }

// Refuse is the [Policy] that denies every request.
func Refuse(context.Context, *stanza.Presence) Decision { return Denied }

// LeaveOpen is the [Policy] that leaves every request to a person (RFC 6121
// §3.1.4): the server keeps it and shows it again at each login. It is what
// [Register] does without a policy.
func LeaveOpen(context.Context, *stanza.Presence) Decision { return Undecided }

// OwnDomain returns the policy that decides by own when the request comes from
// an account at the session's domain, and by others when it does not.
// Subdomains, where guests and gateways may live, are others. Nil is
// [LeaveOpen].
func OwnDomain(own, others Policy) Policy {
	return func(ctx context.Context, request *stanza.Presence) Decision {
		p := others
		if s := xmpp.SessionFrom(ctx); s != nil && !request.From.IsZero() && request.From.Domain() == s.LocalAddr().Domain() {
			p = own
		}
		if p == nil {
			return Undecided
		}
		return p(ctx, request)
	}
}

// Register has p decide about requests to see the account's presence, and sends
// what it decides. Nil is [LeaveOpen]. A request from the account itself means
// nothing and is left alone.
func Register(mux *muxer.Mux, p Policy) {
	if p == nil {
		p = LeaveOpen
	}
	mux.Presence(stanza.PresenceSubscribe, func(ctx context.Context, request *stanza.Presence) error {
		s := xmpp.SessionFrom(ctx)
		if s == nil {
			return nil
		}
		switch xmpp.OriginOf(s.LocalAddr(), request.From) {
		case xmpp.FromAccount, xmpp.FromDevice:
			return nil
		}
		return carryOut(ctx, s, request, p(ctx, request))
	})
}

func carryOut(ctx context.Context, s xmpp.Session, request *stanza.Presence, d Decision) error {
	as := jid.JID{}
	if s.LocalAddr().Localpart() == "" { // a whole domain: it speaks as whoever was asked
		as = request.To.Bare()
	}
	switch d {
	case Approved:
		return send(ctx, s, as, request.From, stanza.PresenceSubscribed)
	case ApprovedAndAsked:
		if err := send(ctx, s, as, request.From, stanza.PresenceSubscribed); err != nil {
			return err
		}
		return send(ctx, s, as, request.From, stanza.PresenceSubscribe)
	case Denied:
		return send(ctx, s, as, request.From, stanza.PresenceUnsubscribed)
	}
	return nil
}
