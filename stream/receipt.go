package stream

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp"
)

// errNoAcks is the error of a receipt that waits for what will not come.
var errNoAcks = errors.New("stream: stanzas are not acknowledged on this stream")

// Stage implements [xmpp.Progress] for the receipts of Send.
func (c *Conn) Stage(position uint64) xmpp.Stage {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.stage(position)
}

// Await implements [xmpp.Progress] for the receipts of Send. Sent is final on
// this stream.
func (c *Conn) Await(ctx context.Context, position uint64, want xmpp.Stage) (xmpp.Stage, error) {
	for {
		c.out.mu.Lock()
		stage, err, changed := c.out.stage(position), c.out.err, c.out.news()
		c.out.mu.Unlock()
		switch {
		case stage == want, want == xmpp.Queued && stage != xmpp.Dropped:
			return stage, nil
		case stage == xmpp.Sent:
			return stage, errNoAcks
		case stage == xmpp.Failed:
			return stage, err
		case stage == xmpp.Dropped:
			return stage, unsent(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return stage, context.Cause(ctx)
		}
	}
}

// stage is called with mu held.
func (o *outbox) stage(position uint64) xmpp.Stage {
	switch {
	case position <= o.sent:
		return xmpp.Sent
	case o.err == nil:
		return xmpp.Queued
	case position <= o.taken:
		return xmpp.Failed
	}
	return xmpp.Dropped
}

var _ xmpp.Progress = (*Conn)(nil)
