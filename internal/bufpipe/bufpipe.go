// Package bufpipe is a network connection in memory, for tests and servers in
// process.
//
// As on a network, and other than with [net.Pipe], a write does not wait for the
// reader: both sides of a TLS handshake that fails would wait for each other.
// What is written and not read is kept without bound; the writer has to have
// bounds of its own. It works inside testing/synctest.
package bufpipe

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// New returns the two ends of a connection.
func New() (net.Conn, net.Conn) {
	ab, ba := newHalf(), newHalf()
	return &end{in: ba, out: ab}, &end{in: ab, out: ba}
}

// An end is one end of a pipe.
type end struct{ in, out *half }

func (e *end) Read(p []byte) (int, error)         { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error)        { return e.out.write(p) }
func (e *end) LocalAddr() net.Addr                { return memory{} }
func (e *end) RemoteAddr() net.Addr               { return memory{} }
func (e *end) SetReadDeadline(t time.Time) error  { return e.in.setDeadline(t) }
func (e *end) SetWriteDeadline(t time.Time) error { return nil } // no write takes time
func (e *end) SetDeadline(t time.Time) error      { return e.in.setDeadline(t) }

func (e *end) Close() error {
	e.in.change(func() {
		e.in.unread = true
		if e.in.alarm != nil {
			e.in.alarm.Stop()
		}
	})
	e.out.change(func() { e.out.ended = true })
	return nil
}

// A half is one direction of a pipe.
type half struct {
	mu       sync.Mutex // guards the fields below
	news     *sync.Cond
	buf      []byte
	ended    bool // nothing more will be written
	unread   bool // nor read
	deadline time.Time
	alarm    *time.Timer // wakes who waits at the deadline; one for all, as each read may set another
}

func newHalf() *half {
	h := &half{}
	h.news = sync.NewCond(&h.mu)
	return h
}

func (h *half) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.news.Broadcast()
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.unread:
			return 0, net.ErrClosed
		case !h.deadline.IsZero() && !time.Now().Before(h.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.news.Wait()
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return 0, net.ErrClosed
	case h.unread:
		return 0, io.ErrClosedPipe
	}
	h.buf = append(h.buf, p...)
	h.news.Broadcast()
	return len(p), nil
}

func (h *half) setDeadline(t time.Time) error {
	h.change(func() {
		h.deadline = t
		wait := time.Until(t)
		switch {
		case t.IsZero() || wait <= 0:
			if h.alarm != nil {
				h.alarm.Stop()
			}
		case h.alarm == nil:
			h.alarm = time.AfterFunc(wait, func() { h.change(func() {}) })
		default:
			h.alarm.Reset(wait)
		}
	})
	return nil
}

// memory is the address of what is in memory.
type memory struct{}

func (memory) Network() string { return "memory" }
func (memory) String() string  { return "memory" }
