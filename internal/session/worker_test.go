package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Stanzas are handled in the order of their arrival (RFC 6120 §10.1).
func TestC10_1_Order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5000
		next, running := 0, atomic.Int32{}
		_, c := open(t, xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if running.Add(1) != 1 {
				t.Error("two handlers at once")
			}
			defer running.Add(-1)
			if got, want := st.Header().ID, fmt.Sprint(next); got != want {
				t.Errorf("handled %s, want %s", got, want)
			}
			next++
			return nil, nil
		}))
		for i := range n {
			kind := [...]string{"<message id='%d'/>", "<presence id='%d'/>", "<iq type='get' id='%d'><x xmlns='urn:x'/></iq>"}[i%3]
			c.receive(fmt.Sprintf(kind, i))
		}
		synctest.Wait()
		if next != n {
			t.Errorf("handled %d, want %d", next, n)
		}
	})
}

// slow returns a handler that handles one stanza for each item of the channel.
func slow() (xmpp.Handler, chan struct{}) {
	tick := make(chan struct{})
	return xmpp.HandlerFunc(func(ctx context.Context, _ *stanza.Raw) (stanza.Payload, error) {
		select {
		case <-tick:
		case <-ctx.Done():
		}
		return nil, nil
	}), tick
}

// flood has the session receive messages without end, until the stream ends, and counts those it read.
func flood(c *fakeConn) *atomic.Int64 {
	var read atomic.Int64
	e := element("<message><body>" + strings.Repeat("x", 1000) + "</body></message>")
	go func() {
		for {
			select {
			case c.in <- e:
				read.Add(1)
			case <-c.done:
				return
			}
		}
	}()
	return &read
}

// With a slow handler the reader pauses: the peer is held back, memory is bounded. It
// goes on when half of the queue is handled.
func TestSlowHandlerHoldsThePeerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, tick := slow()
		c := newFakeConn(t)
		s := openOn(t, c, Options{Handler: handler, QueueBytes: 100_000})
		read := flood(c)
		synctest.Wait()
		first := read.Load()
		if first < 50 || first > 100 {
			t.Errorf("read %d messages of 1.5 kB, want those that fit in 100 kB", first)
		}
		handled := int64(0)
		for ; read.Load() == first; handled++ {
			tick <- struct{}{}
			synctest.Wait()
		}
		if handled < first/2-1 || handled > first/2+2 {
			t.Errorf("went on after %d of %d, want half", handled, first)
		}
		if got := s.Err(); got != nil {
			t.Errorf("the session ended: %v", got)
		}
		if total := read.Load(); total > first+handled {
			t.Errorf("read %d, handled %d: more are waiting than before (%d)", total, handled, first)
		}
	})
}

// While a query waits its answer may be anywhere behind what is too much, so
// the reader goes on.
func TestQueryBehindAFlood(t *testing.T) {
	for _, early := range []bool{true, false} {
		t.Run(fmt.Sprintf("query first %v", early), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, _ := slow()
				c := newFakeConn(t)
				s := openOn(t, c, Options{Handler: handler, QueueBytes: 10_000, MaxQueueBytes: 1_000_000})
				message := "<message><body>" + strings.Repeat("x", 1000) + "</body></message>"
				got := make(chan error, 1)
				query := func() {
					_, err := s.Query(context.Background(), ping(server))
					got <- err
				}
				if early {
					go query()
				}
				go func() {
					for range 100 {
						c.receive(message)
					}
					c.receive("<iq type='result' id='q1' from='example.org'/>")
					for range 100 {
						c.receive(message)
					}
				}()
				synctest.Wait()
				if !early {
					go query() // while the reader pauses
					synctest.Wait()
				}
				if err := <-got; err != nil {
					t.Errorf("Query: %v", err)
				}
				synctest.Wait()
				if len(s.queue) > 101 {
					t.Errorf("%d stanzas are queued: the reader did not pause again", len(s.queue))
				}
			})
		})
	}
}

// A flood is read only to a bound while a query waits; then the stream ends.
func TestSec_FloodWhileAQueryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := slow()
		c := newFakeConn(t)
		s := openOn(t, c, Options{Handler: handler, QueueBytes: 10_000, MaxQueueBytes: 1_000_000})
		read := flood(c)
		_, err := s.Query(context.Background(), ping(server))
		if !errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, stream.PolicyViolation) {
			t.Errorf("Query: %v, want %v because of %v", err, xmpp.ErrClosed, stream.PolicyViolation)
		}
		if n := read.Load(); n < 600 || n > 1000 {
			t.Errorf("read %d messages of 1.5 kB, want those that fit in 1 MB", n)
		}
		if err := s.Wait(); !errors.Is(err, stream.PolicyViolation) {
			t.Errorf("Wait = %v", err)
		}
	})
}

// A message from a nickname that RFC 7622 refuses is delivered. One from what is no
// address at all is not, since it would pass for one of the own account; it
// ends nothing either.
func TestOddSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var from []string
		s, c := open(t, xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			from = append(from, st.Header().From.Resourcepart())
			return nil, nil
		}))
		c.receive(
			"<message from='room@muc.example.org/line\u2028break'/>",
			"<message from='room@muc.example.org/ leading blank'/>",
			"<message from='@example.org/1'/>",
			"<message from=''/>",
			"<presence from='"+strings.Repeat("x", 5000)+"/2'/>",
			"<message to='@' from='romeo@example.net/unreadable to'/>",
			"<message from='romeo@example.net/last'/>",
		)
		synctest.Wait()
		got, want := strings.Join(from, "|"), "line\u2028break| leading blank|unreadable to|last"
		if got != want {
			t.Errorf("handled messages from %q, want %q", got, want)
		}
		if err := s.Err(); err != nil {
			t.Errorf("the session ended: %v", err)
		}
	})
}

// First-level elements that are no stanzas are ignored.
func TestNoStanzas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		s, c := open(t, seen)
		c.receive("<r xmlns='urn:xmpp:sm:3'/>", "<message xmlns='jabber:server'/>", "<query/>", "<message id='m'/>")
		synctest.Wait()
		if seen.String() != "[m]" || s.Err() != nil {
			t.Errorf("handled %s, the session is %v; want [m], open", seen, s.Err())
		}
		c.nothing()
	})
}

// Handlers find the session in their context, which ends with it.
func TestHandlerContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type wrapped struct{ xmpp.Session }
		var self xmpp.Session
		running := true
		c := newFakeConn(t)
		s := New(c, Options{Handler: xmpp.HandlerFunc(func(ctx context.Context, _ *stanza.Raw) (stanza.Payload, error) {
			self = xmpp.SessionFrom(ctx)
			<-ctx.Done()
			running = false
			return nil, ctx.Err()
		})})
		want := &wrapped{s}
		s.Start(want)
		c.receive("<message/>")
		synctest.Wait()
		if self != want || !running {
			t.Errorf("SessionFrom = %v, running %v; want %v, true", self, running, want)
		}
		c.end(io.EOF)
		if err := s.Wait(); !errors.Is(err, io.EOF) || running {
			t.Errorf("Wait = %v, the handler runs: %v", err, running)
		}
	})
}

// An idle session is one goroutine; the other exists while there is something to do.
func TestIdleSessionHasNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, &recorder{})
		for range 3 {
			c.receive("<message/>")
			synctest.Wait()
			if s.working || s.queue != nil {
				t.Errorf("idle with a worker (%v) or a queue of capacity %d", s.working, cap(s.queue))
			}
		}
	})
}
