package client_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A restarted server is one after another: the one that runs at the moment answers. that runs at the moment.
type restarted struct {
	now atomic.Pointer[xmpptest.Server]
}

func (r *restarted) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	s := r.now.Load()
	if s == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("no server")}
	}
	return s.Options(jid.JID{}).Dialer.DialContext(ctx, network, address)
}

// People who write to each other while their server is started again, twice, resume in the next one: every message arrives once
// and in order, and nobody is seen to leave.
func TestServerIsRestarted(t *testing.T) {
	stores := memory.New()
	start := func() *xmpptest.Server {
		s, err := xmpptest.Start(&server.Options{
			InsecurePlaintext: true, Iterations: sasl.MinIterations, Logger: quiet, Storage: stores, KeepSessions: true,
		})
		require.NoError(t, err)
		return s
	}
	road := new(restarted)
	first := start()
	road.now.Store(first)
	var all []*writer
	for i := range 4 {
		addr, err := first.Account(fmt.Sprintf("p%d", i))
		require.NoError(t, err)
		all = append(all, newWriter(t, road, first.Options(addr), addr))
	}
	require.NoError(t, first.AddContact(t.Context(), all[0].addr, all[1].addr))
	const each = 300
	var writing sync.WaitGroup
	for i, w := range all {
		writing.Go(func() { w.write(t, all[i^1].addr, each) })
	}
	for range 2 {
		time.Sleep(20 * time.Millisecond) // some are on their way, whichever
		old := road.now.Swap(nil)
		old.Stop()
		road.now.Store(start())
	}
	writing.Wait()
	for i, w := range all {
		w.check(t, fmt.Sprintf("p%d", i), each)
	}
	for _, w := range all {
		require.NoError(t, w.Close(t.Context()))
		require.NoError(t, w.Wait(t.Context()))
	}
	road.now.Load().Stop()
}

// A writer is a client that notes what it gets.
type writer struct {
	*client.Client
	addr jid.JID

	mu     sync.Mutex // guards the fields below
	got    []string
	gone   int // contacts that were seen to leave
	anew   int // sessions that began behind the first
	enough chan struct{}
}

func newWriter(t *testing.T, road *restarted, opts *client.Options, addr jid.JID) *writer {
	w := &writer{addr: addr, enough: make(chan struct{}, 1)}
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		w.mu.Lock()
		w.got = append(w.got, m.Body.String())
		w.mu.Unlock()
		select {
		case w.enough <- struct{}{}:
		default:
		}
		return nil
	})
	mux.Presence(stanza.PresenceUnavailable, func(context.Context, *stanza.Presence) error {
		w.mu.Lock()
		w.gone++
		w.mu.Unlock()
		return nil
	})
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		if e.Status == xmpp.Online {
			w.mu.Lock()
			w.anew++
			w.mu.Unlock()
		}
		return nil
	})
	opts.Dialer, opts.Handler, opts.Logger = road, mux, quiet
	opts.Reconnect = client.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}
	var err error
	w.Client, err = client.Dial(t.Context(), addr, opts)
	require.NoError(t, err)
	_, err = w.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	return w
}

// write writes to somebody, at the pace of people.
func (w *writer) write(t *testing.T, to jid.JID, n int) {
	for i := range n {
		m := stanza.Message{To: to, Type: stanza.MessageChat, Body: stanza.Plain(fmt.Sprint(i))}
		if _, err := w.Send(t.Context(), m); err != nil {
			t.Errorf("message %d: %v", i, err)
			return
		}
		if i%4 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// check waits for all that was written, and looks at it.
func (w *writer) check(t *testing.T, name string, n int) {
	for {
		w.mu.Lock()
		got := len(w.got)
		w.mu.Unlock()
		if got >= n {
			break
		}
		select {
		case <-w.enough:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: only %d of %d messages have come", name, got, n)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, body := range w.got {
		if body != fmt.Sprint(i) {
			t.Fatalf("%s: message %d is %q", name, i, body)
		}
	}
	require.Equal(t, 1, w.anew, "%s has begun another session", name)
	require.Zero(t, w.gone, "%s has seen somebody leave", name)
}
