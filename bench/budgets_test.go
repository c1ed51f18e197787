package bench

import (
	"fmt"
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
)

// BenchmarkBudgets measures what is promised. The contestants work in turns, so
// that the ratios are of one machine in one state; the table at the end says what
// was held. A benchmark passes all the same: it is the reader who judges times.
func BenchmarkBudgets(b *testing.B) {
	chat := corpus.Entries()[0]
	b.Run("frame", func(b *testing.B) { budgetFrame(b, chat) })
	b.Run("decode", func(b *testing.B) { budgetDecode(b, chat.XML) })
	b.Run("encode", budgetEncode)
	b.Run("jid", func(b *testing.B) { budgetJID(b, chat) })
	b.Run("slope", budgetSlope)
}

// budgetFrame: check and read the header of the chat message.
func budgetFrame(b *testing.B, chat corpus.Entry) {
	const name = "frame, check and read the header of the chat message"
	us, std, ex := frameOurs(b, chat), frameStd(b, chat), frameExpat(b, chat)
	times := inTurns(b, append([]contestant{us, std}, ex...)...)
	wantAllocs(b, name, us, 0)
	wantRatio(b, name, encodingXML, times[1]/times[0], 25)
	if len(ex) == 0 {
		results.skip(name, atLeast(5, libexpat), "needs -tags expat")
	} else {
		wantRatio(b, name, libexpat, times[2]/times[0], 5)
	}
	b.ReportMetric(times[0], "ours-ns")
}

// budgetDecode: the chat message as a struct.
func budgetDecode(b *testing.B, chat []byte) {
	const name = "the chat message into its struct"
	us, std := decodeOurs(b, chat), decodeStd(b, chat)
	times := inTurns(b, us, std)
	wantAllocs(b, name, us, 5)
	wantRatio(b, name, encodingXML, times[1]/times[0], 15)
	b.ReportMetric(times[0], "ours-ns")
}

// budgetEncode: a chat message with a body, as a program sends it. What payloads
// of their own add is in BenchmarkEncode.
func budgetEncode(b *testing.B) {
	const name = "encode a chat message"
	us := encodeOurs(b, message(0))
	times, best := allTurns(b, us, encodeStd(b, 0))
	wantAllocs(b, name, us, 0)
	wantTime(b, name+", plain work", best[0], 100)
	b.ReportMetric(times[1]/times[0], "x-encodingxml")
}

// yardstick is how fast encoding/xml is, in MB/s, on the machine that the budget
// for addresses speaks of.
const yardstick = 32

// budgetJID: an address in ASCII. The time is scaled to the machine of the
// budget by what encoding/xml does with the chat message here, in the same turns.
func budgetJID(b *testing.B, chat corpus.Entry) {
	const name = "parse an ASCII full JID"
	us, std := parseJID(b, addresses[0].address), frameStd(b, chat)
	times := inTurns(b, us, std)
	wantAllocs(b, name, us, 1)
	rate := float64(len(chat.XML)) / times[1] * 1000 // MB/s
	b.ReportMetric(rate, "encodingxml-MB/s")
	b.ReportMetric(times[0], "ours-ns")
	wantTime(b, fmt.Sprintf("%s, where encoding/xml does %d MB/s", name, yardstick), times[0]*rate/yardstick, 60)
}

// budgetSlope: no input costs more for each byte when it is larger.
func budgetSlope(b *testing.B) {
	const grown, bound, enough = large / small, maxGrowth, 1.5
	var worst float64
	var of string
	for b.Loop() {
		for _, h := range hostiles {
			for _, w := range ways {
				got := growth(h.input(small, w.slow, w.fault), h.input(large, w.slow, w.fault), enough)
				if got > worst {
					worst, of = got, h.name+", "+w.name
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(worst, "x-time-per-byte")
	results.judge("time for each byte of hostile input", fmt.Sprintf("≤ %d× at %d times the size", bound, grown),
		fmt.Sprintf("%.1f× (%s)", worst, of), worst <= bound)
}

func atLeast(x int, who string) string { return fmt.Sprintf("≥ %d × %s", x, called[who]) }

// called is how tables call the contestants, in whose own names a slash would not do.
var called = map[string]string{encodingXML: "encoding/xml", libexpat: "libexpat"}

// wantRatio records how much faster than another we are.
func wantRatio(b *testing.B, name, who string, got float64, want int) {
	b.ReportMetric(got, "x-"+who)
	results.judge(name, atLeast(want, who), fmt.Sprintf("%.1f×", got), got >= float64(want))
}

// wantTime records a time in ns.
func wantTime(b *testing.B, name string, got, want float64) {
	b.ReportMetric(got, "ns-judged")
	results.judge(name, fmt.Sprintf("≤ %.0f ns", want), fmt.Sprintf("%.0f ns", got), got <= want)
}

// wantAllocs counts and records the allocations of c.
func wantAllocs(b *testing.B, name string, c contestant, want float64) {
	got := allocations(c)
	b.ReportMetric(got, "allocs")
	results.judge(name, fmt.Sprintf("≤ %.0f allocations", want), fmt.Sprint(got), got <= want)
}
