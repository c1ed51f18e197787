package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// routeMessage brings a message to its recipient (RFC 6121 §8).
func (s *Server) routeMessage(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) {
	switch {
	case !s.hosts(h.To):
		refuseTo(ctx, o, h, stanza.RemoteServerNotFound) // there is no federation yet
	case h.To.Localpart() == "":
		s.services[h.To.Domain()].receive(ctx, o, st, h)
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
	to, kept := s.place(ctx, o, st, h)
	if owner.ID != "" {
		s.placed(ctx, owner, st, h, to, kept)
	}
}

// place does what the table of placements says, and returns where the message has gone.
func (s *Server) place(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) (to []*session, kept bool) {
	var room [2][4]*session
	for {
		p := placing{condition: noResource}
		if a := s.directory.online(h.To.Bare()); a != nil {
			p = a.look(h.To, &room)
		} else if _, err := s.accountID(ctx, h.To.Bare()); errors.Is(err, storage.ErrNotFound) {
			p.condition = noAccount
		} else if err != nil {
			s.failed(ctx, o, h, "look up an account", err)
			return nil, false
		}
		what := p.cell(h)
		if p.draining && (p.named == nil && (what == best || what == keep) || p.crowded && isStorable(h)) {
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
			return nil, s.storeMessage(ctx, o, st, h)
		}
		switch p.hand(ctx, what, st, h) {
		case taken:
			return s.reached(&p, what), false
		case crowded:
			return nil, s.overflow(ctx, o, p.named, st, h)
		}
	}
}

// reached returns the sessions that a message was meant for, if anybody wants to know.
func (s *Server) reached(p *placing, what placement) []*session {
	switch {
	case len(s.hooks.placed) == 0:
		return nil
	case what == exactly:
		return []*session{p.named}
	case what == best:
		return slices.Clone(p.best)
	default:
		return slices.Clone(p.eligible)
	}
}

// hand hands a message to the sessions that the table names.
func (p *placing) hand(ctx context.Context, what placement, st stanza.Stanza, h stanza.Header) handing {
	switch what {
	case exactly:
		return p.named.hand(ctx, st, h)
	case best:
		return handAll(ctx, p.best, st, h)
	default:
		return handAll(ctx, p.eligible, st, h)
	}
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
func (p *placing) cell(h stanza.Header) placement {
	form := bareJID
	switch {
	case p.named != nil:
		form = fullMatch
	case h.To.IsFull():
		form = fullOther
	}
	return placements[p.condition][form][classOf(h.Type)]
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
		directed := func(t *session) bool {
			_, full := t.directed[who]
			_, bare := t.directed[who.Bare()]
			return (full || bare) && (account.IsBare() || t.addr == account)
		}
		if len(a.all(directed)) > 0 {
			return true
		}
	}
	c, err := s.opts.Storage.Rosters.Get(ctx, id, who.Bare())
	return err == nil && c.Subscription.Has(storage.From)
}
