// Package blocking keeps those away with whom a person wants to have nothing to do (XEP-0191), and tells
// the server why (XEP-0377).
//
//	err := blocking.Block(ctx, s, jid.MustParse("romeo@montague.net"))
//	…
//	err = blocking.Unblock(ctx, s, jid.MustParse("romeo@montague.net"))
//
// A whole domain can be blocked, an account or one session of it: see [Match]. The server
// then lets nothing pass in either direction, and who is blocked believes the account to be offline. What is sent to
// them all the same comes back with an error that [IsBlocked] knows.
//
// A [List] follows what is blocked, by whichever device:
//
//	blocked := blocking.NewList(nil)
//	blocked.Register(mux)
//	…
//	err := blocked.Load(ctx, s)
//	if blocked.Blocks(message.From) {
//
// In a server, [Server] is the module that keeps the lists and holds traffic to them.
package blocking

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Match reports whether an entry of a block list stands for an address (§6): a domain for itself and all addresses there, a
// bare JID for itself and all its resources, a full JID, also one of a domain, for nothing else.
func Match(entry, addr jid.JID) bool {
	return !entry.IsZero() && (addr == entry || addr.Bare() == entry || addr.Domain() == entry)
}

// Get fetches the block list of the session's account, in no particular order. The server tells the session of changes from
// then on: see [Register].
func Get(ctx context.Context, s xmpp.Session) ([]jid.JID, error) {
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, Payload: Blocklist{}})
	var b Blocklist
	if err == nil {
		err = result.Decode(&b)
	}
	if err != nil {
		return nil, fmt.Errorf("blocking: get: %w", err)
	}
	return b.Items, nil
}

// Block blocks addresses, all or none. Those that see the account's presence are told that it is unavailable.
//
// Errors worth testing for: [stanza.ResourceConstraint], the list is full.
func Block(ctx context.Context, s xmpp.Session, who ...jid.JID) error {
	c := BlockCommand{Items: make([]Item, len(who))}
	for i, j := range who {
		c.Items[i].JID = j
	}
	return block(ctx, s, c)
}

// BlockAndReport blocks an address and tells the server why. A server that does not offer [NSReporting] only blocks.
func BlockAndReport(ctx context.Context, s xmpp.Session, who jid.JID, why Report) error {
	return block(ctx, s, BlockCommand{Items: []Item{{JID: who, Report: &why}}})
}

func block(ctx context.Context, s xmpp.Session, c BlockCommand) error {
	if _, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: c}); err != nil {
		return fmt.Errorf("blocking: block %s: %w", some(c.Items), err)
	}
	return nil
}

// Unblock takes addresses off the list. None is an error, as to the server it would mean all: see [UnblockAll].
func Unblock(ctx context.Context, s xmpp.Session, who ...jid.JID) error {
	if len(who) == 0 {
		return fmt.Errorf("blocking: unblock: %w", errNoItem)
	}
	return unblock(ctx, s, UnblockCommand{Items: who})
}

// UnblockAll empties the list (§3.5).
func UnblockAll(ctx context.Context, s xmpp.Session) error {
	return unblock(ctx, s, UnblockCommand{})
}

func unblock(ctx context.Context, s xmpp.Session, c UnblockCommand) error {
	if _, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: c}); err != nil {
		return fmt.Errorf("blocking: unblock %s: %w", some(c.Items), err)
	}
	return nil
}

// some names the object of a command in an error.
func some[T any](items []T) string {
	if len(items) == 1 {
		return fmt.Sprint(items[0])
	}
	return fmt.Sprintf("%d addresses", len(items))
}

// IsBlocked reports whether err, the error with which something that was sent came back, says that the account itself blocks
// the recipient (§3.3).
func IsBlocked(err error) bool {
	e, ok := errors.AsType[*stanza.Error](err)
	if !ok || e.App == nil {
		return false
	}
	app, err := stanza.ElementOf(e.App)
	return err == nil && app.Is(NSErrors, "blocked")
}
