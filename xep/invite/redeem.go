package invite

import (
	"context"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/register"
)

var _ register.Inviter = (*Service)(nil)

const (
	// grace is how long an invite is kept after it has expired: for those who have shown it before (XEP-0445 §4).
	grace = time.Hour
	// patience bounds what has to be brought to an end though whoever caused it has gone.
	patience = 30 * time.Second
)

// Announce implements [register.Inviter].
func (s *Service) Announce(h module.Host) error {
	s.use(h)
	s.accounts = true
	s.announce(h)
	return nil
}

// A shown invite is one that a stranger has the token of.
type shown struct {
	storage.Invite
	at time.Time // when it was good
}

type shownKey struct{}

// noInvite is the answer to a token that is good for nothing, whatever the reason.
func noInvite() error {
	return &stanza.Error{Condition: stanza.ItemNotFound, Text: "The provided token is invalid or expired", Lang: "en"}
}

// show takes in the token of a stranger (XEP-0445 §4). The invite is not used yet.
func (s *Service) show(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	st := module.StrangerFrom(ctx)
	st.SetValue(shownKey{}, nil)
	var p Preauth
	_ = iq.Decode(&p) // no token is one that nobody knows
	i, now := storage.Invite{}, time.Now()
	i, err := s.invites.Get(ctx, idOf(p.Token), now)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && i.Account.Domain() != st.Domain:
		return nil, noInvite()
	case err != nil:
		return nil, err
	}
	st.SetValue(shownKey{}, shown{i, now})
	return nil, nil
}

// of returns what a stranger has shown to the domain that it addresses.
func of(st *module.Stranger) (shown, bool) {
	i, ok := st.Value(shownKey{}).(shown)
	return i, ok && i.Account.Domain() == st.Domain
}

// Invited implements [register.Inviter].
func (s *Service) Invited(st *module.Stranger) jid.JID {
	i, _ := of(st)
	return i.Account
}

// Redeem implements [register.Inviter]. Once the invite is taken it goes on to the end whether or not the
// stranger stays, so that no use is lost.
func (s *Service) Redeem(ctx context.Context, st *module.Stranger, addr jid.JID, create func(context.Context) error) error {
	invite, invited := of(st)
	if !invited || invite.Account != addr {
		_, err := s.invites.Get(ctx, reservation(addr), time.Now())
		if err == nil {
			return stanza.Conflict
		} else if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	if !invited {
		return create(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	// Whether it has expired was looked at when it was shown, and is not again (XEP-0445 §4).
	used, err := s.invites.Use(ctx, invite.ID, invite.at)
	if errors.Is(err, storage.ErrNotFound) {
		return noInvite()
	} else if err != nil {
		return err
	}
	made := false
	defer func() {
		if !made {
			s.restore(ctx, used)
		}
	}()
	if err := create(ctx); err != nil {
		return err
	}
	made = true
	if err := s.unreserve(ctx, used); err != nil {
		s.o.Logger.Error("a name stays reserved that is taken", "peer", addr, "err", err)
	}
	s.introduce(ctx, used, addr)
	return nil
}

// restore gives a use back.
func (s *Service) restore(ctx context.Context, i storage.Invite) {
	if err := s.invites.Restore(ctx, i.ID); err != nil {
		s.o.Logger.Error("an invite was used up for nothing", "peer", i.Addr, "err", err)
	}
}

// introduce makes contacts of a new account and the inviter, unless that is somebody else by now, or nobody. Who is online gets
// a push (XEP-0401 §5.5).
func (s *Service) introduce(ctx context.Context, i storage.Invite, addr jid.JID) {
	if i.Inviter == "" {
		return
	}
	inviter, err := s.host.Lookup(ctx, i.Addr)
	if errors.Is(err, storage.ErrNotFound) || err == nil && inviter.ID != i.Inviter {
		return
	}
	if err == nil {
		err = s.host.AddContact(ctx, addr, i.Addr)
	}
	if err != nil {
		s.o.Logger.Error("who was invited is no contact of the inviter", "peer", addr, "err", err)
	}
}

// requested grants a request for a subscription that shows a token of the account's invites, and has the account subscribe in
// return (XEP-0379 §3.5). Anything else is left to a person (§4.1).
func (s *Service) requested(ctx context.Context, a module.Account, t *module.Transit) (bool, error) {
	h := t.Header()
	if !h.Has(NS, "preauth") {
		return false, nil
	}
	granted, err := s.grants(ctx, a, t)
	if err != nil {
		s.o.Logger.Error("a token could not be looked up", "peer", h.From, "err", err)
		return false, nil
	}
	return granted, nil
}

func (s *Service) grants(ctx context.Context, a module.Account, t *module.Transit) (bool, error) {
	raw, err := t.Raw()
	if err != nil {
		return false, err
	}
	var p Preauth
	_ = raw.Element().Child(NS, "preauth").Decode(&p) // no token is one that nobody knows
	id, now, contact := idOf(p.Token), time.Now(), t.Header().From.Bare()
	i, err := s.invites.Get(ctx, id, now)
	if err == nil {
		if i.Inviter != a.ID || i.Account.Localpart() != "" { // an account of that name is to be made by it, and nothing else
			return false, nil
		}
		i, err = s.invites.Use(ctx, id, now)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	s.host.Go(func(ctx context.Context) { // in a turn of the account that comes after this one
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		switch err := s.host.Subscribe(ctx, a, contact); {
		case errors.Is(err, storage.ErrFull): // nor was there room to grant it
			s.restore(ctx, i)
		case err != nil:
			s.o.Logger.Warn("no subscription in return", "peer", a.Addr, "err", err)
		}
	})
	return true, nil
}
