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
// It may outlive the stream: detached from a transport that was lost, it goes on
// to accept stanzas within its bounds, until it is attached to that of the next
// stream (see survive.go) or killed. With acknowledgements it holds what was
// written until the peer has taken it (see unacked.go).
//
// After finish it accepts nothing more. It ends by kill. gone is closed when the
// transport of the moment is done with: nothing is written to it any more.
type outbox struct {
	limit int          // bytes that may wait; a part alone may be larger
	trace func([]byte) // of each part, before it is written; may be nil
	keep  bool         // what never left is kept for whoever asks
	most  int          // bytes of the largest element that the peer takes; zero: it did not say

	// Of the transport, replaced only while nothing is being written.
	timeout time.Duration // for a write to make progress
	failed  func(error)   // called when a write has failed, to kill or detach
	gone    chan struct{}
	nc      net.Conn
	secure  bool // nc is TLS

	mu       sync.Mutex // guards the fields below, and those above where they are replaced
	buf      *[]byte    // what is queued; nil when nothing is
	parts    []part     // of buf, if somebody wants to know: see tracked
	tail     []byte     // ends this stream, not the outbox: written before buf, which stays
	writing  int        // bytes that are being written
	running  bool       // the writing goroutine exists
	over     bool       // gone is closed
	sealed   bool       // nothing of buf is written any more: the stream is ending
	detached bool       // there is no transport
	finished bool       // nothing more is accepted
	err      error      // it was killed
	waiting  []*waiter  // who wants to append, in order
	changed  chan struct{}
	unsent   [][]byte // what was not written or not acknowledged at the end, if it is kept

	// Stanzas are numbered from 1 in the order in which they were queued.
	queued uint64 // the last that was queued
	taken  uint64 // the last that was taken to be written to this transport
	begun  uint64 // the last of which a byte may have left, ever
	before uint64 // begun, before the last take
	sent   uint64 // the last that was handed to a transport whole, ever
	fates  []fate // of those that the counters say nothing true about

	unacked
}

// A part is where a part of a buffer ends, and its number if it is a stanza.
type part struct {
	end      int
	position uint64
}

// A waiter is a part that does not fit yet. Its fields are guarded by the outbox's mutex.
type waiter struct {
	part     []byte
	stanza   bool
	relay    bool // does not wait for acknowledgements
	position uint64
	err      error
	done     chan struct{} // closed when it was queued, or never will be
}

// append queues a part, waiting for room as long as ctx allows. The part is the
// caller's again on return. An error means that it was not queued.
func (o *outbox) append(ctx context.Context, part []byte, stanza bool) (position uint64, err error) {
	o.mu.Lock()
	if err := o.refusal(len(part)); err != nil {
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
	return o.await(ctx, w)
}

// relay is append of a stanza for who must go on reading: it waits for room to write,
// and not for acknowledgements, which may stand behind what is being read.
// Beyond twice the bound of what is not acknowledged it is ErrQueueFull.
func (o *outbox) relay(ctx context.Context, part []byte) (position uint64, err error) {
	o.mu.Lock()
	err = o.refusal(len(part))
	if err == nil && !o.mayHold(len(part), 2) {
		err = ErrQueueFull
	}
	if err != nil {
		o.mu.Unlock()
		return 0, err
	}
	w := &waiter{part: part, stanza: true, relay: true, done: make(chan struct{})}
	o.waiting = append(o.waiting, w)
	o.admit()
	o.mu.Unlock()
	return o.await(ctx, w)
}

// await returns when a waiter has had its turn, or ctx is done.
func (o *outbox) await(ctx context.Context, w *waiter) (uint64, error) {
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
	if err := o.refusal(len(part)); err != nil {
		return err
	}
	fits := len(o.waiting) == 0 && o.fits(len(part)) || urgent && o.fitsTwice(len(part))
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
	if err := o.refusal(0); err != nil {
		return err
	}
	if o.pending() == 0 && !o.detached {
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
	if o.sealed || o.detached {
		return true // this stream has been told, or there is none to tell
	}
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
	if o.keep {
		o.unsent = o.leftovers()
	}
	o.release(len(o.held))
	giveBack(o.buf)
	o.buf, o.parts = nil, nil
	o.signal()
	if !o.running {
		o.hangUp()
	}
}

// idle returns once nothing is left to write and nobody writes, or with the
// reason why that cannot be.
func (o *outbox) idle(ctx context.Context) error {
	for {
		o.mu.Lock()
		err, busy, changed := o.err, o.running, o.news()
		if err == nil && o.detached {
			err = closedError{}
		}
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
		buf, parts, held := o.take()
		if buf == nil {
			return
		}
		if o.trace != nil {
			from := 0
			for _, p := range parts {
				o.trace((*buf)[from:p.end])
				from = p.end
			}
		}
		tried, err := o.write(*buf)
		if err != nil {
			o.broke(*buf, parts, tried, held)
		} else {
			o.wrote()
		}
		if !held {
			giveBack(buf)
		}
		if err != nil {
			o.failed(err)
		}
	}
}

// take takes all that is queued, or lets the goroutine end. What is held belongs
// to the outbox until it is acknowledged.
func (o *outbox) take() (buf *[]byte, parts []part, held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if tail := o.tail; tail != nil && o.err == nil && !o.detached {
		o.tail, o.writing = nil, len(tail)
		return &tail, []part{{end: len(tail)}}, false
	}
	if o.buf == nil || o.err != nil || o.detached || o.sealed {
		o.running = false
		o.signal()
		if o.err != nil || o.detached {
			o.hangUp()
		}
		return nil, nil, false
	}
	o.ask()
	buf, parts = o.buf, o.parts
	o.buf, o.parts = nil, nil
	o.writing, o.taken = len(*buf), o.queued
	o.before, o.begun = o.begun, max(o.begun, o.taken)
	return buf, parts, o.hold(buf, parts)
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

// wrote notes that what was taken has been written.
func (o *outbox) wrote() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing, o.sent = 0, max(o.sent, o.taken)
	o.admit()
	o.signal()
}

// broke notes that of b nothing has left that is behind an offset. Its parts that
// begin there are queued again, unless they are held anyway.
func (o *outbox) broke(b []byte, parts []part, offset int, held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = 0
	left := len(parts)
	for i, from := 0, 0; i < len(parts); from, i = parts[i].end, i+1 {
		if from >= offset {
			left = i
			break
		}
	}
	if len(parts) == 0 {
		return // nobody wants to know
	}
	o.begun = o.before
	from := 0
	for i, p := range parts {
		if i < left {
			o.begun = max(o.begun, p.position)
			from = p.end
		}
	}
	if held || left == len(parts) {
		return
	}
	if o.err != nil {
		if o.keep {
			o.unsent = append(split(b[from:], parts[left:], from), o.unsent...)
		}
		return
	}
	o.requeue(b[from:], parts[left:], from)
}

// The functions below are called with mu held.

// refusal is why nothing of n bytes can be appended, nil if it can.
func (o *outbox) refusal(n int) error {
	switch {
	case o.err != nil:
		return o.err
	case o.finished:
		return closedError{}
	case o.most > 0 && n > o.most:
		return ErrTooLarge
	}
	return nil
}

func (o *outbox) pending() int {
	if o.buf == nil {
		return o.writing
	}
	return o.writing + len(*o.buf)
}

// fits reports whether n bytes more may be queued: as long as what is to be
// written, and what is to be acknowledged, are within their bounds.
func (o *outbox) fits(n int) bool { return o.mayWrite(n) && o.mayHold(n, 1) }

// mayWrite reports whether n bytes more may wait to be written.
func (o *outbox) mayWrite(n int) bool {
	pending := o.pending()
	return pending == 0 || pending+n <= o.limit
}

// fitsTwice is fits for twice the bound.
func (o *outbox) fitsTwice(n int) bool {
	pending := o.pending()
	return (pending == 0 || pending+n <= 2*o.limit) && o.mayHold(n, 2)
}

// tracked reports whether it matters where parts end.
func (o *outbox) tracked() bool { return o.trace != nil || o.keep || o.managed }

// push queues a part and sees to it that somebody writes.
func (o *outbox) push(part []byte, stanza bool) (position uint64) {
	switch {
	case stanza:
		o.queued++
		o.add(part, o.queued)
	case len(part) == 0, o.detached: // or it is about the stream that was lost
		return o.queued
	default:
		o.add(part, 0)
	}
	o.start()
	return o.queued
}

// add puts a part behind what is queued.
func (o *outbox) add(b []byte, position uint64) {
	if o.buf == nil {
		o.buf = lend()
	}
	*o.buf = append(*o.buf, b...)
	if o.tracked() {
		o.parts = append(o.parts, part{len(*o.buf), position})
	}
}

// start sees to it that somebody writes, if there is something to write to.
func (o *outbox) start() {
	if !o.running && !o.detached && o.err == nil {
		o.running = true
		go o.run()
	}
}

// admit queues the parts that have waited and fit now, in order. Those that wait for
// acknowledgements do not keep back those that do not.
func (o *outbox) admit() {
	held := false // somebody waits for an acknowledgement
	for i := 0; i < len(o.waiting) && o.refusal(0) == nil; {
		w := o.waiting[i]
		switch {
		case !o.mayWrite(len(w.part)):
			return
		case !w.relay && (held || !o.mayHold(len(w.part), 1)):
			held = true
			i++
			continue
		}
		o.waiting = slices.Delete(o.waiting, i, i+1)
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

// hangUp says that the transport is done with.
func (o *outbox) hangUp() {
	if !o.over {
		o.over = true
		close(o.gone)
	}
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

// split returns copies of the parts of b, which begins at an offset of the buffer
// that the parts are of.
func split(b []byte, parts []part, offset int) [][]byte {
	var all [][]byte
	from := offset
	for _, p := range parts {
		all = append(all, bytes.Clone(b[from-offset:p.end-offset]))
		from = p.end
	}
	return all
}
