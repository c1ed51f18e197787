package server

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// presence does what a presence of the client asks for.
func (s *session) presence(ctx context.Context, raw *stanza.Raw, h stanza.Header) {
	p, err := raw.Presence()
	if err != nil {
		s.refuse(ctx, h, err)
		return
	}
	switch {
	case isSubscription(p.Type):
		s.subscription(ctx, raw, h)
	case h.To.IsZero() && p.Type == stanza.PresenceAvailable:
		s.announce(ctx, raw, h, p.Priority)
	case h.To.IsZero() && p.Type == stanza.PresenceUnavailable:
		s.withdraw(ctx, withoutAvailability(raw), h)
	case h.To.IsZero(): // a probe of nobody, an error to nobody
	case p.Type == stanza.PresenceProbe:
		ctx, cancel := lasting(ctx)
		defer cancel()
		follow(ctx, func(ctx context.Context) []task { return s.srv.probe(ctx, s, h) })
	case p.Type == stanza.PresenceError:
		if h.To.IsFull() {
			s.srv.tell(raw, h, nil)
		}
	default:
		s.direct(ctx, raw, h)
	}
}

// announce broadcasts that the session is available (RFC 6121 §4.2.2, §4.4.2):
// to the account's subscribers, and to its available sessions, this one
// included. If it was not available before, it is told what it does not know
// yet.
func (s *session) announce(ctx context.Context, raw *stanza.Raw, h stanza.Header, priority int8) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	end, err := s.account.turn(ctx)
	if err != nil {
		s.srv.failed(ctx, s, h, "broadcast presence", err)
		return
	}
	contacts, err := s.srv.contacts(ctx, s.account.id)
	if err != nil {
		end()
		s.srv.failed(ctx, s, h, "broadcast presence", err)
		return
	}
	initial, drains := s.show(&announcement{raw, h}, priority)
	s.publish()
	s.broadcast(ctx, raw, h, contacts, make(map[jid.JID]bool))
	if initial {
		s.catchUp(contacts)
	}
	end()
	if drains {
		s.srv.drainTo(ctx, s)
	} else {
		s.srv.drainElsewhere(s.account.addr)
	}
	if initial {
		s.probeContacts(ctx, contacts)
	}
	if len(s.srv.hooks.presence) > 0 {
		s.tellPresence(ctx, s.Presence())
	}
}

// show makes the session available and reports whether it was not. If it can get
// messages for the bare JID now, and could not before, the delivery of offline
// messages to it is started at the same moment, so that no message passes them.
func (s *session) show(a *announcement, priority int8) (initial, drains bool) {
	elsewhere := s.srv.best(s.account.addr) != nil
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	initial = s.shown == nil
	before := s.eligible()
	s.shown, s.priority = a, priority
	if !s.eligible() || before || elsewhere {
		return initial, false
	}
	if s.account.draining { // to another session, which may be ending
		s.account.again = true
		return initial, false
	}
	s.account.drainTo(s)
	return initial, true
}

// broadcast delivers a presence of the session to all who see it, and notes in
// told which sessions these are. It is called in a turn of the account.
func (s *session) broadcast(ctx context.Context, st stanza.Stanza, h stanza.Header, contacts []storage.Contact, told map[jid.JID]bool) {
	h.To = s.account.addr
	s.srv.tell(st, h, told)
	defer func() { s.charge(len(told) * sizeOf(st)) }() // who has many contacts causes much
	for _, c := range contacts {
		if h.To = c.JID; c.Subscription.Has(storage.From) && s.srv.permits(ctx, s.account, c.JID, module.Out, h) {
			s.srv.tell(st, h, told)
		}
	}
}

// sizeOf estimates how long a stanza is.
func sizeOf(st stanza.Stanza) int {
	if raw, ok := st.(*stanza.Raw); ok {
		return raw.Len()
	}
	return stanzaCost
}

// A need says whether a session may be spared a stanza.
type need bool

const (
	mustHave need = true  // one that has no room even for this is ended: see [session.deliver]
	mayLack  need = false // see [session.offer]
)

// give delivers as the need is.
func (n need) give(t *session, st stanza.Stanza, h stanza.Header) {
	if n == mustHave {
		t.deliver(st, h)
	} else {
		t.offer(st, h)
	}
}

// tell delivers a presence to an address of the server: to all available sessions of a
// bare JID, to the one of a full JID, to a service. Sessions in told are left
// out; the others are added to it. It does nothing about addresses of other
// servers.
func (s *Server) tell(st stanza.Stanza, h stanza.Header, told map[jid.JID]bool) {
	s.tellBy(mustHave, st, h, told)
}

// tellBy is tell of what is needed more or less.
func (s *Server) tellBy(n need, st stanza.Stanza, h stanza.Header, told map[jid.JID]bool) {
	if h.To.Localpart() == "" {
		if service := s.service(h.To.Domain()); service != nil {
			service.offer(st, h)
		}
		return
	}
	s.tellElsewhere(n, st, h, told)
	s.tellHere(n, st, h, told)
}

// tellHere is tellBy for the sessions of this node.
func (s *Server) tellHere(n need, st stanza.Stanza, h stanza.Header, told map[jid.JID]bool) {
	a := s.directory.online(h.To.Bare())
	if a == nil || !s.permits(context.Background(), a, h.From, module.In, h) {
		return
	}
	like := isAvailable
	if h.To.IsFull() {
		like = func(t *session) bool { return t.addr == h.To }
	}
	for _, t := range a.all(like) {
		if told[t.addr] {
			continue
		}
		if told != nil {
			told[t.addr] = true
		}
		if h.Type == string(stanza.PresenceUnavailable) {
			t.forgetDirected(h.From) // whoever is gone needs not be told that we are (RFC 6121 §4.6.1)
		}
		n.give(t, st, h)
	}
}

// catchUp tells a session that has just become available of the account's other
// available sessions, and of requests for a subscription that still wait for an
// answer (RFC 6121 §3.1.3). It is called in a turn of the account.
func (s *session) catchUp(contacts []storage.Contact) {
	for _, t := range s.account.all(isAvailable) {
		if t == s {
			continue
		}
		if shown := t.announced(); shown != nil {
			h := shown.header
			h.To = s.account.addr
			s.deliver(shown.st, h)
		}
	}
	s.srv.probeElsewhere(s.probeOf(s.account.addr), s.addr)
	for _, c := range contacts {
		if !c.Subscription.Has(storage.PendingIn) || len(c.Request) == 0 {
			continue
		}
		raw, err := stanza.Parse(c.Request)
		if err != nil {
			s.log.Error("a stored request for a subscription is damaged", "peer", c.JID, "err", err)
			continue
		}
		if h := raw.Header(); s.srv.permits(context.Background(), s.account, c.JID, module.In, h) {
			s.deliver(raw, h)
		}
	}
}

// announced returns what the session has broadcast, nil if it is not available.
func (s *session) announced() *announcement {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.shown
}
