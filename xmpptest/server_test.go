package xmpptest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestServer(t *testing.T) {
	srv := xmpptest.NewServer(t)
	heard := make(chan string, 1)
	juliet := srv.Dial(t, "juliet", xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
		m, err := st.Message()
		heard <- m.From.Bare().String() + ": " + m.Body.String()
		return nil, err
	}))
	romeo := srv.Dial(t, "romeo", nil)
	require.Equal(t, "juliet@example.org", juliet.LocalAddr().Bare().String())
	require.NotNil(t, juliet.TLS())
	_, err := romeo.Send(t.Context(), stanza.Message{To: juliet.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("hi")})
	require.NoError(t, err)
	require.Equal(t, "romeo@example.org: hi", <-heard)
}

// TestServerVerifies: clients in memory are not let off anything.
func TestServerVerifies(t *testing.T) {
	srv := xmpptest.NewServer(t)
	juliet, err := srv.Account("juliet")
	require.NoError(t, err)

	opts := srv.Options(juliet)
	opts.TLS = nil // the system's roots
	_, err = client.Dial(t.Context(), juliet, opts)
	require.ErrorIs(t, err, client.ErrCertificate)

	opts = srv.Options(juliet)
	opts.Password = "wrong"
	_, err = client.Dial(t.Context(), juliet, opts)
	require.ErrorIs(t, err, client.ErrCredentials)

	_, err = client.Dial(t.Context(), jid.MustParse("nobody@example.org"), opts)
	require.ErrorIs(t, err, client.ErrCredentials)
}
