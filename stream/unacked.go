package stream

import (
	"bytes"
	"fmt"
	"slices"
)

// holdFactor is how many times what may wait to be written may wait to be
// acknowledged: acknowledgements take a journey and back.
const holdFactor = 4

// unacked is the part of an [outbox] that holds what was written until the peer
// has acknowledged it (XEP-0198 §4). It is guarded by the outbox's mutex.
//
// The peer counts the stanzas that it got since acknowledgements were enabled,
// modulo 2³². Here the stanzas that may be in the count stand in a line: each
// acknowledgement takes so many off its front as the count has grown.
type unacked struct {
	managed bool    // stanzas behind base are acknowledged
	base    uint64  // the last that is not in the count
	acked   uint64  // the last that was acknowledged
	count   uint32  // what the peer acknowledged last
	held    []batch // written or being written and not acknowledged, oldest first
	stanzas int     // in held
	bytes   int     // of these stanzas
	asked   bool    // an acknowledgement is on its way, or has been asked for
}

// A batch is what was written at once, with what of it is not acknowledged.
type batch struct {
	buf   *[]byte
	parts []part
	first int // of the parts: those before it are done with
}

// ackRequest asks for an acknowledgement.
const ackRequest = "<r xmlns='" + nsSM + "'/>"

// manage begins the count with the stanza that is appended next, behind the parts given.
// What was queued before is not in it.
func (o *outbox) manage(parts ...[]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf != nil && len(o.parts) == 0 {
		o.parts = append(o.parts, part{end: len(*o.buf)})
	}
	for _, p := range parts {
		o.push(p, false)
	}
	o.count0()
	o.base = o.queued
	o.uncounted()
}

// manageQueued is manage for an initiating entity, none of whose queued stanzas
// has left on this stream.
func (o *outbox) manageQueued() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count0()
	o.base = max(o.taken, o.acked)
	o.uncounted()
}

// count0 begins a count. It is called with mu held, as all below.
func (o *outbox) count0() {
	o.unacked = unacked{managed: true, acked: o.acked}
}

// uncounted notes that what is not in the count has no stage beyond sent.
func (o *outbox) uncounted() {
	if o.base > o.acked {
		o.judge(o.acked+1, o.base, uncounted)
		o.acked = o.base
	}
}

// hold keeps what is about to be written, and reports whether it does.
func (o *outbox) hold(buf *[]byte, parts []part) bool {
	if !o.managed {
		return false
	}
	from, n := 0, 0
	for _, p := range parts {
		if p.position > o.base {
			n++
			o.bytes += p.end - from
		}
		from = p.end
	}
	if n == 0 {
		return false
	}
	o.stanzas += n
	o.held = append(o.held, batch{buf: buf, parts: parts})
	return true
}

// ask puts a request for an acknowledgement behind what is about to be written,
// unless one is on its way.
func (o *outbox) ask() {
	if !o.managed || o.asked {
		return
	}
	if o.queued > max(o.taken, o.base) || o.stanzas > 0 {
		o.asked = true
		o.add([]byte(ackRequest), 0)
	}
}

// mayHold reports whether n bytes more may wait to be acknowledged.
func (o *outbox) mayHold(n, times int) bool {
	if !o.managed || o.bytes == 0 {
		return true
	}
	queued := 0
	if o.buf != nil {
		queued = len(*o.buf)
	}
	return o.bytes+queued+n <= times*holdFactor*o.limit
}

// ack takes in that the peer has handled h stanzas.
func (o *outbox) ack(h uint32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	progress, again := h-o.count, o.resent() // modulo 2³²
	if !o.managed || uint64(progress) > uint64(o.stanzas+again) {
		return &tooHighError{h: h, sent: o.count + uint32(o.stanzas+again)}
	}
	o.count = h
	o.asked = false
	if progress == 0 {
		return nil
	}
	held := min(int(progress), o.stanzas)
	o.drop(held)
	if rest := int(progress) - held; rest > 0 {
		o.spare(rest)
	}
	if o.stanzas > 0 && o.buf == nil && !o.sealed && !o.detached && !o.finished && o.err == nil {
		o.asked = true
		o.add([]byte(ackRequest), 0)
		o.start()
	}
	o.admit()
	o.signal()
	return nil
}

// resent counts the stanzas at the front of the queue that have left on an earlier transport:
// the peer may acknowledge them before they are sent again.
func (o *outbox) resent() (n int) {
	for n < len(o.parts) && o.parts[n].position > o.base && o.parts[n].position <= o.begun {
		n++
	}
	return n
}

// spare takes the first stanzas out of the queue, which have arrived already.
func (o *outbox) spare(n int) {
	o.acked = o.parts[n-1].position
	o.sent = max(o.sent, o.acked)
	o.taken = max(o.taken, o.acked)
	o.cutOut(0, n)
}

// drop takes n stanzas off the front of what is held.
func (o *outbox) drop(n int) {
	for n > 0 {
		b := &o.held[0]
		for n > 0 && b.first < len(b.parts) {
			if p := b.parts[b.first]; p.position > o.base {
				o.acked = p.position
				o.sent = max(o.sent, p.position)
				o.bytes -= p.end - b.start(b.first)
				o.stanzas--
				n--
			}
			b.first++
		}
		if !b.counts(o.base) {
			o.free(0)
		}
	}
}

// start is where a part begins.
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.parts[i-1].end
}

// counts reports whether a stanza that is not acknowledged is left in b.
func (b *batch) counts(base uint64) bool {
	return slices.ContainsFunc(b.parts[b.first:], func(p part) bool { return p.position > base })
}

// stanza returns the bytes of a part.
func (b *batch) bytes(i int) []byte { return (*b.buf)[b.start(i):b.parts[i].end] }

// free forgets a batch. Its buffer is lent again unless it may still be written
// from, as the last one may.
func (o *outbox) free(i int) {
	if o.writing == 0 || i < len(o.held)-1 {
		giveBack(o.held[i].buf)
	}
	o.held = slices.Delete(o.held, i, i+1)
}

// release forgets the first n batches.
func (o *outbox) release(n int) {
	for range n {
		o.free(0)
	}
	o.stanzas, o.bytes = 0, 0
}

// heldParts calls f with each stanza that is held, oldest first.
func (o *outbox) heldParts(f func(position uint64, stanza []byte)) {
	for i := range o.held {
		b := &o.held[i]
		for j := b.first; j < len(b.parts); j++ {
			if p := b.parts[j]; p.position > o.base {
				f(p.position, b.bytes(j))
			}
		}
	}
}

// leftovers returns copies of all that was not acknowledged, or not taken to be written.
func (o *outbox) leftovers() (all [][]byte) {
	o.heldParts(func(_ uint64, stanza []byte) { all = append(all, bytes.Clone(stanza)) })
	if o.buf != nil {
		all = append(all, split(*o.buf, o.parts, 0)...)
	}
	return all
}

// A tooHighError says that the peer acknowledges more than it was sent.
type tooHighError struct{ h, sent uint32 }

func (e *tooHighError) Error() string {
	return fmt.Sprintf("stream: the peer acknowledges %d stanzas and was sent %d", e.h, e.sent)
}
