package register_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func Example() {
	srv, err := xmpptest.Start(&server.Options{Modules: []module.Module{
		register.Server(&register.ServerOptions{Mode: register.Open}),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()

	ctx := context.Background()
	juliet, password := jid.MustParse("juliet@example.org"), "Wherefore art thou"
	opts := srv.Options(juliet) // in a program, client.Options
	opts.Password = password
	opts.BeforeLogin = register.NewAccount(juliet, password, nil)
	c, err := client.Dial(ctx, juliet, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("logged in as", c.LocalAddr().Bare())
	fmt.Println("removed:", register.Remove(ctx, c))
	_ = c.Wait(ctx)
	// Output:
	// logged in as juliet@example.org
	// removed: <nil>
}
