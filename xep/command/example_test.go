package command_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// order is a command of two stages: what it shall be, and how many.
func order(_ context.Context, _ *command.Request) (command.Stage, error) {
	what := form.Form{Type: form.TypeForm, Title: "What shall it be?", Fields: []form.Field{
		{Var: "what", Type: form.ListSingle, Required: true, Options: []form.Option{{Value: "herbs"}, {Value: "poison"}}},
	}}
	return command.Stage{Form: &what, Next: howMany}, nil
}

func howMany(_ context.Context, r *command.Request) (command.Stage, error) {
	what := r.Form.Value("what")
	drams := form.Form{Type: form.TypeForm, Title: "How many drams?", Fields: []form.Field{{Var: "drams", Type: form.TextSingle, Values: []string{"1"}}}}
	return command.Stage{Form: &drams, Complete: func(_ context.Context, r *command.Request) (command.Stage, error) {
		if what == "poison" {
			return command.Stage{}, &stanza.Error{Condition: stanza.NotAllowed, Text: "Mantua's law is death", Lang: "en"}
		}
		return command.Done(fmt.Sprintf("%s, drams: %s", what, r.Form.Value("drams"))), nil
	}}, nil
}

// A bot offers a command of two stages, and somebody of whom it is a contact runs it.
func Example() {
	srv, err := xmpptest.Start(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()

	// The bot.
	romeo := jid.MustParse("romeo@example.org")
	commands := command.NewResponder(nil)
	commands.Add(command.Offer{
		Node: "order", Name: "Order something", Lang: "en",
		Allow: func(_ context.Context, from jid.JID) bool { return from.Bare() == romeo },
		Run:   order,
	})
	mux := muxer.New()
	commands.Register(mux)
	bot := dial(srv, "apothecary", mux)
	defer leave(bot)

	// The customer.
	c := dial(srv, "romeo", muxer.New())
	defer leave(c)
	ctx := context.Background()
	if err := srv.AddContact(ctx, romeo, bot.LocalAddr().Bare()); err != nil {
		fmt.Println(err)
		return
	}
	e, err := command.Start(ctx, c, bot.LocalAddr(), "order")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Form.Title)
	if err := e.Next(ctx, form.Field{Var: "what", Values: []string{"poison"}}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Form.Title)
	err = e.Complete(ctx)
	fmt.Println(errors.Is(err, stanza.NotAllowed), e.Status)
	err = errors.Join(
		e.Prev(ctx),
		e.Next(ctx, form.Field{Var: "what", Values: []string{"herbs"}}),
		e.Complete(ctx, form.Field{Var: "drams", Values: []string{"3"}}))
	fmt.Println(err, e.Status, e.Notes[0].Text)
	// Output:
	// What shall it be?
	// How many drams?
	// true executing
	// <nil> completed herbs, drams: 3
}

// dial logs in to an account of a server for tests.
func dial(srv *xmpptest.Server, name string, mux *muxer.Mux) *client.Client {
	account, err := srv.Account(name)
	if err != nil {
		panic(err)
	}
	opts := srv.Options(account)
	opts.Handler = mux
	c, err := client.Dial(context.Background(), account, opts)
	if err != nil {
		panic(err)
	}
	return c
}

func leave(c *client.Client) {
	_ = c.Close(context.Background())
	_ = c.Wait(context.Background())
}
