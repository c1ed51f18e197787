package presence

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Subscribe asks to see the contact's presence (RFC 6121 §3.1.1). The server
// adds the contact to the roster. To say a word with the request, send a
// [stanza.Presence] of type subscribe with a Status.
func Subscribe(ctx context.Context, s xmpp.Session, contact jid.JID) error {
	return send(ctx, s, jid.JID{}, contact, stanza.PresenceSubscribe)
}

// Approve lets the contact see the account's presence, as it has asked to
// (§3.1.4). Without such a request it approves a later one, on a server that
// offers roster.NSPreApproval; with another it must not be used so (§3.4.1).
func Approve(ctx context.Context, s xmpp.Session, contact jid.JID) error {
	return send(ctx, s, jid.JID{}, contact, stanza.PresenceSubscribed)
}

// Cancel lets the contact see the account's presence no longer (§3.2). It also
// denies a request (§3.1.4) and takes back an approval made ahead of one.
func Cancel(ctx context.Context, s xmpp.Session, contact jid.JID) error {
	return send(ctx, s, jid.JID{}, contact, stanza.PresenceUnsubscribed)
}

// Unsubscribe ends the account's own subscription to the contact's presence, or
// takes back the request for it (§3.3).
func Unsubscribe(ctx context.Context, s xmpp.Session, contact jid.JID) error {
	return send(ctx, s, jid.JID{}, contact, stanza.PresenceUnsubscribe)
}

// send sends a subscription stanza, as the session itself when as is zero.
// Subscriptions are between accounts, so a full JID loses its resource
// (§3.1.1). The id, a fresh one, is for tracking (§3.1.1, §3.1.4).
func send(ctx context.Context, s xmpp.Session, as, contact jid.JID, t stanza.PresenceType) error {
	if contact.IsZero() {
		return fmt.Errorf("presence: %s: %w", t, errNoAddress)
	}
	_, err := s.Send(ctx, stanza.Presence{From: as, To: contact.Bare(), ID: stanza.NewID(), Type: t})
	if err != nil {
		return fmt.Errorf("presence: %s %s: %w", t, contact.Bare(), err)
	}
	return nil
}

var errNoAddress = errors.New("the contact has no address")
