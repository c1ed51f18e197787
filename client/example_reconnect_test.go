package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// hosted starts a server in this process with an account.
func hosted(localpart string) (account jid.JID, opts *client.Options, stop func()) {
	srv, err := xmpptest.Start(nil)
	if err != nil {
		log.Fatal(err)
	}
	if account, err = srv.Account(localpart); err != nil {
		log.Fatal(err)
	}
	return account, srv.Options(account), srv.Stop
}

// A bot that connects again by itself needs nothing for it. This one says what happens to it. The
// session is resumed where it was lost, so that contacts see nothing; what may be lost would be said.
func Example_reconnectingBot() {
	ctx := context.Background()
	account, opts, stop := hosted("bot") // the account, where its server is, and the password
	defer stop()

	seen := make(chan xmpp.Status, 10)
	mux := muxer.New()
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		if e.Final {
			return nil // we have closed it, or there is no point in going on: e.Err
		}
		fmt.Println(e.Status)
		for _, st := range e.Lost { // sent, and perhaps not arrived
			fmt.Println("say it again?", st.Header().ID)
		}
		seen <- e.Status
		return nil
	})
	opts.Handler = mux
	opts.Reconnect = client.Backoff{Max: time.Minute} // from a second to a minute, never exactly
	link := xmpptest.NewLink(opts.Dialer)             // a network that can be cut
	opts.Dialer = link
	bot, err := client.Dial(ctx, account, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer bot.Close(ctx)

	<-seen
	link.Cut()
	<-seen
	<-seen
	// Output:
	// online
	// suspended
	// resumed
}

// A receipt tells how far a message has come: the server has taken responsibility for it when
// it is acked. Failed means that it may or may not have arrived, dropped that it has not.
func Example_didItArrive() {
	ctx := context.Background()
	account, opts, stop := hosted("juliet") // the account, where its server is, and the password
	defer stop()
	juliet, err := client.Dial(ctx, account, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer juliet.Close(ctx)

	receipt, err := juliet.Send(ctx, stanza.Message{To: account, Body: stanza.Plain("Wherefore art thou?")})
	if err != nil {
		log.Fatal(err) // nothing was queued
	}
	patience, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	stage, err := receipt.Await(patience, xmpp.Acked)
	fmt.Println(stage, err)
	// Output: acked <nil>
}

// A program that is restarted goes on with its session: it misses nothing, and nobody sees
// it leave.
func Example_resumeAfterRestart() {
	ctx := context.Background()
	account, opts, stop := hosted("bot") // the account, where its server is, and the password
	defer stop()
	file := func() string { return os.TempDir() + "/session of an example.json" }
	defer os.Remove(file())

	// Before: suspend instead of close, and keep what that returns where nobody else can read it.
	bot, err := client.Dial(ctx, account, opts)
	if err != nil {
		log.Fatal(err)
	}
	saved, err := bot.Suspend(ctx)
	if err != nil {
		log.Fatal(err)
	}
	b, err := json.Marshal(saved)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(file(), b, 0o600); err != nil {
		log.Fatal(err)
	}

	// After: the first event says whether the server still had it.
	if b, err = os.ReadFile(file()); err != nil {
		log.Fatal(err)
	}
	opts.Resume = new(stream.Saved)
	if err := json.Unmarshal(b, opts.Resume); err != nil {
		log.Fatal(err)
	}
	first := make(chan xmpp.Status, 1)
	mux := muxer.New()
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		select {
		case first <- e.Status:
		default:
		}
		return nil
	})
	opts.Handler = mux
	if bot, err = client.Dial(ctx, account, opts); err != nil {
		log.Fatal(err)
	}
	defer bot.Close(ctx)
	fmt.Println(<-first)
	// Output: resumed
}
