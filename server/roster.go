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

// rosterPage is how many contacts are read at a time.
const rosterPage = 200

// contacts returns everything an account's roster holds, listed or not.
func (s *Server) contacts(ctx context.Context, owner storage.AccountID) ([]storage.Contact, error) {
	var all []storage.Contact
	for after := (jid.JID{}); ; after = all[len(all)-1].JID {
		page, err := s.opts.Storage.Rosters.List(ctx, owner, after, rosterPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < rosterPage {
			return all, nil
		}
	}
}

// contact returns what an account's roster holds about one address, which may be nothing.
func (s *Server) contact(ctx context.Context, owner storage.AccountID, addr jid.JID) (storage.Contact, error) {
	c, err := s.opts.Storage.Rosters.Get(ctx, owner, addr)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Contact{JID: addr}, nil
	}
	return c, err
}

func (s *Server) rosterLimits() storage.RosterLimits {
	limits := s.limits()
	return storage.RosterLimits{Listed: limits.RosterItems, Requests: limits.RosterRequests, Removed: limits.RosterItems}
}

// itemOf returns a contact as its owner sees it.
func itemOf(c storage.Contact) roster.Item {
	i := roster.Item{JID: c.JID, Name: c.Name, Groups: c.Groups, Ask: c.Subscription.Has(storage.PendingOut), Approved: c.Approved}
	switch {
	case c.Subscription.Has(storage.To | storage.From):
		i.Subscription = roster.Both
	case c.Subscription.Has(storage.To):
		i.Subscription = roster.To
	case c.Subscription.Has(storage.From):
		i.Subscription = roster.From
	}
	return i
}

// push sends a changed item to the interested sessions of an account (RFC 6121
// §2.1.6). Their answers do not matter. It is called in a turn of the account.
func (s *Server) push(a *account, i roster.Item, version uint64) {
	q := roster.Query{Items: []roster.Item{i}, Ver: a.ver(version)}
	iq := stanza.IQ{To: a.addr, ID: stanza.NewID(), Type: stanza.IQSet, Payload: q}
	s.spreadStanza(a.addr, cluster.Parcel{Way: cluster.Push}, iq, iq.Header())
	for _, t := range a.all(isInterested) {
		t.push(q)
	}
}

// push sends one item as it is since the roster has that version.
func (s *session) push(q roster.Query) {
	iq := stanza.IQ{To: s.addr, ID: stanza.NewID(), Type: stanza.IQSet, Payload: q}
	s.deliver(iq, iq.Header())
}

// serveRoster answers a request about the session's own roster. The answer to a
// get leaves in the turn in which it was read: pushes after it are news.
func (s *session) serveRoster(ctx context.Context, h stanza.Header, iq *stanza.IQ) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	if iq.Type == stanza.IQSet {
		tasks, err := s.srv.rosterSet(ctx, s.account, iq)
		if err != nil {
			s.refuseQuery(ctx, h, "change the roster", err)
			return
		}
		s.answer(ctx, iq.Result(nil))
		follow(ctx, tasks...)
		return
	}
	if s.flush(ctx) != nil { // it may be long, and in a turn nobody waits for room
		return
	}
	end, err := s.account.turn(ctx)
	if err != nil {
		s.srv.failed(ctx, s, h, "read the roster", err)
		return
	}
	err = s.rosterGet(ctx, iq)
	end()
	if err != nil {
		s.refuseQuery(ctx, h, "read the roster", err)
	}
}

// refuseQuery answers a request with an error, which is logged when it is none
// for the client.
func (s *session) refuseQuery(ctx context.Context, h stanza.Header, what string, err error) {
	if _, ok := stanza.AsError(err); ok {
		s.refuse(ctx, h, err)
		return
	}
	s.srv.failed(ctx, s, h, what, err)
}

// rosterSet changes one item of an account's roster (RFC 6121 §2.1.5).
func (s *Server) rosterSet(ctx context.Context, a *account, iq *stanza.IQ) ([]task, error) {
	var q roster.Query
	if err := iq.Decode(&q); err != nil {
		return nil, err
	}
	i, err := q.Change()
	if err != nil {
		return nil, err
	}
	if i.Subscription == roster.Remove {
		return s.removeItem(ctx, a, i.JID)
	}
	return nil, s.setItem(ctx, a, i)
}

// setItem gives an item its name and its groups, and adds it if it is new. All
// else about it is not the client's to say (RFC 6121 §2.1.5).
func (s *Server) setItem(ctx context.Context, a *account, i roster.Item) error {
	if err := s.checkItem(a, i); err != nil {
		return err
	}
	end, err := a.turn(ctx)
	if err != nil {
		return err
	}
	defer end()
	after, err := s.opts.Storage.Rosters.Update(ctx, a.id, i.JID, s.rosterLimits(), func(c storage.Contact) (storage.Contact, error) {
		c.Listed, c.Name, c.Groups = true, i.Name, i.Groups
		return c, nil
	})
	if errors.Is(err, storage.ErrFull) {
		return &stanza.Error{Condition: stanza.ResourceConstraint, Text: "the roster is full", Lang: "en"}
	}
	if err != nil {
		return err
	}
	s.push(a, itemOf(after), after.Version)
	return nil
}

// checkItem finds what makes an item unacceptable (RFC 6121 §2.3.3).
func (s *Server) checkItem(a *account, i roster.Item) error {
	if err := i.Check(); err != nil {
		return err
	}
	if _, err := jid.Parse(i.JID.String()); err != nil {
		return stanza.JIDMalformed
	}
	if i.JID == a.addr {
		return stanza.NotAllowed
	}
	limits := s.limits()
	if len(i.Groups) > limits.Groups || len(i.Name) > limits.NameBytes {
		return stanza.NotAcceptable
	}
	for _, g := range i.Groups {
		if len(g) > limits.NameBytes {
			return stanza.NotAcceptable
		}
	}
	return nil
}

// removeItem removes an item, and ends the subscriptions and requests that go
// with it (RFC 6121 §2.5.2).
func (s *Server) removeItem(ctx context.Context, a *account, contact jid.JID) ([]task, error) {
	end, err := a.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var before storage.Contact
	after, err := s.opts.Storage.Rosters.Update(ctx, a.id, contact, s.rosterLimits(), func(c storage.Contact) (storage.Contact, error) {
		if before = c; !c.Listed {
			return c, stanza.ItemNotFound // §2.5.3
		}
		return storage.Contact{}, nil
	})
	if err != nil {
		return nil, err
	}
	s.push(a, roster.Item{JID: contact, Subscription: roster.Remove}, after.Version)
	if before.Subscription.Has(storage.From) {
		s.hideFrom(a, contact, true)
	}
	return s.partings(a.addr, before), nil
}

// partings are what tells a contact that an account has no more to do with it.
func (s *Server) partings(account jid.JID, c storage.Contact) []task {
	if !s.hosts(c.JID) || c.JID.IsFull() {
		return nil
	}
	var tasks []task
	send := func(t stanza.PresenceType) {
		p := stanza.Presence{From: account, To: c.JID, ID: stanza.NewID(), Type: t}
		tasks = append(tasks, func(ctx context.Context) []task { return s.inbound(ctx, p, p.Header()) })
	}
	if c.Subscription&(storage.To|storage.PendingOut) != 0 {
		send(stanza.PresenceUnsubscribe)
	}
	if c.Subscription&(storage.From|storage.PendingIn) != 0 {
		send(stanza.PresenceUnsubscribed)
	}
	return tasks
}
