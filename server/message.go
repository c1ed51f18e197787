package server

import (
	"context"
	"errors"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// routeMessage brings a message to its recipient (RFC 6121 §8).
func (s *Server) routeMessage(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) {
	switch {
	case !s.hosts(h.To):
		refuseTo(ctx, o, h, stanza.RemoteServerNotFound) // there is no federation yet
	case h.To.Localpart() == "":
		s.service(h.To.Domain()).receive(ctx, o, st, h)
	default:
		s.deliverMessage(ctx, o, st, h)
	}
}

// deliverMessage does what the table of placements says. A session that turns
// out to be unreachable is left out of account, and the table is asked again.
func (s *Server) deliverMessage(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) {
	var owner module.Account
	if s.hooks.seesMessages() {
		id, err := s.accountID(ctx, h.To.Bare())
		switch {
		case err == nil:
			owner = module.Account{ID: id, Addr: h.To.Bare()}
			st, h, err = s.inboundMessage(ctx, owner, st, h)
			if err != nil {
				s.turnAway(ctx, o, h, err)
				return
			}
		case !errors.Is(err, storage.ErrNotFound):
			s.failed(ctx, o, h, "look up an account", err)
			return
		}
	}
	to, pending := s.place(ctx, o, st, h)
	if owner.ID != "" && !pending {
		s.placed(ctx, owner, st, h, to, false)
	}
}

// place does what the table of placements says, and returns where the message has gone. If it is pending, that is not
// known yet: see [Server.storeMessage].
func (s *Server) place(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) (to []module.Session, pending bool) {
	var room [2][4]*session
	for try := 0; ; try++ {
		p, exists, err := s.look(ctx, h.To, &room, try)
		if err != nil {
			s.failed(ctx, o, h, "look up an account", err)
			return nil, false
		}
		what := p.cell(h, exists)
		if p.draining && (!p.isNamed() && (what == best || what == keep) || p.crowded && isStorable(h)) {
			what = keep // behind what is being delivered just now (RFC 6120 §10.1)
		}
		switch what {
		case silent:
			return nil, false
		case refuse:
			refuseTo(ctx, o, h, stanza.ServiceUnavailable)
			return nil, false
		case discern:
			if s.entitled(ctx, o, h.To, h.From) {
				refuseTo(ctx, o, h, stanza.ServiceUnavailable)
			}
			return nil, false
		case keep:
			return nil, s.storeMessage(ctx, o, st, h, nil)
		}
		switch s.hand(ctx, &p, what, st, h) {
		case taken:
			return s.reached(&p, h.To.Bare(), what), false
		case behind:
			return nil, s.storeMessage(ctx, o, st, h, nil)
		case crowded:
			return nil, s.overflow(ctx, o, p.named, st, h)
		}
	}
}

// look tells how things stand for a message to that address, and whether there is such an account. The first try takes other nodes
// at the word that is at hand, the second asks again, and the third leaves them out.
func (s *Server) look(ctx context.Context, to jid.JID, room *[2][4]*session, try int) (p placing, exists bool, err error) {
	elsewhere := s.elsewhere(ctx, to.Bare(), try)
	a := s.directory.online(to.Bare())
	switch {
	case len(elsewhere) > 0:
		return placeAmong(a, to, elsewhere), true, nil
	case a != nil:
		p := a.look(to, room)
		if p.named == nil && to.IsFull() {
			if t := a.coming(to); t != nil {
				settled(ctx, t)
				p = a.look(to, room)
			}
		}
		return p, true, nil
	}
	_, err = s.accountID(ctx, to.Bare())
	if errors.Is(err, storage.ErrNotFound) {
		return placing{}, false, nil
	}
	return placing{}, true, err
}

// reached returns the sessions that a message was meant for, if anybody wants to know.
func (s *Server) reached(p *placing, to jid.JID, what placement) []module.Session {
	if len(s.hooks.placed) == 0 {
		return nil
	}
	here, away := p.recipients(what)
	all := make([]module.Session, 0, len(here)+len(away))
	for _, t := range here {
		all = append(all, t)
	}
	return s.addAway(all, to, away)
}

// recipients returns the sessions that the table names.
func (p *placing) recipients(what placement) (here []*session, elsewhere []cluster.Entry) {
	switch {
	case what == best:
		return p.best, p.away.best
	case what != exactly:
		return p.eligible, p.away.eligible
	case p.named != nil:
		return []*session{p.named}, nil
	default:
		return nil, []cluster.Entry{*p.away.named}
	}
}

// hand hands a message to the sessions that the table names.
func (s *Server) hand(ctx context.Context, p *placing, what placement, st stanza.Stanza, h stanza.Header) handing {
	if what == exactly && p.named != nil {
		return p.named.hand(ctx, st, h)
	}
	here, elsewhere := p.recipients(what)
	if len(elsewhere) == 0 {
		return handAll(ctx, here, st, h)
	}
	return min(handAll(ctx, here, st, h), s.sendAll(ctx, elsewhere, st, h))
}

// accountID returns the id of the account at a bare JID, [storage.ErrNotFound] if there is none.
func (s *Server) accountID(ctx context.Context, addr jid.JID) (storage.AccountID, error) {
	if a := s.directory.online(addr); a != nil {
		return a.id, nil
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	return s.directory.id(ctx, addr)
}

// cell looks up the cell for a message.
func (p *placing) cell(h stanza.Header, exists bool) placement {
	form := bareJID
	switch {
	case p.isNamed():
		form = fullMatch
	case h.To.IsFull():
		form = fullOther
	}
	c := noAccount
	if exists {
		c = p.condition()
	}
	return placements[c][form][classOf(h.Type)]
}

// failed logs why a stanza could not be processed and tells its sender that it
// was not.
func (s *Server) failed(ctx context.Context, o origin, h stanza.Header, what string, err error) {
	s.log.Error("could not "+what, "peer", h.From, "id", strings.Clone(h.ID), "err", err)
	refuseTo(ctx, o, h, &stanza.Error{Type: stanza.Wait, Condition: stanza.InternalServerError})
}

// entitled reports whether whoever has the address who may know that the owner
// of an account is, or is not, there (RFC 6121 §8.1): the account itself, a
// subscriber, one to whom directed presence was sent, and the server. A store that
// fails makes nobody entitled.
func (s *Server) entitled(ctx context.Context, o origin, account, who jid.JID) bool {
	if o.trusted() || who.Bare() == account.Bare() {
		return true
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	id, err := s.directory.id(ctx, account.Bare())
	if err != nil {
		return false
	}
	if a := s.directory.online(account.Bare()); a != nil {
		if a.knows(account, who) {
			return true
		}
	}
	c, err := s.opts.Storage.Rosters.Get(ctx, id, who.Bare())
	if err == nil && c.Subscription.Has(storage.From) {
		return true
	}
	return account.IsBare() && s.knowsElsewhere(ctx, account, who)
}

// knows reports whether the session with a full JID, or any, has sent directed presence to somebody.
func (a *account) knows(addr, who jid.JID) bool {
	return len(a.all(func(t *session) bool {
		_, full := t.directed[who]
		_, bare := t.directed[who.Bare()]
		return (full || bare) && (addr.IsBare() || t.addr == addr)
	})) > 0
}
