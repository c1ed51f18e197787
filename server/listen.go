package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
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
		nc, m := s.metered(nc)
		return s.serve(ctx, stream.TLSServer(nc, s.opts.TLS), m)
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
	if _, direct := nc.(*tls.Conn); direct {
		return s.serve(ctx, nc, nil) // what is below is not ours to count
	}
	nc, m := s.metered(nc)
	return s.serve(ctx, nc, m)
}

// serve is ServeConn for a transport that is counted by m, if that is not nil.
func (s *Server) serve(ctx context.Context, nc net.Conn, m *meter) error {
	c := &connection{srv: s, nc: nc, meter: m, from: placeOf(nc)}
	if !s.admit(c) {
		nc.Close()
		return ErrRefused
	}
	return s.serveAdmitted(ctx, c)
}

// serveAdmitted serves a connection that is counted already.
func (s *Server) serveAdmitted(ctx context.Context, c *connection) error {
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
