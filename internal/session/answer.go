package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// answer has a request handled and sends the answer, exactly one whatever the
// handler does (RFC 6120 §8.2.3). A request that breaks the rules there is
// answered with bad-request and not handled.
func (s *Session) answer(ctx context.Context, raw *stanza.Raw) {
	iq, err := raw.IQ()
	reply := iq.Fail(&stanza.Error{Condition: stanza.InternalServerError}) // if the handler never returns
	defer func() { s.sendAnswer(ctx, reply) }()
	var payload stanza.Payload
	if err == nil {
		payload, err = s.call(ctx, raw)
	}
	if err == nil {
		reply = iq.Result(payload)
	} else if e, ok := stanza.AsError(err); ok {
		reply = iq.Fail(e)
	} else {
		h := raw.Header()
		s.logFailure(ctx, &h, err)
	}
}

// sendAnswer sends the answer to a request. One that cannot be sent as it is
// becomes an internal-server-error.
func (s *Session) sendAnswer(ctx context.Context, reply stanza.IQ) {
	if !s.opts.AnswerFrom {
		reply.From = jid.JID{} // the server stamps it
	}
	err := s.trySend(ctx, reply, s.Send)
	if err == nil || errors.Is(err, xmpp.ErrClosed) || ctx.Err() != nil {
		return // or there is nobody left to answer
	}
	s.log.Error("an answer could not be sent", "peer", reply.To, "id", reply.ID, "err", err)
	reply = stanza.IQ{
		To: reply.To, From: reply.From, ID: reply.ID, Type: stanza.IQError,
		Error: &stanza.Error{Condition: stanza.InternalServerError},
	}
	_ = s.trySend(ctx, reply, func(ctx context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
		return s.conn.Send(ctx, st, st.Header())
	})
}

// trySend calls send and makes a panic of what it sends an error.
func (s *Session) trySend(ctx context.Context, iq stanza.IQ, send func(context.Context, stanza.Stanza) (xmpp.Receipt, error)) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	_, err = send(ctx, iq)
	return err
}
