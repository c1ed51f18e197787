package watch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// log in, talk, leave: with the account watched, and somebody else not.
func TestWatch(t *testing.T) {
	board := new(watch.Board)
	s, err := xmpptest.Start(&server.Options{Trace: board.Trace})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	addr, err := s.Account("juliet")
	require.NoError(t, err)
	everything, sorts := board.Watch(addr, true), board.Watch(addr, false)
	session := board.Watch(jid.MustParse(addr.String()+"/balcony"), false)
	nobody := board.Watch(jid.MustParse("nurse@"+xmpptest.Domain), true)
	for _, name := range []string{"romeo", "juliet"} {
		talk(t, s, name)
	}
	nobody.Close()
	nobody.Close()
	all, some, one := drain(everything), drain(sorts), drain(session)
	require.Empty(t, drain(nobody))

	require.Contains(t, all, "It is the east")
	require.NotContains(t, some, "It is the east")
	require.NotContains(t, one, "It is the east")
	require.Contains(t, some, "in message type=chat id=m1 to=nurse@example.org (body)\n")
	require.Contains(t, some, "event bound juliet@example.org/")
	require.Contains(t, some, "in iq type=get")
	require.Contains(t, some, "(query of jabber:iq:roster)")
	require.NotContains(t, all+some, "romeo@")
	require.Contains(t, one, "in message type=chat")
	for _, w := range []*watch.Watcher{everything, sorts, session} {
		w.Close()
	}
	talk(t, s, "juliet")
	require.Empty(t, drain(everything), "nobody watches any more")
}

// The password and what proves it are nowhere, whatever is asked for.
func TestSec_WatchShowsNoSecrets(t *testing.T) {
	board := new(watch.Board)
	s, err := xmpptest.Start(&server.Options{Trace: board.Trace})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	addr, err := s.Account("juliet")
	require.NoError(t, err)
	w := board.Watch(addr, true)
	defer w.Close()
	opts := s.Options(addr)
	var ticket string
	opts.Keep = func(k client.Known) {
		if k.Ticket != nil {
			ticket = k.Ticket.Token.Secret
		}
	}
	dial(t, s, addr, opts, func(*client.Client) {})
	all := drain(w)
	require.NotEmpty(t, ticket)
	require.NotContains(t, all, ticket)
	require.NotContains(t, all, opts.Password)
	require.NotContains(t, all, "v=", "the server's signature")
}

// Who does not take lines misses them, and is told how many; the stream does not wait.
func TestMissed(t *testing.T) {
	board := new(watch.Board)
	trace := board.Trace(nil)
	w := board.Watch(jid.MustParse("juliet@example.org"), true)
	defer w.Close()
	trace.Event("bound", "juliet@example.org/balcony")
	for n := range 2000 {
		trace.Sent(fmt.Appendf(nil, "<message id='%d'/>", n))
	}
	for range 1024 {
		<-w.Lines()
	}
	trace.Sent([]byte("<message/>"))
	l := <-w.Lines()
	require.Equal(t, 2001-1024, l.Missed)
	trace.Sent([]byte("<message/>"))
	require.Zero(t, (<-w.Lines()).Missed)
}

// While nobody watches, a part of a stream costs no allocation.
func TestNobodyWatches(t *testing.T) {
	trace := new(watch.Board).Trace(nil)
	trace.Event("bound", "juliet@example.org/balcony")
	part := []byte("<message/>")
	require.False(t, trace.Active(), "a stream need not even look for secrets")
	require.Zero(t, testing.AllocsPerRun(100, func() { trace.Sent(part); trace.Received(part) }))
}

func talk(t *testing.T, s *xmpptest.Server, name string) {
	addr, err := s.Account(name)
	require.NoError(t, err)
	full, err := addr.WithResource("balcony")
	require.NoError(t, err)
	dial(t, s, full, s.Options(addr), func(c *client.Client) {
		_, err = c.Send(t.Context(), stanza.Message{To: jid.MustParse("nurse@" + xmpptest.Domain), ID: "m1", Type: stanza.MessageChat, Body: stanza.Plain("It is the east")})
		require.NoError(t, err)
	})
}

func dial(t *testing.T, s *xmpptest.Server, addr jid.JID, opts *client.Options, then func(*client.Client)) {
	c, err := client.Dial(t.Context(), addr, opts)
	require.NoError(t, err)
	then(c)
	_, err = roster.Get(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, c.Close(context.Background()))
	_ = c.Wait(context.Background())
}

// drain returns the lines that are there.
func drain(w *watch.Watcher) string {
	var b strings.Builder
	for {
		select {
		case l := <-w.Lines():
			fmt.Fprintf(&b, "%s %s\n", l.Way, l.Text)
		default:
			return b.String()
		}
	}
}
