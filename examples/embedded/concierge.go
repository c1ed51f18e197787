package main

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// concierge is a part of the program that talks to users. It is a client of the chat server in the same process: without
// a password, which its row does not have, and without a network.
func concierge(ctx context.Context, p *program) error {
	addr, err := address("concierge")
	if err != nil {
		return err
	}
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
		answer := fmt.Sprintf("Good evening, %s. There are %d of us.", m.From.Localpart(), p.users.count())
		_, err := xmpp.SessionFrom(ctx).Send(ctx, m.Reply(stanza.Plain(answer)))
		return err
	})
	c, err := client.Dial(ctx, addr, &client.Options{Server: p.chat, Handler: mux})
	if err != nil {
		return err
	}
	if _, err := c.Send(ctx, stanza.Presence{}); err != nil {
		return err
	}
	return c.Wait(ctx)
}
