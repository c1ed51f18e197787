package blocking_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// Juliet wants to hear no more of Romeo.
func Example() {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{blocking.Server(nil)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Stop()
	ctx := context.Background()
	account, err := s.Account("juliet")
	if err != nil {
		fmt.Println(err)
		return
	}

	mux := muxer.New()
	blocked := blocking.NewList(nil)
	blocked.Register(mux)
	returned := make(chan *stanza.Message)
	mux.Message(stanza.MessageError, func(_ context.Context, m *stanza.Message) error {
		returned <- m
		return nil
	})
	opts := s.Options(account)
	opts.Handler = mux
	juliet, err := client.Dial(ctx, account, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer juliet.Close(ctx)
	if err := blocked.Load(ctx, juliet); err != nil {
		fmt.Println(err)
		return
	}

	romeo := jid.MustParse("romeo@montague.net")
	if err := blocking.Block(ctx, juliet, romeo); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := juliet.Send(ctx, stanza.Message{To: romeo, Body: stanza.Plain("Can you hear me now?")}); err != nil {
		fmt.Println(err)
		return
	}
	m := <-returned // behind the news that he is blocked
	fmt.Println(m.From, m.Error, blocking.IsBlocked(m.Error), blocked.Blocks(romeo))
	// Output: romeo@montague.net not-acceptable true true
}
