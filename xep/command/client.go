package command

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// List asks the entity at address to which commands it lets us use (§2.2); the zero address is the own account. What an entity says to be
// the command of another one is left out (§5).
func List(ctx context.Context, s xmpp.Session, to jid.JID) ([]disco.Item, error) {
	all, err := disco.GetItems(ctx, s, to, NS)
	if err != nil {
		return nil, fmt.Errorf("command: list those of %s: %w", to, err)
	}
	if to.IsZero() {
		to = s.LocalAddr().Bare()
	}
	return own(to, all.Items), nil
}

// own are the items that are commands of an entity.
func own(of jid.JID, items []disco.Item) (some []disco.Item) {
	for _, i := range items {
		if i.JID == of && i.Node != "" {
			some = append(some, i)
		}
	}
	return some
}

// Describe asks what an entity says of a command. [stanza.Forbidden] when it is not for us, [stanza.ItemNotFound] when there is none.
func Describe(ctx context.Context, s xmpp.Session, to jid.JID, node string) (disco.Info, error) {
	info, err := disco.GetInfo(ctx, s, to, node)
	if err == nil && !info.Is("automation", "command-node") {
		err = fmt.Errorf("it is no command: %w", stanza.ItemNotFound)
	}
	if err != nil {
		return disco.Info{}, fmt.Errorf("command: describe: %w", err)
	}
	return info, nil
}

// Register has f told of the commands that entities announce by themselves (§2.3), of those in [Responder.Announcement]. Anybody can send such
// a message; from says who did.
func Register(mux *muxer.Mux, f func(ctx context.Context, from jid.JID, commands []disco.Item)) {
	muxer.Message(mux, muxer.AnyMessage, func(ctx context.Context, m *stanza.Message, i *disco.Items) error {
		if i.Node == NS {
			f(ctx, m.From, own(m.From, i.Items))
		}
		return nil
	})
}
