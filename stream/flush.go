package stream

import "context"

// Flush returns when the transport has taken every stanza that was queued before the
// call, or with an error when it is lost. Whoever sends much with [Conn.TrySend] paces itself with it.
func (c *Conn) Flush(ctx context.Context) error {
	c.out.mu.Lock()
	position := c.out.queued
	c.out.mu.Unlock()
	return c.out.flush(ctx, position)
}

func (o *outbox) flush(ctx context.Context, position uint64) error {
	for {
		o.mu.Lock()
		err, sent, detached, changed := o.err, o.sent, o.detached, o.news()
		o.mu.Unlock()
		switch {
		case sent >= position:
			return nil
		case err != nil:
			return err
		case detached:
			return errLost
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
