package xmpp

import "github.com/parlance-xmpp/xmpp/jid"

// An Origin is who a stanza came from, seen from the account that received it.
type Origin uint8

// The origins.
const (
	FromOther   Origin = iota // anybody else
	FromServer                // the account's own server, by its domain
	FromDevice                // a session of the same account, by its full JID
	FromAccount               // the account itself: no from at all, or the own bare JID
)

// OriginOf tells who sent a stanza that arrived at local, the full or bare JID
// of an account, by its from address.
//
// Whatever changes the state of an account must come [FromAccount]: a roster
// push (RFC 6121 §2.1.6), a carbon copy (XEP-0280 §11), an archived message, a
// personal event. Only there has the account's server spoken for the account (RFC 6120 §8.1.2.1);
// every other address can be somebody else's.
func OriginOf(local, from jid.JID) Origin {
	own := local.Bare()
	switch {
	case own.IsZero():
		return FromOther
	case from.IsZero() || from == own:
		return FromAccount
	case from == own.Domain():
		return FromServer
	case from.Bare() == own:
		return FromDevice
	}
	return FromOther
}

// AnswersFor reports whether a reply from the address from answers a request
// that a session of local sent to the address to. It holds when the two are
// the same; a request to the own account (no address, or the own bare JID) may
// be answered by either form, and by the own full JID or domain as older servers do
// (RFC 6120 §8.1.2.1, §10.3.3).
func AnswersFor(local, to, from jid.JID) bool {
	if to == from {
		return true
	}
	own := local.Bare()
	if !to.IsZero() && to != own {
		return false
	}
	return from.IsZero() || from == own || from == local || from == own.Domain()
}
