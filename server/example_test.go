package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A server on a loopback port, and two people who talk.
func Example() {
	if err := balconyScene(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: romeo@verona.example says: But, soft! what light through yonder window breaks?
}

func balconyScene(ctx context.Context) error {
	ca, err := devcert.New("verona.example")
	if err != nil {
		return err
	}
	srv, err := server.New(&server.Options{
		Domains: []string{"verona.example"},
		TLS:     ca.ServerConfig(),
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return err
	}
	romeo, juliet := jid.MustParse("romeo@verona.example"), jid.MustParse("juliet@verona.example")
	for _, account := range []jid.JID{romeo, juliet} {
		if err := srv.CreateAccount(ctx, account, "a plague o' both your houses"); err != nil {
			return err
		}
	}
	if err := srv.AddContact(ctx, romeo, juliet); err != nil {
		return err
	}

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln) }()

	heard := make(chan string, 1)
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		heard <- fmt.Sprintf("%s says: %s", m.From.Bare(), m.Body)
		return nil
	})
	dial := func(account jid.JID, handler xmpp.Handler) (*client.Client, error) {
		return client.Dial(ctx, account, &client.Options{
			Address: ln.Addr().String(), TLS: ca.ClientConfig(), Password: "a plague o' both your houses", Handler: handler,
		})
	}
	hers, err := dial(juliet, mux)
	if err != nil {
		return err
	}
	if _, err := hers.Send(ctx, stanza.Presence{}); err != nil {
		return err
	}
	his, err := dial(romeo, nil)
	if err != nil {
		return err
	}
	m := stanza.Message{To: juliet, Type: stanza.MessageChat, Body: stanza.Plain("But, soft! what light through yonder window breaks?")}
	if _, err := his.Send(ctx, m); err != nil {
		return err
	}
	fmt.Println(<-heard)

	if err := his.Close(ctx); err != nil {
		return err
	}
	if err := hers.Close(ctx); err != nil {
		return err
	}
	if err := srv.Shutdown(ctx); err != nil {
		return err
	}
	return <-served
}
