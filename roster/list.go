package roster

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
)

// A List is a roster kept current: loaded once for each session, then changed by
// the pushes of the server. Make one with [NewList]. All methods may be called
// from any goroutine.
//
// When a session is lost and another one begins, a list that was loaded loads
// itself again. Until then it holds what was last known.
type List struct {
	changed func(context.Context, jid.JID)

	mu    sync.Mutex // guards the fields below; not held over I/O or changed
	items map[jid.JID]Item
	ver   string
	loads map[*load]struct{} // those in progress
	// reload does what Load or LoadSince did last; nil before.
	reload func(context.Context, xmpp.Session) error
}

// load collects the pushes that were handled while its query was under way.
//
// The answer to a query may overtake pushes sent before it, and may be
// overtaken here by pushes sent after it, as another goroutine handles those.
// Both come out right when the pushes are applied, again, on top of the answer:
// they arrive in order, and the last one about an item is never older than what
// the answer says of it, unless a later one is still to come.
type load struct{ pushes []Push }

// ListOptions adjusts [NewList]. Nil and the zero value are ready to use.
type ListOptions struct {
	// Known is what the list begins with, such as one that [List.Roster] gave
	// and the program has kept.
	Known Roster
	// Changed, if not nil, is called after the item with that address was
	// added, updated or deleted: [List.Lookup] tells what it now is. Calls come
	// from the session's handlers and from Load, possibly at the same time; ctx
	// is theirs.
	Changed func(ctx context.Context, contact jid.JID)
}

// NewList returns a list, to be registered and then loaded.
func NewList(opts *ListOptions) *List {
	l := &List{items: make(map[jid.JID]Item), loads: make(map[*load]struct{})}
	if opts != nil {
		l.changed, l.ver, l.items = opts.Changed, opts.Known.Ver, index(opts.Known.Items)
	}
	return l
}

// Register has the list follow the pushes that the mux's session gets. A list
// is for one account.
func (l *List) Register(mux *muxer.Mux) {
	Register(mux, l.push)
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		l.mu.Lock()
		reload := l.reload
		l.mu.Unlock()
		if e.Status != xmpp.Online || reload == nil {
			return nil
		}
		return reload(ctx, xmpp.SessionFrom(ctx)) // what was pushed meanwhile is lost (§2.2)
	})
}

// Load fetches the roster (see [Get]) and replaces what the list holds. Call it
// once, before initial presence (§2.2). Pushes that arrive
// meanwhile are not lost.
func (l *List) Load(ctx context.Context, s xmpp.Session) error {
	return l.load(ctx, l.Load, func(Roster) (Roster, error) { return Get(ctx, s) })
}

// LoadSince is Load by [GetSince]: it fetches only what has changed since the
// version that the list holds, if the server can tell. It must not be used with
// a server that does not offer [NSVersioning].
func (l *List) LoadSince(ctx context.Context, s xmpp.Session) error {
	return l.load(ctx, l.LoadSince, func(known Roster) (Roster, error) { return GetSince(ctx, s, known) })
}

// Lookup returns the item with that address, or else with its bare JID. The
// item's groups must not be changed.
func (l *List) Lookup(contact jid.JID) (Item, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if item, ok := l.items[contact]; ok {
		return item, true
	}
	item, ok := l.items[contact.Bare()]
	return item, ok
}

// Contains reports whether there is an item with that address or its bare JID.
func (l *List) Contains(contact jid.JID) bool {
	_, ok := l.Lookup(contact)
	return ok
}

// Len returns the number of items.
func (l *List) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.items)
}

// All yields the items, ordered by address, as they are when the loop begins.
// The loop may do anything with the list. Groups must not be changed.
func (l *List) All() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, item := range l.Roster().Items {
			if !yield(item) {
				return
			}
		}
	}
}

// Roster returns what the list holds, ordered by address: to be kept until the
// program runs again and then given to [NewList]. Groups must not be changed.
func (l *List) Roster() Roster {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Roster{
		Ver:   l.ver,
		Items: slices.SortedFunc(maps.Values(l.items), func(a, b Item) int { return a.JID.Compare(b.JID) }),
	}
}

// push takes in a push.
func (l *List) push(ctx context.Context, p Push) {
	l.mu.Lock()
	for ld := range l.loads {
		ld.pushes = append(ld.pushes, p)
	}
	before, had := l.items[p.Item.JID]
	l.ver = apply(l.items, l.ver, p)
	after, has := l.items[p.Item.JID]
	l.mu.Unlock()

	if had != has || !before.Equal(after) {
		l.notify(ctx, p.Item.JID)
	}
}

// load replaces the content by what get returns, and what was pushed since. Once it has, reload does so for
// each new session.
func (l *List) load(ctx context.Context, reload func(context.Context, xmpp.Session) error, get func(known Roster) (Roster, error)) error {
	ld := new(load)
	l.mu.Lock()
	l.loads[ld] = struct{}{}
	l.mu.Unlock()

	known := l.Roster()
	r, err := get(known)

	l.mu.Lock()
	delete(l.loads, ld)
	if err != nil {
		l.mu.Unlock()
		return err
	}
	items, ver := index(r.Items), r.Ver
	for _, p := range ld.pushes {
		ver = apply(items, ver, p)
	}
	before := l.items
	l.items, l.ver, l.reload = items, ver, reload
	changed := difference(before, items)
	l.mu.Unlock()

	for _, contact := range changed {
		l.notify(ctx, contact)
	}
	return nil
}

func (l *List) notify(ctx context.Context, contact jid.JID) {
	if l.changed != nil {
		l.changed(ctx, contact)
	}
}

// apply changes items by a push and returns the version that then holds.
func apply(items map[jid.JID]Item, ver string, p Push) string {
	if p.Removed() {
		delete(items, p.Item.JID)
	} else {
		items[p.Item.JID] = p.Item
	}
	if p.Ver != "" {
		return p.Ver
	}
	return ver
}

// index maps items by address; of several with one address the last counts.
func index(items []Item) map[jid.JID]Item {
	m := make(map[jid.JID]Item, len(items))
	for _, i := range items {
		m[i.JID] = i
	}
	return m
}

// difference returns the addresses whose items differ, ordered.
func difference(a, b map[jid.JID]Item) []jid.JID {
	var out []jid.JID
	for j, item := range a {
		if other, ok := b[j]; !ok || !item.Equal(other) {
			out = append(out, j)
		}
	}
	for j := range b {
		if _, ok := a[j]; !ok {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, jid.JID.Compare)
	return out
}
