package stream

import "sync"

// Buffers are lent, not owned: a stream that has nothing to send has none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that is lent again.
const keepBuffer = 64 << 10

// lend returns an empty buffer.
func lend() *[]byte {
	b := buffers.Get().(*[]byte)
	*b = (*b)[:0]
	return b
}

func giveBack(b *[]byte) {
	if b != nil && cap(*b) <= keepBuffer {
		buffers.Put(b)
	}
}
