package roster_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func ExampleGet() {
	// In a program, s is a client.
	s := session{server: func(string) string {
		return result(query(`<item jid='nurse@example.com' name='Nurse' subscription='both'><group>Servants</group></item>`))
	}}

	contacts, err := roster.Get(context.Background(), s)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range contacts.Items {
		fmt.Println(item.JID, item.Name, item.Groups, item.Subscription)
	}
	// Output: nurse@example.com Nurse [Servants] both
}

func ExampleList() {
	mux := muxer.New()
	contacts := roster.NewList(nil)
	contacts.Register(mux)

	// In a program, s is a client that has mux as its handler.
	s := session{server: func(string) string { return result(query(`<item jid='nurse@example.com' name='Nurse'/>`)) }}
	ctx := xmpp.WithSession(context.Background(), s)
	if err := contacts.Load(ctx, s); err != nil {
		fmt.Println(err)
		return
	}
	pushed, _ := stanza.Parse([]byte(`<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='romeo@example.net' subscription='both'/></query></iq>`))
	_, _ = mux.HandleStanza(ctx, pushed)

	for item := range contacts.All() {
		fmt.Println(item.JID, item.Subscription)
	}
	romeo, _ := contacts.Lookup(jid.MustParse("romeo@example.net/orchard"))
	fmt.Println("sees me:", romeo.Subscription.From())
	// Output:
	// nurse@example.com none
	// romeo@example.net both
	// sees me: true
}
