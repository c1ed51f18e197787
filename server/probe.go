package server

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// probeContacts tells a session that has just become available which of the
// contacts that its account is subscribed to are available as well (RFC 6121
// §4.3.1). Accounts are all here and need no stanza to be asked by. Of contacts that
// are offline nothing is said; that is what a client assumes.
func (s *session) probeContacts(ctx context.Context, contacts []storage.Contact) {
	probed := 0
	for _, c := range contacts {
		h := s.probeOf(c.JID)
		if !c.Subscription.Has(storage.To) || !s.srv.permits(ctx, s.account, c.JID, module.Out, h) {
			continue
		}
		if c.JID.Localpart() == "" { // a service answers for itself
			s.srv.tell(stanza.Presence{Type: stanza.PresenceProbe}, h, nil)
			continue
		}
		if s.srv.directory.online(c.JID) == nil && len(s.srv.cluster.Elsewhere(c.JID)) == 0 {
			continue
		}
		follow(ctx, func(ctx context.Context) []task { return s.srv.answerProbe(ctx, h, s.addr) })
		if probed++; probed%flushEvery == 0 && s.flush(ctx) != nil {
			return
		}
	}
}

// probe answers a presence probe that a client sent (RFC 6121 §4.3.2).
func (s *Server) probe(ctx context.Context, from *session, h stanza.Header) []task {
	switch {
	case !s.hosts(h.To): // a probe is no cause for an error (§4.3)
	case h.To.Localpart() == "":
		s.service(h.To.Domain()).receive(ctx, from, stanza.Presence{Type: stanza.PresenceProbe}, h)
	default:
		return s.answerProbe(ctx, h, jid.JID{})
	}
	return nil
}

// answerProbe answers a probe of an account of the server. The answer goes to one
// session, or to all available ones of the asking account when that is zero. An
// account that does not exist answers like one that shows nothing to the
// asking one.
func (s *Server) answerProbe(ctx context.Context, h stanza.Header, only jid.JID) []task {
	asker, target := h.From.Bare(), h.To.Bare()
	a, err := s.directory.hold(ctx, target)
	if errors.Is(err, storage.ErrNotFound) {
		return []task{s.denied(h)}
	}
	if err != nil {
		s.log.Error("could not answer a probe", "peer", asker, "err", err)
		return nil
	}
	defer s.directory.release(a)
	if !s.permits(ctx, a, asker, module.In, h) {
		return nil
	}
	end, err := a.turn(ctx)
	if err != nil {
		s.log.Error("could not answer a probe", "peer", asker, "err", err)
		return nil
	}
	defer end()
	c, err := s.opts.Storage.Rosters.Get(ctx, a.id, asker)
	switch {
	case asker == target, err == nil && c.Subscription.Has(storage.From):
		s.report(a, h, only)
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		s.log.Error("could not answer a probe", "peer", asker, "err", err)
	case a.sentDirected(h.To, h.From):
		p := stanza.Presence{From: h.To, To: h.From} // that it is there, and no more (§4.6.6)
		s.tell(p, p.Header(), nil)
	default:
		return []task{s.denied(h)}
	}
	return nil
}

// report tells a subscriber what a probe asks for (RFC 6121 §4.3.2): the last
// presence of each available session, or of a full JID only whether it is
// available.
func (s *Server) report(a *account, h stanza.Header, only jid.JID) {
	if h.To.IsFull() {
		p := stanza.Presence{From: h.To, ID: h.ID, Type: stanza.PresenceUnavailable}
		if t := a.find(h.To); t != nil && t.announced() != nil || s.isAvailableElsewhere(h.To) {
			p = stanza.Presence{From: h.To}
		}
		s.reply(h.From.Bare(), only, p, p.Header())
		return
	}
	there := s.probeElsewhere(h, only)
	if !s.reportHere(a, h, only) && !there {
		p := stanza.Presence{From: a.addr, ID: h.ID, Type: stanza.PresenceUnavailable}
		s.reply(h.From.Bare(), only, p, p.Header())
	}
}

// reportHere reports the available sessions of this node, and whether there are any.
func (s *Server) reportHere(a *account, h stanza.Header, only jid.JID) bool {
	available := a.all(isAvailable)
	for _, t := range available {
		if shown := t.announced(); shown != nil {
			s.reply(h.From.Bare(), only, shown.st, shown.header)
		}
	}
	return len(available) > 0
}

// reply sends an answer to a probe.
func (s *Server) reply(asker, only jid.JID, st stanza.Stanza, h stanza.Header) {
	if h.To = asker; only.IsZero() {
		s.tell(st, h, nil)
	} else {
		s.giveTo(mustHave, only, st, h)
	}
}

// probeOf is the header of a probe that the session makes of an account.
func (s *session) probeOf(account jid.JID) stanza.Header {
	return stanza.Header{Kind: stanza.KindPresence, Type: string(stanza.PresenceProbe), From: s.account.addr, To: account}
}

// sentDirected reports whether the session with a full JID has sent directed
// presence to who.
func (a *account) sentDirected(full, who jid.JID) bool {
	return len(a.all(func(t *session) bool {
		_, ok := t.directed[who]
		return ok && t.addr == full
	})) > 0
}

// denied tells who probed an account that they are not subscribed to it (RFC
// 6121 §4.3.2): from the bare JID, so that nothing else is told.
func (s *Server) denied(h stanza.Header) task {
	p := stanza.Presence{From: h.To.Bare(), To: h.From.Bare(), ID: h.ID, Type: stanza.PresenceUnsubscribed}
	return func(ctx context.Context) []task { return s.inbound(ctx, p, p.Header()) }
}
