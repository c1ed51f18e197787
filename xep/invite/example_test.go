package invite_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func Example() {
	invites := invite.New(nil)
	srv, err := xmpptest.Start(&server.Options{Modules: []module.Module{
		invites,
		register.Server(&register.ServerOptions{Mode: register.Invited, Invites: invites}),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()

	// Romeo gets a link, and gives it to Juliet.
	ctx := context.Background()
	romeo, err := srv.Account("romeo")
	if err != nil {
		fmt.Println(err)
		return
	}
	made, err := invites.Create(ctx, invite.Request{Inviter: romeo, Account: romeo.Domain()})
	if err != nil {
		fmt.Println(err)
		return
	}
	link := made.URI.String()

	// Juliet has no account yet.
	u, err := invite.ParseURI(link)
	if err != nil {
		fmt.Println(err)
		return
	}
	juliet, password := jid.MustParse("juliet@example.org"), "Wherefore art thou"
	opts := srv.Options(juliet) // in a program, client.Options
	opts.Password = password
	opts.BeforeLogin = invite.NewAccount(u, juliet, password, nil)
	c, err := client.Dial(ctx, juliet, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	contacts, err := roster.Get(ctx, c)
	fmt.Println(c.LocalAddr().Bare(), err)
	for _, i := range contacts.Items {
		fmt.Println(i.JID, i.Subscription)
	}
	_ = c.Close(ctx)
	_ = c.Wait(ctx)
	// Output:
	// juliet@example.org <nil>
	// romeo@example.org both
}
