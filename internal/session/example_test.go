package session_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"

	"github.com/parlance-xmpp/xmpp/internal/session"
)

// mute is a stream on which nothing arrives.
type mute struct{ done chan struct{} }

func (m mute) Next() (stanza.Element, error) {
	<-m.done
	return stanza.Element{}, xmpp.ErrClosed
}

func (m mute) Send(context.Context, stanza.Stanza, stanza.Header) (xmpp.Receipt, error) {
	return xmpp.Receipt{}, nil
}

func (m mute) Close(context.Context) error { close(m.done); return nil }
func (m mute) Fail(*stream.Error)          {}
func (m mute) Done() <-chan struct{}       { return m.done }
func (m mute) LocalAddr() jid.JID          { return jid.MustParse("juliet@example.org/balcony") }
func (m mute) RemoteAddr() jid.JID         { return jid.MustParse("example.org") }
func (m mute) ID() string                  { return "example" }

// A query that waits ends with the session.
func ExampleNew() {
	s := session.New(mute{make(chan struct{})}, session.Options{})
	s.Start(s)
	failed := make(chan error)
	go func() {
		roster, err := stanza.ParseElement([]byte(`<query xmlns='jabber:iq:roster'/>`))
		if err == nil {
			_, err = s.Query(context.Background(), stanza.IQ{Type: stanza.IQGet, Payload: roster})
		}
		failed <- err
	}()
	if err := s.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(errors.Is(<-failed, xmpp.ErrClosed), s.Wait())
	// Output: true <nil>
}
