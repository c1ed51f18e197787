package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// The reason of the end is nil after Close alone.
func TestReasons(t *testing.T) {
	reset := errors.New("connection reset")
	for _, tt := range []struct {
		name string
		end  func(*Session, *fakeConn)
		is   []error
		text string
	}{
		{"close", func(s *Session, _ *fakeConn) { _ = s.Close(context.Background()) }, nil, ""},
		{"the peer's close", func(_ *Session, c *fakeConn) { c.end(io.EOF) }, []error{io.EOF},
			"xmpp: the session is closed: the other side ended the stream (EOF)"},
		{"stream error", func(_ *Session, c *fakeConn) { c.end(&stream.Error{Condition: stream.PolicyViolation}) },
			[]error{stream.PolicyViolation}, ""},
		{"broken", func(_ *Session, c *fakeConn) { c.end(reset) }, []error{reset}, "xmpp: the session is closed: connection reset"},
		{"broken, and closed when that was not known yet", func(s *Session, c *fakeConn) {
			c.end(reset)
			_ = s.Close(context.Background())
		}, []error{reset}, "xmpp: the session is closed: connection reset"},
		{"closed below", func(_ *Session, c *fakeConn) { c.end(fmt.Errorf("stream: %w", xmpp.ErrClosed)) }, nil,
			"stream: xmpp: the session is closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := open(t, nil)
				if err := s.Err(); err != nil {
					t.Errorf("Err of an open session = %v", err)
				}
				tt.end(s, c)
				<-s.Done()
				wait, err := s.Wait(), s.Err()
				if wait != err || (err == nil) != (tt.name == "close") || err != nil && !errors.Is(err, xmpp.ErrClosed) {
					t.Errorf("Wait = %v, Err = %v", wait, err)
				}
				for _, want := range tt.is {
					if !errors.Is(err, want) {
						t.Errorf("Err = %v, want one that is %v", err, want)
					}
				}
				if tt.text != "" && err.Error() != tt.text {
					t.Errorf("Err = %q, want %q", err, tt.text)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Errorf("Close after the end: %v", err)
				}
				if s.Err() != err {
					t.Errorf("the reason changed to %v", s.Err())
				}
				if _, err := s.Send(t.Context(), stanza.Presence{}); !errors.Is(err, xmpp.ErrClosed) || !xmpp.SafeToRetry(err) {
					t.Errorf("Send after the end: %v", err)
				}
			})
		})
	}
}

// A handler may close the session. It gets what had arrived before, and Wait
// waits for it.
func TestCloseInHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		s, c := open(t, xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if st.Header().ID == "2" {
				if err := xmpp.SessionFrom(ctx).(*Session).Close(ctx); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			return seen.HandleStanza(ctx, st)
		}))
		c.receive("<message id='1'/>", "<message id='2'/>")
		if err := s.Wait(); err != nil {
			t.Errorf("Wait = %v", err)
		}
		if got, want := seen.String(), "[1 2]"; got != want {
			t.Errorf("handled %s, want %s", got, want)
		}
	})
}

// What had arrived before the end is handled (RFC 6120 §4.4), with a context that is
// done.
func TestC4_4_WhatHadArrivedIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, gate := &recorder{}, make(chan struct{})
		s, c := open(t, xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			<-gate
			if ctx.Err() == nil {
				t.Error("the context is not done")
			}
			return seen.HandleStanza(ctx, st)
		}))
		for i := range 5 {
			c.receive(fmt.Sprintf("<message id='%d'/>", i))
		}
		c.receive("<iq type='get' id='5'>" + pingXML + "</iq>") // too late to answer
		synctest.Wait()
		c.end(io.EOF)
		synctest.Wait()
		close(gate)
		if err := s.Wait(); !errors.Is(err, io.EOF) {
			t.Errorf("Wait = %v", err)
		}
		if got, want := seen.String(), "[0 1 2 3 4 5]"; got != want {
			t.Errorf("handled %s, want %s", got, want)
		}
		c.nothing()
	})
}

// Close gets through while others wait to send and the reader pauses.
func TestCloseWhileStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(t)
		c.full = make(chan struct{})
		s := openOn(t, c, Options{QueueBytes: 1000, Handler: xmpp.HandlerFunc(
			func(ctx context.Context, _ *stanza.Raw) (stanza.Payload, error) {
				_, err := xmpp.SessionFrom(ctx).Send(ctx, stanza.Presence{})
				return nil, err
			})})
		flood(c)
		for range 3 {
			go func() { _, _ = s.Send(context.Background(), stanza.Message{}) }()
		}
		synctest.Wait()
		if !s.paused {
			t.Error("the reader does not pause: the test shows nothing")
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := s.Wait(); err != nil {
			t.Errorf("Wait = %v", err)
		}
	})
}

// While the stream is being closed the reader reads on, though too much is
// queued: otherwise it would never see the other side's end.
func TestCloseWakesThePausedReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := slow()
		c := &lingering{fakeConn: newFakeConn(t)}
		s := New(c, Options{Handler: handler, QueueBytes: 1000})
		s.Start(s)
		flood(c.fakeConn)
		synctest.Wait()
		if !s.paused {
			t.Error("the reader does not pause: the test shows nothing")
		}
		if err := s.Close(t.Context()); err != nil { // it returns when more has been read
			t.Errorf("Close: %v", err)
		}
		if err := s.Wait(); err != nil {
			t.Errorf("Wait = %v", err)
		}
	})
}

// A lingering connection ends once some more stanzas have been read.
type lingering struct{ *fakeConn }

func (c *lingering) Close(ctx context.Context) error {
	for range 10 {
		c.receive("<message/>")
	}
	return c.fakeConn.Close(ctx)
}
