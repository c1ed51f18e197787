package vcard_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The own vCard is changed, and looked at by somebody else.
func Example() {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{vcard.Server(nil)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Stop()
	ctx := context.Background()
	dial := func(localpart string) *client.Client {
		account, err := s.Account(localpart)
		if err != nil {
			panic(err)
		}
		c, err := client.Dial(ctx, account, s.Options(account))
		if err != nil {
			panic(err)
		}
		return c
	}
	juliet, romeo := dial("juliet"), dial("romeo")
	defer juliet.Close(ctx)
	defer romeo.Close(ctx)

	err = vcard.Change(ctx, juliet, func(card *vcard.VCard) {
		card.N = vcard.Name{Given: "Juliet", Family: "Capulet"}
		card.Photo = &vcard.Photo{Type: "image/png", Data: []byte("\x89PNG\r\n\x1a\n…")}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	card, err := vcard.Get(ctx, romeo, jid.MustParse("juliet@example.org"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(card.N.Given, card.N.Family, card.Photo.MediaType())
	// Output: Juliet Capulet image/png
}
