package xmlwire

import "slices"

// Adopt makes the element dst[from:], written to stand where ns is the default
// namespace, a child of an element whose namespace is parentNS: it declares ns if
// it inherits what it has no longer. That is [Node.AppendTo] in place.
func Adopt(dst []byte, from int, ns, parentNS string) []byte {
	t := readTag(dst[from:])
	if ns == parentNS || len(t.name) == 0 || t.declaresDefault() {
		return dst
	}
	at, end := from+len("<")+len(t.name), len(dst)
	dst = appendAttr(dst, "xmlns", ns)
	n := len(dst) - end
	dst = slices.Grow(dst, n)[:end+2*n] // the declaration waits behind while the rest makes room
	copy(dst[end+n:], dst[end:end+n])
	copy(dst[at+n:], dst[at:end])
	copy(dst[at:], dst[end+n:end+2*n])
	return dst[:end+n]
}
