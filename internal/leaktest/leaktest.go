// Package leaktest fails a test run that leaves goroutines behind: whoever
// starts one joins it.
//
//	func TestMain(m *testing.M) { leaktest.Main(m) }
package leaktest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// patience is how long goroutines that are on their way out may take.
const patience = 5 * time.Second

// Main runs the tests of m and exits the process: with the result of the tests,
// or with 1 when they passed but left goroutines running, whose stacks are then
// printed.
func Main(m interface{ Run() int }) {
	code := m.Run()
	if code == 0 {
		if left := settle(patience); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "leaktest: %d goroutines still run after the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// settle waits until no goroutine is left that ought to have ended, for as long as
// wait, and returns the stacks of those that remain.
func settle(wait time.Duration) []string {
	deadline := time.Now().Add(wait)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		left := others()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-tick.C
	}
}

// others returns the stacks of all goroutines but the caller's and those that belong to
// the runtime or to package testing.
func others() []string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf)) // it was cut off
	}
	var out []string
	_, rest, _ := strings.Cut(string(buf), "\n\n") // the first is the caller
	for stack := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		if stack != "" && !expected(stack) {
			out = append(out, stack)
		}
	}
	return out
}

// expected reports whether a goroutine outlives the tests by design.
func expected(stack string) bool {
	_, frames, _ := strings.Cut(stack, "\n")
	for _, prefix := range []string{
		"testing.(*M).",           // waits for a deadline or runs a fuzz worker
		"testing.(*T).Run(",       // waits for a subtest
		"testing.tRunner",         // a test that is still being reported
		"testing.runFuzz",         // the coordinator of fuzzing
		"os/signal.signal_recv",   // one for the process, once any signal is asked for
		"os/signal.loop",          //
		"runtime.ensureSigM",      //
		"runtime/trace.",          // go test -trace
		"runtime.ReadTrace",       //
		"runtime/pprof.profileWr", // go test -cpuprofile
		"internal/fuzz.",          // go test -fuzz
	} {
		if strings.HasPrefix(frames, prefix) {
			return true
		}
	}
	return false
}
