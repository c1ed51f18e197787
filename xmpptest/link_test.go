package xmpptest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// echoes is a dialer to something that sends back what it gets.
type echoes struct {
	tcp string // address; empty: in memory
	wg  *sync.WaitGroup
	got *[][]byte // what each connection got
	mu  *sync.Mutex
}

func (d echoes) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	if d.tcp != "" {
		return new(net.Dialer).DialContext(ctx, network, d.tcp)
	}
	near, far := bufpipe.New()
	d.wg.Go(func() { d.serve(far) })
	return near, nil
}

func (d echoes) serve(nc net.Conn) {
	defer nc.Close()
	d.mu.Lock()
	n := len(*d.got)
	*d.got = append(*d.got, nil)
	d.mu.Unlock()
	b := make([]byte, 4096)
	for {
		m, err := nc.Read(b)
		d.mu.Lock()
		(*d.got)[n] = append((*d.got)[n], b[:m]...)
		d.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := nc.Write(b[:m]); err != nil {
			return
		}
	}
}

func newEchoes() echoes {
	return echoes{wg: new(sync.WaitGroup), got: new([][]byte), mu: new(sync.Mutex)}
}

// overTCP is newEchoes with a socket.
func overTCP(t *testing.T) echoes {
	d := newEchoes()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.tcp = ln.Addr().String()
	d.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			d.wg.Go(func() { d.serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		d.wg.Wait()
	})
	return d
}

// Each fault, over a socket and in memory.
func TestLink(t *testing.T) {
	word := bytes.Repeat([]byte("0123456789"), 10)
	for _, tt := range []struct {
		name     string
		fault    xmpptest.Fault
		up, down int  // bytes that arrive
		cut      bool // the connection is, in the end
	}{
		{"none", xmpptest.Fault{}, 100, 100, false},
		{"pieces", xmpptest.Fault{Chunk: 7}, 100, 100, false},
		{"cut up", xmpptest.Fault{CutUp: 33}, 33, -1, true},
		{"cut up at the start", xmpptest.Fault{CutUp: -1}, 0, 0, true},
		{"cut up, in pieces", xmpptest.Fault{CutUp: 33, Chunk: 10}, 33, -1, true},
		{"cut down", xmpptest.Fault{CutDown: 33}, 100, 33, true},
		{"cut down at the start", xmpptest.Fault{CutDown: -1}, 100, 0, true},
		{"stall up", xmpptest.Fault{StallUp: 33}, 33, 33, false},
		{"stall up at the start", xmpptest.Fault{StallUp: -1}, 0, 0, false},
		{"stall down", xmpptest.Fault{StallDown: 33}, 100, 33, false},
		{"duplicate", xmpptest.Fault{Duplicate: true}, 100, 100, false},
	} {
		for _, d := range []echoes{newEchoes(), overTCP(t)} {
			t.Run(fmt.Sprintf("%s/tcp=%t", tt.name, d.tcp != ""), func(t *testing.T) {
				link := xmpptest.NewLink(d, tt.fault)
				nc, err := link.DialContext(t.Context(), "tcp", "")
				require.NoError(t, err)
				_, err = nc.Write(word)
				if tt.cut && tt.fault.CutUp != 0 {
					require.ErrorIs(t, err, xmpptest.ErrCut)
				} else {
					require.NoError(t, err)
				}
				if tt.down >= 0 {
					got := make([]byte, tt.down)
					_, err = io.ReadFull(nc, got)
					if tt.down > 0 {
						require.NoError(t, err)
						require.Equal(t, word[:tt.down], got)
					}
				}
				_ = nc.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
				_, err = nc.Read(make([]byte, 1))
				require.Equal(t, tt.cut, errors.Is(err, xmpptest.ErrCut), "%v", err)
				require.NoError(t, ignoreClosed(nc.Close()))
				conns := 1
				if tt.fault.Duplicate {
					conns = 2
				}
				d.settle(t, conns, tt.up)
				require.Len(t, link.Traffic(), 1)
				require.Equal(t, int64(tt.up), link.Traffic()[0].Up)
				second, err := link.DialContext(t.Context(), "tcp", "")
				require.NoError(t, err, "the fault is the first connection's")
				_, err = second.Write(word)
				require.NoError(t, err)
				_, err = io.ReadFull(second, make([]byte, len(word)))
				require.NoError(t, err)
				link.Down()
				_, err = second.Read(make([]byte, 1))
				require.ErrorIs(t, err, xmpptest.ErrCut)
				_, err = link.DialContext(t.Context(), "tcp", "")
				require.ErrorIs(t, err, xmpptest.ErrCut)
				link.Up()
				third, err := link.DialContext(t.Context(), "tcp", "")
				require.NoError(t, err)
				third.Close()
			})
		}
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// settle waits until so many connections have got so many bytes each.
func (d echoes) settle(t *testing.T, conns, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, got := range *d.got {
			if len(got) != n {
				return false
			}
		}
		return len(*d.got) == conns
	}, 5*time.Second, time.Millisecond)
}

// A delay is exact where time is not real.
func TestLinkDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newEchoes()
		link := xmpptest.NewLink(d, xmpptest.Fault{Delay: time.Second, Chunk: 50})
		nc, err := link.DialContext(t.Context(), "tcp", "")
		require.NoError(t, err)
		began := time.Now()
		_, err = nc.Write(make([]byte, 100))
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, time.Since(began))
		_, err = io.ReadFull(nc, make([]byte, 100))
		require.NoError(t, err)
		require.Equal(t, 4*time.Second, time.Since(began))
		nc.Close()
		d.wg.Wait()
	})
}

// A client is cut off in the middle of its first stanzas and resumes its session.
func ExampleLink() {
	ctx := context.Background()
	srv, err := xmpptest.Start(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()
	juliet, err := srv.Account("juliet")
	if err != nil {
		fmt.Println(err)
		return
	}

	statuses := make(chan xmpp.Status, 10)
	mux := muxer.New()
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		statuses <- e.Status
		return nil
	})
	opts := srv.Options(juliet)
	link := xmpptest.NewLink(opts.Dialer)
	opts.Handler, opts.Dialer = mux, link
	opts.Reconnect = client.Backoff{Min: time.Millisecond}
	c, err := client.Dial(ctx, juliet, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	fmt.Println(<-statuses)
	link.Cut()
	fmt.Println(<-statuses)
	fmt.Println(<-statuses)
	// Output:
	// online
	// suspended
	// resumed
}
