// Package bufpipe is a network connection in memory, for tests and servers in
// process.
//
// As on a network, and other than with [net.Pipe], a write does not wait for the
// reader: both sides of a TLS handshake that fails would wait for each other.
// It works inside testing/synctest.
package bufpipe

import (
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"
)

// New returns the two ends of a connection. What is written and not read is kept without bound; the writer has to have
// bounds of its own.
func New() (net.Conn, net.Conn) { return Bounded(math.MaxInt) }

// Bounded returns the two ends of a connection that keeps so many bytes, each way, that are not read yet. A write of more waits.
func Bounded(limit int) (net.Conn, net.Conn) {
	ab, ba := newHalf(limit), newHalf(limit)
	return &end{in: ba, out: ab}, &end{in: ab, out: ba}
}

// An end is one end of a pipe.
type end struct{ in, out *half }

func (e *end) Read(p []byte) (int, error)         { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error)        { return e.out.write(p) }
func (e *end) LocalAddr() net.Addr                { return memory{} }
func (e *end) RemoteAddr() net.Addr               { return memory{} }
func (e *end) SetReadDeadline(t time.Time) error  { return e.in.setDeadline(&e.in.reading, t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.out.setDeadline(&e.out.writing, t) }

func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) Close() error {
	e.in.change(func() {
		e.in.unread = true
		e.in.reading.stop()
	})
	e.out.change(func() {
		e.out.ended = true
		e.out.writing.stop()
	})
	return nil
}

// A half is one direction of a pipe.
type half struct {
	limit int

	mu      sync.Mutex // guards the fields below
	news    *sync.Cond
	buf     []byte
	ended   bool // nothing more will be written
	unread  bool // nor read
	reading deadline
	writing deadline
}

// A deadline is that of one end for one direction.
type deadline struct {
	at    time.Time
	alarm *time.Timer // wakes who waits; one for all, as each read may set another
}

func (d *deadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.alarm != nil {
		d.alarm.Stop()
	}
}

func newHalf(limit int) *half {
	h := &half{limit: limit}
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
		case h.reading.over():
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			if len(h.buf) >= h.limit {
				h.news.Broadcast()
			}
			h.buf = h.buf[n:]
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.news.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended:
			return n, net.ErrClosed
		case h.unread:
			return n, io.ErrClosedPipe
		case h.writing.over():
			return n, os.ErrDeadlineExceeded
		}
		room := min(len(p)-n, h.limit-len(h.buf))
		h.buf = append(h.buf, p[n:n+room]...)
		if n += room; room > 0 {
			h.news.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		h.news.Wait()
	}
}

func (h *half) setDeadline(d *deadline, t time.Time) error {
	h.change(func() {
		d.at = t
		wait := time.Until(t)
		switch {
		case t.IsZero() || wait <= 0:
			d.stop()
		case d.alarm == nil:
			d.alarm = time.AfterFunc(wait, func() { h.change(func() {}) })
		default:
			d.alarm.Reset(wait)
		}
	})
	return nil
}

// memory is the address of what is in memory.
type memory struct{}

func (memory) Network() string { return "memory" }
func (memory) String() string  { return "memory" }
