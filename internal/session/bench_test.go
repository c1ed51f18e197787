package session

import (
	"context"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// One message from the stream to the handler; goroutines included, no bytes.
func BenchmarkReceive(b *testing.B) {
	c := newFakeConn(b)
	n := 0
	s := openOn(b, c, Options{Handler: xmpp.HandlerFunc(func(context.Context, *stanza.Raw) (stanza.Payload, error) {
		n++
		return nil, nil
	})})
	e := element("<message from='romeo@example.net/orchard' to='juliet@example.org/balcony' type='chat' id='m1'><body>" +
		strings.Repeat("x", 200) + "</body></message>")
	b.ReportAllocs()
	for b.Loop() {
		c.in <- e
	}
	_ = s.Close(b.Context())
	_ = s.Wait()
	if n == 0 {
		b.Error("nothing was handled")
	}
}
