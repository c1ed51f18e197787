package presence

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// nsOccupant is the namespace of the child that marks the presence of a
// chatroom's occupants (XEP-0045 §7.2).
const nsOccupant = "http://jabber.org/protocol/muc#user"

// available takes in an available presence.
func (t *Tracker) available(ctx context.Context, p *stanza.Presence) error {
	if p.From.IsZero() || isOwn(ctx, p) {
		return nil
	}
	if _, occupant := p.Payloads.Element(nsOccupant, "x"); occupant {
		return nil
	}
	e := &entry{Resource: resourceOf(p)}
	known := t.isKnown(ctx, p.From.Bare())

	t.mu.Lock()
	changed := t.add(e, known)
	t.mu.Unlock()
	t.notify(ctx, changed...)
	return nil
}

// gone takes in an unavailable presence, or an error, which says that whoever
// it is from cannot be reached (§4.3.2). From a bare JID it is about all
// resources (§4.5.4).
func (t *Tracker) gone(ctx context.Context, p *stanza.Presence) error {
	t.remove(ctx, p.From)
	return nil
}

// resourceOf returns what is kept of a presence. The texts and payloads of one
// that is too large are left out, since they would keep its bytes.
func resourceOf(p *stanza.Presence) Resource {
	r := Resource{JID: p.From, Show: p.Show, Priority: p.Priority, Arrived: time.Now()}
	if b, err := p.AppendXML(nil); err == nil && len(b) <= maxBytes {
		r.Status, r.Lang, r.Payloads = p.Status, p.Lang, p.Payloads
	}
	return r
}

// isKnown reports whether the bare JID is the own account or known.
func (t *Tracker) isKnown(ctx context.Context, contact jid.JID) bool {
	if s := xmpp.SessionFrom(ctx); s != nil && s.LocalAddr().Bare() == contact {
		return true
	}
	return t.opts.Known == nil || t.opts.Known(contact)
}

// add puts e in the place of an earlier entry of its address, or in that of the
// oldest one where there is no room. It returns the contacts that changed. It
// is called with mu held, as are the functions below.
func (t *Tracker) add(e *entry, known bool) (changed []jid.JID) {
	contact := e.JID.Bare()
	if old := t.find(e.JID); old != nil {
		t.drop(old)
		changed = append(changed, contact)
	}
	limit := t.opts.Strangers
	e.among = &t.strangers
	if known {
		limit = t.opts.Limit
		e.among = &t.known
	}
	if limit < 1 {
		return changed
	}
	if all := t.contacts[contact]; len(all) >= t.opts.PerContact {
		t.drop(slices.MinFunc(all, func(a, b *entry) int { return cmp.Compare(a.arrival, b.arrival) }))
	}
	if e.among.Len() >= limit {
		oldest := e.among.Front().Value.(*entry)
		t.drop(oldest)
		if other := oldest.JID.Bare(); other != contact {
			changed = append(changed, other)
		}
	}
	t.arrivals++
	e.arrival = t.arrivals
	e.place = e.among.PushBack(e)
	t.insert(contact, e)
	if !slices.Contains(changed, contact) {
		changed = append(changed, contact)
	}
	return changed
}

// insert keeps a contact's entries in order, best first.
func (t *Tracker) insert(contact jid.JID, e *entry) {
	all := t.contacts[contact]
	i, _ := slices.BinarySearchFunc(all, e, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(b.arrival, a.arrival))
	})
	t.contacts[contact] = slices.Insert(all, i, e)
}

// drop removes an entry.
func (t *Tracker) drop(e *entry) {
	e.among.Remove(e.place)
	contact := e.JID.Bare()
	rest := slices.DeleteFunc(t.contacts[contact], func(o *entry) bool { return o == e })
	if len(rest) == 0 {
		delete(t.contacts, contact)
		return
	}
	t.contacts[contact] = rest
}

// remove removes a resource, or all of a bare JID.
func (t *Tracker) remove(ctx context.Context, who jid.JID) {
	t.mu.Lock()
	before := len(t.contacts[who.Bare()])
	for _, e := range slices.Clone(t.contacts[who.Bare()]) {
		if e.JID == who || who.IsBare() {
			t.drop(e)
		}
	}
	after := len(t.contacts[who.Bare()])
	t.mu.Unlock()
	if after != before {
		t.notify(ctx, who.Bare())
	}
}
