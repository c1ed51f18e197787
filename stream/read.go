package stream

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Next returns the next first-level element: of the receiving entity always a
// stanza; of the initiating entity perhaps another element, which it may ignore.
// The element is lent until the next call: keep [stanza.Element.Clone] of it, or
// [stanza.Raw.Clone], not it.
//
// Only one goroutine calls it, and it must keep calling until there is an error.
// That is final, and the stream has ended by then:
//
//   - io.EOF when both sides have closed their stream (RFC 6120 §4.4);
//   - an [*Error] when the peer reported a stream error, or when it broke the
//     rules and was told so;
//   - an error that matches [xmpp.ErrClosed] after [Conn.Abort];
//   - whatever ended the transport.
//
// After [Conn.Close] it goes on to return what the peer still sends; after
// [Conn.Fail] it does not.
func (c *Conn) Next() (stanza.Element, error) {
	if len(c.early) > 0 { // before the count began
		e := c.early[0]
		c.early = c.early[1:]
		return e, nil
	}
	for {
		c.in.next(c.out)
		c.r.Await()
		e, done, err := c.step()
		if err != nil {
			err = c.conclude(nil, err)
			return stanza.Element{}, err
		}
		if done {
			return e, nil
		}
	}
}

// step takes the next element, and reports whether it is for the caller of Next. It is not part of Next because a
// goroutine that waits for long keeps the stack that its callers need.
func (c *Conn) step() (e stanza.Element, ok bool, err error) {
	e, err = c.read()
	switch {
	case err != nil:
		return e, false, err
	case c.hasFailed():
		if e.Is(nsSM, "a") {
			_, _ = c.manages(e) // so that what has arrived is not sent again
		}
		return e, false, nil
	}
	if isStanza(e) {
		if !c.in.arrived() {
			return e, false, nil
		}
	} else if ours, err := c.manages(e); ours || err != nil {
		return e, false, err
	}
	f := c.begins(e)
	switch {
	case f != nil:
		return e, false, f.Serve(lifetime{c}, &Negotiation{c: c, established: true}, e.Clone())
	case isStanza(e):
		return e, true, nil
	case !c.initiating && e.Is(nsSM, "resume"): // too late (XEP-0198 §5)
		return e, false, Resume{}.Refuse(lifetime{c}, &Negotiation{c: c, established: true}, e)
	case foreign(e), !c.initiating:
		return e, false, unexpected(e)
	}
	return e, !e.Is(xmlwire.NSStreams, "features"), nil // which are sent again when nothing is left to negotiate (§4.3.5)
}

// begins returns the feature that e begins on the established stream.
func (c *Conn) begins(e stanza.Element) Feature {
	for _, f := range c.standing {
		if f.Possible(c.state) && f.Wants(e) {
			return f
		}
	}
	return nil
}

// standing are those features that may be begun when negotiation is over. The others are forgotten then, with all that they hold.
func standing(features []Feature) (all []Feature) {
	for _, f := range features {
		if _, ok := f.(Standing); ok {
			all = append(all, f)
		}
	}
	return all
}

// read returns the next first-level element, lent until the next call. A stream
// error that the peer reports, and XML that is refused, is an [*Error].
func (c *Conn) read() (stanza.Element, error) {
	el, err := c.r.Next()
	if err != nil {
		if err == io.EOF && c.trace.Received != nil && traced(c.trace) {
			c.trace.Received([]byte(closingTag))
		}
		return stanza.Element{}, readError(err)
	}
	e, raw := stanza.Lend(el), el.Raw
	if c.content != stanza.NS {
		raw = xmlwire.NewNode(raw, c.content).AppendTo(nil, stanza.NS)
		e = stanza.NewElement(raw)
	}
	if c.trace.Received != nil && traced(c.trace) {
		c.trace.Received(redacted(raw))
	}
	if e.Is(xmlwire.NSStreams, "error") {
		e = e.Clone() // the error keeps parts of it
		return e, parseError(e)
	}
	return e, nil
}

// interruptible runs f, which reads, and ends its reading when ctx is done. The
// stream can still be read from afterwards.
func (c *Conn) interruptible(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.raw.SetReadDeadline(past)
		close(fired)
	})
	err := f()
	if stop() {
		return err
	}
	<-fired
	_ = c.raw.SetReadDeadline(time.Time{})
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		return context.Cause(ctx)
	}
	return err
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// isStanza reports whether e is a message, presence or query.
func isStanza(e stanza.Element) bool {
	name := e.Name()
	if name.Space != stanza.NS {
		return false
	}
	switch name.Local {
	case "message", "presence", "iq":
		return true
	}
	return false
}

// foreign reports whether e is in the content namespace of another kind of stream.
func foreign(e stanza.Element) bool {
	return slices.Contains([]string{"jabber:server", "jabber:component:accept", "jabber:component:connect"}, e.Name().Space)
}

// unexpected is the answer to an element that has no place on the stream.
func unexpected(e stanza.Element) *Error {
	switch {
	case isStanza(e): // §4.3.5, §4.9.3.12
		return &Error{Condition: NotAuthorized, Text: "stanza before the end of negotiation", Lang: "en"}
	case foreign(e): // §4.8.3
		return &Error{Condition: InvalidNamespace}
	}
	return &Error{Condition: UnsupportedStanzaType} // §4.8.4
}

// A lifetime is the context of what runs as long as the stream does.
type lifetime struct{ c *Conn }

func (lifetime) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l lifetime) Done() <-chan struct{}     { return l.c.Done() }
func (lifetime) Value(any) any               { return nil }

func (l lifetime) Err() error {
	if l.c.Err() != nil {
		return context.Canceled
	}
	return nil
}
