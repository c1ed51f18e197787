//go:build unix

package interop

import (
	"slices"
	"sync"
	"testing"
)

// A scenario is something that people do on a server, and what the RFC says that each of their
// resources then gets. It is played on every server, by raw streams, and all must agree; where one does not, the
// table of [deviations] says so and quotes the RFC.
type scenario struct {
	name    string // says what holds
	section string // of RFC 6121, or of RFC 6120 with a leading "C"
	play    func(w *world)
}

// scenarios returns all of them, in the order of the RFCs.
func scenarios() []scenario {
	return slices.Concat(streamScenarios, bindScenarios, rosterScenarios, rosterVersionScenarios, subscribeScenarios,
		cancelScenarios, presenceScenarios, directedScenarios, messageScenarios, offlineScenarios, iqScenarios)
}

// The same scenarios on three servers. Ours is always there.
func TestScenariosOnOurs(t *testing.T)          { testScenarios(t, startOurs(t, false)) }
func TestScenariosOnOursWithUsual(t *testing.T) { testScenarios(t, startOurs(t, true)) }
func TestScenariosOnProsody(t *testing.T) {
	testScenarios(t, &subject{name: prosody, peer: startProsody(t, prosodyForScenarios), register: registerInBand})
}
func TestScenariosOnEjabberd(t *testing.T) {
	testScenarios(t, &subject{name: ejabberd, peer: startEjabberd(t, ejabberdForScenarios), register: registerInBand})
}

// testScenarios plays all scenarios on a server. It fails where the server does what neither the RFC nor
// the table of deviations says, and where the table says what the server does no longer.
func testScenarios(t *testing.T, s *subject) {
	var mu sync.Mutex // guards met and played
	met, played := make(map[*occurrence]bool), make(map[string]bool)
	t.Cleanup(func() { stillDeparts(t, s, met, played) }) // when all have been played
	for i, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel() // they share nothing but the server, and mostly wait for it
			w := newWorld(t, s, i, sc.name)
			sc.play(w)
			w.expect("at the end", nothing)
			mu.Lock()
			defer mu.Unlock()
			for _, o := range w.departed {
				met[o] = true
			}
			played[sc.name] = !t.Failed()
		})
	}
}

// Every scenario has a name of its own and a section.
func TestScenarioNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, sc := range scenarios() {
		if sc.name == "" || sc.section == "" || seen[sc.name] {
			t.Errorf("%q has no section, or its name twice", sc.name)
		}
		seen[sc.name] = true
	}
}
