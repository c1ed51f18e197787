package jid

import (
	"testing"
	"unsafe"
)

// TestSize keeps a JID at three words: it sits in every stanza header and in the
// keys of every routing table.
func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(JID{}); got > 24 {
		t.Errorf("a JID is %d bytes; want at most 24", got)
	}
}

func TestAllocs(t *testing.T) {
	full := MustParse("juliet@example.com/balcony")
	buf := make([]byte, 0, 64)
	for _, tt := range []struct {
		name string
		want float64
		run  func()
	}{
		{"Parse, canonical", 0, func() { sink, _ = Parse("juliet@example.com/balcony") }},
		{"ParseLenient, canonical", 0, func() { sink, _ = ParseLenient("juliet@example.com/balcony") }},
		{"Parse, upper case", 1, func() { sink, _ = Parse("Juliet@Example.COM/Balcony") }},
		{"New", 1, func() { sink, _ = New("juliet", "example.com", "balcony") }},
		{"WithResource", 1, func() { sink, _ = full.WithResource("garden") }},
		{"WithLocal", 1, func() { sink, _ = full.WithLocal("romeo") }},
		{"Bare", 0, func() { sink = full.Bare() }},
		{"Domain", 0, func() { sink = full.Domain() }},
		{"parts", 0, func() { length = len(full.Localpart()) + len(full.Domainpart()) + len(full.Resourcepart()) }},
		{"Compare", 0, func() { length = full.Compare(sink) }},
		{"AppendText", 0, func() { buf, _ = full.AppendText(buf[:0]) }},
	} {
		if got := testing.AllocsPerRun(100, tt.run); got > tt.want {
			t.Errorf("%s: %v allocations; want at most %v", tt.name, got, tt.want)
		}
	}
}

// What the measured calls return goes here, so that they are not optimized away.
var (
	sink   JID
	length int
)

func BenchmarkParse(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"ascii", "juliet@example.com/balcony"}, // budget: 60 ns, no allocation
		{"upper", "Juliet@Example.COM/Balcony"}, // budget: one allocation
		{"bare", "juliet@example.com"},
		{"domain", "example.com"},
		{"nick", "room@chat.example.com/Жульетта"}, // the usual case that is not ASCII
		{"local", "жульетта@example.com/balcony"},
		{"idn", "juliet@bücher.example/balcony"},
		{"a-label", "juliet@xn--bcher-kva.example/balcony"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = Parse(bb.in)
			}
		})
	}
}

func BenchmarkParseLenient(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"ascii", "juliet@example.com/balcony"},
		{"kept", "room@chat.example.com/👩\u200d🚀"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = ParseLenient(bb.in)
			}
		})
	}
}

func BenchmarkWithResource(b *testing.B) {
	j := MustParse("juliet@example.com")
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = j.WithResource("balcony")
	}
}
