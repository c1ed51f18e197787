//go:build unix

package interop

import (
	"fmt"
	"slices"
	"strings"
)

// A row is one of RFC 6121 §8.5.4, "Summary of Message Delivery Rules": who is there, where messages
// go, and what becomes of those of types normal, chat, groupchat and headline. Like there,
//
//	S  is silence
//	E  is an error, which SHOULD be service-unavailable
//	O  is kept until juliet comes online
//	D  is delivered to that resource
//	M  is delivered to the "most available" resource or resources, whichever the server thinks these are
//	A  is delivered to all resources whose priority is not negative
//
// and / is a choice. The fifth type, error, is never answered and reaches nobody but a resource that it names.
type row struct {
	name, section string
	friend        bool     // romeo may see her presence: he is to be told of what nobody gets (§8.1)
	online        []string // her resources, with their priorities
	to            string
	cells         [4]string
}

// deliveries are the rows.
var deliveries = []row{
	{"no account, bare JID", "8.5.1", false, nil, "nobody@example.org", [4]string{"S/E", "S/E", "S/E", "S/E"}},
	{"no account, full JID", "8.5.1", false, nil, "nobody@example.org/balcony", [4]string{"S/E", "S/E", "S/E", "S/E"}},
	{"no resource, bare JID", "8.5.2.2.1", false, nil, "juliet@example.org", [4]string{"O/E", "O/E", "E", "S"}},
	{"no resource, full JID", "8.5.3.2.1", false, nil, "juliet@example.org/balcony", [4]string{"S/E", "O/E", "S/E", "S/E"}},
	{"no resource, full JID, a friend's message", "8.1", true, nil, "juliet@example.org/balcony", [4]string{"E", "O/E", "E", "E"}},
	{"only a negative priority, bare JID", "8.5.2.1.1", false, []string{"balcony -1"}, "juliet@example.org", [4]string{"O/E", "O/E", "E", "S"}},
	{"only a negative priority, full JID", "8.5.3.1", false, []string{"balcony -1"}, "juliet@example.org/balcony", [4]string{"D", "D", "D", "D"}},
	{"only a negative priority, another full JID", "8.5.3.2.1", false, []string{"balcony -1"}, "juliet@example.org/door", [4]string{"S/E", "O/E", "S/E", "S/E"}},
	{"one resource, bare JID", "8.5.2.1.1", false, []string{"balcony 0"}, "juliet@example.org", [4]string{"A", "A", "E", "A"}},
	{"one resource, full JID", "8.5.3.1", false, []string{"balcony 0"}, "juliet@example.org/balcony", [4]string{"D", "D", "D", "D"}},
	{"one resource, another full JID", "8.5.3.2.1", false, []string{"balcony 0"}, "juliet@example.org/door", [4]string{"S/E", "A", "S/E", "S/E"}},
	{"one resource, another full JID, a friend's message", "8.1", true, []string{"balcony 0"}, "juliet@example.org/door", [4]string{"E", "A", "E", "E"}},
	{"several resources, bare JID", "8.5.2.1.1", false, []string{"balcony 1", "chamber 5", "window -1"}, "juliet@example.org", [4]string{"M/A", "M", "E", "A"}},
	{"several resources, full JID", "8.5.3.1", false, []string{"balcony 1", "chamber 5", "window -1"}, "juliet@example.org/balcony", [4]string{"D", "D", "D", "D"}},
	{"several resources, another full JID", "8.5.3.2.1", false, []string{"balcony 1", "chamber 5", "window -1"}, "juliet@example.org/door", [4]string{"S/E", "M", "S/E", "S/E"}},
	{"several resources of one priority, bare JID", "8.5.2.1.1", false, []string{"balcony 0", "chamber 0"}, "juliet@example.org", [4]string{"M/A", "M/A", "E", "A"}},
}

// play sends a message of each type and, at the end, has juliet come online to see what was kept.
func (r row) play(w *world) {
	w.account("juliet")
	if r.friend {
		w.friends("romeo", "juliet")
	}
	var eligible, connected []string // her resources
	for _, res := range r.online {
		name, priority, _ := strings.Cut(res, " ")
		w.login("juliet/" + name)
		w.available("juliet/"+name, "<priority>"+priority+"</priority>")
		connected = append(connected, "juliet/"+name)
		if priority[0] != '-' {
			eligible = append(eligible, "juliet/"+name)
		}
	}
	w.login("romeo/orchard")
	var kept []string
	for i, typ := range []string{"normal", "chat", "groupchat", "headline"} {
		w.says("romeo/orchard", fmt.Sprintf("<message id='%[1]s' type='%[1]s' to='%[2]s'><body>%[1]s</body></message>", typ, r.to))
		if got := w.expect(typ, r.alternatives(typ, r.cells[i], eligible, connected)...); len(got) == 0 && strings.Contains(r.cells[i], "O") {
			kept = append(kept, "juliet/late < "+r.message(typ)+" [delay]")
		}
	}
	w.says("romeo/orchard", "<message id='e' type='error' to='"+r.to+"'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
	failure := nothing
	if r.cells[0] == "D" {
		failure = plainTo(r.to) + " < message from=romeo/orchard id=e type=error cancel/gone"
	}
	w.expect("error", failure)
	w.leaves(connected...)
	w.login("juliet/late")
	w.says("juliet/late", "<presence/>")
	w.expect("what was kept", "juliet/late < presence from=juliet/late\n? juliet/late < presence from=romeo type=unavailable\n"+strings.Join(kept, "\n"))
}

// message is the message of that type, as a line has it.
func (r row) message(typ string) string {
	m := "message from=romeo/orchard to=" + plainTo(r.to) + " id=" + typ
	if typ != "normal" {
		m += " type=" + typ
	}
	return m + fmt.Sprintf(" [body %q]", typ)
}

func plainTo(addr string) string { return strings.Replace(addr, "@example.org", "", 1) }

// alternatives are what a cell of the table allows.
func (r row) alternatives(typ, cell string, eligible, connected []string) (all []string) {
	for choice := range strings.SplitSeq(cell, "/") {
		switch choice {
		case "S", "O":
			all = append(all, nothing)
		case "E":
			m := "message from=" + plainTo(r.to) + " id=" + typ + " type=error cancel/service-unavailable"
			all = append(all, "romeo/orchard < "+m)
		case "D":
			all = append(all, plainTo(r.to)+" < "+r.message(typ))
		case "A":
			var lines []string
			for _, name := range eligible {
				lines = append(lines, name+" < "+r.message(typ))
			}
			all = append(all, strings.Join(lines, "\n"))
		case "M":
			for _, name := range eligible {
				all = append(all, name+" < "+r.message(typ))
			}
		}
	}
	return all
}

// deliveryScenarios makes a scenario of each row.
func deliveryScenarios() (all []scenario) {
	for _, r := range deliveries {
		all = append(all, scenario{"where messages go: " + r.name, r.section, r.play})
	}
	return all
}

var messageScenarios = slices.Concat(deliveryScenarios(), []scenario{
	{"a message without an address is one to the own account", "C10.3.1", func(w *world) {
		w.online("juliet/balcony")
		w.login("juliet/window")
		w.says("juliet/window", "<message type='chat'><body>to me</body></message>")
		w.expect("without to",
			`juliet/balcony < message from=juliet/window to=juliet type=chat [body "to me"]`,
			`juliet/balcony < message from=juliet/window type=chat [body "to me"]`)
		w.says("juliet/window", "<message type='chat' to='juliet@example.org'><body>to me</body></message>")
		w.expect("to the bare JID", `juliet/balcony < message from=juliet/window to=juliet type=chat [body "to me"]`)
		w.says("juliet/balcony", "<message type='chat'><body>to me</body></message>")
		w.expect("by the only one who is there",
			`juliet/balcony < message from=juliet/balcony to=juliet type=chat [body "to me"]`,
			`juliet/balcony < message from=juliet/balcony type=chat [body "to me"]`)
	}},
	{"a message to the server is handled or refused", "C10.5.1", func(w *world) {
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message id='m' to='example.org'><body>hello</body></message>")
		w.expect("normal", "? romeo/orchard < message from=example.org id=m type=error ...")
	}},
	{"a type that there is not is normal", "5.2.2", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message type='whisper' to='juliet@example.org'><body>hark</body></message>")
		w.expect("whisper",
			`juliet/balcony < message from=romeo/orchard to=juliet type=whisper [body "hark"]`,
			`juliet/balcony < message from=romeo/orchard to=juliet [body "hark"]`)
	}},
	{"a server says who has sent a message, whatever the client says", "C8.1.2.1", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		for _, from := range []string{"romeo@example.org", "romeo@example.org/garden", "tybalt@example.org/street", "example.org"} {
			w.says("romeo/orchard", "<message to='juliet@example.org' from='"+from+"'><body>it is I</body></message>")
			w.expect(from, `juliet/balcony < message from=romeo/orchard to=juliet [body "it is I"]`)
			if !slices.ContainsFunc(w.live(), func(r *resource) bool { return r.name == "romeo/orchard" }) {
				w.login("romeo/orchard")
			}
		}
	}},
	{"what a message contains arrives as it was", "C8.4", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", `<message to='juliet@example.org/balcony' xml:lang='it'><subject>a</subject><body>b &lt;&amp;&#x263A;&gt; <![CDATA[<c>]]></body><body xml:lang='cs'>d</body><thread>t</thread>`+
			`<q:x xmlns:q='urn:example:q' a='1' q:b='2'><q:y/><z xmlns='urn:example:z'>w</z><v xmlns=''/></q:x></message>`)
		w.expect("a message", `juliet/balcony < message from=romeo/orchard to=juliet/balcony lang=it [body "b <&☺> <c>"] [body lang=cs "d"] [subject "a"] [thread "t"] [{urn:example:q}x a=1 b=2 [y] [{urn:example:z}z "w"] [{}v]]`)
	}},
	{"a message has the language of its stream", "C8.1.5", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message to='juliet@example.org/balcony'><body>a</body></message>")
		w.settle()
		r := w.resource("juliet/balcony")
		w.mu.Lock()
		lang := r.last.Lang()
		w.mu.Unlock()
		w.take()
		w.note("juliet/balcony", "a message in %s", lang)
		w.expect("a message", "juliet/balcony < a message in en")
	}},
	{"messages arrive in the order in which they were sent", "C10.1", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		var sent, want strings.Builder
		for n := range 50 {
			to := []string{"juliet@example.org", "juliet@example.org/balcony"}[n%2]
			fmt.Fprintf(&sent, "<message to='%s' type='chat'><body>%d</body></message>", to, n)
			fmt.Fprintf(&want, "juliet/balcony < message from=romeo/orchard to=%s type=chat [body \"%d\"]\n", plainTo(to), n)
		}
		w.says("romeo/orchard", sent.String())
		w.expect("fifty messages", want.String())
	}},
	{"ten thousand bytes are not too many", "C13.12", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		long := strings.Repeat("x", 9900)
		w.says("romeo/orchard", "<message to='juliet@example.org/balcony'><body>"+long+"</body></message>")
		w.expect("a long message", `juliet/balcony < message from=romeo/orchard to=juliet/balcony [body "`+long[:40]+`"]`)
	}},
})

// Which messages wait for somebody who is offline, and until when (RFC 6121 §8.5.2.2.1, XEP-0160).
var offlineScenarios = []scenario{
	{"offline messages arrive in order, once, with a note of the delay", "8.5.2.2.1", func(w *world) {
		w.account("juliet")
		w.login("romeo/orchard")
		for _, body := range []string{"1", "2", "3"} {
			w.says("romeo/orchard", "<message to='juliet@example.org' type='chat'><body>"+body+"</body></message>")
		}
		w.says("romeo/orchard", "<message to='juliet@example.org'><subject>s</subject><body>4</body></message>")
		w.expect("they are kept", nothing)
		w.login("juliet/balcony")
		w.expect("a resource that is not available gets none", nothing)
		w.says("juliet/balcony", "<presence/>")
		w.expect("an available one gets them", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony < message from=romeo/orchard to=juliet type=chat [body "1"] [delay]
			juliet/balcony < message from=romeo/orchard to=juliet type=chat [body "2"] [delay]
			juliet/balcony < message from=romeo/orchard to=juliet type=chat [body "3"] [delay]
			juliet/balcony < message from=romeo/orchard to=juliet [body "4"] [delay] [subject "s"]`)
		w.login("juliet/chamber")
		w.says("juliet/chamber", "<presence/>")
		w.expect("another one gets none", `
			juliet/balcony < presence from=juliet/chamber
			juliet/chamber < presence from=juliet/chamber
			? juliet/chamber < presence from=juliet/balcony`)
	}},
	{"a negative priority brings no offline messages", "8.5.2.1.1", func(w *world) {
		w.account("juliet")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message to='juliet@example.org' type='chat'><body>1</body></message>")
		w.settle()
		w.login("juliet/balcony")
		w.says("juliet/balcony", "<presence><priority>-1</priority></presence>")
		w.expect("a negative priority", `juliet/balcony < presence from=juliet/balcony [priority "-1"]`)
		w.says("juliet/balcony", "<presence/>") // whether that is when she "next becomes available" (§8) is not said
		kept := len(w.expect("another one", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony < message from=romeo/orchard to=juliet type=chat [body "1"] [delay]`, `
			juliet/balcony < presence from=juliet/balcony`)) == 1
		w.leaves("juliet/balcony")
		w.login("juliet/chamber")
		w.says("juliet/chamber", "<presence/>")
		if kept {
			w.expect("another session", `
				juliet/chamber < presence from=juliet/chamber
				juliet/chamber < message from=romeo/orchard to=juliet type=chat [body "1"] [delay]`)
		}
		w.expect("once", "? juliet/chamber < presence from=juliet/chamber")
	}},
	{"what comes after offline messages comes after them", "C10.1", func(w *world) {
		w.account("juliet")
		w.login("romeo/orchard")
		for n := range 20 {
			w.says("romeo/orchard", fmt.Sprintf("<message to='juliet@example.org' type='chat'><body>%d</body></message>", n))
		}
		w.settle()
		w.login("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.says("romeo/orchard", "<message to='juliet@example.org' type='chat'><body>now</body></message>")
		w.until("the last message", func() bool {
			return slices.ContainsFunc(w.lines, func(l string) bool { return strings.Contains(l, `"now"`) })
		})
		w.settle()
		var bodies []string
		for _, l := range w.take() {
			if _, body, ok := strings.Cut(l, "[body "); ok {
				bodies = append(bodies, strings.Split(body, `"`)[1])
			}
		}
		w.note("juliet/balcony", "%s", strings.Join(bodies, " "))
		w.expect("all", "juliet/balcony < 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 now")
	}},
}
