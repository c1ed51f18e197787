package server

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// direct delivers presence that the client addressed to somebody (RFC 6121
// §4.6.3). Who got available presence is told when the session is no longer
// available, and may meanwhile know that it is there.
func (s *session) direct(ctx context.Context, raw *stanza.Raw, h stanza.Header) {
	if !s.srv.hosts(h.To) {
		s.refuse(ctx, h, stanza.RemoteServerNotFound)
		return
	}
	if h.Type == string(stanza.PresenceUnavailable) {
		s.forgetDirected(h.To)
	} else if !s.noteDirected(h.To) {
		s.refuse(ctx, h, stanza.ResourceConstraint)
		return
	}
	if h.To.Localpart() == "" {
		s.srv.service(h.To.Domain()).receive(ctx, s, raw, h)
		return
	}
	s.srv.tellBy(mayLack, raw, h, nil)
}

// noteDirected notes to whom directed presence is sent, or reports that there
// are too many.
func (s *session) noteDirected(addr jid.JID) bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if _, known := s.directed[addr]; known {
		return true
	}
	if len(s.directed) >= s.srv.limits().DirectedPresence {
		return false
	}
	if s.directed == nil {
		s.directed = make(map[jid.JID]struct{})
	}
	s.directed[addr] = struct{}{}
	return true
}

// forgetDirected undoes noteDirected.
func (s *session) forgetDirected(addr jid.JID) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	delete(s.directed, addr)
}

// hideFrom tells a contact that every available session of the account is no longer
// so: the contact does not see it any more (RFC 6121 §3.2.2, §3.3.3). Directed presence
// that it got is over as well (§4.6.1), and all that it is told of if it did not subscribe. It is called in
// a turn of the account.
func (s *Server) hideFrom(a *account, contact jid.JID, subscribed bool) {
	var subscribers []jid.JID
	if subscribed {
		subscribers = []jid.JID{contact}
	}
	s.spread(a.addr, cluster.Parcel{Way: cluster.Hide, With: contact, List: subscribers})
	s.hideFromAll(a, subscribers, func(addr jid.JID) bool { return addr.Bare() == contact })
}

// hideFromAll is hideFrom for some subscribers, and for those that got directed presence and that like says; on this node.
func (s *Server) hideFromAll(a *account, subscribers []jid.JID, like func(jid.JID) bool) {
	for _, t := range a.every() {
		to := t.takeDirected(like)
		if t.announced() != nil {
			to = append(to, subscribers...)
		}
		told := make(map[jid.JID]bool)
		p := stanza.Presence{From: t.addr, Type: stanza.PresenceUnavailable}
		for _, p.To = range to {
			s.tell(p, p.Header(), told)
		}
	}
}

// takeDirected forgets directed presence to the addresses that like says, and
// returns them.
func (s *session) takeDirected(like func(jid.JID) bool) []jid.JID {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	var out []jid.JID
	for addr := range s.directed {
		if like(addr) {
			out = append(out, addr)
			delete(s.directed, addr)
		}
	}
	return out
}
