package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Messages and requests get an id, a long one. What has one keeps it. Nothing
// gets a sender.
func TestSendAddressing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		raw, err := stanza.Parse([]byte("<message to='romeo@example.net' lang='x'><body>hi</body></message>"))
		if err != nil {
			t.Fatal(err)
		}
		request := ping(server)
		request.ID = ""
		for _, tt := range []struct {
			name string
			st   stanza.Stanza
			want string // the id; "*": a new one
		}{
			{"message", stanza.Message{To: romeo}, "*"},
			{"message with id", stanza.Message{To: romeo, ID: "m1"}, "m1"},
			{"raw message", raw, "*"},
			{"request", request, "*"},
			{"request with id", ping(server), "q1"},
			{"presence", stanza.Presence{}, ""},
			{"presence with id", stanza.Presence{ID: "p1"}, "p1"},
			{"result", stanza.IQ{Type: stanza.IQResult, To: romeo, ID: "r1"}, "r1"},
			{"error without id", stanza.IQ{Type: stanza.IQError, Error: &stanza.Error{}}, ""},
		} {
			receipt, err := s.Send(t.Context(), tt.st)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if got := receipt.Stage(); got != xmpp.Sent {
				t.Errorf("%s: stage %v, want %v", tt.name, got, xmpp.Sent)
			}
			h := c.next().Header()
			if h.ID != tt.want && (tt.want != "*" || len(h.ID) < 22) {
				t.Errorf("%s: id %q, want %q", tt.name, h.ID, tt.want)
			}
			if !h.From.IsZero() || h.To != tt.st.Header().To {
				t.Errorf("%s: from %q to %q, want none and %q", tt.name, h.From, h.To, tt.st.Header().To)
			}
		}
		if _, err := s.Send(t.Context(), stanza.Message{To: romeo, From: juliet}); err != nil || c.next().Header().From != juliet {
			t.Errorf("a sender that was set: %v, want it kept", err)
		}
	})
}

// What cannot be sent is an error that nothing has left, and harms nothing.
func TestSendFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		for _, st := range []stanza.Stanza{
			nil,
			stanza.Message{Body: stanza.Plain("\x00")},
			stanza.IQ{Type: stanza.IQGet},
			stanza.IQ{Type: stanza.IQSet, Payload: stanza.Element{}},
		} {
			if _, err := s.Send(t.Context(), st); !xmpp.SafeToRetry(err) {
				t.Errorf("Send(%v) = %v, want an error that nothing was sent", st, err)
			}
		}
		c.nothing()
		if _, err := s.Send(t.Context(), stanza.Presence{}); err != nil {
			t.Errorf("then a presence: %v", err)
		}
	})
}

// A Send that gives up leaves the session as it was.
func TestCancelledSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(t)
		c.full = make(chan struct{})
		s := openOn(t, c, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 2)
		go func() {
			_, err := s.Send(ctx, stanza.Message{To: romeo})
			got <- err
		}()
		go func() {
			_, err := s.Query(ctx, ping(romeo))
			got <- err
		}()
		synctest.Wait()
		cancel()
		for range 2 {
			if err := <-got; !errors.Is(err, context.Canceled) || !xmpp.SafeToRetry(err) {
				t.Errorf("got %v, safe to retry %v; want %v, true", err, xmpp.SafeToRetry(err), context.Canceled)
			}
		}
		close(c.full)
		if _, err := s.Send(t.Context(), stanza.Message{To: romeo, ID: "after"}); err != nil || c.next().Header().ID != "after" {
			t.Errorf("the next Send: %v", err)
		}
	})
}

// stamper is a handler that sees what is sent.
type stamper struct {
	recorder
	saw []stanza.Header
}

func (s *stamper) OutgoingStanza(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) {
	s.saw = append(s.saw, st.Header())
	if m, ok := st.(stanza.Message); ok {
		m.Body = append(m.Body, stanza.Translation{Lang: "la", Value: "salve"})
		return m, nil
	}
	return st, nil
}

// Middleware sees every stanza, answers too, with the id it will have, and may
// change it.
func TestOutgoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &stamper{}
		s, c := open(t, m)
		if _, err := s.Send(t.Context(), stanza.Message{To: romeo}); err != nil {
			t.Fatal(err)
		}
		sent := c.next()
		if got, want := sent.Header().ID, m.saw[0].ID; got != want || got == "" {
			t.Errorf("sent with id %q, the middleware saw %q", got, want)
		}
		if msg, _ := sent.Message(); msg.Body.In("la") != "salve" {
			t.Errorf("sent %s without what the middleware added", sent)
		}
		c.onSend = func(q *stanza.Raw) { c.receive("<iq type='result' id='" + q.Header().ID + "'/>") }
		if _, err := s.Query(t.Context(), stanza.IQ{Type: stanza.IQGet, Payload: element(pingXML)}); err != nil || m.saw[1].ID == "" {
			t.Errorf("Query: %v, the middleware saw %+v", err, m.saw[1])
		}
		c.onSend = nil
		c.receive("<iq type='get' id='7' from='romeo@example.net'>" + pingXML + "</iq>")
		synctest.Wait()
		if last := m.saw[len(m.saw)-1]; len(m.saw) != 3 || last.ID != "7" || last.Type != "result" {
			t.Errorf("the middleware saw %+v, want the answer last", m.saw)
		}
	})
}

func TestOutgoingRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, &refuser{})
		_, err := s.Send(t.Context(), stanza.Presence{})
		if !errors.Is(err, errRefused) || !xmpp.SafeToRetry(err) {
			t.Errorf("Send: %v, want %v", err, errRefused)
		}
		if _, err = s.Query(t.Context(), ping(server)); !errors.Is(err, errRefused) || s.waiting != 0 {
			t.Errorf("Query: %v, want %v; %d wait", err, errRefused, s.waiting)
		}
		c.nothing()
	})
}
