package jid

import "strings"

// A Cache parses addresses and remembers the last ones it has seen: on a stream
// the same few come again and again, and then cost a comparison and no
// allocation. It copies what it keeps, so its methods may be given parts of
// memory that is about to change.
//
// The zero Cache is ready to use. It belongs to one goroutine, holds up to 16
// addresses of at most 256 bytes each, and nothing before it was used.
type Cache struct {
	slots *[cacheSlots]cached
}

const (
	cacheSlots = 16
	maxCached  = 256
)

// cached is an address that was parsed.
type cached struct {
	in     string // as it was written; empty for none
	out    JID
	strict bool // Parse accepts it too
}

// Parse is [Parse].
func (c *Cache) Parse(s string) (JID, error) { return c.parse(s, true) }

// ParseLenient is [ParseLenient].
func (c *Cache) ParseLenient(s string) (JID, error) { return c.parse(s, false) }

func (c *Cache) parse(s string, strict bool) (JID, error) {
	if c.slots == nil {
		c.slots = new([cacheSlots]cached)
	}
	slot := &c.slots[slotOf(s)]
	if s != "" && slot.in == s && (slot.strict || !strict) {
		return slot.out, nil
	}
	s = strings.Clone(s)
	parse := ParseLenient
	if strict {
		parse = Parse
	}
	j, err := parse(s)
	if err == nil && len(s) <= maxCached {
		*slot = cached{s, j, strict}
	}
	return j, err
}

// slotOf spreads addresses over the slots: by their length, the ends that differ
// between accounts and resources, and the middle. Whoever finds some that share a
// slot gains that they are parsed each time.
func slotOf(s string) uint {
	n := uint(len(s))
	if n == 0 {
		return 0
	}
	h := n + 3*uint(s[0]) + 5*uint(s[n-1]) + 7*uint(s[n/2]) + 11*uint(s[n/4]) + 13*uint(s[n-n/4-1])
	return (h ^ h>>4) % cacheSlots
}
