package blocking

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Change tells what a device of the account, perhaps this one, has blocked or unblocked: one of the two.
type Change struct {
	Blocked      []jid.JID
	Unblocked    []jid.JID
	UnblockedAll bool // then Unblocked is empty
}

// apply changes a set.
func (c Change) apply(s set) {
	if c.UnblockedAll {
		clear(s)
	}
	s.remove(c.Unblocked...)
	s.add(c.Blocked...)
}

// Register has f called with every change of which the server tells, in their order. That begins with [Get].
//
// f hears only what the account itself says. Anybody else is answered with service-unavailable. A program that also has a
// [List] registers that alone.
func Register(mux *muxer.Mux, f func(context.Context, Change)) {
	receive(mux, func(ctx context.Context, c *BlockCommand) {
		change := Change{Blocked: make([]jid.JID, len(c.Items))}
		for i, item := range c.Items {
			change.Blocked[i] = item.JID
		}
		f(ctx, change)
	})
	receive(mux, func(ctx context.Context, c *UnblockCommand) {
		f(ctx, Change{Unblocked: c.Items, UnblockedAll: len(c.Items) == 0})
	})
}

// receive has f called with a command that the own account sends. It is decoded after that is known, so that a stranger learns
// nothing, not even by an error.
func receive[C any, D muxer.Decoder[C]](mux *muxer.Mux, f func(context.Context, *C)) {
	name := D(new(C)).PayloadName()
	mux.IQ(stanza.IQSet, name.Space, name.Local, func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		if s := xmpp.SessionFrom(ctx); s == nil || xmpp.OriginOf(s.LocalAddr(), iq.From) != xmpp.FromAccount {
			return nil, stanza.ServiceUnavailable
		}
		c := D(new(C))
		if err := iq.Decode(c); err != nil {
			return nil, err
		}
		f(ctx, c)
		return nil, nil
	})
}
