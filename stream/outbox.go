package stream

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// writeChunk is the most that is handed to the transport with one deadline.
// Whoever cannot take that much within the timeout has stopped reading.
const writeChunk = 32 << 10

// An outbox is the way out of a stream: parts (stanzas, and all else that must
// leave whole) are appended by any goroutine and written, in order, by one that
// exists only while there is something to write. What has been queued meanwhile
// leaves in one write.
//
// After finish it accepts nothing more. It ends by kill; gone is closed when it
// has ended and its goroutine too.
type outbox struct {
	limit   int           // bytes that may wait; a part alone may be larger
	timeout time.Duration // for a write to make progress
	trace   func([]byte)  // of each part, before it is written; may be nil
	keep    bool          // what never left is kept for whoever asks
	failed  func(error)   // called when a write has failed, to kill the outbox
	gone    chan struct{}

	mu       sync.Mutex // guards the fields below
	nc       net.Conn   // replaced only while nothing is being written
	secure   bool       // nc is TLS
	buf      *[]byte    // what is queued; nil when nothing is
	ends     []int      // where its parts end, if there is a trace or they are kept
	writing  int        // bytes that are being written
	running  bool       // the writing goroutine exists
	finished bool       // nothing more is accepted
	err      error      // it was killed
	waiting  []*waiter  // who wants to append, in order
	changed  chan struct{}
	unsent   [][]byte // the parts that never left, if they are kept

	// Stanzas are numbered from 1 in the order in which they were queued.
	queued, taken, sent uint64
}

// A waiter is a part that does not fit yet. Its fields are guarded by the outbox's mutex.
type waiter struct {
	part     []byte
	stanza   bool
	position uint64
	err      error
	done     chan struct{} // closed when it was queued, or never will be
}

// append queues a part, waiting for room as long as ctx allows. The part is the
// caller's again on return. An error means that it was not queued.
func (o *outbox) append(ctx context.Context, part []byte, stanza bool) (position uint64, err error) {
	o.mu.Lock()
	if err := o.refusal(); err != nil {
		o.mu.Unlock()
		return 0, err
	}
	if len(o.waiting) == 0 && o.fits(len(part)) {
		position = o.push(part, stanza)
		o.mu.Unlock()
		return position, nil
	}
	w := &waiter{part: part, stanza: stanza, done: make(chan struct{})}
	o.waiting = append(o.waiting, w)
	o.mu.Unlock()

	select {
	case <-w.done:
		return w.position, w.err
	case <-ctx.Done():
		return o.giveUp(w, context.Cause(ctx))
	}
}

// giveUp takes w out of the line, unless its turn has come already.
func (o *outbox) giveUp(w *waiter, cause error) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.waiting, w); i >= 0 {
		o.waiting = slices.Delete(o.waiting, i, i+1)
		o.admit() // who comes next may fit
		return 0, cause
	}
	return w.position, w.err
}

// tryAppend queues a part if there is room for it, and nobody waits for room. An
// urgent one goes before those who wait, and has as much room again.
func (o *outbox) tryAppend(part []byte, stanza, urgent bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refusal(); err != nil {
		return err
	}
	pending := o.pending()
	fits := len(o.waiting) == 0 && o.fits(len(part)) || urgent && (pending == 0 || pending+len(part) <= 2*o.limit)
	if !fits {
		return ErrQueueFull
	}
	o.push(part, stanza)
	return nil
}

// appendIdle queues a part unless something is on its way already.
func (o *outbox) appendIdle(part []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refusal(); err != nil {
		return err
	}
	if o.pending() == 0 {
		o.push(part, false)
	}
	return nil
}

// finish queues the last parts and refuses all that is appended later. It never
// waits. It reports false if the outbox is finished already.
func (o *outbox) finish(parts ...[]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished || o.err != nil {
		return false
	}
	o.finished = true
	o.dismiss(closedError{})
	for _, p := range parts {
		o.push(p, false)
	}
	return true
}

// kill ends the outbox; what has not been written never will be.
func (o *outbox) kill(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return
	}
	o.err = err
	o.dismiss(err)
	if o.keep && o.buf != nil {
		from := 0
		for _, end := range o.ends {
			o.unsent = append(o.unsent, bytes.Clone((*o.buf)[from:end]))
			from = end
		}
	}
	giveBack(o.buf)
	o.buf, o.ends = nil, nil
	o.signal()
	if !o.running {
		close(o.gone)
	}
}

// idle returns once nothing is left to write and nobody writes, or with the
// reason why that cannot be.
func (o *outbox) idle(ctx context.Context) error {
	for {
		o.mu.Lock()
		err, busy, changed := o.err, o.running, o.news()
		o.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !busy:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// redirect makes the outbox write to nc, which is TLS over what it wrote to. It must be idle.
func (o *outbox) redirect(nc net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nc, o.secure = nc, true
}

// run writes until there is nothing to write.
func (o *outbox) run() {
	for {
		buf, ends := o.take()
		if buf == nil {
			return
		}
		if o.trace != nil {
			from := 0
			for _, end := range ends {
				o.trace((*buf)[from:end])
				from = end
			}
		}
		if tried, err := o.write(*buf); err != nil {
			o.remember(*buf, ends, tried)
			giveBack(buf)
			o.failed(err)
			continue
		}
		giveBack(buf)
		o.wrote()
	}
}

// take takes all that is queued, or lets the goroutine end.
func (o *outbox) take() (buf *[]byte, ends []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf == nil || o.err != nil {
		o.running = false
		o.signal()
		if o.err != nil {
			close(o.gone)
		}
		return nil, nil
	}
	buf, ends = o.buf, o.ends
	o.buf, o.ends = nil, nil
	o.writing, o.taken = len(*buf), o.queued
	return buf, ends
}

// write hands b to the transport. If that fails, nothing has left of what is
// behind the bytes that it tried.
func (o *outbox) write(b []byte) (tried int, err error) {
	for tried < len(b) {
		if err := o.nc.SetWriteDeadline(time.Now().Add(o.timeout)); err != nil {
			return tried, transportError{"write", err}
		}
		chunk := b[tried:min(tried+writeChunk, len(b))]
		tried += len(chunk)
		if _, err := o.nc.Write(chunk); errors.Is(err, os.ErrDeadlineExceeded) {
			return tried, ErrWriteTimeout
		} else if err != nil {
			return tried, transportError{"write", err}
		}
	}
	if o.secure {
		// TLS writes on its own account too, when it renews its keys. A deadline left
		// behind would break the connection then.
		_ = o.nc.SetWriteDeadline(time.Time{})
	}
	return tried, nil
}

// remember keeps the parts of b, which end at ends, that begin at or behind an
// offset.
func (o *outbox) remember(b []byte, ends []int, offset int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.keep {
		return
	}
	var parts [][]byte
	from := 0
	for _, end := range ends {
		if from >= offset {
			parts = append(parts, bytes.Clone(b[from:end]))
		}
		from = end
	}
	o.unsent = append(parts, o.unsent...)
}

func (o *outbox) wrote() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing, o.sent = 0, o.taken
	o.admit()
	o.signal()
}

// The functions below are called with mu held.

// refusal is why nothing can be appended, nil if it can.
func (o *outbox) refusal() error {
	if o.err == nil && o.finished {
		return closedError{}
	}
	return o.err
}

func (o *outbox) pending() int {
	if o.buf == nil {
		return o.writing
	}
	return o.writing + len(*o.buf)
}

func (o *outbox) fits(n int) bool {
	pending := o.pending()
	return pending == 0 || pending+n <= o.limit
}

// push queues a part and sees to it that somebody writes.
func (o *outbox) push(part []byte, stanza bool) (position uint64) {
	if o.buf == nil {
		o.buf = lend()
	}
	*o.buf = append(*o.buf, part...)
	if o.trace != nil || o.keep {
		o.ends = append(o.ends, len(*o.buf))
	}
	if stanza {
		o.queued++
	}
	if !o.running {
		o.running = true
		go o.run()
	}
	return o.queued
}

// admit queues the parts that have waited and fit now.
func (o *outbox) admit() {
	for len(o.waiting) > 0 && o.refusal() == nil {
		w := o.waiting[0]
		if !o.fits(len(w.part)) {
			return
		}
		o.waiting = slices.Delete(o.waiting, 0, 1)
		w.position = o.push(w.part, w.stanza)
		close(w.done)
	}
}

// dismiss sends away all who wait.
func (o *outbox) dismiss(err error) {
	for _, w := range o.waiting {
		w.err = err
		close(w.done)
	}
	o.waiting = nil
}

// news returns a channel that is closed at the next change.
func (o *outbox) news() <-chan struct{} {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

func (o *outbox) signal() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}
