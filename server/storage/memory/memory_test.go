package memory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/server/storage/storagetest"
)

func TestDriver(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Stores { return memory.New() })
}

// A program may look into the stores that it gave its server.
func Example() {
	ctx := context.Background()
	stores := memory.New()
	romeo := jid.MustParse("romeo@example.net")
	_, err := stores.Rosters.Update(ctx, "id-of-juliet", romeo, storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		c.Listed, c.Name, c.Subscription = true, "Romeo", storage.To
		return c, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	contacts, err := stores.Rosters.List(ctx, "id-of-juliet", jid.JID{}, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range contacts {
		fmt.Println(c.JID, c.Name)
	}
	// Output: romeo@example.net Romeo
}
