package main

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/presence"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func echo(ctx context.Context, account jid.JID, opts client.Options) error {
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
		if m.Body == nil {
			return nil // no words: somebody is typing, perhaps
		}
		_, err := xmpp.SessionFrom(ctx).Send(ctx, m.Reply(m.Body))
		return err
	})
	presence.Register(mux, presence.Accept) // whoever asks may see us online
	opts.Handler = mux
	bot, err := client.Dial(ctx, account, &opts)
	if err != nil {
		return err
	}
	if _, err := bot.Send(ctx, stanza.Presence{}); err != nil { // we are online
		return err
	}
	return bot.Wait(ctx) // it connects again by itself, until ctx ends: then the stream is closed
}
