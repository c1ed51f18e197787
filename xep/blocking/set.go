package blocking

import (
	"maps"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A set is what is blocked.
type set map[jid.JID]struct{}

func setOf(entries ...jid.JID) set {
	s := make(set, len(entries))
	s.add(entries...)
	return s
}

func (s set) add(entries ...jid.JID) {
	for _, j := range entries {
		s[j] = struct{}{}
	}
}

func (s set) remove(entries ...jid.JID) {
	for _, j := range entries {
		delete(s, j)
	}
}

func (s set) has(entry jid.JID) bool {
	_, ok := s[entry]
	return ok
}

// covers reports whether one of the entries matches an address. It is [Match] without a look at each.
func (s set) covers(addr jid.JID) bool {
	return len(s) > 0 && !addr.IsZero() && (s.has(addr) || s.has(addr.Bare()) || s.has(addr.Domain()))
}

// sorted returns the entries, those of a domain side by side.
func (s set) sorted() []jid.JID {
	return slices.SortedFunc(maps.Keys(s), jid.JID.Compare)
}
