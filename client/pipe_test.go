package client_test

import (
	"net"
	"sync"
	"time"
)

// pipe returns the two ends of a connection in memory. As on a network a write
// does not wait for the reader; with [net.Pipe] alone both sides of a TLS handshake that
// fails would wait for each other.
func pipe() (net.Conn, net.Conn) {
	a, b := net.Pipe()
	return newBuffered(a), newBuffered(b)
}

// buffered is one end of a pipe.
type buffered struct {
	net.Conn
	mu     sync.Mutex // guards the fields below
	more   *sync.Cond
	queue  []byte
	closed bool
}

func newBuffered(nc net.Conn) *buffered {
	b := &buffered{Conn: nc}
	b.more = sync.NewCond(&b.mu)
	go b.pump()
	return b
}

// pump hands on what was written, until the end is closed or there is nobody to
// read it.
func (b *buffered) pump() {
	defer b.Conn.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(b.queue) == 0 {
			if b.closed {
				return
			}
			b.more.Wait()
		}
		part := b.queue
		b.queue = nil
		b.mu.Unlock()
		_, err := b.Conn.Write(part)
		b.mu.Lock()
		if err != nil {
			b.closed = true
			return
		}
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	b.queue = append(b.queue, p...)
	b.more.Signal()
	return len(p), nil
}

func (b *buffered) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && b.closed {
		err = net.ErrClosed
	}
	return n, err
}

// Deadlines of writing are not for what has been written: TLS sets one behind its
// last word.
func (b *buffered) SetWriteDeadline(time.Time) error { return nil }

func (b *buffered) SetDeadline(t time.Time) error { return b.SetReadDeadline(t) }

// Close sends what is queued before it closes, for a second.
func (b *buffered) Close() error {
	b.mu.Lock()
	b.closed = true
	b.more.Signal()
	b.mu.Unlock()
	_ = b.Conn.SetReadDeadline(time.Unix(1, 0))
	return b.Conn.SetWriteDeadline(time.Now().Add(time.Second))
}
