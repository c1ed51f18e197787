package xmlwire

// A window is what a Reader holds of its source: the element in progress from
// its first byte, and what came with it.
type window struct {
	buf        []byte
	start, end int
	offset     int64 // of start, in the document
}

const (
	// smallBuffer is what a reader waits with.
	smallBuffer = 1 << 10
	// idleBuffer is the largest buffer kept while nothing is in it.
	idleBuffer = 4 << 10
)

func (w *window) bytes() []byte { return w.buf[w.start:w.end] }
func (w *window) len() int      { return w.end - w.start }
func (w *window) extend(n int)  { w.end += n }

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
	if used == 0 {
		w.start, w.end = 0, 0
		if len(w.buf) > idleBuffer {
			w.buf = nil
		}
	}
	if len(w.buf)-w.end >= max(len(w.buf)/4, 1) {
		return w.buf[w.end:]
	}
	size := len(w.buf)
	if used > size/2 || size == 0 {
		size = max(smallBuffer, min(2*size, limit+smallBuffer), size)
	}
	switch {
	case size > len(w.buf):
		grown := make([]byte, size)
		copy(grown, w.bytes())
		w.buf = grown
	case w.start > 0:
		copy(w.buf, w.bytes())
	}
	w.start, w.end = 0, used
	return w.buf[used:]
}
