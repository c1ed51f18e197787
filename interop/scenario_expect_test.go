//go:build unix

package interop

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// nothing is what is expected when nobody gets anything.
const nothing = ""

// stragglers is how long something that is missing may still come: a server that has lost a connection tells others when it
// gets to it, and no fence can be sent behind that. Nothing that came too much is ever forgotten.
const stragglers = 3 * time.Second

// expect compares what resources have got since the last step with what the RFC says, in one or several ways to choose
// from. Each is lines as [world.line] writes them; one that begins with "? " may be missing, and one that ends
// in " ..." may go on.
//
// It returns the lines.
func (w *world) expect(step string, alternatives ...string) []string {
	w.t.Helper()
	timeout := time.After(stragglers)
	for {
		w.settle()
		w.mu.Lock()
		got, news := slices.Clone(w.lines), w.news
		w.mu.Unlock()
		switch {
		case slices.ContainsFunc(alternatives, func(a string) bool { return fits(got, a) }):
			return w.take()
		case w.departs(step, got):
			return w.take()
		}
		select {
		case <-news:
			continue
		case <-time.After(50 * time.Millisecond):
			continue
		case <-timeout:
		}
		w.take()
		w.t.Errorf("%s, at %q: %s gives\n%s\nthe RFC says\n%s", w.scenario, step, w.subject.name, indent(byResource(got)), indent(trimmed(strings.Join(alternatives, "\n\tor\n"))))
		return got
	}
}

// fits reports whether lines are what was expected.
func fits(got []string, want string) bool {
	lines := trimmed(want)
	var optional []int // which lines may be missing
	for i, l := range lines {
		if strings.HasPrefix(l, "? ") {
			optional = append(optional, i)
		}
	}
	for chosen := range 1 << len(optional) {
		var must []string
		for i, l := range lines {
			n := slices.Index(optional, i)
			if n < 0 || chosen>>n&1 == 1 {
				must = append(must, strings.TrimPrefix(l, "? "))
			}
		}
		if agree(got, must) {
			return true
		}
	}
	return false
}

// agree reports whether lines are the same, in the same order where an order is asked for.
func agree(a, b []string) bool {
	return len(a) == len(b) && maps.EqualFunc(byOrder(a), byOrder(b), func(a, b []string) bool { return slices.EqualFunc(a, b, like) })
}

// like reports whether a line is the wanted one, which may leave open how it goes on.
func like(got, want string) bool {
	begin, open := strings.CutSuffix(want, " ...")
	return got == begin || open && strings.HasPrefix(got, begin+" ")
}

// byOrder sorts lines into sequences, in each of which the order counts; a line may be in several. They are:
//
//   - what a resource gets from one address (RFC 6120 §10.1), pushes of the roster and answers to requests aside;
//   - answers from one account;
//   - what a resource gets to know about its subscription to a contact: stanzas of the contact that
//     change it, each before the push of the roster (RFC 6121 §3.1.6, §3.2.3, §3.3.3);
//   - unavailable presence of a resource, before its account cancels a subscription (§3.2.2).
func byOrder(lines []string) map[string][]string {
	sequences := make(map[string][]string)
	add := func(line string, key ...string) {
		k := strings.Join(key, " ")
		sequences[k] = append(sequences[k], line)
	}
	for _, l := range lines {
		to, what, _ := strings.Cut(l, " < ")
		from := valueOf(what, "from")
		account, _, _ := strings.Cut(from, "/")
		switch {
		case strings.Contains(what, " type=set [roster:query [item "):
			add(l, to, "subscription", valueOf(what, "jid"))
			continue
		case strings.HasPrefix(what, "iq "):
			add(l, to, "iq", account)
			continue
		case valueOf(what, "type") == "unavailable":
			add(l, to, "cancel", from)
		case valueOf(what, "type") == "unsubscribed":
			for _, gone := range lines {
				if at, rest, _ := strings.Cut(gone, " < "); at == to && valueOf(rest, "type") == "unavailable" && strings.HasPrefix(valueOf(rest, "from"), account+"/") {
					add(l, to, "cancel", valueOf(rest, "from"))
				}
			}
		}
		if strings.Contains(what, " type=subscribe") || strings.Contains(what, " type=unsubscribe") {
			add(l, to, "subscription", from)
		}
		add(l, to, "stanza", from)
	}
	return sequences
}

// valueOf returns the value of the first attribute with that name in a line.
func valueOf(line, attr string) string {
	_, value, _ := strings.Cut(line, " "+attr+"=")
	value, _, _ = strings.Cut(value, " ")
	return strings.Trim(value, "[]")
}

// byResource sorts lines for people, by who got them.
func byResource(lines []string) []string {
	slices.SortStableFunc(lines, func(a, b string) int {
		return strings.Compare(strings.Split(a, " < ")[0], strings.Split(b, " < ")[0])
	})
	return lines
}

// trimmed returns the lines of a text that are not blank.
func trimmed(text string) (lines []string) {
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

func indent(lines []string) string {
	if len(lines) == 0 {
		return "\t(nothing)"
	}
	return "\t" + strings.Join(lines, "\n\t")
}
