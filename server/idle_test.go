package server

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// An idle session keeps 8 KiB of stack, with TLS: what waits for the client uses less than a quarter of 16 KiB, of which the runtime
// then takes half back.
func TestIdleStack(t *testing.T) {
	if raceEnabled {
		t.Skip("frames are larger with the race detector")
	}
	const sessions = 100
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.SessionsPerAccount = sessions })
	s := h.serve(h.srv.Serve)
	before := stacks()
	for range sessions {
		c, err := s.dial(false)
		require.NoError(t, err)
		t.Cleanup(c.Abort)
	}
	for range 100 { // some may be about to wait yet
		if stacks() < before+sessions*9<<10 {
			return
		}
	}
	t.Fatalf("%d bytes of stack for each", (stacks()-before)/sessions)
}

// stacks is how much stack there is after a collection.
func stacks() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}
