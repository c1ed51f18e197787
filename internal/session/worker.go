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
	for {
		i, ok := s.next()
		if !ok || !s.handle(ctx, i) {
			return
		}
	}
}

// next takes an item off the queue; false if the worker is to end.
func (s *Session) next() (i item, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue, s.working = nil, false
		return item{}, false
	}
	i = s.queue[0]
	s.queue[0] = item{}
	s.queue = s.queue[1:]
	s.busy = i.seq
	return i, true
}

// handle has one item handled, and a request answered. The result is true, or handle
// does not return: a handler may end its goroutine, as t.FailNow does. The next
// worker then takes over.
func (s *Session) handle(ctx context.Context, i item) (returned bool) {
	defer func() {
		s.mu.Lock()
		s.bytes -= i.size()
		s.busy = 0
		s.rouse()
		s.mu.Unlock()
		s.acknowledge()
		if !returned {
			s.worker.Go(func() { s.work(ctx) })
		}
	}()
	raw := i.raw
	if raw == nil {
		s.observe(ctx, *i.event)
	} else if h := raw.Header(); h.Kind == stanza.KindIQ {
		s.answer(ctx, raw)
	} else if _, err := s.call(ctx, raw); err != nil {
		s.logFailure(ctx, &h, err)
	}
	return true
}

// observe tells the handler of an event. A panic ends nothing.
func (s *Session) observe(ctx context.Context, e xmpp.Event) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a handler of events panicked", "err", v, "stack", string(debug.Stack()))
		}
	}()
	s.observer.HandleEvent(ctx, e)
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
