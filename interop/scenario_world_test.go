//go:build unix

package interop

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A world is the people of one scenario, each with an account made for it, and their resources. They are called
// juliet and juliet/balcony; in XML, juliet@example.org.
type world struct {
	t        testing.TB
	subject  *subject
	scenario string
	number   int // of the scenario; part of the names of accounts
	log      *transcript
	accounts map[string]bool // that exist, by person
	fences   int
	exactly  bool          // see line
	departed []*occurrence // deviations that were met

	mu    sync.Mutex      // guards the fields below
	ids   map[string]bool // that the scenario has given to stanzas
	all   []*resource
	lines []string      // what resources have got since the last step
	news  chan struct{} // closed and replaced when something arrives
}

// A resource is a stream with a resource bound, which reads all it is sent.
type resource struct {
	*wire
	name string // juliet/balcony
	addr string // its full JID
	done chan struct{}

	// Guarded by world.mu.
	got   map[string]bool // fences
	ended bool
	last  stanza.Element // what came last, fences aside

	versions []string // of the roster, in all pushes and results
}

func newWorld(t testing.TB, s *subject, number int, scenario string) *world {
	w := &world{
		t: t, subject: s, scenario: scenario, number: number, log: new(transcript),
		accounts: make(map[string]bool), ids: make(map[string]bool), news: make(chan struct{}),
	}
	t.Cleanup(func() {
		for _, r := range w.resources() {
			r.nc.Close()
			<-r.done
		}
		if t.Failed() {
			t.Logf("the scenario, byte by byte:\n%s", w.log)
		}
	})
	return w
}

// account makes accounts for people, if they have none.
func (w *world) account(people ...string) {
	w.t.Helper()
	for _, p := range people {
		if !w.accounts[p] {
			w.subject.register(w.t, w.subject, w.localpart(p))
			w.accounts[p] = true
		}
	}
}

func (w *world) localpart(person string) string { return fmt.Sprintf("%s-%d", person, w.number) }

var anAddress = regexp.MustCompile(`([a-z]+)@example\.org`)

// real puts the addresses of this world into XML that speaks of juliet@example.org.
func (w *world) real(xml string) string {
	xml = anAddress.ReplaceAllString(xml, fmt.Sprintf("${1}-%d@%s", w.number, host))
	return strings.ReplaceAll(xml, "example.org", host)
}

var aRealAddress = regexp.MustCompile(`([a-z]+)-\d+@` + host)

// plain takes them out again, for lines.
func plain(s string) string {
	return strings.ReplaceAll(aRealAddress.ReplaceAllString(s, "$1"), host, "example.org")
}

// login connects resources, such as juliet/balcony.
func (w *world) login(names ...string) {
	w.t.Helper()
	for _, name := range names {
		person, res, _ := strings.Cut(name, "/")
		w.account(person)
		c := dialWire(w.t, w.subject, name, w.log)
		c.open()
		c.authenticate(w.localpart(person))
		c.open()
		e := c.bind("bind", res)
		addr := w.real(person + "@example.org/" + res)
		require.Equal(w.t, addr, e.First().First().Text(), "%s", e)
		w.adopt(c, name, addr)
	}
}

// adopt starts to read a stream that has a resource.
func (w *world) adopt(c *wire, name, addr string) {
	_ = c.nc.SetReadDeadline(time.Time{})
	r := &resource{wire: c, name: name, addr: addr, done: make(chan struct{}), got: make(map[string]bool)}
	w.mu.Lock()
	w.all = append(w.all, r)
	w.mu.Unlock()
	go w.read(r)
}

// read notes what a resource gets.
func (w *world) read(r *resource) {
	defer close(r.done)
	for {
		e, err := r.wait()
		w.mu.Lock()
		switch id := e.Attr("id"); {
		case errors.Is(err, io.EOF):
			w.lines = append(w.lines, r.name+" < /stream")
			r.ended = true
		case err != nil:
			w.lines = append(w.lines, r.name+" < cut")
			r.ended = true
		case strings.HasPrefix(id, "fence-"):
			r.got[id] = true
		default:
			w.lines = append(w.lines, w.line(r, e))
			r.last = e
			if q := e.Child("jabber:iq:roster", "query"); !q.IsZero() {
				r.versions = append(r.versions, cmp.Or(q.Attr("ver"), "none"))
			}
		}
		close(w.news)
		w.news = make(chan struct{})
		w.mu.Unlock()
		if err != nil {
			r.nc.Close()
			return
		}
	}
}

func (w *world) resources() []*resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// live returns the resources whose streams are open.
func (w *world) live() []*resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.all), func(r *resource) bool { return r.ended })
}

// resource returns the one with that name that logged in last.
func (w *world) resource(name string) *resource {
	w.t.Helper()
	for _, r := range slices.Backward(w.resources()) {
		if r.name == name {
			return r
		}
	}
	w.t.Fatalf("there is no %s", name)
	return nil
}

var anID = regexp.MustCompile(` id=['"]([^'"]*)['"]`)

// says has a resource send XML.
func (w *world) says(name string, xml ...string) {
	w.t.Helper()
	for _, x := range xml {
		for _, m := range anID.FindAllStringSubmatch(x, -1) {
			w.gives(m[1])
		}
		w.resource(name).send(w.real(x))
	}
}

// gives notes ids that are ours; lines leave out all others.
func (w *world) gives(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.ids[id] = true
	}
}

// closes ends streams properly, cuts loses their connections.
func (w *world) closes(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.resource(name).send("</stream:stream>")
		w.isOver(w.resource(name))
	}
}

func (w *world) cuts(names ...string) {
	w.t.Helper()
	for _, name := range names {
		r := w.resource(name)
		r.nc.(*tls.Conn).NetConn().Close() // not even TLS says goodbye
		w.isOver(r)
		w.mu.Lock()
		w.lines = slices.DeleteFunc(w.lines, func(l string) bool { return l == name+" < cut" })
		w.mu.Unlock()
	}
}

// leaves has resources become unavailable and end their streams, so that others have been told when it returns.
func (w *world) leaves(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.says(name, "<presence type='unavailable'/>")
	}
	w.settle()
	w.closes(names...)
	w.drain()
}

func (w *world) isOver(r *resource) {
	w.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		w.t.Fatalf("the stream of %s does not end", r.name)
	}
}

// settle returns when everything that anybody has sent so far has come to its end. Servers keep the order between any two
// of their resources (RFC 6120 §10.1), so what X sent to Y is there before a fence that X sends Y afterwards,
// and what it made Y's session send to Z before the next fence from Y to Z. Each round of fences, from everybody to everybody,
// clears one more step of such a chain; the longest, a probe that is answered, has two.
func (w *world) settle() {
	w.t.Helper()
	for range 3 {
		w.fences++
		live := w.live()
		for _, x := range live {
			for _, y := range live {
				x.send(fmt.Sprintf("<message to='%s' type='headline' id='%s'><body>fence</body></message>", y.addr, w.fence(x)))
			}
			x.send(fmt.Sprintf("<iq to='%s' type='get' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>", host, w.fence(x)+"-ping"))
		}
		w.until("the fences have arrived", func() bool {
			for _, x := range live {
				for _, y := range live {
					if !x.ended && !y.ended && !y.got[w.fence(x)] {
						return false
					}
				}
				if !x.ended && !x.got[w.fence(x)+"-ping"] {
					return false
				}
			}
			return true
		})
	}
}

func (w *world) fence(x *resource) string {
	return fmt.Sprintf("fence-%d-%s", w.fences, strings.ReplaceAll(x.name, "/", "-"))
}

// until waits for something that comes about when a resource gets something.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		ok, news := is(), w.news
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-timeout:
			w.t.Fatalf("%s: not so after %v", what, patience)
		}
	}
}

// drain lets everything come to its end and forgets it: what prepares a scenario is not compared.
func (w *world) drain() {
	w.t.Helper()
	w.settle()
	w.take()
}

// take returns what has arrived, and forgets it.
func (w *world) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines
	w.lines = nil
	return lines
}

// note adds a line about something that is no stanza.
func (w *world) note(who, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, who+" < "+fmt.Sprintf(format, args...))
}

// interested logs resources in and has them fetch the roster.
func (w *world) interested(names ...string) {
	w.t.Helper()
	w.login(names...)
	for _, name := range names {
		w.says(name, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
	}
	w.drain()
}

// online logs resources in, has them fetch the roster and become available.
func (w *world) online(names ...string) {
	w.t.Helper()
	w.interested(names...)
	for _, name := range names {
		w.available(name, "")
	}
}

// available has a resource send presence, with that content, and waits for its echo.
func (w *world) available(name, content string) {
	w.t.Helper()
	w.says(name, "<presence>"+content+"</presence>")
	echo := name + " < presence from=" + name
	w.until("the echo of presence", func() bool {
		return slices.ContainsFunc(w.lines, func(l string) bool { return strings.HasPrefix(l, echo) })
	})
	w.drain()
}

// friends gives people a mutual subscription, in the only way there is: each asks, and the other agrees.
func (w *world) friends(a, b string) {
	w.t.Helper()
	w.subscribed(a, b)
	w.subscribed(b, a)
}

// subscribed lets somebody see the presence of a contact.
func (w *world) subscribed(who, contact string) {
	w.t.Helper()
	w.login(who+"/asks", contact+"/agrees")
	w.says(who+"/asks", "<presence to='"+contact+"@example.org' type='subscribe'/>")
	w.settle()
	w.says(contact+"/agrees", "<presence to='"+who+"@example.org' type='subscribed'/>")
	w.settle()
	for name, want := range map[string]string{who + "/asks": "to", contact + "/agrees": "from"} {
		other := contact
		if name == contact+"/agrees" {
			other = who
		}
		w.says(name, "<iq type='get' id='check'><query xmlns='jabber:iq:roster'/></iq>")
		w.settle()
		r := w.resource(name)
		w.mu.Lock()
		item := w.line(r, r.last)
		w.mu.Unlock()
		require.Regexp(w.t, "item jid="+other+" subscription=("+want+"|both)", item)
	}
	w.closes(who+"/asks", contact+"/agrees")
	w.take()
}
