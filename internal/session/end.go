package session

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parlance-xmpp/xmpp"
)

// end makes it known that the stream has ended. The reader calls it, last.
func (s *Session) end(err error) {
	s.mu.Lock()
	s.ended = true
	if !s.closing {
		s.err = ended(err)
	}
	claims := s.claims
	s.claims = nil
	close(s.done)
	s.mu.Unlock()
	for _, c := range claims {
		c.Fail(s.closed())
	}
}

// ended wraps what ended the stream.
func ended(err error) error {
	switch {
	case errors.Is(err, xmpp.ErrClosed):
		return err
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the other side ended the stream (%w)", xmpp.ErrClosed, io.EOF)
	default:
		return fmt.Errorf("%w: %w", xmpp.ErrClosed, err)
	}
}

// closed returns the error of whatever the end of the stream cuts short.
func (s *Session) closed() error {
	if s.err != nil {
		return s.err
	}
	return xmpp.ErrClosed
}

// Close ends the session: it sends what is queued, closes the stream and waits
// for the other side to do so too, for as long as ctx and the stream's own
// bound allow. It does not wait for handlers, so that one of them may call it.
// The error says that something may not have arrived. Closing a session that
// has ended is no error.
func (s *Session) Close(ctx context.Context) error {
	select {
	case <-s.conn.Done():
		return nil
	default:
	}
	s.mu.Lock()
	s.closing = true
	s.rouse()
	s.mu.Unlock()
	return s.conn.Close(ctx)
}

// Done is closed once the stream has ended. A handler may still be running.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the stream has ended: nil before it has, and nil after
// [Session.Close]. Everything else matches [xmpp.ErrClosed]: if the other side
// closed the stream in good order it matches [io.EOF] too, and after a stream
// error it is a [*stream.Error].
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Wait returns once the stream has ended and the last handler has returned, with
// the reason of [Session.Err]. A handler must not call it.
func (s *Session) Wait() error {
	<-s.done
	s.worker.Wait()
	return s.err
}
