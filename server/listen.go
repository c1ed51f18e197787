package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/stream"
)

// ErrRefused is the error of a connection that was closed before a byte was
// exchanged: there are too many, or the server is shutting down.
var ErrRefused = errors.New("server: connection refused")

// Serve accepts connections of clients from ln, which it closes in the end, and
// serves them; TLS is agreed on by STARTTLS (RFC 6120 §5). It returns when every
// stream it accepted has ended: nil after [Server.Shutdown], or when ctx is done,
// which ends these streams as Shutdown does; otherwise with the error that
// keeps ln from accepting.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.listen(ctx, ln, s.ServeConn)
}

// ServeTLS is [Server.Serve] for connections that begin with TLS (XEP-0368).
func (s *Server) ServeTLS(ctx context.Context, ln net.Listener) error {
	if s.opts.TLS == nil {
		ln.Close()
		return errors.New("server: direct TLS without Options.TLS")
	}
	return s.listen(ctx, ln, func(ctx context.Context, nc net.Conn) error {
		return s.ServeConn(ctx, stream.TLSServer(nc, s.opts.TLS))
	})
}

// ServeConn serves one connection, until its stream has ended. It owns nc. A
// [*tls.Conn] counts as direct TLS; without [stream.TLSServer] there is no
// tls-server-end-point to bind to. When ctx is done, the stream ends as in
// [Server.Shutdown].
//
// The error says how the stream ended: nil when the client closed it, else what
// [stream.Accept] or [stream.Conn.Err] say, or [ErrRefused].
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) error {
	c := &connection{srv: s, nc: nc, from: addressOf(nc)}
	if !s.admit(c) {
		nc.Close()
		return ErrRefused
	}
	defer s.dismiss(c)
	stop := context.AfterFunc(ctx, c.shutdown)
	defer stop()
	return c.serve(context.WithoutCancel(ctx))
}

// listen accepts connections and serves each on a goroutine of its own.
func (s *Server) listen(ctx context.Context, ln net.Listener, serve func(context.Context, net.Conn) error) error {
	if !s.addListener(ln) {
		ln.Close()
		return nil
	}
	defer s.removeListener(ln)
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var streams sync.WaitGroup
	defer streams.Wait()
	var pause time.Duration
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			streams.Go(func() {
				if err := serve(ctx, nc); err != nil && !errors.Is(err, ErrRefused) {
					s.log.Debug("a stream ended", "peer", nc.RemoteAddr(), "err", err)
				}
			})
		case ctx.Err() != nil || s.isClosing():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("server: accept: %w", err)
		default: // such as having too many files open: it passes
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.log.Error("could not accept a connection", "err", err)
			if !wait(ctx, pause) {
				return nil
			}
		}
	}
}

// wait waits, and reports whether ctx let it.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners[ln] = struct{}{}
	return true
}

func (s *Server) removeListener(ln net.Listener) {
	s.mu.Lock()
	delete(s.listeners, ln)
	s.mu.Unlock()
	ln.Close()
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// admit counts a connection, or refuses it (RFC 6120 §13.12).
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := s.opts.Limits
	switch {
	case s.closing:
		return false
	case len(s.conns) >= limits.Connections, s.unbound >= limits.Unauthenticated,
		c.from != "" && s.fresh[c.from] >= limits.UnauthenticatedPerAddress:
		s.log.Debug("refused a connection: there are too many", "connections", len(s.conns), "unauthenticated", s.unbound)
		return false
	}
	s.conns[c] = struct{}{}
	s.running++
	s.unbound++
	s.fresh[c.from]++
	return true
}

// bound counts a connection as one that has got so far.
func (s *Server) bound(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unboundOnce(c)
}

// dismiss undoes admit.
func (s *Server) dismiss(c *connection) {
	s.mu.Lock()
	s.unboundOnce(c)
	delete(s.conns, c)
	s.mu.Unlock()
	s.end()
}

// unboundOnce is called with mu held.
func (s *Server) unboundOnce(c *connection) {
	if c.counted {
		return
	}
	c.counted = true
	s.unbound--
	if s.fresh[c.from]--; s.fresh[c.from] == 0 {
		delete(s.fresh, c.from)
	}
}

// addressOf returns the IP address of a peer, empty if it has none. Of IPv6 it is
// the network of 64 bits: who has one address of it has them all.
func addressOf(nc net.Conn) string {
	addr := nc.RemoteAddr()
	if addr == nil {
		return ""
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return ""
	}
	ip := ap.Addr().WithZone("").Unmap()
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}

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
	claims := new(claims)
	conn, err := stream.Accept(withClaims(ctx, claims), c.nc, c.srv.config(c, claims, &t))
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
		if s.unflushed++; s.unflushed == flushEvery {
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
