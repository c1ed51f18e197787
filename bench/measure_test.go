package bench

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// A contestant does one kind of work; do does it n times.
type contestant struct {
	name string
	do   func(n int)
}

// The contestants' names.
const (
	ours        = "ours"
	encodingXML = "encodingxml"
	libexpat    = "expat"
)

// A cost is what one turn of work takes.
type cost struct {
	ns            float64
	bytes, allocs float64
}

// run measures c as a benchmark of its own does, and keeps the result for the
// tables under group and name.
func (c contestant) run(b *testing.B, group, name string, size int) {
	b.Run(c.name, func(b *testing.B) {
		c.do(1) // what is made once is made
		b.SetBytes(int64(size))
		b.ReportAllocs()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.ResetTimer()
		c.do(b.N)
		b.StopTimer()
		runtime.ReadMemStats(&after)
		results.add(b, group, name, c.name, cost{
			ns:     float64(b.Elapsed().Nanoseconds()) / float64(b.N),
			bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(b.N),
			allocs: float64(after.Mallocs-before.Mallocs) / float64(b.N),
		})
	})
}

// slice is how long one contestant works before the next has its turn: long
// enough for the garbage collector to have its share in it.
const slice = 20 * time.Millisecond

// inTurns lets the contestants work one after another for about a slice each,
// round after round, and returns the median time of each, so that whatever else
// the machine does meets all of them alike. Each turn begins with a collected heap:
// nobody pays for what another has left behind.
func inTurns(b *testing.B, all ...contestant) []float64 {
	medians, _ := allTurns(b, all...)
	return medians
}

// allTurns is inTurns, and returns the best time of each as well: what the work
// itself takes while nothing else gets in its way.
func allTurns(b *testing.B, all ...contestant) (medians, best []float64) {
	turns := make([]int, len(all))
	for i, c := range all {
		turns[i] = calibrate(c)
	}
	times := make([][]float64, len(all))
	for b.Loop() {
		for i, c := range all {
			runtime.GC()
			start := time.Now()
			c.do(turns[i])
			times[i] = append(times[i], float64(time.Since(start).Nanoseconds())/float64(turns[i]))
		}
	}
	medians, best = make([]float64, len(all)), make([]float64, len(all))
	for i := range times {
		slices.Sort(times[i])
		medians[i], best[i] = times[i][len(times[i])/2], times[i][0]
	}
	b.ReportMetric(0, "ns/op") // an op is a round, which means nothing
	return medians, best
}

// calibrate returns how many turns of c take about a slice.
func calibrate(c contestant) int {
	for n := 1; ; n *= 2 {
		start := time.Now()
		c.do(n)
		if spent := time.Since(start); spent > slice/4 {
			return max(1, int(float64(n)*float64(slice)/float64(spent)))
		}
	}
}

// allocations counts the allocations of one turn of c, exactly.
func allocations(c contestant) float64 {
	c.do(1)
	return testing.AllocsPerRun(100, func() { c.do(1) })
}
