package server

import (
	"fmt"
	"net"
	"sync/atomic"

	"github.com/parlance-xmpp/xmpp/stream"
)

// A meter is the transport of a client that lets only so many bytes in before the client is bound, TLS and
// all: whatever the parts are, they do not go on for ever.
type meter struct {
	net.Conn
	left atomic.Int64
	free atomic.Bool
}

// A halfMeter is a meter of a transport that can be closed in one direction.
type halfMeter struct{ *meter }

type halfCloser interface{ CloseWrite() error }

// CloseWrite ends the direction to the client.
func (m halfMeter) CloseWrite() error { return m.Conn.(halfCloser).CloseWrite() }

// metered returns a transport that takes the place of nc, and its meter.
func (s *Server) metered(nc net.Conn) (net.Conn, *meter) {
	m := &meter{Conn: nc}
	m.left.Store(int64(s.limits().PreAuthBytes))
	if _, half := nc.(halfCloser); half {
		return halfMeter{m}, m
	}
	return m, m
}

// open lets everything in from now on.
func (m *meter) open() {
	if m != nil {
		m.free.Store(true)
	}
}

// Read implements [net.Conn].
func (m *meter) Read(b []byte) (int, error) {
	if m.free.Load() {
		return m.Conn.Read(b)
	}
	if m.left.Load() <= 0 {
		return 0, fmt.Errorf("server: too much before the login: %w", &stream.Error{Condition: stream.PolicyViolation})
	}
	n, err := m.Conn.Read(b)
	m.left.Add(-int64(n))
	return n, err
}
