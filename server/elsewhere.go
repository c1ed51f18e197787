package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// away are the sessions of an account on other nodes, as a [placing] sees them.
type away struct {
	named    *cluster.Entry
	eligible []cluster.Entry
	best     []cluster.Entry
}

// elsewhere returns the sessions of an account on other nodes: see [Server.look].
func (s *Server) elsewhere(ctx context.Context, addr jid.JID, try int) []cluster.Entry {
	switch try {
	case 0:
		return s.cluster.Elsewhere(addr)
	case 1:
		all, err := s.cluster.Fresh(ctx, addr)
		if err != nil {
			s.log.Error("could not ask for sessions on other nodes", "peer", addr, "err", err)
		}
		return all
	}
	return nil
}

// isNamed reports whether there is a session with the full JID.
func (p *placing) isNamed() bool { return p.named != nil || p.away.named != nil }

// placeAmong tells how things stand for a message to that address, given the sessions on other nodes. The account is nil if it has none here.
func placeAmong(a *account, to jid.JID, elsewhere []cluster.Entry) (p placing) {
	if a != nil {
		p = a.look(to, new([2][4]*session))
	}
	p.add(elsewhere, to)
	return p
}

// add takes sessions on other nodes into account for a message to that address.
func (p *placing) add(elsewhere []cluster.Entry, to jid.JID) {
	for i, e := range elsewhere {
		if e.Addr == to && p.named == nil {
			p.away.named = &elsewhere[i]
		}
		if !e.Eligible() {
			p.negative = p.negative || e.Available
			continue
		}
		p.away.eligible = append(p.away.eligible, e)
		switch top, some := p.top(); {
		case !some || e.Priority > top:
			p.best, p.away.best = nil, []cluster.Entry{e}
		case e.Priority == top:
			p.away.best = append(p.away.best, e)
		}
	}
}

// top returns the highest priority so far, false if nobody is eligible.
func (p *placing) top() (int8, bool) {
	switch {
	case len(p.away.best) > 0:
		return p.away.best[0].Priority, true
	case len(p.best) > 0:
		return p.best[0].rank(), true
	}
	return 0, false
}

// rank is the priority of the session.
func (s *session) rank() int8 {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.priority
}

// best returns the session on another node that is to get offline messages of an account, if any is.
func (s *Server) best(addr jid.JID) *cluster.Entry { return bestOf(s.cluster.Elsewhere(addr)) }

// bestOf returns the oldest session of the highest priority. Suspended ones do not count.
func bestOf(elsewhere []cluster.Entry) *cluster.Entry {
	var found *cluster.Entry
	for i, e := range elsewhere {
		if !e.Eligible() || e.Suspended {
			continue
		}
		if found == nil || e.Priority > found.Priority || e.Priority == found.Priority && e.Revision < found.Revision {
			found = &elsewhere[i]
		}
	}
	return found
}

// sendAll hands a message to sessions on other nodes. It is taken if one took it.
func (s *Server) sendAll(ctx context.Context, to []cluster.Entry, st stanza.Stanza, h stanza.Header) handing {
	b, err := stanza.AppendWith(nil, st, h)
	if err != nil {
		s.log.Error("a stanza could not be delivered", "peer", h.To, "id", h.ID, "err", err)
		return taken // the fault is the stanza's
	}
	all := missed
	for _, node := range nodes(to) {
		p := cluster.Parcel{Way: cluster.Message, From: h.From.Bare(), To: h.To, Stanza: b}
		for _, e := range to {
			if e.Node == node {
				p.Targets = append(p.Targets, cluster.Target{Addr: e.Addr, Revision: e.Revision})
			}
		}
		all = min(all, s.send(ctx, node, p))
	}
	return all
}

// send hands a message to sessions on one node.
func (s *Server) send(ctx context.Context, node cluster.Node, p cluster.Parcel) handing {
	verdict, err := s.cluster.Send(ctx, node, p)
	switch {
	case err != nil && !errors.Is(err, cluster.ErrLost): // perhaps it is there, perhaps not: better twice than never
		s.log.Warn("a node does not answer", "node", node, "peer", p.To, "err", err)
		return crowded
	case err != nil:
		return missed
	}
	switch verdict {
	case cluster.Taken:
		return taken
	case cluster.Behind:
		return behind
	case cluster.Full:
		return crowded
	}
	return missed
}

// nodes returns the nodes of sessions, each once.
func nodes(all []cluster.Entry) []cluster.Node {
	var out []cluster.Node
	for _, e := range all {
		if !slices.Contains(out, e.Node) {
			out = append(out, e.Node)
		}
	}
	return out
}

// post sends a parcel to a node if it can. What is lost there is told to nobody: it is presence, or something that the
// client finds out when it asks again.
func (s *Server) post(node cluster.Node, p cluster.Parcel) bool {
	if p.From.IsZero() {
		p.From = p.To.Bare()
	}
	err := s.cluster.Post(node, p)
	if err != nil {
		s.log.Warn("something did not reach another node", "node", node, "peer", p.To, "err", err)
	}
	return err == nil
}

// spread posts a parcel about an account to all other nodes on which it has sessions.
func (s *Server) spread(addr jid.JID, p cluster.Parcel) {
	for _, node := range nodes(s.cluster.Elsewhere(addr)) {
		p.To = addr
		s.post(node, p)
	}
}

// spreadStanza is spread with a stanza.
func (s *Server) spreadStanza(addr jid.JID, p cluster.Parcel, st stanza.Stanza, h stanza.Header) {
	if len(s.cluster.Elsewhere(addr)) == 0 {
		return
	}
	var err error
	if p.Stanza, err = stanza.AppendWith(nil, st, h); err != nil {
		s.log.Error("a stanza could not be delivered", "peer", addr, "id", h.ID, "err", err)
		return
	}
	s.spread(addr, p)
}

// tellElsewhere is [Server.tellBy] for sessions on other nodes.
func (s *Server) tellElsewhere(n need, st stanza.Stanza, h stanza.Header, told map[jid.JID]bool) {
	elsewhere := s.cluster.Elsewhere(h.To.Bare())
	if len(elsewhere) == 0 {
		return
	}
	var to []cluster.Entry
	var know []jid.JID
	for _, e := range elsewhere {
		switch {
		case h.To.IsFull() && e.Addr != h.To, h.To.IsBare() && !e.Available:
		case told[e.Addr]:
			know = append(know, e.Addr)
		default:
			to = append(to, e)
			if told != nil {
				told[e.Addr] = true
			}
		}
	}
	if len(to) == 0 {
		return
	}
	b, err := stanza.AppendWith(nil, st, h)
	if err != nil {
		s.log.Error("a stanza could not be delivered", "peer", h.To, "id", h.ID, "err", err)
		return
	}
	for _, node := range nodes(to) {
		s.post(node, cluster.Parcel{Way: cluster.Presence, From: h.From.Bare(), To: h.To, Stanza: b, List: know, Must: bool(n)})
	}
}

// giveTo delivers a stanza to one session, on whatever node it is.
func (s *Server) giveTo(n need, full jid.JID, st stanza.Stanza, h stanza.Header) {
	if t := s.session(full); t != nil {
		n.give(t, st, h)
		return
	}
	e := s.entry(full)
	if e == nil {
		return
	}
	if b, err := stanza.AppendWith(nil, st, h); err == nil {
		s.post(e.Node, cluster.Parcel{Way: cluster.Answer, From: h.From.Bare(), To: full, Stanza: b, Must: bool(n)})
	}
}

// nodeSep stands between the name of a node and what else an id has.
const nodeSep = "."

// answerElsewhere gives an answer to the node whose query it answers, if another one is named in its id.
func (s *Server) answerElsewhere(raw *stanza.Raw, h stanza.Header) {
	name, _, found := strings.Cut(h.ID, nodeSep)
	if own := s.cluster.Node(); !found || own == "" || name == string(own) {
		return
	}
	if b, err := stanza.AppendWith(nil, raw, h); err == nil {
		_ = s.cluster.Post(cluster.Node(name), cluster.Parcel{Way: cluster.Answer, From: h.From.Bare(), To: h.To, Stanza: b}) // perhaps there is none of that name
	}
}

// session returns the session of this node with a full JID, nil if it is not there.
func (s *Server) session(full jid.JID) *session {
	if a := s.directory.online(full.Bare()); a != nil {
		return a.find(full)
	}
	return nil
}

// reach is session, and waits for one whose stream is just being completed.
func (s *Server) reach(ctx context.Context, full jid.JID) *session {
	a := s.directory.online(full.Bare())
	if a == nil {
		return nil
	}
	t := a.find(full)
	if t != nil {
		return t
	}
	if t = a.coming(full); t == nil {
		return nil
	}
	settled(ctx, t)
	return a.find(full)
}

// entry returns the session of another node with a full JID, nil if there is none.
func (s *Server) entry(full jid.JID) *cluster.Entry {
	elsewhere := s.cluster.Elsewhere(full.Bare())
	for i, e := range elsewhere {
		if e.Addr == full {
			return &elsewhere[i]
		}
	}
	return nil
}

// queryElsewhere delivers an IQ to a session on another node, which refuses it if it must be, and reports whether
// the session is there.
func (s *Server) queryElsewhere(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header) bool {
	e := s.entry(h.To)
	if e == nil {
		return false
	}
	b, err := stanza.AppendWith(nil, st, h)
	if err == nil && s.post(e.Node, cluster.Parcel{Way: cluster.Query, From: h.From.Bare(), To: h.To, Stanza: b}) {
		return true
	}
	refuseTo(ctx, o, h, &stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint})
	return true
}

// isAvailableElsewhere reports whether a session of another node is available.
func (s *Server) isAvailableElsewhere(full jid.JID) bool {
	e := s.entry(full)
	return e != nil && e.Available
}

// probeElsewhere passes a probe on to other nodes, and reports whether sessions there are available.
func (s *Server) probeElsewhere(h stanza.Header, only jid.JID) bool {
	elsewhere := slices.DeleteFunc(slices.Clone(s.cluster.Elsewhere(h.To.Bare())), func(e cluster.Entry) bool { return !e.Available })
	if len(elsewhere) == 0 {
		return false
	}
	b, err := stanza.AppendWith(nil, stanza.Presence{}, h)
	if err != nil {
		return false
	}
	for _, node := range nodes(elsewhere) {
		s.post(node, cluster.Parcel{Way: cluster.Probe, From: h.From.Bare(), To: h.To.Bare(), With: only, Stanza: b})
	}
	return true
}

// drainElsewhere has another node deliver the offline messages of an account that has no better session here.
func (s *Server) drainElsewhere(addr jid.JID) { s.drainAt(s.best(addr), addr) }

func (s *Server) drainAt(e *cluster.Entry, addr jid.JID) {
	if e != nil {
		s.post(e.Node, cluster.Parcel{Way: cluster.Drain, To: addr})
	}
}

// knowsElsewhere reports whether a session on another node has sent directed presence to somebody.
func (s *Server) knowsElsewhere(ctx context.Context, addr, who jid.JID) bool {
	for _, node := range nodes(s.cluster.Elsewhere(addr)) {
		verdict, err := s.cluster.Send(ctx, node, cluster.Parcel{Way: cluster.Knows, From: who.Bare(), To: addr, With: who})
		if err == nil && verdict == cluster.Taken {
			return true
		}
	}
	return false
}

// expelElsewhere ends the sessions of a deleted or disabled account on other nodes.
func (s *Server) expelElsewhere(ctx context.Context, a *account) {
	for _, node := range nodes(s.cluster.Elsewhere(a.addr)) {
		p := cluster.Parcel{Way: cluster.Expel, From: a.addr, To: a.addr, Account: a.id}
		if _, err := s.cluster.Send(ctx, node, p); err != nil {
			s.log.Error("sessions of an account that is deleted or disabled may go on", "node", node, "peer", a.addr, "err", err)
		}
	}
}

// changedElsewhere has the modules of other nodes look again at what is kept of an account.
func (s *Server) changedElsewhere(ctx context.Context, a module.Account, ns string) {
	for _, node := range nodes(s.cluster.Elsewhere(a.Addr)) {
		p := cluster.Parcel{Way: cluster.Changed, From: a.Addr, To: a.Addr, Account: a.ID, Name: ns}
		if _, err := s.cluster.Send(ctx, node, p); err != nil {
			s.log.Error("another node may go by what was there before", "node", node, "peer", a.Addr, "of", ns, "err", err)
		}
	}
}

// publish tells other nodes what there is to know of the session.
func (s *session) publish() {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.account.mu.Lock()
	state := cluster.State{
		Available: s.shown != nil && !s.gone, Priority: s.priority, Interested: s.interested, Suspended: s.state == suspended,
		Since: s.since, Secure: s.Secure(), Marks: s.marks,
	}
	s.account.mu.Unlock()
	s.srv.cluster.Update(s.addr, s.rev, state)
}
