package client_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A client that is cut off ten thousand times, and resumes or begins anew each time, leaves nothing
// behind, and neither does its server.
func TestCycles(t *testing.T) {
	cycles := 10_000
	if raceEnabled {
		cycles = 500
	}
	for name, resumeFor := range map[string]time.Duration{"resumed": 0, "anew": -1} {
		t.Run(name, func(t *testing.T) {
			srv, err := xmpptest.Start(&server.Options{
				InsecurePlaintext: true, Iterations: sasl.MinIterations, Logger: quiet, Mechanisms: []string{sasl.SCRAMSHA1},
				Limits: server.Limits{ResumeFor: resumeFor},
			})
			require.NoError(t, err)
			defer srv.Stop()
			addr, err := srv.Account("juliet")
			require.NoError(t, err)
			opts := srv.Options(addr)
			link := xmpptest.NewLink(opts.Dialer)
			mux, back := muxer.New(), make(chan xmpp.Status, 1)
			mux.Event(func(_ context.Context, e xmpp.Event) error {
				if e.Status == xmpp.Resumed || e.Status == xmpp.Online {
					back <- e.Status
				}
				return nil
			})
			opts.Dialer, opts.Logger, opts.Handler, opts.Reconnect = link, quiet, mux, client.Backoff{Min: time.Microsecond, Max: time.Microsecond}
			c, err := client.Dial(t.Context(), addr, opts)
			require.NoError(t, err)
			<-back
			_, err = c.Send(t.Context(), stanza.Presence{})
			require.NoError(t, err)
			cycle := func() {
				_, err := c.Send(t.Context(), stanza.Message{To: addr.Domain(), Body: stanza.Plain("into the blue")})
				require.NoError(t, err)
				link.Cut()
				want := xmpp.Resumed
				if resumeFor < 0 {
					want = xmpp.Online
				}
				require.Equal(t, want, <-back)
			}
			for range cycles / 10 {
				cycle()
			}
			heap, goroutines := measure()
			for range cycles {
				cycle()
			}
			after, left := measure()
			t.Logf("%d cycles: heap %d → %d bytes, goroutines %d → %d", cycles, heap, after, goroutines, left)
			require.Less(t, after, heap+1<<20)
			require.LessOrEqual(t, left, goroutines+3)
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, c.Wait(t.Context()))
		})
	}
}

// measure returns what is live.
func measure() (heap int64, goroutines int) {
	for range 3 { // what is about to end has time to
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), runtime.NumGoroutine()
}

// A server that reads nothing, or acknowledges nothing, costs its client a bounded amount, and sends wait.
func TestServerThatStopsReading(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		sent := 0
		for ; err == nil; sent++ {
			_, err = s.juliet.Send(ctx, stanza.Message{To: domain, Body: stanza.Plain("0123456789")})
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, xmpp.SafeToRetry(err))
		require.Less(t, sent*100, 10<<20, "bytes that are held")
	})
}
