package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// failTimeout bounds the end of a stream that ends with an error.
	failTimeout = 2 * time.Second
	// hangUpTimeout bounds what comes after the closing tags.
	hangUpTimeout = time.Second
	// drainLimit bounds what is read and thrown away at the end.
	drainLimit = 4 << 20
)

// errAborted is the reason after Abort.
var errAborted = closedError{errors.New("stream: the stream was aborted")}

// Close closes the stream as RFC 6120 §4.4 says: what is queued leaves, then the
// closing tag; then it waits until the peer has closed its stream, as the
// goroutine in [Conn.Next] sees; then the transport is closed, TLS before it.
//
// It waits until ctx is done or Config.CloseTimeout is over, whichever comes
// first, and then cuts the connection. It never waits for a write that is stuck.
// It may be called more than once; a call on a stream that has ended returns at
// once. The error is nil when both sides have closed their streams.
func (c *Conn) Close(ctx context.Context) error {
	c.over.Store(true)
	c.in.last(func(ack []byte) bool { return c.out.finish(ack, []byte(closingTag)) })
	c.endWithin(c.closeTimeout)
	select {
	case <-c.Done():
	case <-ctx.Done():
		select {
		case <-c.Done(): // it had ended already
		default:
			c.endWithin(0)
			return context.Cause(ctx)
		}
	}
	if err := c.Err(); err != io.EOF {
		return err
	}
	return nil
}

// Fail ends the stream with an error (RFC 6120 §4.9.1.1): what is queued leaves,
// then the error and the closing tag. It does not wait; the stream has ended
// within two seconds, as [Conn.Done] tells. On a stream that is closing or has
// ended it changes nothing, except that a closing stream ends sooner.
func (c *Conn) Fail(e *Error) { c.failWith(nil, e) }

// failWith is Fail, with something to send before the error.
func (c *Conn) failWith(before []byte, e *Error) {
	xml, err := e.AppendXML(before)
	if err != nil { // a text that XML cannot carry
		xml, _ = (&Error{Condition: e.Condition}).AppendXML(before)
	}
	c.mu.Lock()
	if c.bid(xml, []byte(closingTag)) && c.reason == nil {
		c.reason, c.failed = e, true
	}
	c.mu.Unlock()
	c.endWithin(failTimeout)
}

// bid says the last words of the stream. What is queued leaves before them unless it
// goes on on another stream.
func (c *Conn) bid(parts ...[]byte) bool {
	if c.moved.Load() {
		return false // they have been said
	}
	c.over.Store(true) // a session that was ended with its stream is not resumed (XEP-0198 §8)
	if c.survive {
		return c.out.bid(parts...)
	}
	return c.out.finish(parts...)
}

// Abort closes the transport at once. What is queued is lost.
func (c *Conn) Abort() {
	c.over.Store(true)
	c.out.finish()
	c.terminate(errAborted)
}

// Cut closes the transport at once, as a broken network would: a session that can be
// resumed still can be.
func (c *Conn) Cut() { c.terminate(errAborted) }

// supersedeTimeout bounds how long a session that is resumed elsewhere waits for its
// old transport to take the news.
const supersedeTimeout = 100 * time.Millisecond

// Supersede ends the transport because the session goes on on another stream: the peer
// is told conflict (XEP-0198 §5), if there is still a way for it.
func (c *Conn) Supersede() {
	if c.moved.Swap(true) {
		return
	}
	if xml, err := (&Error{Condition: Conflict}).AppendXML(nil); err == nil && c.out.bid(xml, []byte(closingTag)) {
		ctx, cancel := context.WithTimeout(lifetime{c}, supersedeTimeout)
		defer cancel()
		_ = c.out.idle(ctx)
	}
	c.Cut()
}

// Leave is Fail for a side that goes and comes back, such as a server that is started again: a session that can be resumed still
// can be. What is queued and has not begun to leave waits for that.
func (c *Conn) Leave(e *Error) {
	xml, err := e.AppendXML(nil)
	if !c.resumes() || err != nil {
		c.Fail(e)
		return
	}
	if c.moved.Swap(true) {
		return
	}
	c.mu.Lock()
	if c.out.bid(xml, []byte(closingTag)) && c.reason == nil {
		c.reason, c.failed = e, true
	}
	c.mu.Unlock()
	c.endWithin(failTimeout)
}

// comesBack reports whether a peer that ends the stream with such an error means the stream, and not the session: only who binds a session
// ends it, by closing its stream cleanly (XEP-0198 §8).
func comesBack(e *Error) bool {
	switch e.Condition {
	case SystemShutdown, Reset, ConnectionTimeout, InternalServerError:
		return true
	}
	return false
}

// conclude ends the stream for err, which came up while reading, and returns
// why it has ended. It is called by whoever reads. The preamble is sent before
// anything else, if anything is sent.
func (c *Conn) conclude(preamble []byte, err error) error {
	e, isError := errors.AsType[*Error](err)
	_, silent := errors.AsType[transportError](err)
	switch {
	case c.hasFailed():
		c.hangUp()
	case silent, isError && e.Received && c.initiating && comesBack(e) && c.resumes():
		c.because(err) // nothing is said: a closing tag would end the session
	case isError && !e.Received:
		c.failWith(preamble, e)
		c.hangUp()
	default: // the peer has ended the stream, or negotiation came to nothing
		c.awaitHandled()
		c.because(err)
		c.in.last(func(ack []byte) bool { return c.bid(preamble, ack, []byte(closingTag)) })
		c.endWithin(c.closeTimeout) // the peer waits for what is queued (§4.4)
		c.hangUp()
	}
	c.terminate(err)
	<-c.Done()
	return c.Err()
}

// awaitHandled lets what is postponed be handled, so that the last word can be of all that has arrived. It takes no
// longer than the peer waits for it.
func (c *Conn) awaitHandled() {
	if c.in.whenHandled() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(lifetime{c}, c.closeTimeout)
	defer cancel()
	_ = c.AwaitHandled(ctx)
}

// hangUp ends both directions of the transport: it sees to it that what is
// queued leaves, with the end of TLS behind it, and meanwhile reads on until the
// peer has done the same. Closing a connection with something unread in it could
// take away from the peer what we sent last.
func (c *Conn) hangUp() {
	var wg sync.WaitGroup
	wg.Go(func() {
		if c.out.idle(context.Background()) == nil { // bounded by the timer
			c.endWithin(hangUpTimeout)
			c.closeWrite()
		}
	})
	_ = c.nc.SetReadDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, io.LimitReader(c.nc, drainLimit))
	wg.Wait()
}

// closeWrite sends TLS's close_notify and ends our direction of the transport. One
// that has no directions it closes.
func (c *Conn) closeWrite() {
	if c.tls != nil {
		_ = c.tls.CloseWrite()
	}
	raw := c.raw
	if u, ok := raw.(interface{ unwrap() net.Conn }); ok {
		raw = u.unwrap()
	}
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	} else if c.tls == nil {
		_ = raw.Close()
	}
}

// endWithin sees to it that the stream has ended in d, if not sooner.
func (c *Conn) endWithin(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := time.Now().Add(d)
	if c.ended || c.timer != nil && !end.Before(c.end) {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	c.end = end
	c.timer = time.AfterFunc(d, c.cut)
}

// cut ends a stream whose time is over, with TLS's close_notify if there is a
// way for it.
func (c *Conn) cut() {
	c.out.mu.Lock()
	stuck := c.out.pending() > 0 || c.out.err != nil || c.out.detached
	c.out.mu.Unlock()
	if !stuck && c.tls != nil {
		patience := time.AfterFunc(hangUpTimeout, func() { _ = c.raw.Close() })
		_ = c.tls.CloseWrite()
		patience.Stop()
	}
	c.terminate(ErrCloseTimeout)
}

// terminate closes the transport. The reason counts unless there is one already.
func (c *Conn) terminate(reason error) {
	why := c.because(reason)
	c.mu.Lock()
	c.ended = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	_ = c.raw.Close()
	if _, ok := errors.AsType[closedError](why); !ok {
		why = closedError{why}
	}
	c.out.leave(why, c.survive || c.resumes())
}

// because sets the reason for the stream's end unless there is one already, and
// returns what it is then.
func (c *Conn) because(reason error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == nil {
		c.reason = reason
	}
	return c.reason
}

func (c *Conn) hasFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}
