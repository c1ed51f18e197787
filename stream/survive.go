package stream

import (
	"bytes"
	"slices"

	"github.com/parlance-xmpp/xmpp"
)

// A fate is what became of stanzas that the counters of an [outbox] say nothing
// true about.
type fate struct {
	from, to uint64
	stage    xmpp.Stage
}

// uncounted is the stage of what was sent where nothing was acknowledged.
const uncounted = xmpp.Sent

// maxFates bounds how many fates are remembered; a receipt that is older than that
// many losses tells what the counters say.
const maxFates = 4096

// judge notes the fate of stanzas. It is called with mu held, as all that say so.
func (o *outbox) judge(from, to uint64, stage xmpp.Stage) {
	if from > to {
		return
	}
	if n := len(o.fates); n > 0 && o.fates[n-1].stage == stage && o.fates[n-1].to+1 == from {
		o.fates[n-1].to = to
		return
	}
	o.fates = append(o.fates, fate{from, to, stage})
	if len(o.fates) > maxFates {
		o.fates = slices.Delete(o.fates, 0, 1)
	}
}

// judged returns the fate of a stanza, zero if none was noted. What is said of many says nothing of one that
// was withdrawn from among them. It is called with mu held.
func (o *outbox) judged(position uint64) (stage xmpp.Stage) {
	for _, f := range slices.Backward(o.fates) {
		if f.from <= position && position <= f.to {
			if stage = f.stage; stage != uncounted {
				return stage
			}
		}
	}
	return stage
}

// leave ends what the outbox does for its transport: it is detached if it may go on
// with another one, and killed otherwise.
func (o *outbox) leave(err error, survives bool) {
	o.mu.Lock()
	survives = survives && !o.finished
	o.mu.Unlock()
	if survives {
		o.detach()
	} else {
		o.kill(err)
	}
}

// detach takes the outbox off its transport, which is lost; what is queued and what
// is not acknowledged waits for the next one.
func (o *outbox) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.detached || o.err != nil {
		return
	}
	o.detached, o.asked, o.tail = true, false, nil
	o.strip()
	o.signal()
	if !o.running {
		o.hangUp()
	}
}

// strip removes from what is queued all that is not a stanza. It is called with mu held.
func (o *outbox) strip() {
	if o.buf == nil {
		return
	}
	old, parts := o.buf, o.parts
	o.buf, o.parts = nil, nil
	from := 0
	for _, p := range parts {
		if p.position > 0 {
			o.add((*old)[from:p.end], p.position)
		}
		from = p.end
	}
	giveBack(old)
}

// requeue puts parts of a buffer, from an offset of it, before all that is queued.
// It is called with mu held.
func (o *outbox) requeue(b []byte, parts []part, offset int) {
	behind, behindParts := o.buf, o.parts
	o.buf, o.parts = nil, nil
	for i, s := range split(b, parts, offset) {
		if parts[i].position > 0 {
			o.add(s, parts[i].position)
		}
	}
	if behind != nil {
		from := 0
		for _, p := range behindParts {
			o.add((*behind)[from:p.end], p.position)
			from = p.end
		}
		giveBack(behind)
	}
}

// attach gives a detached outbox the transport of another one, which is idle. With
// resumed, what was not acknowledged is sent again, behind what comes first; otherwise
// [outbox.settle] has been called.
func (o *outbox) attach(next *outbox, resumed bool, first []byte) {
	next.mu.Lock()
	nc, secure, timeout, failed, gone := next.nc, next.secure, next.timeout, next.failed, next.gone
	trace, most, limit := next.trace, next.most, next.limit
	next.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nc, o.secure, o.timeout, o.failed, o.gone = nc, secure, timeout, failed, gone
	o.trace, o.most, o.limit = trace, most, limit
	o.detached, o.over, o.sealed, o.writing = false, false, false, 0
	if resumed {
		o.again(first)
	}
	if o.err != nil {
		o.hangUp()
		return
	}
	if o.buf != nil {
		o.start()
	}
	o.admit()
	o.signal()
}

// again queues what was not acknowledged, before all else, and before that what comes first. It is called with mu held.
func (o *outbox) again(first []byte) {
	behind, behindParts := o.buf, o.parts
	o.buf, o.parts = nil, nil
	if len(first) > 0 && o.err == nil {
		o.add(first, 0)
	}
	o.heldParts(func(position uint64, stanza []byte) { o.add(stanza, position) })
	o.release(len(o.held))
	o.taken = o.acked
	if behind != nil {
		from := 0
		for _, p := range behindParts {
			o.add((*behind)[from:p.end], p.position)
			from = p.end
		}
		giveBack(behind)
	}
}

// settle ends the session that a detached outbox was of: what has begun to leave and was
// not acknowledged has failed, and is returned. What never left is dropped unless keep
// says that it may go to another session.
func (o *outbox) settle(keep func(stanza []byte) bool) (lost [][]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil { // killed: nothing is held any more, and the counters tell the truth
		return nil
	}
	type queued struct {
		position uint64
		stanza   []byte
	}
	var all []queued
	o.heldParts(func(position uint64, stanza []byte) { all = append(all, queued{position, bytes.Clone(stanza)}) })
	if o.buf != nil {
		for i, s := range split(*o.buf, o.parts, 0) {
			all = append(all, queued{o.parts[i].position, s})
		}
		giveBack(o.buf)
	}
	o.release(len(o.held))
	o.buf, o.parts = nil, nil
	if !o.managed { // nothing is held
		o.judge(o.acked+1, o.sent, uncounted)
		o.judge(o.sent+1, o.begun, xmpp.Failed)
	}
	for _, q := range all {
		switch {
		case q.position <= o.begun:
			o.judge(q.position, q.position, xmpp.Failed)
			lost = append(lost, q.stanza)
		case keep(q.stanza):
			o.add(q.stanza, q.position)
		default:
			o.judge(q.position, q.position, xmpp.Dropped)
		}
	}
	o.acked = max(o.acked, o.begun)
	o.taken = max(o.taken, o.begun)
	o.unacked = unacked{acked: o.acked}
	o.sent = max(o.sent, o.begun)
	o.signal()
	return lost
}

// withdraw takes out a stanza of which nothing has left, and reports whether it could.
func (o *outbox) withdraw(position uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil || o.buf == nil || position <= o.begun || position <= o.taken {
		return false
	}
	i := slices.IndexFunc(o.parts, func(p part) bool { return p.position == position })
	if i < 0 {
		return false
	}
	o.cutOut(i, i+1)
	o.judge(position, position, xmpp.Dropped)
	o.admit()
	o.signal()
	return true
}

// cutOut takes the parts from i to j out of what is queued. It is called with mu held.
func (o *outbox) cutOut(i, j int) {
	from := 0
	if i > 0 {
		from = o.parts[i-1].end
	}
	n := o.parts[j-1].end - from
	*o.buf = slices.Delete(*o.buf, from, from+n)
	o.parts = slices.Delete(o.parts, i, j)
	for k := i; k < len(o.parts); k++ {
		o.parts[k].end -= n
	}
}

// bid ends the stream of the moment with a last word, and not the outbox: what
// is queued and was not taken yet waits for the next stream.
func (o *outbox) bid(parts ...[]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.detached || o.finished || o.err != nil {
		return false
	}
	o.sealed = true
	o.tail = bytes.Join(parts, nil)
	o.start()
	return true
}
