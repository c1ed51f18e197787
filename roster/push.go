package roster

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Push tells that one item of the roster was added, updated or deleted
// (§2.1.6). Which device of the account did it does not matter; it may be this
// one.
type Push struct {
	Item Item   // Subscription is Remove when it was deleted
	Ver  string // the roster's version now; empty when the server knows none
}

// Removed reports whether the item was deleted.
func (p Push) Removed() bool { return p.Item.Subscription == Remove }

// Register has h called with every push of the server, one after another in the
// order of the changes. Pushes begin with [Get].
//
// h hears only what the account itself says; see the package comment on trust.
// A push without exactly one item is answered with bad-request and does not
// reach h. A program that also has a [List] registers that alone, and uses its
// Changed.
func Register(mux *muxer.Mux, h func(context.Context, Push)) {
	mux.IQ(stanza.IQSet, NS, "query", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		// First of all, so that a stranger learns nothing, not even by an
		// error.
		if s := xmpp.SessionFrom(ctx); s == nil || xmpp.OriginOf(s.LocalAddr(), iq.From) != xmpp.FromAccount {
			return nil, stanza.ServiceUnavailable
		}
		var q Query
		if err := iq.Decode(&q); err != nil {
			return nil, err
		}
		item, err := q.Change()
		if err != nil {
			return nil, err
		}
		h(ctx, Push{Item: item, Ver: q.Ver})
		return nil, nil
	})
}
