package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A handler may query: the answer is read while it waits.
func TestQueryInHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		_, c := open(t, xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			_, err := xmpp.SessionFrom(ctx).Query(ctx, ping(server))
			got <- err
			return nil, nil
		}))
		c.receive("<message id='m1'/>")
		q := c.next()
		c.receive("<message id='m2'/>", fmt.Sprintf("<iq type='result' id='%s' from='example.org'/>", q.Header().ID))
		if err := <-got; err != nil {
			t.Errorf("Query in a handler: %v", err)
		}
		c.next() // that of m2
		c.end(io.EOF)
		if err := <-got; !errors.Is(err, xmpp.ErrClosed) {
			t.Errorf("Query at the end of the session: %v, want %v", err, xmpp.ErrClosed)
		}
	})
}

// An answer nobody looks at holds up nothing.
func TestUnreadAnswerStallsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		s, c := open(t, seen)
		ctx, cancel := context.WithCancel(t.Context())
		c.onSend = func(*stanza.Raw) { cancel() }
		if _, err := s.Query(ctx, ping(romeo)); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled query: %v", err)
		}
		c.onSend = nil
		if s.waiting != 0 || len(s.queries) != 0 {
			t.Errorf("%d queries wait in %v, want none", s.waiting, s.queries)
		}
		answer := "<iq type='result' id='q1' from='romeo@example.net/orchard'><x xmlns='urn:x'>" + strings.Repeat("<y/>", 1000) + "</x></iq>"
		c.receive(answer, "<message id='m1'/>", answer, "<message id='m2'/>")
		synctest.Wait()
		if got, want := seen.String(), "[m1 m2]"; got != want {
			t.Errorf("handled %s, want %s", got, want)
		}
	})
}

// When the stream ends, every query ends with it, and says whether it may be
// repeated.
func TestQueriesEndWithTheSession(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stuck bool // the query has not left
		safe  bool
	}{
		{name: "sent", safe: false},
		{name: "still queued", stuck: true, safe: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeConn(t)
				c.stuck = tt.stuck
				s := openOn(t, c, Options{QueryTimeout: -1})
				errs := make(chan error)
				for i := range 10 {
					iq := ping(server)
					iq.ID = fmt.Sprint(i)
					go func() {
						_, err := s.Query(context.Background(), iq)
						errs <- err
					}()
				}
				synctest.Wait()
				broken := errors.New("connection reset")
				c.end(broken)
				for range 10 {
					err := <-errs
					if !errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, broken) || xmpp.SafeToRetry(err) != tt.safe {
						t.Errorf("got %v, safe to retry %v; want ErrClosed because of %v, safe %v", err, xmpp.SafeToRetry(err), broken, tt.safe)
					}
				}
				_, err := s.Query(t.Context(), ping(server))
				if !errors.Is(err, xmpp.ErrClosed) || !xmpp.SafeToRetry(err) {
					t.Errorf("a query after the end: %v, safe to retry %v", err, xmpp.SafeToRetry(err))
				}
			})
		})
	}
}

// Answers are matched by peer, id and kind together, with the equivalences of
// RFC 6120 §8.1.2.1 and §10.3.3.
func TestClientS4_AnswerMatching(t *testing.T) {
	const (
		own      = "juliet@example.org"
		full     = "juliet@example.org/balcony"
		domain   = "example.org"
		romeo    = "romeo@example.net/orchard"
		result   = "<iq type='result' id='q1'%s/>"
		failure  = "<iq type='error' id='q1'%s><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		anybody  = "mallory@example.com/x"
		nothing  = ""
		noSender = "-"
	)
	for _, tt := range []struct {
		to, from string // of the query, of the answer
		format   string
		want     bool
	}{
		{romeo, romeo, result, true},
		{romeo, romeo, failure, true},
		{romeo, "Romeo@EXAMPLE.net/orchard", result, true},
		{romeo, anybody, result, false},
		{romeo, anybody, failure, false},
		{romeo, noSender, result, false},
		{romeo, "romeo@example.net", result, false},
		{romeo, "romeo@example.net/Orchard", result, false},
		{romeo, "example.net", result, false},
		{romeo, own, result, false},
		{romeo, domain, failure, false},
		{romeo, "@@", result, false},
		{romeo, "", result, false},

		{nothing, noSender, result, true},
		{nothing, own, result, true},
		{nothing, full, result, true},
		{nothing, domain, result, true},
		{nothing, "juliet@example.org/other", result, false},
		{nothing, anybody, result, false},
		{nothing, "@@", result, false},
		{nothing, "", result, false}, // from='' is not the absence of from

		{own, noSender, result, true},
		{own, own, failure, true},
		{own, full, result, true},
		{own, domain, result, true},
		{own, anybody, result, false},

		{domain, domain, result, true},
		{domain, noSender, result, false},
		{domain, own, result, false},

		{romeo, romeo, "<iq type='result' id='q2'%s/>", false},
		{romeo, romeo, "<iq type='result'%s/>", false},
		{romeo, romeo, "<message type='result' id='q1'%s/>", false},
		{romeo, romeo, "<presence type='error' id='q1'%s/>", false},
		{romeo, romeo, "<iq type='get' id='q1'%s><ping xmlns='urn:xmpp:ping'/></iq>", false},
		{romeo, romeo, "<iq id='q1'%s/>", false},
	} {
		t.Run(tt.to+"_from_"+tt.from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := open(t, xmpp.Unhandled)
				from := " from='" + tt.from + "'"
				if tt.from == noSender {
					from = ""
				}
				var to jid.JID
				if tt.to != nothing {
					to = jid.MustParse(tt.to)
				}
				var got bool
				go func() {
					iq, err := s.Query(context.Background(), ping(to))
					got = err == nil && iq.Type == stanza.IQResult || errors.Is(err, stanza.ItemNotFound)
				}()
				synctest.Wait()
				c.receive(fmt.Sprintf(tt.format, from))
				synctest.Wait()
				if got != tt.want {
					t.Errorf("%s taken for the answer of %q: %v, want %v", fmt.Sprintf(tt.format, from), tt.to, got, tt.want)
				}
			})
		})
	}
}

// A query that mallory answered still gets the true answer, and only the first.
func TestClientS4_TheTrueAnswerFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, xmpp.Unhandled)
		done := make(chan string)
		go func() {
			iq, err := s.Query(context.Background(), ping(romeo))
			done <- fmt.Sprint(iq.Payload, err)
		}()
		synctest.Wait()
		c.receive(
			"<iq type='result' id='q1' from='mallory@example.com/x'><a xmlns='urn:x'/></iq>",
			"<iq type='result' id='q1' from='romeo@example.net/orchard'><b xmlns='urn:x'/></iq>",
			"<iq type='result' id='q1' from='romeo@example.net/orchard'><c xmlns='urn:x'/></iq>",
		)
		if got, want := <-done, "<b xmlns='urn:x'/> <nil>"; got != want {
			t.Errorf("Query = %s, want %s", got, want)
		}
		c.next()
		c.nothing()
	})
}

// Two queries of one id to two peers are two queries.
func TestQueriesOfOneID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		got := make(map[jid.JID]bool)
		for _, to := range []jid.JID{romeo, server, juliet} {
			go func() {
				iq, err := s.Query(context.Background(), ping(to))
				got[to] = err == nil && iq.From == to
			}()
			synctest.Wait()
		}
		if _, err := s.Query(t.Context(), ping(server)); !xmpp.SafeToRetry(err) {
			t.Errorf("the same query again: %v, want an error that it was not sent", err)
		}
		for _, from := range []jid.JID{server, juliet, romeo} { // the middle, an end, the last
			c.receive(fmt.Sprintf("<iq type='result' id='q1' from='%s'/>", from))
			synctest.Wait()
			if !got[from] {
				t.Errorf("the answer of %s did not arrive at its query", from)
			}
		}
		if len(s.queries) != 0 || s.waiting != 0 {
			t.Errorf("%d queries are left in %v", s.waiting, s.queries)
		}
	})
}

// The answer may arrive before Send returns.
func TestAnswerWhileSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		c.onSend = func(q *stanza.Raw) {
			c.receive(fmt.Sprintf("<iq type='result' id='%s' from='example.org'/>", q.Header().ID))
		}
		for range 3000 {
			if _, err := s.Query(t.Context(), stanza.IQ{To: server, Type: stanza.IQGet, Payload: element("<x xmlns='urn:x'/>")}); err != nil {
				t.Fatal(err)
			}
			<-c.sent
		}
	})
}

// An answer that came before the end of the session is the outcome, whatever else is known by then: who deletes an
// account is told that it is gone, and at once thrown out (XEP-0077 §3.2).
func TestAnswerBeforeTheEnd(t *testing.T) {
	for range 50 { // select takes any of the cases that are ready
		synctest.Test(t, func(t *testing.T) {
			s, c := open(t, nil)
			c.onSend = func(q *stanza.Raw) {
				c.receive(fmt.Sprintf("<iq type='result' id='%s' from='example.org'/>", q.Header().ID))
				c.end(io.EOF)
				<-s.Done()
			}
			if _, err := s.Query(t.Context(), ping(server)); err != nil {
				t.Errorf("Query = %v", err)
			}
		})
	}
}

func TestQueryOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		answer := ""
		c.onSend = func(q *stanza.Raw) { c.receive(answer) }

		answer = "<iq type='result' id='q1' from='example.org'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>"
		_, err := s.Query(t.Context(), ping(server))
		if _, is := stanza.AsError(err); err == nil || is {
			t.Errorf("a result with two children: %v, want an error that is none of the peer's", err)
		}
		answer = "<iq type='error' id='q1' from='example.org'/>"
		if _, err = s.Query(t.Context(), ping(server)); !errors.Is(err, stanza.UndefinedCondition) {
			t.Errorf("an error without an error: %v", err)
		}
		for _, typ := range []stanza.IQType{"", stanza.IQResult, stanza.IQError, "x"} {
			if _, err = s.Query(t.Context(), stanza.IQ{To: server, Type: typ}); !xmpp.SafeToRetry(err) {
				t.Errorf("a query of type %q: %v, want an error that it was not sent", typ, err)
			}
		}
	})
}

func TestQueryTimeout(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name     string
		option   time.Duration
		deadline time.Duration // of the context; 0: none
		full     bool          // the query waits for room in the queue
		took     time.Duration
		is       []error
		text     string
	}{
		{name: "default", took: 30 * time.Second, is: []error{xmpp.ErrTimeout},
			text: "xmpp: no answer in time from example.org"},
		{name: "option", option: time.Minute, took: time.Minute, is: []error{xmpp.ErrTimeout},
			text: "xmpp: no answer in time from example.org"},
		{name: "context", deadline: time.Hour, took: time.Hour, is: []error{xmpp.ErrTimeout, context.DeadlineExceeded},
			text: "xmpp: no answer in time from example.org: context deadline exceeded"},
		{name: "no bound but the context's", option: -1, deadline: day, took: day, is: []error{xmpp.ErrTimeout}},
		{name: "queue full", full: true, took: 30 * time.Second, is: []error{xmpp.ErrTimeout},
			text: "xmpp: no answer in time from example.org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeConn(t)
				if tt.full {
					c.full = make(chan struct{})
				}
				s := openOn(t, c, Options{QueryTimeout: tt.option})
				ctx := context.Background()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				begin := time.Now()
				_, err := s.Query(ctx, ping(server))
				if took := time.Since(begin); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				for _, want := range tt.is {
					if !errors.Is(err, want) {
						t.Errorf("Query: %v, want one that is %v", err, want)
					}
				}
				if tt.text != "" && err.Error() != tt.text {
					t.Errorf("Query: %q, want %q", err, tt.text)
				}
				if xmpp.SafeToRetry(err) != tt.full {
					t.Errorf("safe to retry: %v, want %v", !tt.full, tt.full)
				}
				c.receive("<iq type='result' id='q1' from='example.org'/>") // too late: dropped
			})
		})
	}
}
