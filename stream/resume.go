package stream

import (
	"bytes"
	"context"
	"encoding/xml"
	"strconv"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Resume is the [Feature] by which a session goes on that was lost with its stream
// (XEP-0198 §5), for both roles. The counts are carried over, what the other side
// has not handled is sent again, and nothing else needs be agreed on: the full JID is the
// old one.
//
// The initiating entity lists it before [Bind] and [Management], and resumes Config.Previous.
type Resume struct {
	// Find returns, for the receiving entity, the stream of the authenticated account that had
	// that id and can be resumed. Where its transport is still open, Find ends it; when
	// Find returns, nobody is in [Conn.Next] of it any more, and its Done is closed. Nil says
	// that there is none. An error is internal-server-error.
	Find func(ctx context.Context, account jid.JID, id string) (*Conn, error)
}

// Name implements [Feature].
func (Resume) Name() xml.Name { return smName }

// Possible implements [Feature].
func (Resume) Possible(s State) bool { return s.Has(Authenticated) && !s.Has(Bound) }

// Offer implements [Feature]. [Management] makes the offer of both.
func (Resume) Offer(*Negotiation, *stanza.Writer) {}

// Wants implements [Feature].
func (Resume) Wants(e stanza.Element) bool { return e.Is(nsSM, "resume") }

// Serve implements [Feature].
func (f Resume) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	w := stanza.NewWriter(nil)
	if err := f.answer(ctx, n, e, w); err != nil {
		return err
	}
	if n.resumed == nil {
		return n.finish(w, false)
	}
	var err error
	n.last, err = w.Bytes()
	return err
}

// Refuse answers who asks too late. It implements [Refuser].
func (Resume) Refuse(_ context.Context, n *Negotiation, _ stanza.Element) error {
	return n.Write(func(w *stanza.Writer) { writeFailed(w, stanza.UnexpectedRequest, -1) })
}

// answer resumes a session if that can be, and writes what came of it.
func (f Resume) answer(ctx context.Context, n *Negotiation, e stanza.Element, w *stanza.Writer) error {
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	id := e.Attr("previd")
	if err != nil || id == "" || f.Find == nil {
		writeFailed(w, stanza.BadRequest, -1)
		return nil
	}
	previous, err := f.Find(ctx, n.Account(), id)
	switch {
	case err != nil && ctx.Err() != nil: // who is told that it failed gives up a session that may go on yet
		return context.Cause(ctx)
	case err != nil:
		writeFailed(w, stanza.InternalServerError, -1)
		return nil
	case previous == nil:
		n.c.event("resume", "there is no such session")
		writeFailed(w, stanza.ItemNotFound, -1)
		return nil
	}
	if err := previous.out.ack(uint32(h)); err != nil {
		return tooHigh(err)
	}
	w.Start(nsSM, "resumed")
	w.Attr("previd", id)
	w.Attr("h", strconv.FormatUint(uint64(previous.in.resume()), 10))
	w.End()
	return n.resume(previous)
}

// resume notes that the stream goes on where a previous one was lost.
func (n *Negotiation) resume(previous *Conn) error {
	n.resumed, n.c.resumed = previous, true
	n.c.event("resumed", previous.full.String())
	return n.Bound(previous.full)
}

// Use implements [Feature].
func (f Resume) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	request := n.resumption()
	if request == nil {
		return nil
	}
	if err := n.Write(request); err != nil {
		return err
	}
	for {
		e, err := n.Read(ctx)
		if err != nil {
			return err
		}
		if e.Is(nsSM, "resumed") || e.Is(nsSM, "failed") {
			return n.takeResumption(e)
		}
	}
}

// resumption returns what asks for it, nil if there is nothing to resume.
func (n *Negotiation) resumption() func(w *stanza.Writer) {
	previous := n.cfg.Previous
	if previous == nil {
		return nil
	}
	m := previous.managed()
	if !previous.resumes() {
		return nil
	}
	return func(w *stanza.Writer) {
		w.Start(nsSM, "resume")
		w.Attr("h", strconv.FormatUint(uint64(previous.in.resume()), 10))
		w.Attr("previd", m.id)
		w.End()
	}
}

// takeResumption takes in the server's answer.
func (n *Negotiation) takeResumption(e stanza.Element) error {
	previous := n.cfg.Previous
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	if e.Is(nsSM, "failed") {
		if err == nil { // it tells at least how much had arrived
			_ = previous.out.ack(uint32(h))
		}
		n.c.event("resume", "refused")
		return nil
	}
	if err != nil || e.Attr("previd") != previous.managed().id {
		return &Error{Condition: BadFormat, Text: "another stream was resumed", Lang: "en"}
	}
	if err := previous.out.ack(uint32(h)); err != nil {
		return tooHigh(err)
	}
	return n.resume(previous)
}

// goOn lets what outlives a stream go on on the one that was negotiated.
func (n *Negotiation) goOn() {
	c, fresh := n.c, n.c.out
	if n.resumed != nil {
		c.setManaged(n.resumed.managed())
		if c.offered.IsZero() {
			c.offered = n.resumed.offered
		}
		c.out, c.in = n.resumed.out, n.resumed.in
		c.in.setLater(n.cfg.AckHandled)
		c.out.attach(fresh, true, n.last)
		return
	}
	m := c.managed()
	if previous := n.cfg.Previous; previous != nil {
		c.lost = previous.Abandon()
		c.out = previous.out
		previous.in.carry(c.in)
		c.in = previous.in
		if m.enabled {
			c.out.manageQueued()
		}
		c.out.attach(fresh, false, nil)
		return
	}
	if m.enabled {
		c.out.manageQueued()
	}
}

// carry goes on with the count of a stream that has just begun.
func (i *inbox) carry(fresh *inbox) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.later = fresh.later
	i.managed, i.base, i.owed, i.repeats = fresh.managed, i.received, 0, 0
}

// isMessage reports whether a stanza, as it was written, is a message: what may follow on
// another session than the one for which it was sent.
func isMessage(stanza []byte) bool { return bytes.HasPrefix(stanza, []byte("<message")) }

// Abandon ends the session of a lost stream, whose queue still goes on on the next one: it
// is not resumed any more. It returns the stanzas that may not have arrived, each as it was sent,
// the first time it is called.
func (c *Conn) Abandon() [][]byte {
	if c.abandoned.Swap(true) {
		return nil
	}
	c.over.Store(true)
	return c.out.settle(isMessage)
}

// Lost returns the stanzas of a previous session that may not have arrived, each as it was
// sent; see Config.Previous. Their receipts say [xmpp.Failed].
func (c *Conn) Lost() [][]byte { return c.lost }

// Resumed reports whether the stream has resumed the session of Config.Previous.
func (c *Conn) Resumed() bool { return c.resumed }

// Discard ends what has outlived the stream, whose transport is lost: nothing that is
// queued will leave, and it cannot be resumed.
func (c *Conn) Discard() {
	c.out.finish()
	c.out.kill(errLost)
}
