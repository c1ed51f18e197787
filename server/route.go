package server

import (
	"context"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A task is work that follows from a turn of an account and concerns another
// one. What it returns follows from it in turn.
type task func(ctx context.Context) []task

// follow does tasks one after another, those that follow from them last.
func follow(ctx context.Context, tasks ...task) {
	for len(tasks) > 0 {
		next := tasks[0]
		tasks = append(tasks[1:], next(ctx)...)
	}
}

// lents are what stanzas are read into that are only routed.
var lents = sync.Pool{New: func() any { return new(stanza.Raw) }}

// handle does what a first-level element asks for that a client sent. What is no
// stanza ends the stream. The element is lent: a message for an account goes on
// without being copied, and everything else is.
func (s *session) handle(ctx context.Context, e stanza.Element) {
	raw := lents.Get().(*stanza.Raw)
	defer lents.Put(raw)
	err := raw.Reset(e, s.addresses.Parse)
	h := raw.Header()
	if h.Kind == 0 {
		s.fail(&stream.Error{Condition: stream.UnsupportedStanzaType})
		return
	}
	if h.Kind != stanza.KindMessage || h.To.Localpart() == "" {
		raw = raw.Clone()
		h = raw.Header()
	}
	h.From = s.addr // whatever the client says (RFC 6120 §8.1.2.1)
	if h.Lang == "" {
		h.Lang = s.conn.Load().Lang() // §8.1.5
	}
	if err != nil && h.To.IsZero() {
		if _, has := e.LookupAttr("", "to"); has {
			s.refuse(ctx, h, err) // jid-malformed; a from like that does not matter
			return
		}
	}
	raw = s.srv.scrub(raw, h)
	if len(s.srv.hooks.outbound) > 0 {
		if raw, h, err = s.outbound(ctx, raw, h); err != nil {
			s.srv.turnAway(ctx, s, h, err)
			return
		}
	}
	if err := s.srv.permit(ctx, s.account.identity(), h.To, module.Out, h); err != nil {
		s.srv.turnAway(ctx, s, h, err)
		return
	}
	s.charge(raw.Len() + stanzaCost)
	switch h.Kind {
	case stanza.KindMessage:
		s.sent.messages.Add(1)
		if h.To.IsZero() {
			h.To = s.account.addr // §10.3.1
		}
		s.srv.routeMessage(ctx, s, raw, h)
		s.tellSent(ctx, raw, h)
	case stanza.KindIQ:
		s.sent.iqs.Add(1)
		s.srv.routeIQ(ctx, s, raw, h)
	case stanza.KindPresence:
		s.sent.presences.Add(1)
		s.presence(ctx, raw, h)
	}
}

// refuse returns a stanza to its sender with an error, where that is allowed.
func (s *session) refuse(ctx context.Context, h stanza.Header, err error) {
	refuseTo(ctx, s, h, err)
}

// refuseTo returns the stanza with that header to where it came from.
func refuseTo(ctx context.Context, o origin, h stanza.Header, err error) {
	e, ok := stanza.AsError(err)
	if !ok {
		e = &stanza.Error{Condition: stanza.InternalServerError}
	}
	if st := stanza.Bounce(h, e); st != nil {
		o.answer(ctx, st)
	}
}

// withHeader returns a stanza with another header, as one that can be decoded.
func withHeader(st stanza.Stanza, h stanza.Header) (*stanza.Raw, error) {
	b, err := stanza.AppendWith(nil, st, h)
	if err != nil {
		return nil, err
	}
	return stanza.NewRaw(stanza.NewElement(b), jid.ParseLenient)
}
