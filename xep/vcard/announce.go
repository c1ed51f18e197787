package vcard

import (
	"context"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// completedKey is under what a session keeps that its presence is completed here; its value is true.
type completedKey struct{}

// complete adds to presence what its client does not say.
func (k *keeper) complete(ctx context.Context, s module.Session, t *module.Transit) error {
	h := t.Header()
	if h.Kind != stanza.KindPresence || h.Type != "" {
		return nil
	}
	says, err := saysPicture(t)
	if err != nil {
		return err
	}
	if h.To.IsZero() {
		s.SetValue(completedKey{}, !says)
	}
	if says {
		return nil
	}
	u, err := k.pictures.Get(ctx, s.Account().ID)
	if err != nil {
		u = Update{} // that there is nothing to tell yet (XEP-0153 §4.1): the presence matters more
	}
	return t.Edit(isUpdate, u)
}

func isUpdate(e stanza.Element) bool { return e.Is(NSUpdate, "x") }

// saysPicture reports whether a presence says which picture there is, or that there is none. An update without a photo is
// there to be filled (XEP-0398 §5).
func saysPicture(t *module.Transit) (bool, error) {
	if h := t.Header(); !h.Has(NSUpdate, "x") {
		return false, nil
	}
	raw, err := t.Raw()
	if err != nil {
		return false, err
	}
	return !raw.Element().Child(NSUpdate, "x").Child(NSUpdate, "photo").IsZero(), nil
}

// presence is about a vCard that was set while a presence was on its way, completed with what was there before.
func (k *keeper) presence(ctx context.Context, s module.Session, p *stanza.Raw) {
	if p == nil || s.Value(completedKey{}) != true {
		return
	}
	var u Update
	if err := p.Element().Child(NSUpdate, "x").Decode(&u); err != nil {
		return
	}
	if now, err := k.pictures.Get(ctx, s.Account().ID); err == nil && u != now {
		k.announce(ctx, s.Account())
	}
}

// changed is about a vCard that has been set, here or by another server.
func (k *keeper) changed(ctx context.Context, a module.Account, ns string) {
	if ns == NS {
		k.pictures.Forget(a.ID)
		k.announce(ctx, a)
	}
}

// announce broadcasts once more what was completed with another picture than the vCard holds.
func (k *keeper) announce(ctx context.Context, a module.Account) {
	err := k.host.Announce(ctx, a, func(s module.Session, t *module.Transit) (bool, error) {
		if s.Value(completedKey{}) != true {
			return false, nil
		}
		raw, err := t.Raw()
		if err != nil {
			return false, err
		}
		var u Update
		if e := raw.Element().Child(NSUpdate, "x"); !e.IsZero() {
			if err := e.Decode(&u); err != nil {
				return false, err
			}
		}
		now, err := k.pictures.Get(ctx, a.ID)
		if err != nil || u == now {
			return false, err
		}
		return true, t.Edit(isUpdate, now)
	})
	if err != nil {
		k.log.ErrorContext(ctx, "vcard: contacts do not see the new picture yet", "peer", a.Addr, "err", err)
	}
}
