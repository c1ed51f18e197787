package xmlwire

import "cmp"

// Limits bounds one document, so that no peer can make a reader use much memory
// or time. A zero (or negative) field means its default. What exceeds a limit is
// a policy-violation (RFC 6120 §4.9.3.14).
type Limits struct {
	// Bytes bounds one first-level element, or the root's start tag, as received;
	// its plain form may be twice as long as that, but no more than 16 times as long
	// as what was received and 4 KiB. (An XML declaration may have 256 bytes,
	// always.) Default 262144 (256 KiB).
	Bytes int
	// Depth bounds the nesting of elements; a first-level element has depth 1.
	// Default 100.
	Depth int
	// Elements bounds the elements in a first-level element, itself included.
	// Default 10000.
	Elements int
	// Attrs bounds the attributes of one element, declarations included.
	// Default 64.
	Attrs int
	// Namespaces bounds the namespace declarations in a first-level element, or
	// in the root's start tag. Whatever it is, no more than 64 prefixes may be in
	// scope at once. Default 4096.
	Namespaces int
	// AttrBytes bounds the name and the value of one attribute together, as
	// received. Default 65536 (64 KiB).
	AttrBytes int
}

// The defaults of [Limits].
const (
	defaultBytes      = 256 << 10
	defaultDepth      = 100
	defaultElements   = 10_000
	defaultAttrs      = 64
	defaultNamespaces = 4096
	defaultAttrBytes  = 64 << 10
)

// maxBytes keeps positions, and twice as much, within int32.
const maxBytes = 1 << 29

// maxPrefixes bounds the prefixes in scope at once, so that looking one up takes
// bounded time.
const maxPrefixes = 64

// maxReference bounds a reference such as &#x00000041;, whose leading zeros XML
// does not bound.
const maxReference = 32

// withDefaults returns l with all fields set.
func (l Limits) withDefaults() Limits {
	limit := func(n, byDefault int) int { return min(cmp.Or(max(n, 0), byDefault), maxBytes) }
	return Limits{
		Bytes:      limit(l.Bytes, defaultBytes),
		Depth:      limit(l.Depth, defaultDepth),
		Elements:   limit(l.Elements, defaultElements),
		Attrs:      limit(l.Attrs, defaultAttrs),
		Namespaces: limit(l.Namespaces, defaultNamespaces),
		AttrBytes:  limit(l.AttrBytes, defaultAttrBytes),
	}
}
