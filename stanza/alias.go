package stanza

import (
	"strings"
	"unsafe"
)

// alias returns b as a string without copying it. It is for parts of elements
// that never change, as all do that are not lent: the string then shares their
// memory, and what is decoded of a stanza costs no allocation of its own.
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// rebase returns s in memory that lasts: where it stands in to, if it is a part of
// from, of which to is a copy.
func rebase(s string, from, to []byte) string {
	at, start := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.SliceData(from)))
	if s == "" || at < start || at+uintptr(len(s)) > start+uintptr(len(from)) {
		return strings.Clone(s)
	}
	i := int(at - start)
	return alias(to[i : i+len(s)])
}
