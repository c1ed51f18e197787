package client_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stream"
)

// What waits longer each time, to a bound, and never exactly so long, is polite to a server
// that comes back (RFC 6120 §3.3).
func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		backoff     client.Backoff
		failure     client.Failure
		least, most time.Duration // zero: it gives up
	}{
		{failure: client.Failure{Class: client.ClassNetwork, Attempt: 1}, least: time.Second / 2, most: time.Second},
		{failure: client.Failure{Class: client.ClassServer, Attempt: 4}, least: 4 * time.Second, most: 8 * time.Second},
		{failure: client.Failure{Class: client.ClassCertificate, Attempt: 9}, least: 128 * time.Second, most: 256 * time.Second},
		{failure: client.Failure{Class: client.ClassNetwork, Attempt: 10}, least: 150 * time.Second, most: 300 * time.Second},
		{failure: client.Failure{Class: client.ClassNetwork, Attempt: 1 << 40}, least: 150 * time.Second, most: 300 * time.Second},
		{failure: client.Failure{Class: client.ClassRedirect, Attempt: 2}, least: time.Second, most: 2 * time.Second},
		{failure: client.Failure{Class: client.ClassCredentials, Attempt: 1}},
		{failure: client.Failure{Class: client.ClassPolicy, Attempt: 1}},
		{failure: client.Failure{Class: client.ClassConflict, Attempt: 1}},
		{backoff: client.Backoff{Attempts: 3}, failure: client.Failure{Class: client.ClassNetwork, Attempt: 3}, least: 2 * time.Second, most: 4 * time.Second},
		{backoff: client.Backoff{Attempts: 3}, failure: client.Failure{Class: client.ClassNetwork, Attempt: 4}},
		{backoff: client.Backoff{Min: time.Minute, Max: time.Minute}, failure: client.Failure{Class: client.ClassServer, Attempt: 1}, least: time.Minute / 2, most: time.Minute},
	} {
		seen := make(map[time.Duration]bool)
		for range 50 {
			wait, again := tt.backoff.Retry(tt.failure)
			if again != (tt.most > 0) || wait < tt.least || wait > tt.most {
				t.Errorf("%+v: %+v: waits %v, %t; want %v to %v", tt.backoff, tt.failure, wait, again, tt.least, tt.most)
				break
			}
			seen[wait] = true
		}
		if tt.most > 0 && len(seen) < 10 {
			t.Errorf("%+v: only %d different waits", tt.failure, len(seen))
		}
	}
	wait, again := client.Backoff{}.Retry(client.Failure{Class: client.ClassRedirect, Attempt: 1})
	require.True(t, again)
	require.Zero(t, wait)
}

// told is a policy that notes what it is asked.
type told struct{ failures chan client.Failure }

func (p told) Retry(f client.Failure) (time.Duration, bool) {
	p.failures <- f
	return client.Backoff{Min: time.Millisecond}.Retry(f)
}

// Each kind of end of a stream has its class, and its event.
func TestClasses(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*stream.Conn)
		want client.Class
		err  error
	}{
		{"cut", (*stream.Conn).Cut, client.ClassNetwork, nil},
		{"closed", func(c *stream.Conn) { go c.Close(t.Context()) }, client.ClassNetwork, io.EOF},
		{"shutdown", failing(stream.Error{Condition: stream.SystemShutdown}), client.ClassServer, stream.SystemShutdown},
		{"policy violation", failing(stream.Error{Condition: stream.PolicyViolation}), client.ClassServer, stream.PolicyViolation},
		{"conflict", failing(stream.Error{Condition: stream.Conflict}), client.ClassConflict, stream.Conflict},
		{"elsewhere", failing(stream.Error{Condition: stream.SeeOtherHost, Host: "b.example.net:5229"}), client.ClassRedirect, stream.SeeOtherHost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			road := &road{dial: p.DialContext}
			opts, policy := p.options(), told{make(chan client.Failure, 10)}
			events := make(chan xmpp.Event, 10)
			mux := muxer.New()
			mux.Event(func(_ context.Context, e xmpp.Event) error { events <- e; return nil })
			opts.Reconnect, opts.Handler, opts.Dialer = policy, mux, road
			c := p.dial(t, opts)
			require.Equal(t, xmpp.Online, (<-events).Status)
			<-p.sessions
			tt.end(<-p.conns)
			f := <-policy.failures
			require.Equal(t, tt.want, f.Class, "%v", f.Err)
			if tt.err != nil {
				require.ErrorIs(t, f.Err, tt.err)
			}
			require.Equal(t, 1, f.Attempt)
			e := <-events
			require.Equal(t, xmpp.Offline, e.Status, "there is nothing to resume")
			if tt.want == client.ClassConflict {
				require.True(t, e.Final)
				require.ErrorIs(t, c.Wait(t.Context()), stream.Conflict)
				return
			}
			require.False(t, e.Final)
			require.Equal(t, xmpp.Online, (<-events).Status)
			if tt.want == client.ClassRedirect {
				require.Equal(t, []string{"xmpp.example.net:5222", "b.example.net:5229"}, road.attempts())
			}
		})
	}
}

// failing ends a stream with an error.
func failing(e stream.Error) func(*stream.Conn) { return func(c *stream.Conn) { c.Fail(&e) } }

// A server that has vanished without a word is given up within a stated time.
func TestSilentServer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.freeze()
		began := time.Now()
		e := s.event()
		require.Equal(t, xmpp.Suspended, e.Status)
		require.ErrorIs(t, e.Err, stream.ErrSilent)
		require.Equal(t, 20*time.Second, time.Since(began))
		require.Equal(t, xmpp.Resumed, s.event().Status)
		s.say(s.romeo, "juliet@example.org/balcony", "there?")
		require.Equal(t, "there?", s.got(s.toHer))
		time.Sleep(time.Hour) // and a quiet server is not
		s.say(s.romeo, "juliet@example.org/balcony", "still?")
		require.Equal(t, "still?", s.got(s.toHer))
		require.Len(t, s.road.attempts(), 2)
	}, func(o *client.Options) { o.IdleTimeout, o.ProbeTimeout = 15*time.Second, 5*time.Second })
}
