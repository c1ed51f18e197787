package module

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ErrDrop, as the error of a hook, ends the way of a stanza without a word.
var ErrDrop = errors.New("module: drop the stanza")

// A Direction is which way a stanza goes, seen from an account.
type Direction uint8

// The directions.
const (
	In Direction = iota
	Out
)

// Hooks are functions that a server calls at certain points of the way of a stanza, and of the life of a
// session. Each may be nil, which costs nothing. They run where the package comment says, one after another for
// one client, for different ones at the same time.
//
// An error of Outbound, Inbound or Permit ends the way of the stanza. A [*stanza.Error] or [stanza.Condition] goes back to its
// sender, where RFC 6120 allows an answer; [ErrDrop] does not; any other is logged, and becomes
// internal-server-error.
type Hooks struct {
	// Outbound sees what a client has sent, before it is routed: its sender is stamped, what was forged is
	// removed. It may change the stanza by [Transit.Edit].
	Outbound func(ctx context.Context, s Session, t *Transit) error
	// Permit decides whether a stanza may pass between an account and somebody else, by its header alone. It is
	// asked about everything that goes either way, about each contact that would
	// get a presence broadcast, and again about what has waited until the account is online; never about an account
	// and itself, or its own sessions. What it refuses In is as if nobody were there.
	Permit func(ctx context.Context, a Account, with jid.JID, dir Direction, h stanza.Header) error
	// Inbound sees a message for an account, from anybody, before it is placed: delivered, kept or refused. It may change it.
	Inbound func(ctx context.Context, a Account, t *Transit) error
	// Requested is asked about a subscription request for an account that would wait for its owner's answer, or does already. True
	// grants it.
	Requested func(ctx context.Context, a Account, t *Transit) (bool, error)

	// Sent sees a message that a client has sent and that has been routed.
	Sent func(ctx context.Context, s Session, t *Transit)
	// Placed sees a message for an account that has been placed: to the sessions in to, or, if there are none, in the store of
	// offline messages when kept is true: then it is committed. The sessions are lent.
	Placed func(ctx context.Context, a Account, t *Transit, to []Session, kept bool)

	// Opened and Closed see the beginning and the end of each session; in between it may be resumed.
	// Nothing can be sent to a session before it is open, and nothing after it is closed.
	Opened, Closed func(ctx context.Context, s Session)
	// Presence sees what a session has broadcast; nil when it is no longer available.
	Presence func(ctx context.Context, s Session, p *stanza.Raw)
	// Changed sees that what the stores hold of an account under a namespace has changed behind the back of this server: where
	// servers act as one, the module of another one has said so by [Host.Changed], and waits. It says nothing to others.
	Changed func(ctx context.Context, a Account, ns string)
	// Deleted sees that an account is gone. What is kept under its id in [Host.Stores] the server deletes itself.
	Deleted func(ctx context.Context, a Account)
}

// A Transit is a stanza on its way. It is lent to a hook until that returns.
type Transit struct {
	header stanza.Header
	st     stanza.Stanza
	raw    *stanza.Raw // the two together; nil until somebody asks
}

// NewTransit returns a stanza that goes on with the header h in place of its own. Servers call it; so do tests of
// hooks.
func NewTransit(st stanza.Stanza, h stanza.Header) *Transit {
	return &Transit{header: h, st: st}
}

// Reset makes t another stanza in transit.
func (t *Transit) Reset(st stanza.Stanza, h stanza.Header) { *t = Transit{header: h, st: st} }

// Header is the header with which the stanza goes on. Its strings last as long as the transit.
func (t *Transit) Header() stanza.Header { return t.header }

// Stanza is what goes on, with [Transit.Header] in place of its own header. It lasts as long as the transit.
func (t *Transit) Stanza() stanza.Stanza { return t.st }

// Raw returns the stanza as it goes on, which may be kept.
func (t *Transit) Raw() (*stanza.Raw, error) {
	if t.raw == nil {
		b, err := stanza.AppendWith(nil, t.st, t.header)
		if err != nil {
			return nil, err
		}
		raw, err := stanza.NewRaw(stanza.NewElement(b), jid.ParseLenient)
		if err != nil {
			return nil, err
		}
		t.raw = raw
	}
	return t.raw, nil
}

// Edit changes the stanza: it loses the children that drop reports, nil for none, and gets others
// behind the rest.
func (t *Transit) Edit(drop func(stanza.Element) bool, add ...stanza.Payload) error {
	raw, err := t.Raw()
	if err != nil {
		return err
	}
	edited, err := raw.Edit(drop, add...)
	if err != nil {
		return err
	}
	t.st, t.raw, t.header = edited, edited, edited.Header()
	return nil
}
