package csi

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// What an indication writes reads back.
func TestRoundTripIndication(t *testing.T) {
	for active, name := range map[indication]string{true: "active", false: "inactive"} {
		e, err := stanza.ElementOf(active)
		if err != nil || !e.Is(NS, name) {
			t.Errorf("%t: %v, %v", active, e, err)
		}
	}
}
