package presence

import (
	"container/list"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Resource is one place where a contact is available: a device, or whatever
// has sent presence in the contact's name.
type Resource struct {
	JID      jid.JID // usually full; bare for one without resources, such as a gateway
	Show     stanza.Show
	Status   stanza.Text
	Lang     string // of the texts in Status that name none
	Priority int8
	Payloads stanza.Payloads // not to be changed
	Arrived  time.Time       // when the latest presence was handled here
}

// A Tracker knows which resources of which contacts are available, by the
// presence that arrived (RFC 6121 §4). Make one with [NewTracker]. All methods
// may be called from any goroutine.
//
// It keeps the other devices of the own account too, but not the session's own.
// Occupants of chatrooms are not contacts; package muc keeps them.
//
// Memory is bounded by the limits in [Options]: what arrives when one is
// reached takes the place of what arrived longest ago. Of a presence larger
// than 16 KiB only show and priority are kept.
type Tracker struct {
	opts Options // with defaults filled in

	mu        sync.Mutex           // guards the fields below; not held over functions of Options
	contacts  map[jid.JID][]*entry // by bare JID; best first, never empty
	known     list.List            // of *entry, the latest arrival last
	strangers list.List            // likewise, those whom Known does not know
	arrivals  uint64
}

type entry struct {
	Resource
	arrival uint64        // tells the order where clocks cannot
	among   *list.List    // known or strangers
	place   *list.Element // in among
}

// maxBytes bounds the presence that an entry holds on to.
const maxBytes = 16 << 10

// Options adjusts [NewTracker]. Nil and the zero value are ready to use.
type Options struct {
	// Known tells contacts from strangers, who then cannot crowd them out; a
	// roster.List has it as its method Contains. It is asked for the sender's
	// bare JID when a presence arrives. Nil: everybody is known.
	Known func(contact jid.JID) bool
	// Limit bounds the resources of those who are known, all together. Zero
	// means 10 000.
	Limit int
	// Strangers bounds the resources of those who are not. Zero means 500;
	// negative means that none are kept.
	Strangers int
	// PerContact bounds the resources of one bare JID. Zero means 50.
	PerContact int
	// Changed, if not nil, is called after the availability of a contact, a
	// bare JID, has changed: [Tracker.All] tells what it now is. Calls come
	// from the session's handlers and from Reset, possibly at the same time;
	// ctx is theirs.
	Changed func(ctx context.Context, contact jid.JID)
}

// NewTracker returns a tracker, to be registered.
func NewTracker(opts *Options) *Tracker {
	t := &Tracker{contacts: make(map[jid.JID][]*entry)}
	if opts != nil {
		t.opts = *opts
	}
	if t.opts.Limit <= 0 {
		t.opts.Limit = 10_000
	}
	if t.opts.Strangers == 0 {
		t.opts.Strangers = 500
	}
	if t.opts.PerContact <= 0 {
		t.opts.PerContact = 50
	}
	return t
}

// Register has the tracker follow the presence that the mux's session gets, and
// forget everything when that is lost. A tracker is for one session at a time.
func (t *Tracker) Register(mux *muxer.Mux) {
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		if e.Status == xmpp.Offline {
			t.Reset(ctx)
		}
		return nil
	})
	mux.Presence(stanza.PresenceAvailable, t.available)
	mux.Presence(stanza.PresenceUnavailable, t.gone)
	mux.Presence(stanza.PresenceError, t.gone)
	mux.Presence(stanza.PresenceUnsubscribed, func(ctx context.Context, p *stanza.Presence) error {
		t.remove(ctx, p.From.Bare()) // nothing more will be heard (§3.2.3, §4.3.2)
		return nil
	})
}

// Best returns the contact's resource that a message is best sent to: the one
// with the highest priority and, of several, the latest presence. None with a
// negative priority is: it does not want messages that are not for it alone
// (§4.7.2.3).
func (t *Tracker) Best(contact jid.JID) (Resource, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if all := t.contacts[contact.Bare()]; len(all) > 0 && all[0].Priority >= 0 {
		return all[0].Resource, true
	}
	return Resource{}, false
}

// All returns the contact's available resources, best first, those with a
// negative priority last. It is empty when the contact is not available.
func (t *Tracker) All(contact jid.JID) []Resource {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Resource
	for _, e := range t.contacts[contact.Bare()] {
		out = append(out, e.Resource)
	}
	return out
}

// Lookup returns the resource with exactly that address, if it is available.
func (t *Tracker) Lookup(resource jid.JID) (Resource, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.find(resource); e != nil {
		return e.Resource, true
	}
	return Resource{}, false
}

// Online yields the bare JIDs that have an available resource, ordered, as they
// are when the loop begins. The loop may do anything with the tracker.
func (t *Tracker) Online() iter.Seq[jid.JID] {
	return func(yield func(jid.JID) bool) {
		t.mu.Lock()
		all := slices.SortedFunc(maps.Keys(t.contacts), jid.JID.Compare)
		t.mu.Unlock()
		for _, j := range all {
			if !yield(j) {
				return
			}
		}
	}
}

// Reset forgets everything. Call it when a session has ended that tells nobody (see
// [xmpp.Observer]), for nobody will say any more that a contact has gone.
func (t *Tracker) Reset(ctx context.Context) {
	t.mu.Lock()
	gone := slices.SortedFunc(maps.Keys(t.contacts), jid.JID.Compare)
	clear(t.contacts)
	t.known.Init()
	t.strangers.Init()
	t.mu.Unlock()
	t.notify(ctx, gone...)
}

func (t *Tracker) notify(ctx context.Context, contacts ...jid.JID) {
	if t.opts.Changed == nil {
		return
	}
	for _, c := range contacts {
		t.opts.Changed(ctx, c)
	}
}

// find returns the entry of that address. It is called with mu held.
func (t *Tracker) find(resource jid.JID) *entry {
	for _, e := range t.contacts[resource.Bare()] {
		if e.JID == resource {
			return e
		}
	}
	return nil
}

// isOwn reports whether a presence is the session's own, returned by the server
// (§4.2.2).
func isOwn(ctx context.Context, p *stanza.Presence) bool {
	s := xmpp.SessionFrom(ctx)
	return s != nil && s.LocalAddr() == p.From
}
