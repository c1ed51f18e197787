package xmlwire

import "unsafe"

// bytesOf returns the bytes of s without copying them, for functions that look at
// text of either type.
//
// It is safe because nobody writes to the result, and nobody keeps it: a string
// never changes and nothing can be appended in place, the capacity being the
// length. Within its length the slice is as good as the string, which it keeps
// alive.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
