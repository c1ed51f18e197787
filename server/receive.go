package server

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A receiver does what other nodes ask for: each way is what the file of the same subject does for sessions that
// are here.
type receiver struct{ srv *Server }

// Receive implements [cluster.Receiver].
func (r receiver) Receive(ctx context.Context, p cluster.Parcel) cluster.Verdict {
	s := r.srv
	if !s.begin() {
		return cluster.Gone
	}
	defer s.end()
	raw, err := parcelled(p)
	if err != nil {
		s.log.Error("another node sent what cannot be read", "peer", p.To, "err", err)
		return cluster.Taken // it will not be better the next time
	}
	switch p.Way {
	case cluster.Answer:
		return s.receiveAnswer(p, raw)
	case cluster.Query:
		h := raw.Header()
		s.deliverIQTo(ctx, absent{s, h.From}, s.session(p.To), raw, h, stanza.IQType(h.Type))
		return cluster.Taken
	}
	a := s.directory.online(p.To.Bare())
	if a == nil {
		return cluster.Gone
	}
	switch p.Way {
	case cluster.Message:
		return s.receiveMessage(ctx, a, p, raw)
	case cluster.Drain:
		s.drain(ctx, a)
	case cluster.Knows:
		if !a.knows(p.To, p.With) {
			return cluster.Gone
		}
	case cluster.Expel:
		if a.id == p.Account {
			return s.receiveExpel(ctx, a)
		}
	case cluster.Changed:
		if a.id == p.Account {
			s.tellChanged(ctx, a.identity(), p.Name)
		}
	case cluster.Push:
		a.receivePush(raw)
	case cluster.Subscription:
		a.subscription(raw, raw.Header())
	case cluster.Presence:
		told := make(map[jid.JID]bool)
		for _, addr := range p.List {
			told[addr] = true
		}
		s.tellHere(need(p.Must), raw, raw.Header(), told)
	default:
		return s.receiveInTurn(ctx, a, p, raw)
	}
	return cluster.Taken
}

// Lost implements [cluster.Receiver]: who saw the session gets to know that it is gone, but for those who got directed presence.
func (r receiver) Lost(ctx context.Context, e cluster.Entry) {
	s := r.srv
	if !e.Available || !s.begin() {
		return
	}
	defer s.end()
	ctx, cancel := lasting(ctx)
	defer cancel()
	id, err := s.accountID(ctx, e.Addr.Bare())
	if err != nil {
		return // deleted meanwhile, as those who saw it have heard
	}
	contacts, err := s.contacts(ctx, id)
	if err != nil {
		s.log.Error("could not tell that a session was lost with its node", "node", e.Node, "peer", e.Addr, "err", err)
	}
	p := stanza.Presence{From: e.Addr, To: e.Addr.Bare(), Type: stanza.PresenceUnavailable}
	told := make(map[jid.JID]bool)
	s.tell(p, p.Header(), told)
	for _, c := range contacts {
		if p.To = c.JID; c.Subscription.Has(storage.From) {
			s.tell(p, p.Header(), told)
		}
	}
	s.drainAddr(ctx, e.Addr.Bare())
}

// parcelled reads the stanza of a parcel, which may have none.
func parcelled(p cluster.Parcel) (*stanza.Raw, error) {
	if len(p.Stanza) == 0 {
		switch p.Way {
		case cluster.Drain, cluster.Knows, cluster.Expel, cluster.Changed, cluster.Hide, cluster.HideBelow, cluster.Show:
			return nil, nil
		}
		return nil, errors.New("no stanza")
	}
	return stanza.Parse(p.Stanza)
}

// receiveInTurn does what takes a turn of the account here: what its sessions show to others.
func (s *Server) receiveInTurn(ctx context.Context, a *account, p cluster.Parcel, raw *stanza.Raw) cluster.Verdict {
	ctx, cancel := lasting(ctx)
	defer cancel()
	end, err := a.turn(ctx)
	if err != nil {
		s.log.Error("another node asked in vain", "peer", a.addr, "err", err)
		return cluster.Full
	}
	defer end()
	switch p.Way {
	case cluster.Probe:
		s.reportHere(a, raw.Header(), p.With)
	case cluster.Show:
		s.showNode(ctx, a, p.With)
	case cluster.Hide:
		s.hideFromAll(a, p.List, func(addr jid.JID) bool { return addr.Bare() == p.With })
	case cluster.HideBelow:
		s.hideFromAll(a, p.List, a.strangersBelow(p.With))
	default:
		s.log.Error("another node asks for what is not known here", "way", p.Way)
	}
	return cluster.Taken
}

// receiveMessage hands a message to those of its targets that are still there.
func (s *Server) receiveMessage(ctx context.Context, a *account, p cluster.Parcel, raw *stanza.Raw) cluster.Verdict {
	h := raw.Header()
	targets, behind := a.targets(p.Targets, h)
	if behind {
		return cluster.Behind
	}
	switch handAll(ctx, targets, raw, h) {
	case taken:
		return cluster.Taken
	case crowded:
		if h.To.IsFull() && len(targets) == 1 && isStorable(h) {
			targets[0].crowd()
		}
		return cluster.Full
	}
	return cluster.Gone
}

// targets returns the sessions that a message is for, and whether it has to go behind what comes from the store.
func (a *account) targets(named []cluster.Target, h stanza.Header) (found []*session, behind bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	crowded := false
	for _, t := range a.sessions {
		for _, n := range named {
			if t.addr == n.Addr && t.rev == n.Revision && t.reachable() {
				found = append(found, t)
				crowded = crowded || t.crowded
			}
		}
	}
	behind = (a.draining || a.waiting || a.pending > 0) && isStorable(h) && (h.To.IsBare() || crowded)
	return found, behind
}

// receiveExpel ends the sessions of an account that was deleted, disabled or logged out.
func (s *Server) receiveExpel(ctx context.Context, a *account) cluster.Verdict {
	s.directory.remove(a)
	reason := loggedOut()
	switch stored, err := s.directory.stored.Get(ctx, a.addr); {
	case errors.Is(err, storage.ErrNotFound) || err == nil && stored.ID != a.id:
		reason = accountDeleted()
	case err == nil && stored.Disabled:
		reason = accountDisabled()
	}
	a.close(reason)
	if a.left(ctx) != nil {
		return cluster.Full
	}
	return cluster.Taken
}

// receiveAnswer delivers what came of something that one of ours has sent.
func (s *Server) receiveAnswer(p cluster.Parcel, raw *stanza.Raw) cluster.Verdict {
	h := raw.Header()
	if p.To.Localpart() == "" {
		if sv := s.service(p.To.Domain()); sv != nil && sv.answered(question{h.ID, h.From, h.To}, raw) {
			return cluster.Taken
		}
		return cluster.Gone
	}
	t := s.session(p.To)
	if t == nil {
		return cluster.Gone
	}
	need(p.Must).give(t, raw, h)
	return cluster.Taken
}

// receivePush pushes a roster item to the sessions that want it.
func (a *account) receivePush(raw *stanza.Raw) {
	iq, err := raw.IQ()
	var q roster.Query
	if err != nil || iq.Decode(&q) != nil {
		return // a server has written it
	}
	for _, t := range a.all(isInterested) {
		t.push(q)
	}
}
