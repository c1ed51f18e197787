package session

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// work is the worker. It ends when the queue is empty.
func (s *Session) work(ctx context.Context) {
	for raw := s.next(); raw != nil; raw = s.next() {
		if !s.handle(ctx, raw) {
			return
		}
	}
}

// next takes a stanza off the queue, nil if the worker is to end.
func (s *Session) next() *stanza.Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue, s.working = nil, false
		return nil
	}
	raw := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return raw
}

// handle has one stanza handled and answered. The result is true, or handle
// does not return: a handler may end its goroutine, as t.FailNow does. The next
// worker then takes over.
func (s *Session) handle(ctx context.Context, raw *stanza.Raw) (returned bool) {
	defer func() {
		s.mu.Lock()
		s.bytes -= raw.Len() + overhead
		s.rouse()
		s.mu.Unlock()
		if !returned {
			s.worker.Go(func() { s.work(ctx) })
		}
	}()
	if h := raw.Header(); h.Kind == stanza.KindIQ {
		s.answer(ctx, raw)
	} else if _, err := s.call(ctx, raw); err != nil {
		s.logFailure(ctx, &h, err)
	}
	return true
}

// errPanic stands for what a handler that panicked might have returned.
var errPanic = errors.New("the handler panicked")

// call calls the handler. A panic is logged here and ends nothing.
func (s *Session) call(ctx context.Context, raw *stanza.Raw) (p stanza.Payload, err error) {
	defer func() {
		if v := recover(); v != nil {
			h := raw.Header()
			s.log.Error("a handler panicked", "peer", h.From, "id", h.ID, "err", v, "stack", string(debug.Stack()))
			p, err = nil, errPanic
		}
	}()
	return s.opts.Handler.HandleStanza(ctx, raw)
}

// logFailure logs what a handler returned, unless it has been logged or says
// nothing: that a message was not wanted, or that the session is over.
func (s *Session) logFailure(ctx context.Context, h *stanza.Header, err error) {
	if err == errPanic || ctx.Err() != nil && (errors.Is(err, xmpp.ErrClosed) || errors.Is(err, context.Canceled)) {
		return
	}
	if _, ok := stanza.AsError(err); ok && h.Kind != stanza.KindIQ {
		return
	}
	s.log.Warn("a handler failed", "peer", h.From, "id", h.ID, "err", err)
}
