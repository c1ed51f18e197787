package client_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// wiretap notes who spoke on a stream, in turns, and by which mechanism the client logged in.
type wiretap struct {
	mu         sync.Mutex
	turns      string
	mechanisms []string
}

func (w *wiretap) trace() *xmpp.Trace {
	turn := func(who string) func([]byte) {
		return func([]byte) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !strings.HasSuffix(w.turns, who) {
				w.turns += who
			}
		}
	}
	return &xmpp.Trace{Sent: turn("C"), Received: turn("S"), Event: func(name, detail string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch name {
		case "tls": // what comes before says nothing
			w.turns = ""
		case "sasl":
			w.mechanisms = append(w.mechanisms, detail)
		}
	}}
}

func (w *wiretap) read() (turns string, mechanisms []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.turns, append([]string(nil), w.mechanisms...)
}

// What a client has learned serves the next one, in another process too: it needs no password then, and one
// exchange. A token that the server does not take any more is forgotten.
func TestKnown(t *testing.T) {
	srv := xmpptest.NewServer(t)
	addr, err := srv.Account("juliet")
	require.NoError(t, err)
	opts := srv.Options(addr)
	secret := opts.Password
	var kept client.Known
	opts.Keep, opts.Logger, opts.Software, opts.Reconnect = func(k client.Known) { kept = k }, quiet, "Balcony", client.Never
	login := func() (mechanisms []string, turns string, err error) {
		tap := new(wiretap)
		opts.Trace = tap.trace()
		c, err := client.Dial(t.Context(), addr, opts)
		if err != nil {
			return nil, "", err
		}
		turns, mechanisms = tap.read()
		require.True(t, strings.HasPrefix(c.LocalAddr().Resourcepart(), "Balcony/"), c.LocalAddr())
		require.NoError(t, c.Close(t.Context()))
		require.NoError(t, c.Wait(t.Context()))
		return mechanisms, turns, nil
	}
	mechanisms, _, err := login()
	require.NoError(t, err)
	require.Equal(t, []string{sasl.SCRAMSHA512Plus}, mechanisms)
	require.Equal(t, sasl.SCRAMSHA512Plus, kept.Mechanism)
	require.NotNil(t, kept.Ticket)

	b, err := json.Marshal(kept)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &opts.Known))
	opts.Password = ""
	mechanisms, turns, err := login()
	require.NoError(t, err)
	require.Equal(t, []string{sasl.HTSHA256Expr}, mechanisms)
	require.True(t, strings.HasPrefix(turns, "CS"), turns)
	require.LessOrEqual(t, len(turns), 4, "and the end of the stream")
	require.Equal(t, 1, kept.Ticket.Count)

	require.NoError(t, srv.SetPassword(t.Context(), addr, secret)) // which ends all tokens
	_, _, err = login()
	require.ErrorIs(t, err, client.ErrMechanism, "without a password")
	require.Nil(t, kept.Ticket)
	opts.Password = secret
	mechanisms, _, err = login()
	require.NoError(t, err)
	require.Equal(t, sasl.SCRAMSHA512Plus, mechanisms[len(mechanisms)-1])
	require.NotNil(t, kept.Ticket)

	for _, s := range []string{fmt.Sprintf("%v %+v %#v", kept, kept, kept.Ticket), slog.AnyValue(kept).Resolve().String()} {
		require.NotContains(t, s, kept.Ticket.Token.Secret)
		require.NotContains(t, s, kept.Agent)
	}
}

// A server that offers less than it once did is refused.
func TestSec_OfferedLessThanBefore(t *testing.T) {
	srv, err := xmpptest.Start(&server.Options{Mechanisms: []string{sasl.SCRAMSHA1}, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	addr, err := srv.Account("juliet")
	require.NoError(t, err)
	opts := srv.Options(addr)
	opts.Logger = quiet
	opts.Known.Mechanism = sasl.SCRAMSHA256
	_, err = client.Dial(t.Context(), addr, opts)
	require.ErrorIs(t, err, client.ErrMechanism)
	require.ErrorContains(t, err, "weaker than before")
}

// A client that comes back resumes its session in one exchange after TLS.
func TestReconnectInOneRoundTrip(t *testing.T) {
	tap := new(wiretap)
	bubble(t, nil, func(t *testing.T, s *stage) {
		require.Equal(t, xmpp.Resumed, func() xmpp.Status { s.road.cut(); s.event(); return s.event().Status }())
		turns, mechanisms := tap.read()
		require.Equal(t, "CS", turns)
		require.Equal(t, []string{sasl.SCRAMSHA512Plus, sasl.HTSHA256Expr}, mechanisms)
	}, func(o *client.Options) { o.Trace = tap.trace() })
}
