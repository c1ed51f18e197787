package client_test

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/net/proxy"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func ExampleDial() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()

	heard := make(chan stanza.Message)
	c, err := client.Dial(ctx, jid.MustParse("juliet@example.org/balcony"), &client.Options{
		Password: "wherefore art thou",
		Handler: xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			m, err := st.Message()
			if err != nil {
				return nil, err // not a message
			}
			heard <- m
			return nil, nil
		}),
		Address: server.address, // these two lead to this example's server;
		TLS:     server.tls,     // leave them out to ask the DNS and trust what the system trusts
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	fmt.Println("logged in as", c.LocalAddr())

	// This server returns messages to their sender.
	_, err = c.Send(ctx, stanza.Message{
		To:   jid.MustParse("romeo@example.org"),
		Type: stanza.MessageChat,
		Body: stanza.Plain("What's in a name?"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := <-heard
	fmt.Printf("%s says: %s\n", m.From, m.Body)
	// Output:
	// logged in as juliet@example.org/balcony
	// romeo@example.org says: What's in a name?
}

// A program may want to ask for another password, say that it waits for the
// network, or give up.
func ExampleDial_errors() {
	server := startServer()
	defer server.stop()

	_, err := client.Dial(context.Background(), jid.MustParse("juliet@example.org"), &client.Options{
		Password: "a guess",
		Address:  server.address,
		TLS:      server.tls,
	})
	switch {
	case errors.Is(err, client.ErrCredentials):
		fmt.Println("the password is wrong")
	case errors.Is(err, client.ErrCertificate):
		fmt.Println("somebody may be listening in")
	case errors.Is(err, client.ErrHostNotFound):
		fmt.Println("is the address right?")
	case err != nil:
		fmt.Println("later, perhaps:", err)
	}
	// Output: the password is wrong
}

func ExampleClient_Query() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, jid.MustParse("juliet@example.org"), &client.Options{
		Password: "wherefore art thou",
		Address:  server.address,
		TLS:      server.tls,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)

	answer, err := c.Query(ctx, stanza.IQ{
		To:      c.RemoteAddr(),
		Type:    stanza.IQGet,
		Payload: stanza.Marshal(ping{}),
	})
	switch {
	case errors.Is(err, stanza.ServiceUnavailable):
		fmt.Println("the server cannot do that")
	case errors.Is(err, xmpp.ErrTimeout):
		fmt.Println("no answer")
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("pong from", answer.From)
	}
	// Output: pong from example.org
}

// Any dialer with a context will do, here one of golang.org/x/net/proxy. The proxy looks
// up the server's name; SRV records are looked up by Options.Resolver, or not at
// all if there is an Address.
func ExampleOptions_proxy() {
	server := startServer()
	defer server.stop()
	socks, asked, stop := startSOCKS(server.address)
	defer stop()

	dialer, err := proxy.SOCKS5("tcp", socks, nil, proxy.Direct)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	c, err := client.Dial(ctx, jid.MustParse("juliet@example.org/balcony"), &client.Options{
		Password: "wherefore art thou",
		Address:  "xmpp.example.org:5222",
		Dialer:   dialer.(proxy.ContextDialer),
		TLS:      server.tls,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	fmt.Println("the proxy was asked for", <-asked)
	fmt.Println("logged in as", c.LocalAddr())
	// Output:
	// the proxy was asked for xmpp.example.org
	// logged in as juliet@example.org/balcony
}
