package client_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A road is a dialer whose connections can be cut, and which can be closed.
type road struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex // guards the fields below
	conns  []*freezable
	closed bool
	dialed []string // addresses
}

var errNoRoad = errors.New("no road")

func (r *road) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialed = append(r.dialed, address)
	if r.closed {
		return nil, errNoRoad
	}
	nc, err := r.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	r.conns = append(r.conns, &freezable{Conn: nc})
	return r.conns[len(r.conns)-1], nil
}

// A freezable connection can stop to pass anything on, without a word.
type freezable struct {
	net.Conn
	frozen atomic.Bool
}

func (c *freezable) Read(b []byte) (int, error) {
	for {
		if n, err := c.Conn.Read(b); err != nil || !c.frozen.Load() {
			return n, err
		}
	}
}

func (c *freezable) Write(b []byte) (int, error) {
	if c.frozen.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// freeze does that to all connections.
func (r *road) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, nc := range r.conns {
		nc.frozen.Store(true)
	}
}

func (r *road) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, nc := range r.conns {
		nc.Close()
	}
	r.conns = nil
}

func (r *road) setClosed(closed bool) {
	r.mu.Lock()
	r.closed = closed
	r.mu.Unlock()
	if closed {
		r.cut()
	}
}

func (r *road) attempts() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.dialed...)
}

// A stage has a server, romeo who is always there, and juliet, whose road can be cut.
type stage struct {
	t      *testing.T
	srv    *xmpptest.Server
	road   *road
	mux    *muxer.Mux
	opts   *client.Options
	juliet *client.Client
	romeo  *client.Client
	events chan xmpp.Event
	toHer  chan string // bodies
	toHim  chan string
	seen   chan string // what he saw of her presence
}

func newStage(t *testing.T, srvOpts *server.Options, change ...func(*client.Options)) *stage {
	srv, err := xmpptest.Start(srvOpts)
	require.NoError(t, err)
	for _, a := range []string{"juliet", "romeo"} {
		_, err := srv.Account(a)
		require.NoError(t, err)
	}
	require.NoError(t, srv.AddContact(t.Context(), jid.MustParse("juliet@example.org"), jid.MustParse("romeo@example.org")))
	s := &stage{
		t: t, srv: srv, mux: muxer.New(), events: make(chan xmpp.Event, 100),
		toHer: make(chan string, 100), toHim: make(chan string, 100), seen: make(chan string, 100),
	}
	his := muxer.New()
	his.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error { s.toHim <- m.Body.String(); return nil })
	his.Presence("", func(_ context.Context, p *stanza.Presence) error { return s.sees(p) })
	his.Presence(stanza.PresenceUnavailable, func(_ context.Context, p *stanza.Presence) error { return s.sees(p) })
	opts := srv.Options(jid.MustParse("romeo@example.org"))
	opts.Handler, opts.Logger = his, quiet
	s.romeo, err = client.Dial(t.Context(), jid.MustParse("romeo@example.org/orchard"), opts)
	require.NoError(t, err)

	s.mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error { s.toHer <- m.Body.String(); return nil })
	s.mux.Event(func(_ context.Context, e xmpp.Event) error { s.events <- e; return nil })
	s.opts = srv.Options(jid.MustParse("juliet@example.org"))
	s.road = &road{dial: s.opts.Dialer.DialContext}
	s.opts.Handler, s.opts.Dialer, s.opts.Logger = s.mux, s.road, quiet
	for _, f := range change {
		f(s.opts)
	}
	s.juliet, err = client.Dial(t.Context(), juliet, s.opts)
	require.NoError(t, err)
	require.Equal(t, xmpp.Online, s.event().Status)
	return s
}

func (s *stage) sees(p *stanza.Presence) error {
	if p.From.Bare() == juliet.Bare() {
		s.seen <- cmp.Or(string(p.Type), p.Status.String())
	}
	return nil
}

// end ends all, as a bubble has to be left.
func (s *stage) end() {
	_ = s.juliet.Close(context.Background())
	_ = s.juliet.Wait(context.Background())
	_ = s.romeo.Close(context.Background())
	_ = s.romeo.Wait(context.Background())
	s.srv.Stop()
}

func (s *stage) redial() {
	s.t.Helper()
	c, err := client.Dial(s.t.Context(), juliet, s.opts)
	require.NoError(s.t, err)
	s.juliet = c
}

func (s *stage) event() xmpp.Event {
	s.t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(time.Hour):
		s.t.Fatal("no event")
		return xmpp.Event{}
	}
}

func (s *stage) got(c chan string) string {
	s.t.Helper()
	select {
	case body := <-c:
		return body
	case <-time.After(time.Hour):
		s.t.Fatal("no message")
		return ""
	}
}

func (s *stage) none(c chan string) {
	s.t.Helper()
	synctest.Wait()
	select {
	case body := <-c:
		s.t.Errorf("got %q", body)
	default:
	}
}

func (s *stage) say(c *client.Client, to, body string) xmpp.Receipt {
	s.t.Helper()
	r, err := c.Send(s.t.Context(), stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(body)})
	require.NoError(s.t, err)
	return r
}

func bubble(t *testing.T, srv *server.Options, f func(t *testing.T, s *stage), change ...func(*client.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, srv, change...)
		defer s.end()
		f(t, s)
	})
}

// A session that was cut off goes on, and nothing is lost or doubled.
func TestResumed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		_, err := s.juliet.Send(t.Context(), stanza.Presence{})
		require.NoError(t, err)
		r := s.say(s.juliet, "romeo@example.org/orchard", "1")
		_, err = r.Await(t.Context(), xmpp.Acked)
		require.NoError(t, err)
		require.Equal(t, "1", s.got(s.toHim))
		s.road.setClosed(true)
		e := s.event()
		require.Equal(t, xmpp.Suspended, e.Status)
		require.Error(t, e.Err)
		before := s.say(s.juliet, "romeo@example.org/orchard", "2")
		require.Equal(t, xmpp.Queued, before.Stage())
		s.say(s.romeo, "juliet@example.org", "hello?")
		s.none(s.toHer)
		s.none(s.toHim)
		s.road.setClosed(false)
		require.Equal(t, xmpp.Resumed, s.event().Status)
		require.Equal(t, "2", s.got(s.toHim))
		require.Equal(t, "hello?", s.got(s.toHer))
		_, err = before.Await(t.Context(), xmpp.Acked)
		require.NoError(t, err)
		s.none(s.toHim)
		s.none(s.toHer)
		require.Nil(t, s.juliet.Err())
	})
}

// A query may begin on one stream and end on the next.
func TestQueryAcrossStreams(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.setClosed(true)
		require.Equal(t, xmpp.Suspended, s.event().Status)
		time.AfterFunc(10*time.Second, func() { s.road.setClosed(false) })
		_, err := s.juliet.Query(t.Context(), stanza.IQ{Type: stanza.IQGet, To: domain, Payload: element("<ping xmlns='urn:xmpp:ping'/>")})
		require.NoError(t, err)
		require.Equal(t, xmpp.Resumed, s.event().Status)
		s.road.setClosed(true)
		require.Equal(t, xmpp.Suspended, s.event().Status)
		_, err = s.juliet.Query(t.Context(), stanza.IQ{Type: stanza.IQGet, To: domain, Payload: element("<ping xmlns='urn:xmpp:ping'/>")})
		require.ErrorIs(t, err, xmpp.ErrTimeout)
		require.True(t, xmpp.SafeToRetry(err), "%v", err)
	})
}

// Where nothing can be resumed a new session begins: with the presence of the old one, and with what
// had not left. What may be lost is told.
func TestFreshSession(t *testing.T) {
	bubble(t, &server.Options{Limits: server.Limits{ResumeFor: -1}}, func(t *testing.T, s *stage) {
		_, err := s.juliet.Send(t.Context(), stanza.Presence{Status: stanza.Plain("on the balcony")})
		require.NoError(t, err)
		synctest.Wait()
		_, err = s.romeo.Send(t.Context(), stanza.Presence{})
		require.NoError(t, err)
		require.Equal(t, "on the balcony", s.got(s.seen))
		synctest.Wait()
		s.road.setClosed(true)
		e := s.event()
		require.Equal(t, xmpp.Offline, e.Status)
		require.False(t, e.Final)
		require.Empty(t, e.Lost)
		require.Equal(t, "unavailable", s.got(s.seen))
		later := s.say(s.juliet, "romeo@example.org/orchard", "later")
		s.road.setClosed(false)
		require.Equal(t, xmpp.Online, s.event().Status)
		require.Equal(t, "on the balcony", s.got(s.seen))
		require.Equal(t, "later", s.got(s.toHim))
		_, err = later.Await(t.Context(), xmpp.Acked)
		require.NoError(t, err)
	})
}

// A session that is not resumed in time is lost, with what was not acknowledged.
func TestTimeForResumptionIsOver(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.setClosed(true)
		require.Equal(t, xmpp.Suspended, s.event().Status)
		query := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := s.juliet.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: domain, Payload: element("<ping xmlns='urn:xmpp:ping'/>")})
			query <- err
		}()
		began := time.Now()
		e := s.event()
		require.Equal(t, xmpp.Offline, e.Status)
		require.Equal(t, 5*time.Minute, time.Since(began).Round(time.Second))
		err := <-query
		require.ErrorIs(t, err, xmpp.ErrClosed)
		require.True(t, xmpp.SafeToRetry(err))
		s.road.setClosed(false)
		require.Equal(t, xmpp.Online, s.event().Status)
	})
}

// Close ends a client that waits to connect, at once and for good.
func TestCloseWhileOffline(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.setClosed(true)
		require.Equal(t, xmpp.Suspended, s.event().Status)
		r := s.say(s.juliet, "romeo@example.org/orchard", "too late")
		began := time.Now()
		require.ErrorContains(t, s.juliet.Close(t.Context()), "1 stanzas may not have arrived")
		require.Zero(t, time.Since(began))
		require.NoError(t, s.juliet.Wait(t.Context()))
		require.Equal(t, xmpp.Dropped, r.Stage())
		e := s.event()
		require.Equal(t, xmpp.Event{Status: xmpp.Offline, Final: true}, e)
		s.road.setClosed(false)
		n := len(s.road.attempts())
		time.Sleep(time.Hour)
		require.Len(t, s.road.attempts(), n, "it goes on")
		_, err := s.juliet.Send(t.Context(), stanza.Presence{})
		require.ErrorIs(t, err, xmpp.ErrClosed)
	})
}

// What a policy rules out is the end: a password that was changed, a place taken by another client.
func TestFinalFailures(t *testing.T) {
	t.Run("credentials", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, s *stage) {
			require.NoError(t, s.srv.SetPassword(t.Context(), juliet.Bare(), "another"))
			s.road.cut()
			require.Equal(t, xmpp.Suspended, s.event().Status)
			e := s.event()
			require.Equal(t, xmpp.Offline, e.Status)
			require.True(t, e.Final)
			require.ErrorIs(t, e.Err, client.ErrCredentials)
			require.ErrorIs(t, s.juliet.Wait(t.Context()), client.ErrCredentials)
		})
	})
	t.Run("deleted", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, s *stage) {
			require.NoError(t, s.srv.DeleteAccount(t.Context(), juliet.Bare()))
			require.Equal(t, xmpp.Offline, s.event().Status)
			e := s.event()
			require.True(t, e.Final)
			require.ErrorIs(t, e.Err, client.ErrCredentials)
		})
	})
	t.Run("never", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, s *stage) {
			s.road.cut()
			require.True(t, s.event().Final)
			require.ErrorIs(t, s.juliet.Wait(t.Context()), xmpp.ErrClosed)
		}, func(o *client.Options) { o.Reconnect = client.Never })
	})
}

// Waiting ends when the network changes.
func TestPoke(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		s.road.setClosed(true)
		require.Equal(t, xmpp.Suspended, s.event().Status)
		time.Sleep(100 * time.Second) // the next attempt is a minute away
		s.road.setClosed(false)
		synctest.Wait()
		began := time.Now()
		s.juliet.Poke()
		require.Equal(t, xmpp.Resumed, s.event().Status)
		require.Zero(t, time.Since(began))
	})
}

// A suspended client's session goes on in another one, as after a restart.
func TestSuspendAndResume(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *stage) {
		_, err := s.juliet.Send(t.Context(), stanza.Presence{})
		require.NoError(t, err)
		synctest.Wait()
		saved, err := s.juliet.Suspend(t.Context())
		require.NoError(t, err)
		b, err := json.Marshal(saved)
		require.NoError(t, err)
		s.say(s.romeo, "juliet@example.org", "while you were away")
		synctest.Wait()

		s.opts.Resume = new(stream.Saved)
		require.NoError(t, json.Unmarshal(b, s.opts.Resume))
		s.redial()
		require.Equal(t, xmpp.Resumed, s.event().Status)
		require.Equal(t, "while you were away", s.got(s.toHer))
		require.NoError(t, s.juliet.Close(t.Context()))
		require.True(t, s.event().Final)

		s.redial() // it is no more
		require.Equal(t, xmpp.Offline, s.event().Status)
		require.Equal(t, xmpp.Online, s.event().Status)
		s.opts.Resume.JID = jid.MustParse("romeo@example.org/orchard")
		_, err = client.Dial(t.Context(), juliet, s.opts)
		require.Error(t, err)
	})
}

// element is a payload of that XML.
type element string

func (e element) AppendXML(dst []byte) ([]byte, error) { return append(dst, e...), nil }
