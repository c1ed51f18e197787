package stream

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsSM = "urn:xmpp:sm:3"

var smName = xml.Name{Space: nsSM, Local: "sm"}

// Management is the [Feature] of acknowledgements (XEP-0198 §3), for both roles.
// Stanzas are counted, in both directions, from the moment when it is enabled, and
// what was not acknowledged is held: receipts reach [xmpp.Acked].
//
// The initiating entity lists it behind [Bind], and asks that the stream can be resumed.
// The receiving entity serves it at any time once a resource is bound.
type Management struct {
	// ResumeFor is how long a lost stream may be resumed: for the initiating entity a
	// wish, of which zero is none; for the receiving entity what it grants at most, and
	// zero grants nothing.
	ResumeFor time.Duration
	// Location is where the receiving entity wants to be found for resumption, "host:port";
	// empty says nothing.
	Location string
}

// management is what was agreed on.
type management struct {
	enabled  bool
	resume   bool
	id       string
	max      time.Duration
	location string
}

// maxID bounds the id of a stream (XEP-0198 §5).
const maxID = 4000

// Name implements [Feature].
func (Management) Name() xml.Name { return smName }

// Possible implements [Feature].
func (Management) Possible(s State) bool { return s.Has(Authenticated) }

// Offer implements [Feature].
func (Management) Offer(n *Negotiation, w *stanza.Writer) {
	if n.resumed == nil && !n.c.managed().enabled { // clients take it as an invitation
		w.Element(nsSM, "sm", "")
	}
}

// Wants implements [Feature].
func (Management) Wants(e stanza.Element) bool { return e.Is(nsSM, "enable") }

// Standing implements [Standing].
func (Management) Standing() {}

// Serve implements [Feature].
func (f Management) Serve(_ context.Context, n *Negotiation, e stanza.Element) error {
	switch {
	case !n.State().Has(Bound):
		return n.Write(func(w *stanza.Writer) { writeFailed(w, stanza.UnexpectedRequest, -1) })
	case n.c.managed().enabled:
		return &Error{Condition: PolicyViolation, Text: "stream management is enabled already", Lang: "en"}
	}
	m := f.grant(e)
	w := stanza.NewWriter(nil)
	m.write(w)
	b, err := w.Bytes()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	n.c.setManaged(m)
	n.c.in.manage()
	n.c.out.manage(b)
	n.c.event("managed", m.String())
	return nil
}

// grant says what a client that asks by e gets.
func (f Management) grant(e stanza.Element) management {
	m := management{enabled: true}
	if m.resume = isTrue(e.Attr("resume")) && f.ResumeFor > 0; m.resume {
		m.id, m.max, m.location = rand.Text(), f.ResumeFor, f.Location
		if s, err := strconv.ParseUint(e.Attr("max"), 10, 31); err == nil && s > 0 {
			m.max = min(m.max, time.Duration(s)*time.Second)
		}
	}
	return m
}

// write writes the word that m is enabled.
func (m management) write(w *stanza.Writer) {
	w.Start(nsSM, "enabled")
	if m.resume {
		w.Attr("id", m.id)
		w.Attr("resume", "true")
		w.Attr("max", strconv.Itoa(int(m.max/time.Second)))
		if m.location != "" {
			w.Attr("location", m.location)
		}
	}
	w.End()
}

// String describes m without its id, by which it could be resumed.
func (m management) String() string {
	if m.resume {
		return fmt.Sprintf("resumable for %v", m.max)
	}
	return "acknowledgements"
}

// Use implements [Feature].
func (f Management) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	if !n.State().Has(Bound) || n.resumed != nil || n.c.managed().enabled {
		return nil
	}
	if err := n.Write(f.request); err != nil {
		return err
	}
	for {
		e, err := n.Read(ctx)
		switch {
		case err != nil:
			return err
		case e.Is(nsSM, "enabled"):
			return n.enable(e)
		case e.Is(nsSM, "failed"):
			n.c.event("managed", "refused")
			return nil // a stream without it is still a stream
		case isStanza(e): // before the count begins: somebody was fast
			n.c.early = append(n.c.early, e)
		}
	}
}

// request writes what asks for it.
func (f Management) request(w *stanza.Writer) {
	w.Start(nsSM, "enable")
	w.Attr("resume", "true")
	if f.ResumeFor > 0 {
		w.Attr("max", strconv.Itoa(int(f.ResumeFor/time.Second)))
	}
	w.End()
}

// enable takes in the server's word that stanzas are counted from here.
func (n *Negotiation) enable(e stanza.Element) error {
	m := management{enabled: true, id: e.Attr("id"), location: e.Attr("location")}
	m.resume = isTrue(e.Attr("resume")) && m.id != "" && len(m.id) <= maxID
	if s, err := strconv.ParseUint(e.Attr("max"), 10, 31); err == nil {
		m.max = time.Duration(s) * time.Second
	}
	n.c.setManaged(m)
	n.c.in.manage()
	n.c.event("managed", m.String())
	return nil
}

func isTrue(s string) bool { return s == "true" || s == "1" }

// writeFailed writes that something did not work. A count below zero is left out.
func writeFailed(w *stanza.Writer, c stanza.Condition, h int64) {
	w.Start(nsSM, "failed")
	if h >= 0 {
		w.Attr("h", strconv.FormatInt(h, 10))
	}
	w.Element(stanza.NSErrors, string(c), "")
	w.End()
}

func (c *Conn) managed() management {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sm
}

func (c *Conn) setManaged(m management) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sm = m
}

// resumes reports whether the stream may be resumed when it is lost.
func (c *Conn) resumes() bool { return c.managed().resume && !c.over.Load() }

// Managed reports whether stanzas are acknowledged (XEP-0198).
func (c *Conn) Managed() bool { return c.managed().enabled }

// Resumable returns the id by which the stream can be resumed once it is lost, for
// how long (zero: the server did not say), and where to go for that, if the server
// has said ("host:port"). The id is empty if it cannot be. Who knows it, and can log
// in, can take over the session.
func (c *Conn) Resumable() (id string, max time.Duration, location string) {
	if m := c.managed(); m.resume && !c.over.Load() {
		return m.id, m.max, m.location
	}
	return "", 0, ""
}

// An inbox counts what arrives (XEP-0198 §4). Acknowledgements are queued with its
// lock held: one that overtakes another would take back what that said.
type inbox struct {
	mu        sync.Mutex // guards the fields below; taken before that of an outbox
	later     bool       // handled is told by Handled
	managed   bool
	base      uint64 // how many had arrived when the count began
	received  uint64 // stanzas that have arrived, ever
	passed    uint64 // of these, those that the reader has gone past; unless later
	postponed []*postponed
	settled   chan struct{} // closed when nothing is postponed; nil when nobody waits for that
	handled   uint64        // of received, all up to this one
	owed      uint64        // received, when the peer has asked and not all of that was handled; else zero
	repeats   uint64        // how many of the next have arrived before
}

// manage begins the count.
func (i *inbox) manage() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.managed, i.base, i.owed = true, i.received, 0
}

// next notes that the stanza before has been handled, unless that is postponed.
func (i *inbox) next(out *outbox) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.later {
		i.passed = i.received
		i.advance(out)
	}
}

// setLater says who tells what has been handled on the next stream.
func (i *inbox) setLater(later bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.later = later
}

// arrived counts a stanza, and reports whether it is new.
func (i *inbox) arrived() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.repeats > 0 {
		i.repeats--
		return false
	}
	i.received++
	return true
}

// resume returns the count to resume a session with. What has arrived and is not in it will
// come again: it is not counted twice, and what somebody is about to handle does not reach
// them twice.
func (i *inbox) resume() uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.repeats = 0
	if !i.later {
		i.received = i.passed
	}
	h := i.count()
	i.repeats = i.received - max(i.handled, i.base)
	return h
}

// h is what has been handled as the peer counts it.
func (i *inbox) h() uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.count()
}

// count is called with mu held.
func (i *inbox) count() uint32 {
	return uint32(max(i.reached(), i.base) - i.base)
}

// reached is up to which stanza all has been handled. What comes again is not acknowledged before it has: the peer
// would not send it then, and the next would be taken for it. It is called with mu held.
func (i *inbox) reached() uint64 { return min(i.handled, i.received-i.repeats) }

// asked answers a request for an acknowledgement. If there is no room for that, the peer
// does not read.
func (i *inbox) asked(out *outbox) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.owed = 0
	if i.reached() < i.received {
		i.owed = i.received
	}
	_ = out.tryAppend(appendAck(nil, i.count()), false, true)
}

// did notes that of what has arrived the first n are handled.
func (i *inbox) did(n uint64, out *outbox) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handled = max(i.handled, min(n, i.received))
	i.advance(out)
}

// advance says how much has been handled, if the peer has asked and can be told of all that it asked about. It is
// called with mu held.
func (i *inbox) advance(out *outbox) {
	if !i.later {
		i.progress()
	}
	if i.managed && i.owed > 0 && i.reached() >= i.owed {
		i.owed = 0
		_ = out.tryAppend(appendAck(nil, i.count()), false, true) // the peer will ask again
	}
}

// last calls end with what is said right before a stream is closed (§4), if anything, and returns
// its result. All that has arrived counts: it is handled though the stream has ended, and if the other side
// did not know that, it would come again. What is postponed does not.
func (i *inbox) last(end func(ack []byte) bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.managed {
		return end(nil)
	}
	if i.later {
		i.handled = i.received
	} else {
		i.passed = i.received
		i.progress()
	}
	return end(appendAck(nil, i.count()))
}

func appendAck(dst []byte, h uint32) []byte {
	dst = append(dst, "<a xmlns='"+nsSM+"' h='"...)
	dst = strconv.AppendUint(dst, uint64(h), 10)
	return append(dst, "'/>"...)
}

// Received returns how many stanzas have arrived on the stream and those that it
// resumed or came after, with [Config].Previous.
func (c *Conn) Received() uint64 {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.received
}

// Handled says, with [Config].AckHandled, that of the stanzas that have arrived as
// [Conn.Received] counts them, the first n have been handled. It may be called from any
// goroutine, also when the stream has ended.
func (c *Conn) Handled(n uint64) {
	c.in.did(n, c.out)
}

// manages does what an element of XEP-0198 asks for, and reports whether e is one.
func (c *Conn) manages(e stanza.Element) (bool, error) {
	name := e.Name()
	if name.Space != nsSM || !c.managed().enabled {
		return false, nil
	}
	switch name.Local {
	case "r":
		c.in.asked(c.out)
		return true, nil
	case "a":
		h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
		if err != nil {
			return true, &Error{Condition: BadFormat, Text: "an acknowledgement without a count", Lang: "en"}
		}
		return true, tooHigh(c.out.ack(uint32(h)))
	}
	return false, nil
}

// tooHigh makes a stream error of an acknowledgement of more than was sent (XEP-0198 §6).
func tooHigh(err error) error {
	high, ok := errors.AsType[*tooHighError](err)
	if !ok {
		return err
	}
	return &Error{
		Condition: UndefinedCondition,
		App:       handledTooHigh{high.h, high.sent},
		Text:      fmt.Sprintf("you acknowledged %d stanzas, but I only sent you %d so far", high.h, high.sent),
		Lang:      "en",
	}
}

// handledTooHigh is the application-specific condition.
type handledTooHigh struct{ h, sent uint32 }

// AppendXML implements [stanza.Payload].
func (e handledTooHigh) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(nsSM, "handled-count-too-high")
	w.Attr("h", strconv.FormatUint(uint64(e.h), 10))
	w.Attr("send-count", strconv.FormatUint(uint64(e.sent), 10))
	w.End()
	return w.Bytes()
}
