package roster

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Roster is all contacts of an account, at one moment.
type Roster struct {
	Ver   string // to ask for what has changed since; empty when the server knows no versions
	Items []Item // none is no error
}

// Get fetches the roster of the session's account (§2.1.3). The server sends
// pushes from then on (§2.2).
//
// [stanza.ItemNotFound] means that there is no roster, which is not the same as
// an empty one (§2.1.4).
func Get(ctx context.Context, s xmpp.Session) (Roster, error) {
	result, err := get(ctx, s, Query{})
	if err == nil && result.Payload == nil {
		err = errNoRoster
	}
	if err != nil {
		return Roster{}, fmt.Errorf("roster: get: %w", err)
	}
	return read(result)
}

// GetSince is [Get] for a client that has kept a roster from earlier: the
// server may answer that known is where to start from, and GetSince returns it,
// with changes since then arriving as pushes (§2.6.3). The zero Roster is known
// too: it asks for all of it, with a version.
//
// It must not be used with a server that does not offer [NSVersioning]
// (§2.6.2).
func GetSince(ctx context.Context, s xmpp.Session, known Roster) (Roster, error) {
	result, err := get(ctx, s, Query{Ver: known.Ver, HasVer: true})
	if err != nil {
		return Roster{}, fmt.Errorf("roster: get: %w", err)
	}
	if result.Payload == nil {
		return known, nil
	}
	return read(result)
}

func get(ctx context.Context, s xmpp.Session, q Query) (stanza.IQ, error) {
	return s.Query(ctx, stanza.IQ{Type: stanza.IQGet, Payload: q})
}

// read takes the roster out of a result. Items without a valid address are left
// out, and "remove" is not defined here, so it is ignored (§2.1.2.5).
func read(result stanza.IQ) (Roster, error) {
	var q Query
	if err := result.Decode(&q); err != nil {
		return Roster{}, fmt.Errorf("roster: get: %w", err)
	}
	r := Roster{Ver: q.Ver}
	for _, i := range q.Items {
		if i.JID.IsZero() {
			continue
		}
		if i.Subscription == Remove {
			i.Subscription = None
		}
		r.Items = append(r.Items, i)
	}
	return r, nil
}

// Set adds the item to the roster of the session's account, or replaces the
// name and groups of the one with its address (§2.3, §2.4). What is the
// server's (see [Item]) is not sent. The change itself arrives as a push.
//
// Errors worth testing for: [stanza.NotAcceptable], the name or a group is too
// long or empty; [stanza.NotAllowed], the server has other ways to change the
// roster.
func Set(ctx context.Context, s xmpp.Session, item Item) error {
	if err := item.Check(); err != nil {
		return fmt.Errorf("roster: set %s: %w", item.JID, err)
	}
	return set(ctx, s, "set", Item{JID: item.JID, Name: item.Name, Groups: item.Groups})
}

// Delete removes the contact from the roster of the session's account; the
// server cancels the subscriptions of both sides (§2.5). It is
// [stanza.ItemNotFound] when there was none (§2.5.3).
func Delete(ctx context.Context, s xmpp.Session, contact jid.JID) error {
	return set(ctx, s, "delete", Item{JID: contact, Subscription: Remove})
}

func set(ctx context.Context, s xmpp.Session, verb string, item Item) error {
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: Query{Items: []Item{item}, set: true}})
	if err != nil {
		return fmt.Errorf("roster: %s %s: %w", verb, item.JID, err)
	}
	return nil
}

var errNoRoster = errors.New("the result holds no roster")
