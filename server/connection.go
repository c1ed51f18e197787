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
	from    string // see addressOf
	counted bool   // no longer as unbound; guarded by the server

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
	t.log.Debug("session opened", "peer", t.addr)
	err = t.read(ctx)
	t.leave(ctx)
	t.others.Wait()
	c.srv.keepUnsent(ctx, t)
	t.log.Debug("session closed", "peer", t.addr, "err", err)
	return err
}

// negotiate returns the session that the client has bound. It ends in time
// whatever the client does.
func (c *connection) negotiate(ctx context.Context) (*session, error) {
	ctx, stop := context.WithTimeout(ctx, c.srv.opts.Limits.PreAuthTimeout)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !c.setCancel(cancel) {
		c.nc.Close()
		return nil, ErrRefused
	}
	var t *session
	proven := new(claims)
	conn, err := stream.Accept(withClaims(ctx, proven), c.nc, c.srv.config(c, proven, &t))
	if err != nil {
		if t != nil {
			t.leave(ctx) // it was bound, but the client did not get to know
		}
		return nil, fmt.Errorf("server: %w", err)
	}
	t.log = c.srv.log.With("stream", conn.ID())
	c.setConn(conn)
	if !t.setConn(conn) {
		t.fail(accountDeleted())
	}
	return t, nil
}

// read handles what the client sends until the stream has ended. The error is
// nil when the client closed it.
func (s *session) read(ctx context.Context) error {
	for {
		e, err := s.conn.Next()
		if err != nil {
			return streamEnd(err)
		}
		s.handle(ctx, e)
		if s.unflushed++; s.unflushed == flushEvery { // however many answers these were
			s.unflushed = 0
			_ = s.conn.Flush(s.context()) // an error comes up in Next
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
		conn.Fail(shuttingDown())
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
	case conn != nil:
		conn.Fail(shuttingDown())
	case cancel != nil:
		cancel(shuttingDown())
	}
}

// abort closes the transport.
func (c *connection) abort() {
	if _, conn := c.close(); conn != nil {
		conn.Abort()
		return
	}
	if t, ok := c.nc.(*tls.Conn); ok {
		t.NetConn().Close() // to close TLS may take a while
		return
	}
	c.nc.Close()
}
