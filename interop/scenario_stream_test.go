//go:build unix

package interop

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A script is a stream of which every step is noted: a < what the server sends.
type script struct {
	*wire
	w *world
}

// stream connects by direct TLS, without a header yet.
func (w *world) stream(name string) *script {
	w.t.Helper()
	s := &script{dialWire(w.t, w.subject, name, w.log), w}
	w.t.Cleanup(func() { s.nc.Close() })
	return s
}

// authenticated opens a stream and logs in; features are known and nothing is bound.
func (w *world) authenticated(name, person string) *script {
	w.t.Helper()
	w.account(person)
	s := w.stream(name)
	s.open()
	s.authenticate(w.localpart(person))
	s.open()
	return s
}

// hear notes the next element, in place of the addresses those of people.
func (s *script) hear() stanza.Element {
	s.t.Helper()
	e, err := s.next()
	switch {
	case err == nil:
		s.note(e)
	case errors.Is(err, io.EOF):
		s.w.note(s.who, "/stream")
	default:
		s.w.note(s.who, "cut")
	}
	return e
}

func (s *script) note(e stanza.Element) {
	s.w.note(s.who, "%s", s.w.first(&resource{name: s.who, addr: s.who}, e))
}

// outcome notes what came of SASL.
func (s *script) outcome(e stanza.Element) {
	s.w.note(s.who, "%s", strings.TrimSpace(e.Name().Local+" "+e.First().Name().Local))
}

// hearHeader notes a header: its attributes, of the id only that there is one.
func (s *script) hearHeader() bool {
	s.t.Helper()
	if err := s.readHeader(); err != nil {
		s.w.note(s.who, "no header")
		return false
	}
	attrs := make(map[string]string)
	for _, a := range s.header.Attrs {
		attrs[a.Name.Local] = plain(a.Value)
	}
	if attrs["id"] != "" {
		attrs["id"] = "*"
	}
	s.w.note(s.who, "header%s", render(attrs, "from", "to", "id", "version"))
	return true
}

// hearAll notes all that comes until the stream and its connection have ended, features aside.
func (s *script) hearAll() {
	s.t.Helper()
	for {
		e, err := s.next()
		switch {
		case err == nil && e.Name().Local == "features":
			continue
		case err == nil:
			s.note(e)
			continue
		case errors.Is(err, io.EOF):
			s.w.note(s.who, "/stream")
		default:
			s.w.note(s.who, "cut")
			return
		}
		s.send("</stream:stream>")
		if ne, ok := errors.AsType[net.Error](s.readRest()); ok && ne.Timeout() {
			s.w.note(s.who, "the connection stays")
		}
		return
	}
}

// readRest reads what comes behind the end of a stream, and returns why no more does.
func (s *script) readRest() error {
	for {
		if _, err := s.next(); err != nil {
			return err
		}
	}
}

// ends are the lines of a stream that ends with an error.
func ends(name string, conditions ...string) (all []string) {
	for _, c := range conditions {
		all = append(all, name+" < stream-error "+c+"\n"+name+" < /stream")
	}
	return all
}

// startsWith is a scenario in which a client begins with something else than a proper header. It closes the stream at once, so
// that a server to which nothing is wrong ends it, too. What the header says that stands before the error (§4.9.1.2) is not compared:
// how much of it the server can know depends on what is wrong.
func startsWith(name, section, sent string, conditions ...string) scenario {
	return scenario{name, section, func(w *world) {
		s := w.stream("a")
		s.send(sent + "</stream:stream>")
		if s.readHeader() == nil {
			w.note("a", "header")
			s.hearAll()
		}
		var want []string
		for _, e := range ends("a", conditions...) {
			want = append(want, "a < header\n"+e)
		}
		w.expect("the answer", want...)
	}}
}

var streamScenarios = []scenario{
	{"a header is answered by one", "C4.7", func(w *world) {
		s := w.stream("a")
		s.send(headerTo(host))
		s.hearHeader()
		first, _ := s.header.Attr("", "id")
		w.expect("without from", "a < header from=example.org id=* version=1.0 lang=en")
		w.account("juliet")
		b := w.stream("b")
		b.send(strings.Replace(headerTo(host), " to=", " from='"+w.real("juliet@example.org")+"' to=", 1))
		b.hearHeader()
		w.expect("with from", "b < header from=example.org to=juliet id=* version=1.0 lang=en")
		if second, _ := b.header.Attr("", "id"); first == second || first == "" {
			w.note("a", "the same id twice")
		}
		w.expect("ids are unique", nothing)
	}},
	{"the version is the lower one of two", "C4.7.5", func(w *world) {
		for version, want := range map[string]string{"version='11.0'": " version=1.0", "version='1.10'": " version=1.0", "": ""} {
			s := w.stream("a")
			s.send(strings.Replace(headerTo(host), " version='1.0' xml", " "+version+" xml", 1))
			s.hearHeader()
			w.expect("of a client "+cmp.Or(version, "without one"), "a < header from=example.org id=*"+want+" lang=en")
		}
	}},
	{"a stream that starts anew has a new id", "C4.3.3", func(w *world) {
		w.account("juliet")
		s := w.stream("a")
		s.open()
		before, _ := s.header.Attr("", "id")
		s.authenticate(w.localpart("juliet"))
		s.open()
		if after, _ := s.header.Attr("", "id"); after == before {
			w.note("a", "the same id twice")
		}
		w.expect("after SASL", nothing)
	}},
	{"a domain that is not served is unknown", "C4.9.1.3", func(w *world) {
		s := w.stream("a")
		s.send(headerTo("unknown.example.com") + "</stream:stream>")
		s.hearHeader()
		w.expect("the header", "a < header from=example.org id=* version=1.0 lang=en", "a < header from= id=* version=1.0 lang=en")
		s.hearAll()
		w.expect("the error", ends("a", "host-unknown")...)
	}},
	startsWith("a stream in another namespace is invalid", "C4.8.1", strings.Replace(headerTo(host), "http://etherx.jabber.org/streams", "http://wrong.namespace.example.org/", 1), "invalid-namespace"),
	startsWith("stanzas in another content namespace are invalid", "C4.8.3", strings.Replace(headerTo(host), "jabber:client", "urn:example:unknown", 1)+"<message/>", "invalid-namespace"),
	startsWith("a document that is no stream is refused", "C4.9.3", strings.Replace(headerTo(host), "<stream:stream", "<stream:flow", 1),
		"bad-format", "invalid-xml", "unsupported-stanza-type", "not-well-formed", "invalid-namespace"),
	startsWith("a header that is not well-formed", "C11.3", "<?xml version='1.0'?><stream:stream to='localhost' to='localhost'>", "not-well-formed"),
	startsWith("a document type is restricted", "C11.1", strings.Replace(headerTo(host), "?>", "?><!DOCTYPE stream [<!ENTITY x 'y'>]>", 1), "restricted-xml"),
	startsWith("another encoding is not supported", "C11.6", strings.Replace(headerTo(host), "'?>", "' encoding='ISO-8859-1'?>", 1), "unsupported-encoding"),
	{"a stream is closed by both", "C4.4", func(w *world) {
		s := w.stream("a")
		s.open()
		s.send("</stream:stream>")
		s.hearAll()
		w.expect("before authentication", "a < /stream")
		w.online("juliet/balcony")
		w.closes("juliet/balcony")
		w.expect("after it", "juliet/balcony < /stream")
	}},
	{"what was sent before the end of a stream is processed", "C4.4", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message to='juliet@example.org' type='chat'><body>farewell</body></message></stream:stream>")
		w.isOver(w.resource("romeo/orchard"))
		w.expect("a message and the end", `
			romeo/orchard < /stream
			juliet/balcony < message from=romeo/orchard to=juliet type=chat [body "farewell"]`)
	}},
	{"whitespace between stanzas is nothing", "C11.7", func(w *world) {
		w.login("juliet/balcony")
		w.says("juliet/balcony", " \n ", "\n\n")
		w.expect("blanks", nothing)
	}},
	ill("a comment is restricted", "C11.1", "<message><!-- psst --></message>", "restricted-xml"),
	ill("a processing instruction is restricted", "C11.1", "<message><?psst?></message>", "restricted-xml"),
	ill("an entity is restricted", "C11.1", "<message><body>&psst;</body></message>", "restricted-xml", "not-well-formed"),
	ill("tags that do not match are not well-formed", "C11.3", "<message><body></message>", "not-well-formed"),
	ill("an attribute twice is not well-formed", "C11.3", "<message id='a' id='b'/>", "not-well-formed"),
	ill("bytes that are no UTF-8 are not understood", "C11.6", "<message><body>\xff\xfe</body></message>", "unsupported-encoding", "not-well-formed"),
	ill("a stanza is a message, a presence or an iq", "C4.9.3.24", "<pubsub/>", "unsupported-stanza-type"),
	ill("a stanza in another content namespace is invalid", "C4.8.3", "<message xmlns='jabber:server'/>", "invalid-namespace"),
	ill("an element of an unknown namespace is no stanza", "C4.9.3.24", "<message xmlns='urn:example:unknown'/>", "unsupported-stanza-type", "invalid-namespace"),
	{"a prefix that is not declared is not delivered", "C11.3", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<message id='m' to='juliet@example.org'><x:y/></message>")
		w.expect("a message", append(ends("romeo/orchard", "not-well-formed", "bad-namespace-prefix"),
			"romeo/orchard < message from=juliet id=m type=error modify/not-acceptable")...)
	}},
	{"nobody sends stanzas before authentication", "C4.9.3.12", func(w *world) {
		w.online("juliet/balcony")
		s := w.stream("a")
		s.open()
		s.send(w.real("<message to='juliet@example.org'><body>psst</body></message></stream:stream>"))
		s.hearAll()
		w.expect("a message", ends("a", "not-authorized")...)
	}},
	{"nobody sends stanzas to others before there is a resource", "C7.1", func(w *world) {
		w.online("juliet/balcony")
		s := w.authenticated("a", "romeo")
		s.send(w.real("<message to='juliet@example.org'><body>psst</body></message></stream:stream>"))
		s.hearAll()
		w.expect("a message", ends("a", "not-authorized")...)
	}},
	{"resources are for those who are authenticated", "C7.4", func(w *world) {
		s := w.stream("a")
		s.open()
		if !s.features.Child("urn:ietf:params:xml:ns:xmpp-bind", "bind").IsZero() {
			w.note("a", "bind is offered")
		}
		s.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq></stream:stream>")
		s.hearAll()
		w.expect("bind", append(ends("a", "not-authorized"), "a < iq from=a type=error auth/not-authorized\na < /stream")...)
	}},
	{"SASL fails with a reason and can be tried again", "C6.4.5", func(w *world) {
		w.account("juliet")
		s := w.stream("a")
		s.open()
		for _, tt := range []struct{ step, mechanism, secret, want string }{
			{"a wrong password", "PLAIN", "\x00" + w.localpart("juliet") + "\x00wrong", "not-authorized"},
			{"no such account", "PLAIN", "\x00" + w.localpart("nobody") + "\x00wrong", "not-authorized"},
			{"a mechanism that is not offered", "X-NONE", "", "invalid-mechanism"},
		} {
			s.auth(tt.mechanism, tt.secret)
			e, err := s.next()
			if err == nil {
				s.outcome(e)
			}
			w.expect(tt.step, "a < failure "+tt.want)
		}
		s.authenticate(w.localpart("juliet"))
		s.open()
		w.expect("the password", nothing)
	}},
	{"SASL can be aborted", "C6.4.4", func(w *world) {
		w.account("juliet")
		s := w.stream("a")
		s.open()
		s.auth("SCRAM-SHA-256", "n,,n="+w.localpart("juliet")+",r=abcdefghijkl")
		e, err := s.next()
		if err == nil {
			w.note("a", "%s", e.Name().Local)
		}
		w.expect("it begins", "a < challenge")
		s.send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		if e, err = s.next(); err == nil {
			s.outcome(e)
		}
		w.expect("it is aborted", "a < failure aborted")
	}},
	{"an authorization identity of somebody else is refused", "C6.3.8", func(w *world) {
		w.account("juliet", "romeo")
		s := w.stream("a")
		s.open()
		s.offerPassword(w.real("juliet@example.org"), w.localpart("romeo"), passwordOf(w.localpart("romeo")))
		e, err := s.next()
		if err == nil {
			s.outcome(e)
		}
		if e.Name().Local == "success" { // as whom?
			s.r.Restart()
			s.open()
			s.bound(s.bind("b", "balcony"))
		}
		w.expect("auth", "a < failure invalid-authzid")
	}},
	{"TLS is begun by STARTTLS, and what came before it is forgotten", "C5.4.3.3", func(w *world) {
		w.account("juliet")
		s := &script{dialPlain(w.t, w.subject, w.subject.startTLS, "a", w.log), w}
		w.t.Cleanup(func() { s.nc.Close() })
		s.open()
		if s.features.Child("urn:ietf:params:xml:ns:xmpp-tls", "starttls").IsZero() {
			w.note("a", "STARTTLS is not offered")
		}
		// In one segment with STARTTLS, in the clear: somebody on the way could have put it there.
		s.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" +
			authElement("PLAIN", "\x00"+w.localpart("juliet")+"\x00"+passwordOf(w.localpart("juliet"))))
		s.hear()
		w.expect("STARTTLS", "a < tls:proceed")
		_ = s.nc.SetDeadline(time.Now().Add(patience))
		cfg := w.subject.ca.ClientConfig()
		cfg.ServerName = host
		tc := tls.Client(s.nc, cfg)
		if err := tc.Handshake(); err != nil {
			w.note("a", "no TLS")
		} else {
			s.nc = tc
			s.r.Reset(tap{tc, s.who, s.log})
			s.send(headerTo(host))
			if s.hearHeader() {
				if e, err := s.next(); err == nil && !e.Child("urn:ietf:params:xml:ns:xmpp-sasl", "mechanisms").IsZero() && e.Child("urn:ietf:params:xml:ns:xmpp-tls", "starttls").IsZero() {
					w.note("a", "SASL is offered, and TLS is not")
				}
			}
		}
		w.expect("TLS", `
			a < header from=example.org id=* version=1.0 lang=en
			a < SASL is offered, and TLS is not`, "a < no TLS")
	}},
	{"a password is not taken without TLS", "C13.8.3", func(w *world) {
		w.account("juliet")
		s := &script{dialPlain(w.t, w.subject, w.subject.startTLS, "a", w.log), w}
		w.t.Cleanup(func() { s.nc.Close() })
		s.open()
		if strings.Contains(s.features.String(), "PLAIN") {
			w.note("a", "PLAIN is offered")
		}
		s.offerPassword("", w.localpart("juliet"), passwordOf(w.localpart("juliet")))
		if e, err := s.next(); err == nil {
			w.note("a", "%s", e.Name().Local)
		}
		w.expect("auth", "a < failure", "a < error")
	}},
}

// ill is a scenario in which a client sends what ends its stream with one of these errors.
func ill(name, section, sent string, conditions ...string) scenario {
	return scenario{name, section, func(w *world) {
		w.login("juliet/balcony")
		w.says("juliet/balcony", sent+"</stream:stream>") // ends it in any case
		w.isOver(w.resource("juliet/balcony"))
		w.expect("the answer", ends("juliet/balcony", conditions...)...)
	}}
}
