package storage

import "testing"

// Appendix A.1 of RFC 6121 has nine states.
func TestI3_AppendixA_States(t *testing.T) {
	want := map[Subscription]bool{
		0: true, PendingOut: true, PendingIn: true, PendingOut | PendingIn: true,
		To: true, To | PendingIn: true, From: true, From | PendingOut: true, To | From: true,
	}
	for s := range Subscription(255) {
		if got := s.Valid(); got != want[s] {
			t.Errorf("Valid(%04b) = %v, want %v", s, got, want[s])
		}
	}
}
