package xmpptest_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// In a test, NewServer and Dial do this in two lines.
func ExampleStart() {
	ctx := context.Background()
	srv, err := xmpptest.Start(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()
	juliet, err := srv.Account("juliet")
	if err != nil {
		fmt.Println(err)
		return
	}

	heard := make(chan string)
	mux := muxer.New()
	mux.Message(muxer.AnyMessage, func(_ context.Context, m *stanza.Message) error {
		heard <- m.Body.String()
		return nil
	})
	opts := srv.Options(juliet)
	opts.Handler = mux
	c, err := client.Dial(ctx, juliet, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	if _, err := c.Send(ctx, stanza.Message{To: c.LocalAddr(), Body: stanza.Plain("a word to myself")}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-heard)
	// Output: a word to myself
}
