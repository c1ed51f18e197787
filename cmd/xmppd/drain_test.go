//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// A sent message is one that somebody wrote.
type sent struct {
	to, body string
	receipt  xmpp.Receipt
}

// A road leads to a server wherever that is at the moment.
type road struct{ address atomic.Value }

// DialContext connects.
func (r *road) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, r.address.Load().(string))
}

// A server that is told to stop while people write tells everybody that it does, and is gone in time. Nothing that it has acknowledged is lost: the next one
// has it, for those who were away and for those who come back, whose sessions go on.
func TestDrain(t *testing.T) {
	const accounts = 60
	h := newHome(t, "drain = '30s'\n"+hosts("capulet.example"))
	h.people("capulet.example", accounts)
	s := h.serve()
	opts, way := *h.options("s3cret"), new(road)
	way.address.Store(opts.Address)
	opts.Policy, opts.Dialer = cheap, way
	name := func(n int) string { return fmt.Sprintf("user%d@capulet.example", n) }
	stays := opts
	stays.Reconnect = client.Backoff{Min: 50 * time.Millisecond, Max: 200 * time.Millisecond}
	// A third writes, a third listens, and a third is away.
	var listeners, writers []*friend
	for n := range accounts / 3 {
		writers = append(writers, join(t, name(n), opts))
		listeners = append(listeners, join(t, name(n+accounts/3), stays))
	}
	var (
		writing sync.WaitGroup
		taken   atomic.Int64
		all     = make([][]sent, len(writers))
	)
	for w, f := range writers {
		writing.Go(func() {
			for i := 0; ; i++ {
				to := name(accounts/3 + (w+i)%(2*accounts/3))
				body := fmt.Sprintf("%d of %d", i, w)
				r, err := f.Send(t.Context(), stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(body)})
				if err != nil {
					return
				}
				all[w] = append(all[w], sent{to, body, r})
				taken.Add(1)
				if i%20 == 0 { // not only what waits to be written
					_, _ = r.Await(t.Context(), xmpp.Acked)
				}
			}
		})
	}
	for n, f := range listeners {
		f.hears(fmt.Sprintf("%d of %d", 0, n))
	}
	for taken.Load() < 2000 {
		listeners[0].sync()
	}
	begin := time.Now()
	s.signal(syscall.SIGTERM)
	writing.Wait()
	require.Zero(t, s.ends(), "a stop that was asked for is no failure")
	require.Less(t, time.Since(begin), 30*time.Second)
	for _, f := range writers {
		<-f.Done()
		require.ErrorIs(t, f.Err(), stream.SystemShutdown)
	}
	for _, f := range listeners {
		f.meets(xmpp.Suspended, stream.SystemShutdown)
	}

	s = h.serve()
	way.address.Store(h.status().Listening.C2S[0])
	for _, f := range listeners {
		f.meets(xmpp.Resumed, nil)
	}
	back := map[string]*friend{}
	for n := range accounts / 3 {
		back[name(n+accounts/3)] = listeners[n]
		back[name(n+2*accounts/3)] = join(t, name(n+2*accounts/3), opts)
	}
	acknowledged := 0
	for _, list := range all {
		for _, m := range list {
			if m.receipt.Stage() == xmpp.Acked {
				acknowledged++
				back[m.to].hears(m.body)
			}
		}
	}
	require.Greater(t, acknowledged, 1000)
	t.Logf("%d of %d messages were acknowledged", acknowledged, taken.Load())
	require.EqualValues(t, len(listeners), h.status().Stats.Resumed)
	for who, f := range back {
		f.note(func() {
			for body, n := range f.heard {
				require.Equal(t, 1, n, "%s heard %q", who, body)
			}
		})
	}
	s.stop()
}

// stuck logs in a client that does not read that it is to go. It reads on when the test is over.
func (h *home) stuck() {
	h.t.Helper()
	opts := *h.options("s3cret")
	opts.Policy = cheap
	line := &stall{}
	opts.Dialer = line
	c, err := client.Dial(h.t.Context(), jid.MustParse("user0@localhost"), &opts)
	require.NoError(h.t, err)
	require.NoError(h.t, ping.Send(h.t.Context(), c, jid.JID{})) // the server, too, knows that it has logged in
	line.stop.Store(true)
	h.t.Cleanup(func() {
		line.stop.Store(false)
		(&friend{Client: c}).leave()
	})
}

// Who does not leave is cut off when the time is over, and that is no failure either.
func TestDrainIsBounded(t *testing.T) {
	h := newHome(t, "drain = '500ms'\n"+hosts("localhost"))
	h.people("localhost", 1)
	s := h.serve()
	h.stuck()
	begin := time.Now()
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.ends())
	require.GreaterOrEqual(t, time.Since(begin), 500*time.Millisecond)
	require.Contains(t, s.output(), "did not leave in time")
}

// An administrator stops the server by a client.
func TestShutdownByAdmin(t *testing.T) {
	h := newHome(t, hosts("localhost")+"admins = ['juliet@localhost']\n")
	h.must("s3cret", "user", "add", "juliet@localhost")
	s := h.serve()
	juliet := join(t, "juliet@localhost", *h.options("s3cret"))
	require.NoError(t, admin.Shutdown(t.Context(), juliet, jid.MustParse("localhost"), 0, "good night"))
	require.Zero(t, s.ends())
	<-juliet.Done()
	require.ErrorIs(t, juliet.Err(), stream.SystemShutdown)
}

// Who cannot wait says it twice: the second signal ends the server at once, and the next one starts over what was left.
func TestStopAtOnce(t *testing.T) {
	h := newHome(t, "drain = '1h'\n"+hosts("localhost"))
	h.people("localhost", 1)
	s := h.serve()
	h.stuck()
	s.signal(syscall.SIGTERM)
	s.says("msg=stopping", 1)
	require.Contains(t, h.must("", "status"), "it is stopping")
	r := h.run("", "reload")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "the server is stopping; the next one reads the file")
	s.signal(syscall.SIGTERM)
	require.Equal(t, -1, s.ends(), "by the signal")
	h.serve().stop()
}
