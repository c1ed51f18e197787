package session

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	juliet = jid.MustParse("juliet@example.org/balcony")
	romeo  = jid.MustParse("romeo@example.net/orchard")
	server = jid.MustParse("example.org")
)

// A fakeConn is a stream without bytes: the test is the peer.
type fakeConn struct {
	t    testing.TB
	in   chan stanza.Element // what Next returns; a send returns when it was taken
	sent chan *stanza.Raw    // what left, as the peer reads it

	onSend func(*stanza.Raw) // called while Send runs
	stuck  bool              // nothing leaves: what is sent stays in the queue
	full   chan struct{}     // Send waits until it is closed; nil: never

	mu     sync.Mutex
	stages []xmpp.Stage
	err    error // why done is closed
	failed *stream.Error
	once   sync.Once
	done   chan struct{}
}

func newFakeConn(t testing.TB) *fakeConn {
	return &fakeConn{
		t:    t,
		in:   make(chan stanza.Element),
		sent: make(chan *stanza.Raw, 10_000),
		done: make(chan struct{}),
	}
}

func (c *fakeConn) LocalAddr() jid.JID    { return juliet }
func (c *fakeConn) RemoteAddr() jid.JID   { return server }
func (c *fakeConn) ID() string            { return "s1" }
func (c *fakeConn) Done() <-chan struct{} { return c.done }

func (c *fakeConn) Next() (stanza.Element, error) {
	select {
	case <-c.done:
		return stanza.Element{}, c.err
	default:
	}
	select {
	case e := <-c.in:
		return e, nil
	case <-c.done:
		return stanza.Element{}, c.err
	}
}

func (c *fakeConn) Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	b, err := stanza.AppendWith(nil, s, h)
	if err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	if c.full != nil {
		select {
		case <-c.full:
		case <-ctx.Done():
			return xmpp.Receipt{}, &xmpp.UnsentError{Err: context.Cause(ctx)}
		case <-c.done:
		}
	}
	raw, err := stanza.Parse(b)
	if err != nil {
		c.t.Errorf("sent what does not parse: %v: %s", err, b)
	}
	c.mu.Lock()
	select {
	case <-c.done:
		err := fmt.Errorf("%w: %w", xmpp.ErrClosed, c.err)
		c.mu.Unlock()
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	default:
	}
	stage := xmpp.Sent
	if c.stuck {
		stage = xmpp.Queued
	}
	c.stages = append(c.stages, stage)
	receipt := xmpp.NewReceipt(c, uint64(len(c.stages)-1))
	c.mu.Unlock()
	if c.onSend != nil {
		c.onSend(raw)
	}
	c.sent <- raw
	return receipt, nil
}

func (c *fakeConn) Stage(i uint64) xmpp.Stage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stages[i]
}

func (c *fakeConn) Await(ctx context.Context, i uint64, want xmpp.Stage) (xmpp.Stage, error) {
	if stage := c.Stage(i); stage >= want {
		return stage, nil
	}
	select {
	case <-c.done:
		return c.Stage(i), xmpp.ErrClosed
	case <-ctx.Done():
		return c.Stage(i), ctx.Err()
	}
}

// end is the end of the stream, for whatever reason.
func (c *fakeConn) end(err error) {
	c.once.Do(func() {
		c.mu.Lock()
		c.err = err
		for i, stage := range c.stages {
			if stage == xmpp.Queued {
				c.stages[i] = xmpp.Dropped
			}
		}
		c.mu.Unlock()
		close(c.done)
	})
}

func (c *fakeConn) Close(context.Context) error {
	c.end(io.EOF)
	return nil
}

func (c *fakeConn) Fail(e *stream.Error) {
	c.mu.Lock()
	c.failed = e
	c.mu.Unlock()
	c.end(e)
}

// receive has the session receive stanzas; it returns when all have been read.
func (c *fakeConn) receive(stanzas ...string) {
	c.t.Helper()
	for _, s := range stanzas {
		e, err := stanza.ParseElement([]byte(s))
		if err != nil {
			c.t.Fatalf("the test receives %s: %v", s, err)
		}
		select {
		case c.in <- e:
		case <-c.done:
		}
	}
}

// next returns what was sent next.
func (c *fakeConn) next() *stanza.Raw {
	c.t.Helper()
	select {
	case raw := <-c.sent:
		return raw
	case <-c.t.Context().Done():
		c.t.Fatal("nothing was sent")
		return nil
	}
}

// nothing fails the test if anything was sent.
func (c *fakeConn) nothing() {
	c.t.Helper()
	select {
	case raw := <-c.sent:
		c.t.Errorf("sent %s, want nothing", raw)
	default:
	}
}

// open returns a session on a fake connection. It is closed when the test ends.
func open(t testing.TB, h xmpp.Handler) (*Session, *fakeConn) {
	c := newFakeConn(t)
	return openOn(t, c, Options{Handler: h}), c
}

func openOn(t testing.TB, c *fakeConn, opts Options) *Session {
	opts.Logger = slog.New(slog.DiscardHandler)
	s := New(c, opts)
	s.Start(s)
	t.Cleanup(func() {
		_ = s.Close(context.Background())
		_ = s.Wait()
	})
	return s
}

// A recorder is a handler that keeps the ids of what it gets.
type recorder struct {
	mu  sync.Mutex
	ids []string
}

func (r *recorder) HandleStanza(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, st.Header().ID)
	return nil, nil
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.ids)
}

func ping(to jid.JID) stanza.IQ {
	return stanza.IQ{To: to, ID: "q1", Type: stanza.IQGet, Payload: element("<ping xmlns='urn:xmpp:ping'/>")}
}

func element(s string) stanza.Element {
	e, err := stanza.ParseElement([]byte(s))
	if err != nil {
		panic(err)
	}
	return e
}
