package stream

import "context"

// A postponed stanza has been read past, and is not handled yet.
type postponed struct {
	position uint64
	done     bool
}

// Postpone keeps the stanza that [Conn.Next] returned last from being acknowledged, and with it all
// that come behind, until done is called: something of it is still to be stored, and
// reading goes on meanwhile. Whoever calls Next calls it, before the next call; done may be called
// from any goroutine, more than once, and also when the stream has ended and its session
// goes on on another one.
//
// With [Config].AckHandled it has no effect: there, nothing is acknowledged that nobody has spoken for.
func (c *Conn) Postpone() (done func()) {
	in, out := c.in, c.out
	return in.postpone(out)
}

// AwaitHandled returns when nothing is postponed, or ctx is done.
func (c *Conn) AwaitHandled(ctx context.Context) error {
	for {
		handled := c.in.whenHandled()
		if handled == nil {
			return nil
		}
		select {
		case <-handled:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (i *inbox) postpone(out *outbox) (done func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := &postponed{position: i.received}
	i.postponed = append(i.postponed, p)
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		p.done = true
		i.advance(out)
	}
}

// whenHandled returns what is closed when nothing is postponed any more, nil if that is so already.
func (i *inbox) whenHandled() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.postponed) == 0 {
		return nil
	}
	if i.settled == nil {
		i.settled = make(chan struct{})
	}
	return i.settled
}

// progress notes how far all is handled: up to the first that is postponed, or as far as the reader
// has come. It is called with mu held.
func (i *inbox) progress() {
	for len(i.postponed) > 0 && i.postponed[0].done {
		i.postponed[0] = nil
		i.postponed = i.postponed[1:]
	}
	i.handled = i.passed
	if len(i.postponed) > 0 {
		i.handled = min(i.handled, i.postponed[0].position-1)
		return
	}
	i.postponed = nil
	if i.settled != nil {
		close(i.settled)
		i.settled = nil
	}
}
