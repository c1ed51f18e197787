//go:build unix

package interop

import (
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// bound notes the answer to a request for a resource: the one given, or what is wrong.
func (s *script) bound(e stanza.Element) (resource string) {
	jid := e.Child("urn:ietf:params:xml:ns:xmpp-bind", "bind").First().Text()
	account, resource, _ := strings.Cut(jid, "/")
	if resource == "" {
		s.note(e)
		return ""
	}
	s.w.note(s.who, "bound %s", plain(account))
	return resource
}

var bindScenarios = []scenario{
	{"a client chooses its resource", "C7.7.1", func(w *world) {
		s := w.authenticated("a", "juliet")
		if got := s.bound(s.bind("b", "balcony")); got != "balcony" {
			w.note("a", "it is not the one asked for")
		}
		w.expect("bind", "a < bound juliet")
	}},
	{"a server makes resources, another one each time", "C7.6", func(w *world) {
		a, b := w.authenticated("a", "juliet"), w.authenticated("b", "juliet")
		if one, other := a.bound(a.bind("b", "")), b.bound(b.bind("b", "")); one == other {
			w.note("a", "both are %s", one)
		}
		w.expect("bind", "a < bound juliet\nb < bound juliet")
	}},
	{"a resource that is taken is given to one of the two", "C7.7.2.2", func(w *world) {
		w.login("juliet/balcony")
		s := w.authenticated("a", "juliet")
		w.gives("b")
		got := s.bound(s.bind("b", "balcony"))
		if got == "balcony" {
			w.isOver(w.resource("juliet/balcony"))
		} else if got != "" {
			w.note("a", "under another name")
		}
		w.expect("bind", // one of the three ways
			"a < bound juliet\na < under another name",
			"a < iq from=a id=b type=error modify/conflict",
			"a < bound juliet\njuliet/balcony < stream-error conflict\njuliet/balcony < /stream")
	}},
	{"a resource that is too long is refused or changed", "C7.7.2.1", func(w *world) {
		s := w.authenticated("a", "juliet")
		w.gives("b")
		if got := s.bound(s.bind("b", strings.Repeat("x", 1024))); len(got) > 1023 {
			w.note("a", "it is %d bytes long", len(got))
		}
		w.expect("bind", "a < bound juliet", "a < iq from=a id=b type=error modify/bad-request", "a < iq from=a id=b type=error modify/jid-malformed")
	}},
	{"who was refused a resource may ask for another one", "C7.7.3", func(w *world) {
		s := w.authenticated("a", "juliet")
		w.gives("b", "c")
		s.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>&#x2028;</resource></bind></iq>")
		e, err := s.next()
		if err != nil {
			w.note("a", "closed")
			w.expect("bind", "a < open")
			return
		}
		if s.bound(e) != "" {
			w.expect("bind", "a < bound juliet") // it was changed
			return
		}
		w.expect("bind", "a < iq from=a id=b type=error modify/bad-request", "a < iq from=a id=b type=error modify/jid-malformed")
		s.bound(s.bind("c", "balcony"))
		w.expect("again", "a < bound juliet")
	}},
	{"a stream has one resource", "C7", func(w *world) {
		w.login("juliet/balcony")
		w.says("juliet/balcony", "<iq type='set' id='again'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>chamber</resource></bind></iq>")
		w.expect("bind again",
			"juliet/balcony < iq from=juliet id=again type=error ...",
			"juliet/balcony < stream-error not-authorized\njuliet/balcony < /stream")
	}},
	{"an account has several resources at once", "C7.1", func(w *world) {
		w.login("juliet/balcony", "juliet/chamber", "juliet/window")
		for _, to := range []string{"balcony", "chamber", "window"} {
			w.says("juliet/balcony", "<message to='juliet@example.org/"+to+"'><body>hello</body></message>")
		}
		w.expect("each is reached", `
			juliet/balcony < message from=juliet/balcony to=juliet/balcony [body "hello"]
			juliet/chamber < message from=juliet/balcony to=juliet/chamber [body "hello"]
			juliet/window < message from=juliet/balcony to=juliet/window [body "hello"]`)
	}},
	{"resources differ by case, accounts do not", "C7.5", func(w *world) {
		w.login("juliet/balcony", "juliet/Balcony")
		w.says("juliet/balcony", "<message to='JULIET"+strings.TrimPrefix(w.localpart("juliet"), "juliet")+"@example.org/Balcony'><body>hello</body></message>")
		w.expect("a message", `juliet/Balcony < message from=juliet/balcony to=juliet/Balcony [body "hello"]`)
	}},
}
