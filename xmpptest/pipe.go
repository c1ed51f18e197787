package xmpptest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// An End is one end of a [Pipe].
type End struct {
	Addr    jid.JID
	Handler xmpp.Handler // nil means [xmpp.Unhandled]
}

// Pipe returns two sessions, each the other's peer. A stanza arrives stamped
// with its sender's address, as a server does it; one without an address is for the other
// end. Both are closed when the test ends.
func Pipe(t testing.TB, a, b End) (xmpp.Session, xmpp.Session) {
	ca, cb := newConn(a.Addr, b.Addr), newConn(b.Addr, a.Addr)
	ca.send = func(e stanza.Element) error { return cb.push(e) }
	cb.send = func(e stanza.Element) error { return ca.push(e) }
	ca.closed = func() { cb.end(io.EOF) }
	cb.closed = func() { ca.end(io.EOF) }
	return open(t, ca, a.Handler), open(t, cb, b.Handler)
}

// open starts a session on c that ends with the test.
func open(t testing.TB, c *conn, h xmpp.Handler) *session.Session {
	s := session.New(c, session.Options{Handler: h})
	s.Start(s)
	t.Cleanup(func() {
		_ = s.Close(context.Background())
		_ = s.Wait()
	})
	return s
}

// A conn is a stream whose elements go from memory to memory. It implements
// session.Conn.
type conn struct {
	local, remote jid.JID
	send          func(stanza.Element) error // takes what is sent
	closed        func()                     // called once, at the end
	done          chan struct{}
	ready         chan struct{} // has an item while inbox has

	mu    sync.Mutex // guards the fields below
	inbox []stanza.Element
	err   error
}

func newConn(local, remote jid.JID) *conn {
	return &conn{local: local, remote: remote, done: make(chan struct{}), ready: make(chan struct{}, 1)}
}

// push adds what arrived.
func (c *conn) push(e stanza.Element) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return xmpp.ErrClosed
	}
	c.inbox = append(c.inbox, e)
	c.signal()
	return nil
}

// end ends the stream; what has arrived can still be read.
func (c *conn) end(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		close(c.done)
		c.signal()
	}
	c.mu.Unlock()
	if first && c.closed != nil {
		c.closed()
	}
}

func (c *conn) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

func (c *conn) Next() (stanza.Element, error) {
	for {
		c.mu.Lock()
		if len(c.inbox) > 0 {
			e := c.inbox[0]
			c.inbox = c.inbox[1:]
			c.mu.Unlock()
			return e, nil
		}
		err := c.err
		c.mu.Unlock()
		if err != nil {
			return stanza.Element{}, err
		}
		<-c.ready
	}
}

func (c *conn) Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	if h.From.IsZero() {
		h.From = c.local
	}
	if h.To.IsZero() {
		h.To = c.remote
	}
	return c.write(ctx, s, h)
}

// write hands a stanza over as it is.
func (c *conn) write(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: context.Cause(ctx)}
	}
	b, err := stanza.AppendWith(nil, s, h)
	if err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	select {
	case <-c.done:
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: xmpp.ErrClosed}
	default:
	}
	if err := c.send(stanza.NewElement(b)); err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	return xmpp.NewReceipt(delivered{}, 0), nil
}

func (c *conn) Close(context.Context) error {
	c.end(xmpp.ErrClosed)
	return nil
}

func (c *conn) Fail(err *stream.Error) { c.end(err) }
func (c *conn) Done() <-chan struct{}  { return c.done }
func (c *conn) LocalAddr() jid.JID     { return c.local }
func (c *conn) RemoteAddr() jid.JID    { return c.remote }
func (c *conn) ID() string             { return "pipe" }

// delivered is the progress of what is delivered as soon as it is sent.
type delivered struct{}

func (delivered) Stage(uint64) xmpp.Stage { return xmpp.Sent }

func (delivered) Await(_ context.Context, _ uint64, want xmpp.Stage) (xmpp.Stage, error) {
	if want <= xmpp.Sent {
		return xmpp.Sent, nil
	}
	return xmpp.Sent, errNoAcks
}

var errNoAcks = errors.New("xmpptest: this stream has no acknowledgements")
