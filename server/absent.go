package server

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// An absent origin is whoever sent a stanza some time ago that could not be delivered
// after all. What comes back is routed to wherever they are now.
type absent struct {
	srv  *Server
	addr jid.JID
}

func (a absent) answer(ctx context.Context, st stanza.Stanza) {
	h := st.Header()
	h.To = a.addr
	if a.addr.Localpart() == "" {
		if service := a.srv.service(a.addr.Domain()); service != nil {
			service.offer(st, h)
		}
		return
	}
	a.srv.giveTo(mayLack, a.addr, st, h)
}

// trusted is so for a domain of the server: nobody else can write in its name.
func (a absent) trusted() bool { return a.addr.Localpart() == "" && a.srv.hosts(a.addr) }

func (a absent) context() context.Context { return lifetime{a.srv.aborted} }

// undelivered does what is to be done about a stanza that cannot be kept, and that the end
// of a session has left without its client: its sender is told as if it came now.
func (s *Server) undelivered(ctx context.Context, raw *stanza.Raw) {
	h := raw.Header()
	from := absent{s, h.From}
	switch {
	case h.Kind == stanza.KindIQ && stanza.IQType(h.Type).IsRequest():
		refuseTo(ctx, from, h, stanza.ServiceUnavailable)
	case h.Kind == stanza.KindMessage && h.To.IsFull(): // others have had what is for a bare JID
		s.deliverMessage(ctx, from, raw, h)
	}
}
