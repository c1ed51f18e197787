package blocking

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

// A List is a block list kept current: loaded once for each session, then changed by what the server tells.
// Make one with [NewList]. All methods may be called from any goroutine.
//
// When a session is lost and another one begins, a list that was loaded loads itself again. Until then it holds what was
// last known.
type List struct {
	changed func(context.Context)

	mu      sync.Mutex // guards the fields below; not held over I/O or changed
	entries set
	loaded  bool
	loads   map[*load]struct{} // those in progress
}

// A load collects the changes that were told while its query was under way. They may be older or newer
// than the answer; applied on top of it, they make it right.
type load struct{ changes []Change }

// ListOptions adjusts [NewList]. Nil and the zero value are ready to use.
type ListOptions struct {
	// Changed, if not nil, is called after the list has changed. Calls come from the session's handlers and from
	// Load, possibly at the same time; ctx is theirs.
	Changed func(ctx context.Context)
}

// NewList returns an empty list, to be registered and then loaded.
func NewList(opts *ListOptions) *List {
	l := &List{entries: set{}, loads: make(map[*load]struct{})}
	if opts != nil {
		l.changed = opts.Changed
	}
	return l
}

// Register has the list follow the mux's session. A list is for one account.
func (l *List) Register(mux *muxer.Mux) {
	Register(mux, l.push)
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		l.mu.Lock()
		loaded := l.loaded
		l.mu.Unlock()
		if e.Status != xmpp.Online || !loaded {
			return nil
		}
		return l.Load(ctx, xmpp.SessionFrom(ctx)) // what was told meanwhile is lost
	})
}

// Load fetches the list, see [Get], and replaces what is held. Call it once, after logging in (§3.2). Changes that the
// server tells meanwhile are not lost.
func (l *List) Load(ctx context.Context, s xmpp.Session) error {
	ld := new(load)
	l.mu.Lock()
	l.loads[ld] = struct{}{}
	l.mu.Unlock()

	entries, err := Get(ctx, s)

	l.mu.Lock()
	delete(l.loads, ld)
	if err != nil {
		l.mu.Unlock()
		return err
	}
	before := l.entries
	l.entries, l.loaded = setOf(entries...), true
	for _, c := range ld.changes {
		c.apply(l.entries)
	}
	same := maps.Equal(before, l.entries)
	l.mu.Unlock()

	if !same {
		l.notify(ctx)
	}
	return nil
}

// push takes in a change.
func (l *List) push(ctx context.Context, c Change) {
	l.mu.Lock()
	for ld := range l.loads {
		ld.changes = append(ld.changes, c)
	}
	before := maps.Clone(l.entries)
	c.apply(l.entries)
	same := maps.Equal(before, l.entries)
	l.mu.Unlock()
	if !same {
		l.notify(ctx)
	}
}

func (l *List) notify(ctx context.Context) {
	if l.changed != nil {
		l.changed(ctx)
	}
}

// Blocks reports whether an entry matches the address: see [Match].
func (l *List) Blocks(addr jid.JID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries.covers(addr)
}

// Contains reports whether that very address is on the list, so that it can be unblocked.
func (l *List) Contains(entry jid.JID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries.has(entry)
}

// Len returns the number of entries.
func (l *List) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// All yields the entries, ordered by address, as they are when the loop begins.
func (l *List) All() iter.Seq[jid.JID] {
	return func(yield func(jid.JID) bool) {
		l.mu.Lock()
		entries := l.entries.sorted()
		l.mu.Unlock()
		slices.Values(entries)(yield)
	}
}
