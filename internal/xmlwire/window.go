package xmlwire

import "sync"

// A window is what a Reader holds of its source: the element in progress from
// its first byte, and what came with it.
//
// Its buffers are lent by pools. A reader that has nothing in its window waits
// with idleBuffer bytes at most; the size follows what the source has given lately.
type window struct {
	buf        []byte
	start, end int
	offset     int64 // of start, in the document
	want       int   // the size of buffer that suits the source; 0 until it was read
}

const (
	// smallBuffer is what a reader waits with at first.
	smallBuffer = 1 << 10
	// idleBuffer is the largest buffer that a reader waits with while nothing is in it.
	idleBuffer = 4 << 10
	// busyBuffer is what is read at once from a source that gives all that is asked for.
	busyBuffer = 16 << 10
)

func (w *window) bytes() []byte { return w.buf[w.start:w.end] }
func (w *window) len() int      { return w.end - w.start }

// extend takes in the n bytes that were read into room.
func (w *window) extend(n int) {
	full := n == len(w.buf)-w.end // there may be more at once
	w.end += n
	switch {
	case full && w.want < busyBuffer:
		w.want *= 4
	case n < w.want/8 && w.want > smallBuffer:
		w.want /= 4
	}
}

func (w *window) consume(n int) {
	w.start += n
	w.offset += int64(n)
}

// room returns where to read to. At most limit bytes are of an element in
// progress, so the buffer need not grow far beyond that.
//
// Each byte is moved a bounded number of times, on average: when the buffer grows,
// which doubles it but for the last time; when a quarter of it was used up; and
// once more for an element that fills half of the largest buffer.
func (w *window) room(limit int) []byte {
	used := w.len()
	w.want = max(w.want, smallBuffer)
	if used == 0 {
		w.start, w.end = 0, 0
		if size := min(w.want, idleBuffer); len(w.buf) != size {
			w.replace(size)
		}
		return w.buf
	}
	if len(w.buf)-w.end >= max(len(w.buf)/4, 1) {
		return w.buf[w.end:]
	}
	size := len(w.buf)
	if used > size/2 {
		size = max(min(2*size, limit+smallBuffer), size)
	}
	if size = max(size, min(w.want, limit+smallBuffer)); size > len(w.buf) {
		w.replace(size)
	} else if w.start > 0 {
		copy(w.buf, w.bytes())
		w.start, w.end = 0, used
	}
	return w.buf[used:]
}

// replace moves the window to a buffer of another size.
func (w *window) replace(size int) {
	buf := lendBuffer(size)
	n := copy(buf, w.bytes())
	giveBackBuffer(w.buf)
	w.buf, w.start, w.end = buf, 0, n
}

// drop forgets all that is in the window.
func (w *window) drop() { *w = window{} }

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	idleBuffers  = sync.Pool{New: func() any { return new([idleBuffer]byte) }}
	busyBuffers  = sync.Pool{New: func() any { return new([busyBuffer]byte) }}
)

func lendBuffer(size int) []byte {
	switch size {
	case smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case idleBuffer:
		return idleBuffers.Get().(*[idleBuffer]byte)[:]
	case busyBuffer:
		return busyBuffers.Get().(*[busyBuffer]byte)[:]
	}
	return make([]byte, size)
}

func giveBackBuffer(b []byte) {
	switch len(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b))
	case idleBuffer:
		idleBuffers.Put((*[idleBuffer]byte)(b))
	case busyBuffer:
		busyBuffers.Put((*[busyBuffer]byte)(b))
	}
}
