package admin_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func Example() {
	bard := jid.MustParse("bard@example.org")
	srv, err := xmpptest.Start(&server.Options{Modules: []module.Module{
		admin.Server(&admin.Options{Admins: admin.NewList(bard)}),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()

	if _, err := srv.Account("bard"); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	c, err := client.Dial(ctx, bard, srv.Options(bard)) // in a program, client.Options
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(admin.AddUser(ctx, c, jid.MustParse("juliet@example.org"), "Wherefore art thou"))
	fmt.Println(admin.Users(ctx, c, bard.Domain(), admin.Registered))
	fmt.Println(admin.Count(ctx, c, bard.Domain(), admin.Online))
	_ = c.Close(ctx)
	_ = c.Wait(ctx)
	// Output:
	// <nil>
	// [bard@example.org juliet@example.org] <nil>
	// 1 <nil>
}
