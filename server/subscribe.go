package server

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// maxRequest is the size up to which a subscription stanza is accepted. It is
// kept whole until it is answered (RFC 6121 §3.1.3).
const maxRequest = 16 << 10

// subscription does what a subscription stanza of the client asks for (RFC 6121
// §3). It speaks for the account, to the account of the contact.
func (s *session) subscription(ctx context.Context, raw *stanza.Raw, h stanza.Header) {
	own := s.account.addr
	h.From, h.To = own, h.To.Bare()
	switch {
	case h.To.IsZero():
		s.refuse(ctx, h, &stanza.Error{Condition: stanza.BadRequest, Text: "a subscription needs a contact", Lang: "en"})
		return
	case h.To == own:
		s.refuse(ctx, h, stanza.NotAllowed) // everybody sees himself anyway
		return
	case !s.srv.hosts(h.To):
		s.refuse(ctx, h, stanza.RemoteServerNotFound)
		return
	case raw.Len() > maxRequest:
		s.refuse(ctx, h, stanza.PolicyViolation)
		return
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	tasks, err := s.srv.outbound(ctx, s.account, raw, h)
	switch {
	case errors.Is(err, storage.ErrFull):
		s.refuse(ctx, h, stanza.ResourceConstraint)
	case err != nil:
		s.srv.failed(ctx, s, h, "change a subscription", err)
	}
	follow(ctx, tasks...)
}

// outbound processes a subscription stanza from an account (RFC 6121 Appendix
// A.2). What has to happen to the contact is returned.
func (s *Server) outbound(ctx context.Context, a *account, st stanza.Stanza, h stanza.Header) ([]task, error) {
	end, err := a.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	e := outgoing[stanza.PresenceType(h.Type)]
	before, after, do, err := s.advance(ctx, a, h.To, e, nil, false)
	if err != nil {
		return nil, err
	}
	if after.Listed && (e == outSubscribe || !itemOf(before).Equal(itemOf(after))) {
		s.push(a, itemOf(after), after.Version)
	}
	if !do.has(pass) {
		return nil, nil
	}
	if e == outUnsubscribed && before.Subscription.Has(storage.From) {
		s.hideFrom(a, h.To, true)
	}
	tasks := []task{func(ctx context.Context) []task { return s.inbound(ctx, st, h) }}
	if e == outSubscribed {
		tasks = append(tasks, s.showTo(h.From, h.To))
	}
	return tasks, nil
}

// inbound processes a subscription stanza for an account (RFC 6121 Appendix
// A.3). One that changes nothing is not delivered; one for nobody is ignored
// (§8.5.1). What has to happen to the contact is returned.
func (s *Server) inbound(ctx context.Context, st stanza.Stanza, h stanza.Header) []task {
	if h.To.Localpart() == "" {
		s.tell(st, h, nil)
		return nil
	}
	a, err := s.directory.hold(ctx, h.To.Bare())
	if err != nil {
		if !errors.Is(err, storage.ErrNotFound) {
			s.log.Error("could not deliver a subscription stanza", "peer", h.From, "id", h.ID, "err", err)
		}
		return nil
	}
	defer s.directory.release(a)
	if !s.permits(ctx, a, h.From, module.In, h) {
		return nil
	}
	tasks, err := s.inboundTo(ctx, a, st, h)
	switch {
	case errors.Is(err, storage.ErrFull): // as if it were kept and never answered
		s.log.Warn("an account has too many requests for a subscription", "peer", a.addr)
	case err != nil:
		s.log.Error("could not deliver a subscription stanza", "peer", h.From, "id", h.ID, "err", err)
	}
	return tasks
}

func (s *Server) inboundTo(ctx context.Context, a *account, st stanza.Stanza, h stanza.Header) ([]task, error) {
	end, err := a.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	e := incoming[stanza.PresenceType(h.Type)]
	var request []byte
	granted := false
	if e == inSubscribe {
		if request, err = stanza.AppendWith(nil, st, h); err != nil {
			return nil, err
		}
		if granted, err = s.requested(ctx, a, st, h); err != nil {
			return nil, err
		}
	}
	before, after, do, err := s.advance(ctx, a, h.From, e, request, granted)
	if err != nil {
		return nil, err
	}
	if do.has(pass) {
		s.spreadStanza(a.addr, cluster.Parcel{Way: cluster.Subscription, From: h.From.Bare()}, st, h)
		a.subscription(st, h) // before the push, which it explains (§3.1.6, §3.2.3, §3.3.3)
	}
	if after.Listed && !itemOf(before).Equal(itemOf(after)) {
		s.push(a, itemOf(after), after.Version)
	}
	if e == inUnsubscribe && before.Subscription.Has(storage.From) {
		s.hideFrom(a, h.From, true)
	}
	if !do.has(reply) {
		return nil, nil
	}
	return s.autoReply(e, h), nil
}

// subscription delivers a subscription stanza to the sessions of this node that get such.
func (a *account) subscription(st stanza.Stanza, h stanza.Header) {
	like, n := isInterested, mustHave
	if h.Type == string(stanza.PresenceSubscribe) { // anybody's, and stored
		like, n = isAvailable, mayLack
	}
	for _, t := range a.all(like) {
		n.give(t, st, h)
	}
}

// autoReply answers a subscription stanza for the account it was sent to.
func (s *Server) autoReply(e event, h stanza.Header) []task {
	p := stanza.Presence{From: h.To, To: h.From, ID: h.ID, Type: stanza.PresenceUnsubscribed}
	if e == inSubscribe {
		p.Type = stanza.PresenceSubscribed
	}
	tasks := []task{func(ctx context.Context) []task { return s.inbound(ctx, p, p.Header()) }}
	if e == inSubscribe {
		tasks = append(tasks, s.showTo(h.To, h.From))
	}
	return tasks
}

// advance applies an event to a contact, and stores what comes of it. A request that is granted is taken as
// approved ahead.
func (s *Server) advance(ctx context.Context, a *account, contact jid.JID, e event, request []byte, granted bool) (before, after storage.Contact, do action, err error) {
	after, err = s.opts.Storage.Rosters.Update(ctx, a.id, contact, s.rosterLimits(), func(c storage.Contact) (storage.Contact, error) {
		before = c
		c = c.Clone()
		c.Approved = c.Approved || granted
		c, do = advance(c, e, request)
		if granted { // this one
			c.Approved, c.Listed = before.Approved, c.Listed || do.has(reply)
		}
		return c, nil
	})
	return before, after, do, err
}

// showTo sends the presence of an account to one who has become a subscriber
// (RFC 6121 §3.1.5), or to one session of it.
func (s *Server) showTo(account, subscriber jid.JID) task {
	return func(ctx context.Context) []task {
		a, err := s.directory.hold(ctx, account)
		if err != nil {
			return nil
		}
		defer s.directory.release(a)
		end, err := a.turn(ctx)
		if err != nil {
			s.log.Error("could not show presence to a subscriber", "peer", subscriber, "err", err)
			return nil
		}
		defer end()
		c, err := s.opts.Storage.Rosters.Get(ctx, a.id, subscriber.Bare())
		if err != nil || !c.Subscription.Has(storage.From) {
			return nil // cancelled in the meantime
		}
		s.showNode(ctx, a, subscriber)
		s.spread(account, cluster.Parcel{Way: cluster.Show, With: subscriber})
		return nil
	}
}

// showNode sends the presence of the sessions of this node.
func (s *Server) showNode(ctx context.Context, a *account, subscriber jid.JID) {
	for _, t := range a.all(isAvailable) {
		if shown := t.announced(); shown != nil {
			h := shown.header
			if h.To = subscriber; s.permits(ctx, a, subscriber, module.Out, h) {
				s.tell(shown.st, h, nil)
			}
		}
	}
}
