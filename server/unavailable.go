package server

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// withoutAvailability removes from an unavailable presence what only an
// available one may say (RFC 6121 §4.5.1).
func withoutAvailability(raw *stanza.Raw) *stanza.Raw {
	h := raw.Header()
	if !h.Has(stanza.NS, "show") && !h.Has(stanza.NS, "priority") {
		return raw
	}
	edited, err := raw.Edit(func(e stanza.Element) bool {
		return e.Is(stanza.NS, "show") || e.Is(stanza.NS, "priority")
	})
	if err != nil {
		return raw // it was written before, so it can be again
	}
	return edited
}

// withdraw broadcasts that the session is no longer available (RFC 6121
// §4.5.2), and tells those who got directed presence (§4.6.3). Nobody is told
// twice, nor who had never been told otherwise.
func (s *session) withdraw(ctx context.Context, st stanza.Stanza, h stanza.Header) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	end, err := s.account.turn(ctx)
	if err != nil {
		s.log.Error("could not broadcast unavailable presence", "peer", s.addr, "err", err)
		return
	}
	was, directed := s.hide()
	s.publish()
	var contacts []storage.Contact
	told := make(map[jid.JID]bool)
	if was {
		if contacts, err = s.srv.contacts(ctx, s.account.id); err != nil {
			s.log.Error("could not broadcast unavailable presence", "peer", s.addr, "err", err)
		}
		s.tellSelf(st, h, told)
		s.broadcast(ctx, st, h, contacts, told)
	}
	for addr := range directed {
		if addr.Localpart() != "" { // anybody, who need not have room for it
			h.To = addr
			s.srv.tellBy(mayLack, st, h, told)
		}
	}
	end()
	for addr := range directed { // services get it behind what else the session sent them
		if addr.Localpart() == "" && !subscribed(contacts, addr) {
			h.To = addr
			s.srv.service(addr.Domain()).receive(ctx, s, st, h)
		}
	}
	if was {
		s.tellPresence(ctx, nil)
	}
}

// subscribed reports whether an address is a subscriber among the contacts.
func subscribed(contacts []storage.Contact, addr jid.JID) bool {
	for _, c := range contacts {
		if c.JID == addr && c.Subscription.Has(storage.From) {
			return true
		}
	}
	return false
}

// hide makes the session unavailable and returns whether it was available, and
// to whom it had sent directed presence.
func (s *session) hide() (was bool, directed map[jid.JID]struct{}) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	was, directed = s.shown != nil, s.directed
	s.shown, s.priority, s.directed = nil, 0, nil
	return was, directed
}

// tellSelf returns its unavailable presence to a session that is still there
// (RFC 6121 §4.5.2); to broadcast it no longer counts as available.
func (s *session) tellSelf(st stanza.Stanza, h stanza.Header, told map[jid.JID]bool) {
	if s.account.find(s.addr) == s {
		h.To = s.account.addr
		told[s.addr] = true
		s.deliver(st, h)
	}
}

// leave tells everybody that the session is gone, once, and takes it out of its
// account. It remains there until then, so that a subscription that is cancelled
// meanwhile ends with unavailable presence too. The caller releases the account.
func (s *session) leave(ctx context.Context) {
	s.retire()
	if !s.isQuiet() {
		p := stanza.Presence{From: s.addr, Type: stanza.PresenceUnavailable}
		s.withdraw(ctx, p, p.Header())
	}
	s.vanish()
	s.srv.drainElsewhere(s.account.addr)
}

// vanish takes the session out of its account, and of the directory of the cluster, without a word.
func (s *session) vanish() {
	s.srv.counts.sent.add(&s.sent)
	s.account.drop(s)
	s.srv.cluster.Unbind(s.addr, s.rev)
	s.srv.sessions.Add(-1)
	close(s.left)
}

// isQuiet reports whether nobody believes the session to be available.
func (s *session) isQuiet() bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.shown == nil && len(s.directed) == 0
}
