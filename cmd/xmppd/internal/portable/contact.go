package portable

import (
	"context"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// states are the subscriptions of items as they are stored.
var states = map[roster.Subscription]storage.Subscription{
	roster.None: 0, "none": 0, roster.To: storage.To, roster.From: storage.From, roster.Both: storage.To | storage.From,
}

// itemOf is a contact as its owner sees it.
func itemOf(c storage.Contact) roster.Item {
	i := roster.Item{JID: c.JID, Name: c.Name, Groups: c.Groups, Ask: c.Subscription.Has(storage.PendingOut), Approved: c.Approved}
	for word, state := range states {
		if word != "none" && state == c.Subscription&(storage.To|storage.From) {
			i.Subscription = word
		}
	}
	return i
}

var errUnchanged = errors.New("unchanged")

// contact keeps an item of a roster, unless the contact is there.
func (i *Importer) contact(ctx context.Context, e stanza.Element) (bool, string, error) {
	var q roster.Query
	if err := e.Decode(&q); err != nil {
		return false, err.Error(), nil
	}
	item, err := q.Change()
	if err == nil {
		err = item.Check()
	}
	state, ok := states[item.Subscription]
	switch {
	case err != nil:
		return false, err.Error(), nil
	case !ok:
		return false, "the subscription makes no sense", nil
	case item.Ask && !state.Has(storage.To):
		state |= storage.PendingOut
	}
	why := ""
	_, err = i.Stores.Rosters.Update(ctx, i.id, item.JID, storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		why = ""
		if c.Listed {
			there := itemOf(c)
			if there.Name != item.Name || !slices.Equal(there.Groups, item.Groups) || c.Subscription&^storage.PendingIn != state || c.Approved != item.Approved {
				why = "there is another one already"
			}
			return c, errUnchanged
		}
		c.Listed, c.Name, c.Groups, c.Approved = true, item.Name, item.Groups, item.Approved
		c.Subscription |= state
		if c.Subscription.Has(storage.From) {
			c.Subscription, c.Request = c.Subscription&^storage.PendingIn, nil
		}
		return c, nil
	})
	return done(why, err)
}

// request keeps a request for a subscription that waits for an answer.
func (i *Importer) request(ctx context.Context, e stanza.Element) (bool, string, error) {
	b, err := e.AppendXML(nil)
	if err != nil {
		return false, "", err
	}
	raw, err := stanza.Parse(b)
	if err != nil {
		return false, err.Error(), nil
	}
	h := raw.Header()
	if h.Type != string(stanza.PresenceSubscribe) || h.From.IsZero() {
		return false, "it is no request for a subscription", nil
	}
	h.From, h.To = h.From.Bare(), i.addr
	if b, err = stanza.AppendWith(nil, raw, h); err != nil {
		return false, "", err
	}
	_, err = i.Stores.Rosters.Update(ctx, i.id, h.From, storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		if c.Subscription&(storage.From|storage.PendingIn) != 0 {
			return c, errUnchanged
		}
		c.Subscription, c.Request = c.Subscription|storage.PendingIn, b
		return c, nil
	})
	return done("", err)
}

func done(why string, err error) (bool, string, error) {
	if errors.Is(err, errUnchanged) {
		return false, why, nil
	}
	return err == nil, why, err
}

// contacts calls do with each contact of an account.
func contacts(ctx context.Context, s storage.Rosters, owner storage.AccountID, do func(storage.Contact) error) error {
	for after := (jid.JID{}); ; {
		some, err := s.List(ctx, owner, after, page)
		if err != nil {
			return err
		}
		for _, c := range some {
			if err := do(c); err != nil {
				return err
			}
			after = c.JID
		}
		if len(some) < page {
			return nil
		}
	}
}
