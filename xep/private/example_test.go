package private_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xep/private"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The settings of a client, which it finds wherever it logs in.
func Example() {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{private.Server(nil)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Stop()
	ctx := context.Background()
	account, err := s.Account("hamlet")
	if err != nil {
		fmt.Println(err)
		return
	}
	hamlet, err := client.Dial(ctx, account, s.Options(account))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer hamlet.Close(ctx)

	if err := private.Set(ctx, hamlet, prefs{Nick: "Hamlet"}); err != nil { // a type of the program's own
		fmt.Println(err)
		return
	}
	var p prefs
	if err := private.Decode(ctx, hamlet, &p); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Nick)
	// Output: Hamlet
}
