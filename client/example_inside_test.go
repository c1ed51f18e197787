package client_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// everybody is a table of users for tests: whoever comes is in it, and nobody has a password.
type everybody struct{}

// User implements server.Users.
func (everybody) User(_ context.Context, addr jid.JID) (server.User, error) {
	return server.User{ID: addr.Localpart()}, nil
}

// A server and its clients in one program, without a network: for the bots of a server, and for tests.
func ExampleOptions_server() {
	ctx := context.Background()
	romeo, juliet := jid.MustParse("romeo@example.org"), jid.MustParse("juliet@example.org")
	srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: everybody{}}) // nobody listens anyway
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Shutdown(ctx)

	heard := make(chan string, 1)
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		heard <- m.Body.String()
		return nil
	})
	j, err := client.Dial(ctx, juliet, &client.Options{Server: srv, Handler: mux})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close(ctx)
	r, err := client.Dial(ctx, romeo, &client.Options{Server: srv})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close(ctx)
	if _, err := r.Send(ctx, stanza.Message{To: j.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("But, soft!")}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-heard)
	// Output: But, soft!
}
