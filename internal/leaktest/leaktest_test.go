package leaktest

import (
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func leakHere(stop <-chan struct{}) { <-stop }

// The check sees a goroutine that stays, names where it waits, and is content
// once it has gone.
func TestSettle(t *testing.T) {
	stop := make(chan struct{})
	go leakHere(stop)
	left := settle(10 * time.Millisecond)
	if len(left) != 1 || !strings.Contains(left[0], "leakHere") {
		t.Errorf("settle found %d goroutines, want the one that leaks:\n%s", len(left), strings.Join(left, "\n\n"))
	}
	close(stop)
	if left = settle(patience); len(left) != 0 {
		t.Errorf("after its end %d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}
