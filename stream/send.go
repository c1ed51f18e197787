package stream

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Send queues s with the start tag that h describes; see [stanza.AppendWith].
// Stanzas leave whole, in the order in which they were queued. Send waits, as
// long as ctx allows, only while the queue is over its bound; whoever has
// waited longest goes first. An error is an [*xmpp.UnsentError]: nothing was
// queued.
//
// The receipt reaches [xmpp.Sent] when the transport has taken the stanza.
func (c *Conn) Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	return c.send(s, h, func(part []byte) (uint64, error) { return c.out.append(ctx, part, true) })
}

// Relay is [Conn.Send] for those who have to go on reading, from this peer or from
// another one, and must not wait for an acknowledgement that they would have to read
// themselves. It waits for room to write. Where twice as much as Send allows waits to be
// acknowledged, it is [ErrQueueFull] at once.
func (c *Conn) Relay(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	return c.send(s, h, func(part []byte) (uint64, error) { return c.out.relay(ctx, part) })
}

func (c *Conn) send(s stanza.Stanza, h stanza.Header, queue func(part []byte) (uint64, error)) (xmpp.Receipt, error) {
	buf := lend()
	defer giveBack(buf)
	part, err := stanza.AppendWith(*buf, s, h)
	if err != nil {
		return xmpp.Receipt{}, unsent(fmt.Errorf("stream: send: %w", err))
	}
	*buf = part
	position, err := queue(part)
	if err != nil {
		return xmpp.Receipt{}, unsent(err)
	}
	return xmpp.NewReceipt(c.out, position), nil
}

// TrySend is [Conn.Send] for what may be left out: a stanza that does not fit
// into the queue at once is [ErrQueueFull].
func (c *Conn) TrySend(s stanza.Stanza, h stanza.Header) error { return c.trySend(s, h, false) }

// SendNow is [Conn.Send] for what must not be left out, where nobody can wait: it
// goes before those who do, and may fill the queue to twice its bound. Beyond that it is
// [ErrQueueFull], and whoever called has to draw the consequence.
func (c *Conn) SendNow(s stanza.Stanza, h stanza.Header) error { return c.trySend(s, h, true) }

func (c *Conn) trySend(s stanza.Stanza, h stanza.Header, urgent bool) error {
	buf := lend()
	defer giveBack(buf)
	part, err := stanza.AppendWith(*buf, s, h)
	if err != nil {
		return unsent(fmt.Errorf("stream: send: %w", err))
	}
	*buf = part
	if err := c.out.tryAppend(part, true, urgent); err != nil {
		return unsent(err)
	}
	return nil
}

// Unsent returns, once the stream has ended and if Config.KeepUnsent says so, what
// was queued and never left: each stanza, and whatever else was sent, by itself
// and in order. What was being written when the end came is not among it; nobody
// knows how much of that has arrived. Where stanzas are acknowledged (XEP-0198), all
// that were not are among it.
func (c *Conn) Unsent() [][]byte {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.unsent
}

// Last returns the receipt of the stanza that was queued last.
func (c *Conn) Last() xmpp.Receipt {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return xmpp.NewReceipt(c.out, c.out.queued)
}

// SendElement queues a first-level element that is no stanza, such as client
// state indication (XEP-0352), in order with the stanzas. The peer must
// understand it. Waiting and errors are those of [Conn.Send].
func (c *Conn) SendElement(ctx context.Context, p stanza.Payload) error {
	buf := lend()
	defer giveBack(buf)
	part, err := p.AppendXML(*buf)
	if err != nil {
		return unsent(fmt.Errorf("stream: send: %w", err))
	}
	*buf = part
	if _, err := c.out.append(ctx, part, false); err != nil {
		return unsent(err)
	}
	return nil
}

// KeepAlive sends a space, which means nothing but keeps what is in between
// awake (RFC 6120 §4.6.1), unless there is something else to send. It never
// waits.
func (c *Conn) KeepAlive() error { return c.out.appendIdle([]byte{' '}) }
