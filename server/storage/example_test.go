package storage_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
)

// Lists come in pages: ask for what is behind the last one seen.
func Example() {
	ctx := context.Background()
	accounts := memory.New().Accounts
	for _, name := range []string{"romeo", "juliet", "nurse"} {
		addr := jid.MustParse(name + "@example.org")
		if err := accounts.Create(ctx, storage.Account{Addr: addr, ID: storage.AccountID("id of " + name)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	_, err := accounts.Get(ctx, jid.MustParse("tybalt@example.org"))
	fmt.Println(errors.Is(err, storage.ErrNotFound))

	const size = 2
	for after := (jid.JID{}); ; {
		page, err := accounts.List(ctx, "example.org", after, size)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, a := range page {
			fmt.Println(a.Addr)
			after = a.Addr
		}
		if len(page) < size {
			break
		}
	}
	// Output:
	// true
	// juliet@example.org
	// nurse@example.org
	// romeo@example.org
}
