//go:build unix

package interop

import (
	"slices"
	"strings"
)

// getSince asks for what has changed since a version of the roster.
func getSince(id, version string) string {
	return "<iq type='get' id='" + id + "'><query xmlns='jabber:iq:roster' ver='" + version + "'/></iq>"
}

// versions returns the versions in all roster pushes and results that a resource has got.
func (w *world) versions(name string) []string {
	w.t.Helper()
	r := w.resource(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(r.versions)
}

var rosterVersionScenarios = []scenario{
	{"a server that can do with versions of rosters says so and numbers them", "2.6.3", func(w *world) {
		w.login("juliet/balcony")
		if !strings.Contains(w.resource("juliet/balcony").features.String(), "urn:xmpp:features:rosterver") {
			return // §2.6 is optional
		}
		w.says("juliet/balcony", getSince("bootstrap", ""))
		w.expect("no version", "juliet/balcony < iq from=juliet id=bootstrap type=result [roster:query]")
		first := w.versions("juliet/balcony")
		w.says("juliet/balcony", set("s1", "<item jid='nurse@example.org'/>"), set("s2", "<item jid='mother@example.org'/>"))
		w.expect("two changes", `
			juliet/balcony < iq from=juliet id=s1 type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none]]
			juliet/balcony < iq from=juliet id=s2 type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=mother subscription=none]]`)
		all := w.versions("juliet/balcony")
		distinct := make(map[string]bool)
		for _, v := range all {
			distinct[v] = true
		}
		if len(first) != 1 || len(all) != 3 || len(distinct) != 3 || distinct["none"] {
			w.note("juliet/balcony", "versions that are not unique: %q", all)
		}
		w.expect("every push has a version of its own", nothing)
		latest := all[len(all)-1]
		w.login("juliet/chamber")
		w.says("juliet/chamber", getSince("current", latest))
		w.expect("the latest version",
			"juliet/chamber < iq from=juliet id=current type=result",
			"juliet/chamber < iq from=juliet id=current type=result [roster:query [item jid=mother subscription=none] [item jid=nurse subscription=none]]")
		w.says("juliet/balcony", set("r", "<item jid='nurse@example.org' subscription='remove'/>"))
		w.drain()
		w.login("juliet/window")
		w.says("juliet/window", getSince("old", latest))
		w.expect("an old version", `
			juliet/window < iq from=juliet id=old type=result
			juliet/window < iq from=juliet type=set [roster:query [item jid=nurse subscription=remove]]`,
			"juliet/window < iq from=juliet id=old type=result [roster:query [item jid=mother subscription=none]]")
		w.says("juliet/window", getSince("unknown", "no-such-version"))
		w.expect("a version that never was", "juliet/window < iq from=juliet id=unknown type=result [roster:query [item jid=mother subscription=none]]")
	}},
}
