package bench

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
)

// The budgets of allocations, which are exact on any machine.
func TestAllocs(t *testing.T) {
	if !pooled {
		t.Skip("with -race, pools forget on purpose; without it this is measured")
	}
	chat := corpus.Entries()[0]
	for _, tt := range []struct {
		name string
		c    contestant
		want float64
	}{
		{"frame, check and read the header", frameOurs(t, chat), 0},
		{"route", routeOurs(t, chat.XML), 0},
		{"into the struct", decodeOurs(t, chat.XML), 5},
		{"into the struct, alone", parseOurs(t, chat.XML), 5},
		{"encode", encodeOurs(t, message(0)), 0},
		{"encode with payloads", encodeOurs(t, message(3)), 0},
		{"parse an address", parseJID(t, addresses[0].address), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.do(1)
			if got := testing.AllocsPerRun(1000, func() { tt.c.do(1) }); got > tt.want {
				t.Errorf("%v allocations, want at most %v", got, tt.want)
			}
		})
	}
}
