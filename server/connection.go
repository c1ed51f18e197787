package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"

	"github.com/parlance-xmpp/xmpp/stream"
)

// A connection is a transport that the server serves.
type connection struct {
	srv     *Server
	nc      net.Conn
	meter   *meter // in nc; nil if it is not counted
	from    place
	known   *claims  // who is at the other end, where that needs no proof; else nil
	address *address // nil if it comes from nowhere
	counted bool     // no longer as unbound; guarded by the server

	mu      sync.Mutex              // guards the fields below
	closing bool                    // the client is to be told to go
	cancel  context.CancelCauseFunc // ends negotiation; nil before it has begun
	conn    *stream.Conn            // nil before it has ended
}

// serve negotiates a stream and reads it until it ends.
func (c *connection) serve(ctx context.Context) error {
	t, err := c.negotiate(ctx)
	if err != nil {
		return err
	}
	if t.conn.Load().Resumed() {
		t.outliveKeepsake()
		c.srv.drain(ctx, t.account) // what was stored meanwhile
	} else {
		t.tellHooks(ctx, "Opened", c.srv.hooks.opened)
	}
	err = t.read(ctx, c.address)
	t.log.Debug("stream ended", "peer", t.addr, "err", err)
	if !t.rest() {
		t.finish(ctx)
	}
	return err
}

// negotiate returns the session that the client has bound. It ends in time
// whatever the client does.
func (c *connection) negotiate(ctx context.Context) (*session, error) {
	ctx, stop := context.WithTimeout(ctx, c.srv.limits().PreAuthTimeout)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !c.setCancel(cancel) {
		c.nc.Close()
		return nil, ErrRefused
	}
	var t *session
	proven := new(claims)
	if c.known != nil {
		proven = c.known
	}
	conn, err := stream.Accept(withClaims(ctx, proven), c.nc, c.srv.config(ctx, c, proven, &t))
	switch {
	case err == nil:
	case t == nil:
		return nil, fmt.Errorf("server: %w", err)
	case t.conn.Load() != nil:
		t.disclaim() // the client may try again
		return nil, fmt.Errorf("server: %w", err)
	default:
		t.leave(ctx) // it was bound, but the client did not get to know
		c.srv.directory.release(t.account)
		return nil, fmt.Errorf("server: %w", err)
	}
	if conn.Resumed() {
		c.srv.counts.resumed.Add(1)
		t.log.Debug("session resumed", "peer", t.addr, "by", conn.ID())
		c.srv.unpark(t)
	} else {
		t.log = c.srv.log.With("stream", conn.ID())
		t.log.Debug("session opened", "peer", t.addr)
	}
	c.setConn(conn)
	if !t.attach(conn, c) {
		t.fail(accountDeleted())
	}
	return t, nil
}

// read handles what the client sends until the stream has ended. The error is
// nil when the client closed it.
func (s *session) read(ctx context.Context, from *address) error {
	conn := s.conn.Load()
	for {
		e, err := conn.Next()
		if err != nil {
			return streamEnd(err)
		}
		s.handle(ctx, e)
		s.pause(ctx, from)
		if s.unflushed++; s.unflushed == flushEvery { // however many answers these were
			s.unflushed = 0
			_ = conn.Flush(lifetime{conn.Done()}) // an error comes up in Next
		}
		if s.undone.Load() && isDone(conn.Done()) {
			return streamEnd(conn.Err()) // the client did not get an acknowledgement, and sends it again
		}
	}
}

// setCancel notes how to end negotiation, or reports that it is not to begin.
func (c *connection) setCancel(cancel context.CancelCauseFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = cancel
	return !c.closing
}

// setConn notes the stream.
func (c *connection) setConn(conn *stream.Conn) {
	c.mu.Lock()
	c.conn = conn
	closing := c.closing
	c.mu.Unlock()
	if closing {
		c.shutdown()
	}
}

// close notes that the connection is to end, and returns how far it has come.
func (c *connection) close() (context.CancelCauseFunc, *stream.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	return c.cancel, c.conn
}

// shutdown tells the client that the system shuts down (RFC 6120 §4.9.3.20). It
// does not wait.
func (c *connection) shutdown() {
	switch cancel, conn := c.close(); {
	case conn != nil && c.srv.opts.KeepSessions:
		conn.Leave(shuttingDown())
	case conn != nil:
		conn.Fail(shuttingDown())
	case cancel != nil:
		cancel(shuttingDown())
	}
}

// abort closes the transport.
func (c *connection) abort() {
	switch _, conn := c.close(); {
	case conn != nil && c.srv.opts.KeepSessions:
		conn.Cut()
		return
	case conn != nil:
		conn.Abort()
		return
	}
	if t, ok := c.nc.(*tls.Conn); ok {
		t.NetConn().Close() // to close TLS may take a while
		return
	}
	c.nc.Close()
}
