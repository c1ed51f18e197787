package stream

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
)

// Flush returns when the transport has taken every stanza that was queued before the
// call. Whoever sends much with [Conn.TrySend] paces itself with it.
func (c *Conn) Flush(ctx context.Context) error {
	c.out.mu.Lock()
	position := c.out.queued
	c.out.mu.Unlock()
	_, err := c.Await(ctx, position, xmpp.Sent)
	return err
}
