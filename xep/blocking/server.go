package blocking

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/accounts"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// entries is how many addresses an account may block by default.
const entries = 1000

// page is how many are read at a time.
const page = 200

// patience bounds a change that must not stop halfway when the client that asked for it leaves: who was
// blocked is told once that the account is unavailable, and never later.
const patience = 30 * time.Second

// ServerOptions adjusts [Server]. Nil and the zero value are ready to use.
type ServerOptions struct {
	// Entries is how many addresses an account may block. Zero means 1000.
	Entries int
	// Report, if not nil, gets what people say about those whom they block (XEP-0377), and the feature is advertised. It
	// runs on the goroutine that reads the client. Nobody has checked a report: anybody may say anything of
	// anybody. It must not go further than it allows ([Report.Forward], [Report.ThirdParty]).
	Report func(ctx context.Context, by module.Account, who jid.JID, r Report)
}

// Server is the server's half. It keeps block lists in [storage.Blocklists] and holds traffic to them.
//
// Messages and requests from somebody who is blocked are answered with service-unavailable; presence is dropped. What an
// account sends there comes back with not-acceptable. When somebody is blocked who sees the account's presence, or got it
// directly, the account becomes unavailable there; who is unblocked is shown what there is, and its presence is asked for.
// Subscriptions stay as they are (§4). Nothing is blocked between the sessions of one account, whatever its list says (§5).
//
// Presence that is broadcast is for accounts: to block only one session of a contact leaves it to the contact's server, which
// brings it to all of them.
//
// If a list cannot be read, nothing passes.
func Server(opts *ServerOptions) module.Module {
	m := &blocker{limit: entries}
	if opts != nil {
		m.report = opts.Report
		if opts.Entries != 0 {
			m.limit = opts.Entries
		}
	}
	return m
}

// A blocker is the module.
type blocker struct {
	limit  int
	report func(context.Context, module.Account, jid.JID, Report)
	host   module.Host
	store  storage.Blocklists
	// lists has the list of an account, never nil. It is changed in turns, and read without: a presence broadcast does that in a
	// turn of the account, for which those wait who change the list.
	lists *accounts.Cache[set]
}

// Install implements [module.Module].
func (m *blocker) Install(h module.Host) error {
	if m.limit < 0 {
		return fmt.Errorf("blocking: %d entries", m.limit)
	}
	m.host = h
	m.store, m.lists = h.Stores().Blocklists, accounts.New(m.read)
	m.lists.Follow(h)
	h.Domain().Feature(NS)
	if m.report != nil {
		h.Domain().Feature(NSReporting)
	}
	muxer.IQ(h.Account(), stanza.IQGet, own(m.get))
	muxer.IQ(h.Account(), stanza.IQSet, own(m.block))
	muxer.IQ(h.Account(), stanza.IQSet, own(m.unblock))
	h.Hook(module.Hooks{Permit: m.permit, Changed: m.changed})
	return nil
}

// changed is about a list that another server has changed.
func (m *blocker) changed(_ context.Context, a module.Account, ns string) {
	if ns == NS {
		m.lists.Forget(a.ID)
	}
}

// read reads a list from the store.
func (m *blocker) read(ctx context.Context, id storage.AccountID) (set, error) {
	blocks := set{}
	for after := (jid.JID{}); ; {
		some, err := m.store.List(ctx, id, after, page)
		if err != nil {
			return nil, err
		}
		blocks.add(some...)
		if len(some) < page {
			return blocks, nil
		}
		after = some[len(some)-1]
	}
}

// own is a handler for the sessions of the account itself. It runs to its end, in the turn of the block list.
func own[P any](f func(context.Context, module.Session, *P) (stanza.Payload, error)) func(context.Context, *stanza.IQ, *P) (stanza.Payload, error) {
	return func(ctx context.Context, _ *stanza.IQ, p *P) (stanza.Payload, error) {
		s := module.FromContext(ctx)
		if s == nil {
			return nil, stanza.ServiceUnavailable
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return f(ctx, s, p)
	}
}

// permit is what holds traffic to the lists (§3.3).
func (m *blocker) permit(ctx context.Context, a module.Account, with jid.JID, dir module.Direction, h stanza.Header) error {
	blocks, err := m.lists.Get(ctx, a.ID)
	switch {
	case err != nil:
		return err
	case !blocks.covers(with):
		return nil
	case dir == module.Out:
		return &stanza.Error{Type: stanza.Cancel, Condition: stanza.NotAcceptable, App: blocked{}}
	case h.Kind == stanza.KindPresence:
		return module.ErrDrop
	}
	return stanza.ServiceUnavailable // to what is no answer itself
}

// get answers with the list, and tells the session of changes from now on.
func (m *blocker) get(ctx context.Context, s module.Session, _ *Blocklist) (stanza.Payload, error) {
	a := s.Account()
	end, err := m.lists.Turn(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	blocks, err := m.lists.Get(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	s.Mark(NS, true) // it hears of changes
	return Blocklist{Items: blocks.sorted()}, nil
}

// block puts addresses on the list. Once that is in force, so that no presence can follow, those that see the
// account are told that it is unavailable. Who is there already is told again: something may have failed before.
func (m *blocker) block(ctx context.Context, s module.Session, c *BlockCommand) (stanza.Payload, error) {
	a := s.Account()
	push, who := BlockCommand{Items: make([]Item, len(c.Items))}, make([]jid.JID, len(c.Items))
	for i, item := range c.Items {
		push.Items[i], who[i] = Item{JID: item.JID}, item.JID
	}
	err := m.change(ctx, a, push, func(blocks set) error {
		blocks.add(who...)
		return m.store.Add(ctx, a.ID, m.limit, who...)
	}, func(set, set) (err error) {
		for j := range setOf(who...) {
			err = errors.Join(err, m.host.Hide(ctx, a, j))
		}
		return err
	})
	if errors.Is(err, storage.ErrFull) {
		return nil, &stanza.Error{Condition: stanza.ResourceConstraint, Text: "the block list is full", Lang: "en"}
	}
	if err != nil {
		return nil, err
	}
	for _, item := range c.Items {
		if item.Report != nil && m.report != nil {
			m.report(ctx, a, item.JID, *item.Report)
		}
	}
	return nil, nil
}

// unblock takes addresses off the list; none is all (§3.5).
func (m *blocker) unblock(ctx context.Context, s module.Session, c *UnblockCommand) (stanza.Payload, error) {
	a := s.Account()
	return nil, m.change(ctx, a, c, func(blocks set) error {
		if len(c.Items) == 0 {
			clear(blocks)
			return m.store.DeleteAll(ctx, a.ID)
		}
		blocks.remove(c.Items...)
		return m.store.Remove(ctx, a.ID, c.Items...)
	}, func(before, after set) error {
		if len(c.Items) > 0 {
			before = setOf(c.Items...) // also what was not there: something may have failed before
		}
		return m.reveal(ctx, a, before, after)
	})
}

// change changes the list of an account in its turn, in the store and in set, tells the sessions that want to know, and does what
// follows with what was on the list before and is now.
func (m *blocker) change(ctx context.Context, a module.Account, push stanza.Payload, store func(set) error, then func(before, after set) error) error {
	end, err := m.lists.Turn(ctx, a.ID)
	if err != nil {
		return err
	}
	defer end()
	before, err := m.lists.Get(ctx, a.ID)
	if err != nil {
		return err
	}
	after := maps.Clone(before)
	if err = store(after); err != nil {
		m.lists.Forget(a.ID) // who knows what is there now
	} else {
		m.lists.Set(a.ID, after)
	}
	m.host.Changed(ctx, a, NS)
	if err != nil {
		return err
	}
	if err := m.push(a, push); err != nil {
		return err
	}
	return then(before, after)
}

// push tells those sessions of a change that have asked for the list (§3.3, §3.4).
func (m *blocker) push(a module.Account, p stanza.Payload) error {
	e, err := stanza.ElementOf(p)
	if err != nil {
		return err
	}
	for _, s := range m.host.Sessions(a.Addr) {
		if s.Marked(NS) {
			s.Deliver(stanza.IQ{To: s.Addr(), ID: stanza.NewID(), Type: stanza.IQSet, Payload: e})
		}
	}
	return nil
}

// reveal shows the account to those contacts, and these to it, that entries matched which were removed, and that none matches now (§3.4).
func (m *blocker) reveal(ctx context.Context, a module.Account, removed, after set) error {
	contacts, err := m.host.Contacts(ctx, a)
	if err != nil {
		return err
	}
	show := func(who jid.JID) {
		if !after.covers(who) {
			err = errors.Join(err, m.host.Show(ctx, a, who), m.host.Probe(ctx, a, who.Bare()))
		}
	}
	for _, c := range contacts {
		if removed.covers(c.JID) {
			show(c.JID)
		}
	}
	for j := range removed {
		if j.IsFull() && !removed.covers(j.Bare()) {
			show(j)
		}
	}
	return err
}
