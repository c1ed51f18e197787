package ping_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

func ExampleSend() {
	// In a program, s is a client.
	s := session{asked: new(stanza.IQ), err: &stanza.Error{Condition: stanza.ServiceUnavailable}}

	err := ping.Send(context.Background(), s, jid.MustParse("romeo@montague.lit/home"))
	fmt.Println(err, errors.Is(err, stanza.ServiceUnavailable))

	// The own server has answered, which is what was to be known.
	fmt.Println(ping.Send(context.Background(), s, s.RemoteAddr()))
	// Output:
	// ping: romeo@montague.lit/home: service-unavailable true
	// <nil>
}
