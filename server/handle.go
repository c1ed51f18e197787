package server

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// serve has a stanza handled, and answers a request exactly once whatever the
// handler does (RFC 6120 §8.2.3).
func (sv *service) serve(o origin, raw *stanza.Raw) {
	h := raw.Header()
	ctx := o.context()
	ctx = xmpp.WithSession(ctx, sv)
	if client, ok := o.(*session); ok {
		ctx = module.WithSession(ctx, client)
	}
	payload, err := sv.call(ctx, raw)
	if err == module.ErrDrop {
		return
	}
	if err != nil {
		if _, ok := stanza.AsError(err); !ok {
			sv.log.Error("a handler failed", "peer", h.From, "id", h.ID, "err", err)
		}
	}
	switch {
	case h.Kind != stanza.KindIQ:
	case err != nil:
		refuseTo(ctx, o, h, err)
	default:
		sv.reply(ctx, o, stanza.IQ{To: h.From, From: h.To, ID: h.ID, Type: stanza.IQResult, Payload: payload})
	}
}

// call calls the handler and makes a panic of it an error.
func (sv *service) call(ctx context.Context, raw *stanza.Raw) (payload stanza.Payload, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return sv.handler.HandleStanza(ctx, raw)
}

// reply sends the answer to a request. One that cannot be written, or that a
// layer of the mux refuses to let out, becomes an internal-server-error.
func (sv *service) reply(ctx context.Context, o origin, iq stanza.IQ) {
	st, err := sv.written(ctx, iq)
	if err != nil {
		sv.log.Error("an answer could not be sent", "peer", iq.To, "id", iq.ID, "err", err)
		st = stanza.IQ{To: iq.To, From: iq.From, ID: iq.ID, Type: stanza.IQError, Error: &stanza.Error{Condition: stanza.InternalServerError}}
	}
	o.answer(ctx, st)
}

// written returns an answer as it is to leave. Code of others writes it: a panic
// of that is an error too.
func (sv *service) written(ctx context.Context, iq stanza.IQ) (st stanza.Stanza, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	st, h, err := sv.prepare(ctx, iq)
	if err != nil {
		return nil, err
	}
	return withHeader(st, h)
}
