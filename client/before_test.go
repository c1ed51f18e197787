package client_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

const nsDoor = "urn:example:door"

// door is a server that makes the account that a stranger asks for.
func door(t *testing.T) *xmpptest.Server {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{module.Func(func(h module.Host) error {
		h.Feature(false, stanza.NewElement([]byte("<door xmlns='"+nsDoor+"'/>")))
		h.Stranger().IQ(stanza.IQSet, nsDoor, "knock", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
			if h.CreateAccount(ctx, juliet.Bare(), password) != nil {
				return nil, stanza.Conflict
			}
			return nil, nil
		})
		return nil
	})}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

var knock = stanza.IQ{Type: stanza.IQSet, Payload: stanza.NewElement([]byte("<knock xmlns='" + nsDoor + "'/>"))}

// A client may ask something over TLS before it logs in for the first time, and nothing but that.
func TestBeforeLogin(t *testing.T) {
	s := door(t)
	var asked atomic.Int32
	opts := s.Options(juliet)
	opts.Password = password
	opts.Known = client.Known{Ticket: &stream.Ticket{}} // which would log in at once
	cutter := &cutter{dialer: opts.Dialer}
	opts.Dialer = cutter
	opts.Reconnect = client.Backoff{Min: 1}
	var kept xmpp.Session
	online := make(chan struct{}, 10)
	opts.Handler = statuses(func(e xmpp.Event) { online <- struct{}{} })
	opts.BeforeLogin = func(ctx context.Context, s xmpp.Session) error {
		asked.Add(1)
		kept = s
		require.True(t, s.LocalAddr().IsZero())
		require.Equal(t, domain, s.RemoteAddr())
		require.True(t, s.(xmpp.Confidential).Secure())
		require.False(t, s.(xmpp.ElementSender).Features().Child(nsDoor, "door").IsZero())
		_, err := s.Send(ctx, stanza.Message{})
		require.True(t, xmpp.SafeToRetry(err))
		require.Error(t, s.(xmpp.ElementSender).SendElement(ctx, stanza.Element{}))
		s.Claim(func(stanza.Header) bool { return true }).Close()
		_, err = s.Query(ctx, knock)
		return err
	}
	c, err := client.Dial(t.Context(), juliet, opts)
	require.NoError(t, err)
	defer c.Wait(context.Background())
	defer c.Close(context.Background())
	require.True(t, c.Secure())
	<-online
	_, err = kept.Query(t.Context(), knock)
	require.ErrorIs(t, err, xmpp.ErrClosed)
	require.True(t, kept.RemoteAddr().IsZero())
	require.False(t, kept.(xmpp.Confidential).Secure())
	require.True(t, kept.(xmpp.ElementSender).Features().IsZero())

	cutter.cut() // and it connects again
	<-online
	<-online
	require.EqualValues(t, 1, asked.Load())
}

// A cutter dials, and cuts what it has dialed.
type cutter struct {
	dialer
	conn net.Conn
}

func (c *cutter) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var err error
	c.conn, err = c.dialer.DialContext(ctx, network, address)
	return c.conn, err
}

func (c *cutter) cut() { c.conn.Close() }

type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// What the function returns is the error of Dial, and no other server is tried.
func TestBeforeLoginFails(t *testing.T) {
	s := door(t)
	require.NoError(t, s.CreateAccount(t.Context(), juliet.Bare(), password))
	own := errors.New("changed my mind")
	for _, tt := range []struct {
		do   func(context.Context, xmpp.Session) error
		want error
	}{
		{func(ctx context.Context, s xmpp.Session) error { _, err := s.Query(ctx, knock); return err }, stanza.Conflict},
		{func(context.Context, xmpp.Session) error { return own }, own},
		{func(ctx context.Context, s xmpp.Session) error {
			_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: stanza.NewElement([]byte("<window xmlns='" + nsDoor + "'/>"))})
			require.Error(t, err)
			_, again := s.Query(ctx, knock)
			require.ErrorIs(t, again, xmpp.ErrClosed)
			return own // the loss of the stream counts
		}, stream.NotAuthorized},
	} {
		opts := s.Options(jid.JID{})
		opts.Password, opts.BeforeLogin = password, tt.do
		_, err := client.Dial(t.Context(), juliet, opts)
		require.ErrorIs(t, err, tt.want)
	}
}

// statuses is a handler that looks at events only.
type statuses func(xmpp.Event)

func (statuses) HandleStanza(context.Context, *stanza.Raw) (stanza.Payload, error) { return nil, nil }
func (f statuses) HandleEvent(_ context.Context, e xmpp.Event)                     { f(e) }
