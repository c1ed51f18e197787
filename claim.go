package xmpp

import (
	"context"
	"sync"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Claim collects the stanzas that [Session.Claim] set aside. Close it when
// the query they belong to is over.
type Claim struct {
	match func(stanza.Header) bool
	drop  func(*Claim) // tells the session to offer no more

	mu     sync.Mutex // guards the fields below
	queue  []*stanza.Raw
	bytes  int
	err    error
	closed bool
	ready  chan struct{} // has an item while queue or err may have news
}

// claimBytes bounds what a claim holds for a slow reader.
const claimBytes = 8 << 20

// NewClaim returns a claim for match. It is for those who implement [Session]:
// drop, called once, when the claim is closed, must make the session forget it.
func NewClaim(match func(stanza.Header) bool, drop func(*Claim)) *Claim {
	return &Claim{match: match, drop: drop, ready: make(chan struct{}, 1)}
}

// Offer gives the claim a stanza and reports whether it took it. Sessions call
// it from their reader; it never blocks. A claim whose reader lets too much pile up
// ends with resource-constraint.
func (c *Claim) Offer(st *stanza.Raw) bool {
	if !c.match(st.Header()) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.err == nil {
		c.queue = append(c.queue, st)
		if c.bytes += st.Len(); c.bytes > claimBytes {
			c.queue, c.err = nil, stanza.ResourceConstraint
		}
		c.signal()
	}
	return true
}

// Fail ends the claim with err once what it holds has been read. Sessions call
// it when they end.
func (c *Claim) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.signal()
	}
}

// Next returns the next claimed stanza, in order of arrival. It waits for one
// until ctx is done, the claim is closed or the session ends.
func (c *Claim) Next(ctx context.Context) (*stanza.Raw, error) {
	for {
		if st, err := c.take(); st != nil || err != nil {
			return st, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.ready:
		}
	}
}

// Pending returns what has arrived and was not yet read, without waiting: after
// the reply to a query, all that came before it.
func (c *Claim) Pending() []*stanza.Raw {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue
	c.queue, c.bytes = nil, 0
	return q
}

// Close ends the claim; what matches goes to the handler again. It may be called
// more than once.
func (c *Claim) Close() {
	c.mu.Lock()
	first := !c.closed
	c.closed, c.queue, c.bytes = true, nil, 0
	if c.err == nil {
		c.err = ErrClosed
	}
	c.signal()
	c.mu.Unlock()
	if first {
		c.drop(c)
	}
}

func (c *Claim) take() (*stanza.Raw, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		if c.err != nil {
			c.signal() // for the next reader
		}
		return nil, c.err
	}
	st := c.queue[0]
	c.queue = c.queue[1:]
	c.bytes -= st.Len()
	if len(c.queue) > 0 || c.err != nil {
		c.signal()
	}
	return st, nil
}

// signal wakes one reader. It is called with mu held.
func (c *Claim) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}
