package bench

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// Sizes of hostile input: where times mean something, and beyond the caches of
// most machines.
const (
	small  = 16 << 10
	middle = 64 << 10
	large  = 256 << 10
)

// The bounds of TestSlope. What time is worth on a busy machine is little, so
// only what is far from a straight line fails there; BenchmarkBudgets measures it.
const (
	maxGrowth = 6  // of the time for each byte, at 16 times the size
	maxMemory = 96 // bytes allocated for each byte of input, growing buffers included: of a child of 4 bytes, 48 are noted
)

// roomy lets n bytes through whatever they are, so that nothing is cheap for
// being refused early.
func roomy(n int) xmlwire.Limits {
	return xmlwire.Limits{Bytes: n + 1, Depth: n, Elements: n, Attrs: n, Namespaces: n, AttrBytes: n}
}

// The ways in which bytes come.
var ways = []struct {
	name  string
	slow  bool
	fault bool // at the end
}{
	{name: "whole"}, {name: "byte by byte", slow: true}, {name: "refused at the end", fault: true},
}

// input is what h makes, to be read from a source over and over.
type input struct {
	doc  []byte
	slow bool
}

func (h hostile) input(n int, slow, fault bool) input {
	s := h.make(n)
	if fault {
		s = torn(s)
	}
	return input{[]byte(corpus.Header + s), slow}
}

// drain reads the document to its end, and returns how that came about.
func (in input) drain() error {
	var src io.Reader = bytes.NewReader(in.doc)
	if in.slow {
		src = iotest.OneByteReader(src)
	}
	r := xmlwire.NewReader(src, roomy(len(in.doc)))
	if _, err := r.Header(); err != nil {
		return err
	}
	for {
		e, err := r.Next()
		if err != nil {
			return err
		}
		readHeader(e)
	}
}

// perByte is the time for each byte in ns, measured for a millisecond or once.
func (in input) perByte() float64 {
	start := time.Now()
	for n := 1; ; n++ {
		in.drain()
		if spent := time.Since(start); spent > time.Millisecond {
			return float64(spent.Nanoseconds()) / float64(n*len(in.doc))
		}
	}
}

// growth is how much dearer a byte of large is than one of small. While that is
// more than enough both are measured again, and the best times count: the machine
// has other work too. What takes less than a nanosecond counts as one: that is
// memory being fetched, which is nearer when there is little of it.
func growth(small, large input, enough float64) float64 {
	const tries, least = 50, 1
	a, b := small.perByte(), large.perByte()
	for range tries {
		if max(b, least)/max(a, least) <= enough {
			break
		}
		a, b = min(a, small.perByte()), min(b, large.perByte())
	}
	return max(b, least) / max(a, least)
}

// Time and memory grow as the input does: no more for a byte when there are many.
func TestSlope(t *testing.T) {
	if !pooled {
		t.Skip("with -race it is the detector that would be measured; without it this runs")
	}
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			for _, w := range ways {
				for _, n := range []int{small, middle, large} {
					in := h.input(n, w.slow, w.fault)
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					start := time.Now()
					err := in.drain()
					spent := time.Since(start)
					runtime.ReadMemStats(&after)
					reachesEnd(t, in, err)
					size := float64(len(in.doc))
					memory := float64(after.TotalAlloc-before.TotalAlloc) / size
					t.Logf("%s, %.0f bytes: %.2f ns/byte, %.1f bytes/byte", w.name, size, float64(spent.Nanoseconds())/size, memory)
					if memory > maxMemory {
						t.Errorf("%s, %.0f bytes: %.1f bytes allocated for each, want at most %d", w.name, size, memory, maxMemory)
					}
				}
				if got := growth(h.input(small, w.slow, w.fault), h.input(large, w.slow, w.fault), maxGrowth); got > maxGrowth {
					t.Errorf("%s: a byte takes %.1f times as long in %d bytes as in %d, want at most %d", w.name, got, large, small, maxGrowth)
				}
			}
		})
	}
}

// reachesEnd checks that in was read to its end, or nearly, else it shows nothing.
func reachesEnd(t *testing.T, in input, err error) {
	t.Helper()
	switch refusal, refused := errors.AsType[*xmlwire.Error](err); {
	case refused && refusal.Offset < int64(len(in.doc))*9/10:
		t.Errorf("refused too soon: %v", err)
	case !refused && err != io.ErrUnexpectedEOF:
		t.Errorf("not read: %v", err)
	}
}
