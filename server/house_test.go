package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// password is that of every account in these tests.
const password = "b4lc0ny"

// A house is a server in this process, with accounts, and scripted clients on
// pipes.
type house struct {
	t   testing.TB
	srv *Server
	ca  *devcert.Authority
}

// authority returns the one that vouches for the servers of these tests. It was
// made in real time: in a synctest bubble it would have expired long ago.
func authority() *devcert.Authority { return theAuthority }

var theAuthority = func() *devcert.Authority {
	ca, err := devcert.New("capulet.example", "montague.example")
	if err != nil {
		panic(err)
	}
	return ca
}()

// newHouse starts a server for capulet.example and montague.example with
// accounts, named by their localparts or by their bare JIDs. Options are changed by each of change.
func newHouse(t testing.TB, accounts []string, change ...func(*Options)) *house {
	t.Helper()
	o := &Options{
		Domains:           []string{"capulet.example", "montague.example"},
		TLS:               authority().ServerConfig(),
		InsecurePlaintext: true,
		Iterations:        sasl.MinIterations,
		Logger:            slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(o)
	}
	srv, err := New(o)
	require.NoError(t, err)
	h := &house{t: t, srv: srv, ca: authority()}
	for _, a := range accounts {
		require.NoError(t, srv.CreateAccount(t.Context(), h.addr(a), password))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is left is closed at once
		_ = srv.Shutdown(ctx)
	})
	return h
}

// settle waits until nothing is pending, and no keeper is there.
func (h *house) settle() {
	busy := func(a *account) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.keeper || len(a.sessions) == 0
	}
	for slices.ContainsFunc(h.srv.directory.all(), busy) {
		runtime.Gosched()
	}
}

// addr is the address of an account: of a localpart at capulet.example.
func (h *house) addr(account string) jid.JID {
	if !strings.Contains(account, "@") {
		account += "@capulet.example"
	}
	return jid.MustParse(account)
}

// befriend makes accounts contacts of each other.
func (h *house) befriend(a, b string) {
	h.t.Helper()
	require.NoError(h.t, h.srv.AddContact(h.t.Context(), h.addr(a), h.addr(b)))
}

// A client is a client that does what a test says, in raw XML. Its methods are
// for one goroutine; another one reads.
type client struct {
	t    testing.TB
	addr jid.JID // the full JID, once bound
	nc   net.Conn
	r    *xmlwire.Reader
	head xmlwire.Header // of the last stream
	feat stanza.Element // its features

	settle func() // waits for what is pending; nil if that is nobody's business

	done chan struct{} // closed when ServeConn has returned
	end  error         // what it returned

	mu    sync.Mutex // guards the fields below
	more  *sync.Cond
	in    []stanza.Element // received, and not yet looked at
	inErr error            // why no more will come
}

// connect opens a connection to the server; nothing is sent yet.
func (h *house) connect() *client {
	return h.attach(net.Pipe())
}

// attach has the server serve one end of a connection, and returns a client on the
// other.
func (h *house) attach(near, far net.Conn) *client {
	c := newClient(h.t, near)
	c.settle = h.settle
	go func() {
		c.end = h.srv.ServeConn(context.Background(), far)
		close(c.done)
	}()
	h.t.Cleanup(func() {
		c.nc.Close()
		<-c.done
	})
	return c
}

// newClient returns a client on a connection.
func newClient(t testing.TB, nc net.Conn) *client {
	c := &client{t: t, nc: nc, done: make(chan struct{})}
	c.more = sync.NewCond(&c.mu)
	c.r = xmlwire.NewReader(c.nc, xmlwire.Limits{})
	return c
}

// login opens a stream for account/resource and binds it; an empty resource is
// left to the server.
func (h *house) login(account, resource string) *client {
	h.t.Helper()
	c := h.connect()
	c.open(h.addr(account).Domainpart())
	c.authenticate(h.addr(account), sasl.SCRAMSHA1)
	c.open(h.addr(account).Domainpart())
	c.bind(resource)
	return c
}

// deaf is login of a client that reads nothing any more.
func (h *house) deaf(account, resource string) *client {
	h.t.Helper()
	c := h.connect()
	c.open(h.addr(account).Domainpart())
	c.authenticate(h.addr(account), sasl.SCRAMSHA1)
	c.open(h.addr(account).Domainpart())
	e := c.tryBind(resource)
	c.addr = jid.MustParse(e.First().First().Text())
	return c
}

// online is login, followed by initial presence with that content, whose echo it
// takes in.
func (h *house) online(account, resource, content string) *client {
	h.t.Helper()
	c := h.login(account, resource)
	c.send("<presence>" + content + "</presence>")
	c.all()
	return c
}

// interested is login, followed by a request for the roster.
func (h *house) interested(account, resource string) *client {
	h.t.Helper()
	c := h.login(account, resource)
	c.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
	c.all()
	return c
}

// raw writes bytes.
func (c *client) raw(s string) {
	c.t.Helper()
	_, err := io.WriteString(c.nc, s)
	require.NoError(c.t, err)
}

// open sends a header and reads the server's, with the features.
func (c *client) open(domain string) {
	c.t.Helper()
	c.raw(fmt.Sprintf("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>", domain))
	var err error
	c.head, err = c.r.Header()
	require.NoError(c.t, err)
	c.feat = c.next()
	require.Equal(c.t, "features", c.feat.Name().Local, "got %s", c.feat)
}

// next reads one element, before there is a goroutine for that.
func (c *client) next() stanza.Element {
	c.t.Helper()
	e, err := c.r.Next()
	require.NoError(c.t, err)
	return stanza.Lend(e).Clone()
}

// starttls begins TLS and leaves a new stream to be opened.
func (c *client) starttls(h *house, domain string) {
	c.t.Helper()
	c.raw("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	require.Equal(c.t, "proceed", c.next().Name().Local)
	cfg := h.ca.ClientConfig()
	cfg.ServerName = domain
	tc := tls.Client(c.nc, cfg)
	require.NoError(c.t, tc.HandshakeContext(c.t.Context()))
	c.nc = tc
	c.r.Reset(tc)
}

// authenticate logs in and leaves a new stream to be opened.
func (c *client) authenticate(account jid.JID, mechanism string) {
	c.t.Helper()
	e := c.exchange(account, mechanism, "", password)
	require.Equal(c.t, "success", e.Name().Local, "got %s", e)
	c.r.Restart()
}

const nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"

// exchange goes through a mechanism and returns its end, success or failure.
func (c *client) exchange(account jid.JID, mechanism, authzid, secret string) stanza.Element {
	c.t.Helper()
	var channel *sasl.Channel
	if tc, ok := c.nc.(*tls.Conn); ok {
		channel = sasl.ClientChannel(tc.ConnectionState())
	}
	m, err := sasl.Select(c.offer(), &sasl.Credentials{Username: account.Localpart(), Password: secret, Authzid: authzid}, channel,
		&sasl.Policy{AllowPlain: true, Mechanisms: []string{mechanism}})
	require.NoError(c.t, err)
	initial, err := m.Start()
	require.NoError(c.t, err)
	c.raw(fmt.Sprintf("<auth xmlns='%s' mechanism='%s'>%s</auth>", nsSASL, mechanism, encode(initial)))
	for {
		e := c.next()
		if e.Name().Local != "challenge" {
			return e
		}
		challenge, err := base64.StdEncoding.DecodeString(e.Text())
		require.NoError(c.t, err)
		response, err := m.Next(challenge)
		require.NoError(c.t, err)
		c.raw(fmt.Sprintf("<response xmlns='%s'>%s</response>", nsSASL, encode(response)))
	}
}

// offer is what the features say of SASL.
func (c *client) offer() (o sasl.Offer) {
	for m := range c.feat.Child(nsSASL, "mechanisms").Children() {
		o.Mechanisms = append(o.Mechanisms, m.Text())
	}
	for b := range c.feat.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding").Children() {
		o.Bindings = append(o.Bindings, b.Attr("type"))
	}
	return o
}

func encode(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}

// bind binds a resource and starts to read.
func (c *client) bind(resource string) {
	c.t.Helper()
	e := c.tryBind(resource)
	require.Equal(c.t, "result", e.Attr("type"), "got %s", e)
	c.addr = jid.MustParse(e.First().First().Text())
	c.read()
	c.seen() // now others can reach it
}

// tryBind asks for a resource and returns the answer.
func (c *client) tryBind(resource string) stanza.Element {
	c.t.Helper()
	wish := ""
	if resource != "" {
		wish = "<resource>" + resource + "</resource>"
	}
	c.raw("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + wish + "</bind></iq>")
	return c.next()
}

// read starts the goroutine that reads.
func (c *client) read() {
	r := c.r
	go func() {
		for {
			e, err := r.Next()
			c.mu.Lock()
			if err != nil {
				c.inErr = err
			} else {
				c.in = append(c.in, stanza.Lend(e).Clone())
			}
			c.more.Broadcast()
			c.mu.Unlock()
			if err != nil {
				c.nc.Close()
				return
			}
		}
	}()
}

// send writes stanzas.
func (c *client) send(xml ...string) {
	c.t.Helper()
	for _, x := range xml {
		c.raw(x)
	}
}

// take returns the next element that like accepts, and all before it. It is
// false when the stream ended first.
func (c *client) take(like func(stanza.Element) bool) (before []stanza.Element, e stanza.Element, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for seen := 0; ; c.more.Wait() {
		for ; seen < len(c.in); seen++ {
			if like(c.in[seen]) {
				before, e = c.in[:seen:seen], c.in[seen]
				c.in = c.in[seen+1:]
				return before, e, true
			}
		}
		if c.inErr != nil {
			before, c.in = c.in, nil
			return before, e, false
		}
	}
}

// all makes sure that everything the client has sent is processed, by keepers too, and returns
// what it got until then.
func (c *client) all() []stanza.Element {
	c.t.Helper()
	got := c.ping()
	if c.settle != nil {
		c.settle()
		got = append(got, c.ping()...)
	}
	return got
}

// ping makes sure that the server has read everything the client has sent, and returns what it got until then.
func (c *client) ping() []stanza.Element {
	c.t.Helper()
	id := stanza.NewID()
	c.send("<iq type='get' id='" + id + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	before, _, ok := c.take(func(e stanza.Element) bool { return e.Attr("id") == id })
	require.True(c.t, ok, "%s: the stream ended: %v", c.addr, c.inErr)
	return before
}

// sync makes sure that everything the client has sent is processed, by keepers too; what it got
// remains to be looked at.
func (c *client) sync() {
	c.t.Helper()
	c.putBack(c.all())
}

// seen is sync without keepers.
func (c *client) seen() {
	c.t.Helper()
	c.putBack(c.ping())
}

// putBack leaves what it got to be looked at.
func (c *client) putBack(got []stanza.Element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(got, c.in...)
}

// expect checks that the client has got these elements and nothing else. An
// attribute that is '*' may have any value that is not empty.
func (c *client) expect(want ...string) {
	c.t.Helper()
	c.compare(c.all(), want)
}

func (c *client) compare(got []stanza.Element, want []string) {
	c.t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			c.t.Errorf("%s: got  %s\nwant nothing more", c.addr, got[i])
		case i >= len(got):
			c.t.Errorf("%s: got  nothing more\nwant %s", c.addr, want[i])
		default:
			w := parse(c.t, want[i])
			if g := canonical(got[i], &w); g != canonical(w, nil) {
				c.t.Errorf("%s: got  %s\nwant %s", c.addr, got[i], want[i])
			}
		}
	}
}

// expectEnd checks that the stream ends with a stream error of that condition,
// and returns what came before; none for an empty one.
func (c *client) expectEnd(condition string) []stanza.Element {
	c.t.Helper()
	isError := func(e stanza.Element) bool { return e.Is(xmlwire.NSStreams, "error") }
	before, e, ok := c.take(isError)
	if !ok {
		require.Empty(c.t, condition, "%s: the stream ended: %v", c.addr, c.inErr)
		return before
	}
	require.Equal(c.t, condition, e.First().Name().Local, "got %s", e)
	_, _, ok = c.take(func(stanza.Element) bool { return true })
	require.False(c.t, ok, "something came behind a stream error")
	require.ErrorIs(c.t, c.inErr, io.EOF)
	return before
}

// hangUp ends the stream without a word.
func (c *client) hangUp() {
	c.nc.Close()
	<-c.done
}

// close ends the stream properly.
func (c *client) close() {
	c.t.Helper()
	c.raw("</stream:stream>")
	<-c.done
}

// connectTLS opens a connection that begins with TLS (XEP-0368).
func (h *house) connectTLS(domain string) *client {
	h.t.Helper()
	near, far := net.Pipe()
	c := h.attach(near, stream.TLSServer(far, h.srv.opts.TLS))
	cfg := h.ca.ClientConfig()
	cfg.ServerName, cfg.NextProtos = domain, []string{"xmpp-client"}
	tc := tls.Client(near, cfg)
	require.NoError(h.t, tc.HandshakeContext(h.t.Context()))
	c.nc = tc
	c.r.Reset(tc)
	return c
}

// decode undoes encode.
func decode(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return string(b)
}

func parse(t testing.TB, xml string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(xml))
	require.NoError(t, err, "%s", xml)
	return e
}

// canonical writes an element so that equal ones are equal. Where pattern has
// an attribute '*', that is what is written if there is one.
func canonical(e stanza.Element, pattern *stanza.Element) string {
	var b bytes.Buffer
	name := e.Name()
	fmt.Fprintf(&b, "<{%s}%s", name.Space, name.Local)
	var attrs []string
	for n, v := range e.Attrs() {
		if pattern != nil && v != "" {
			if p, _ := pattern.LookupAttr(n.Space, n.Local); p == "*" {
				v = "*"
			}
		}
		attrs = append(attrs, fmt.Sprintf(" {%s}%s=%q", n.Space, n.Local, v))
	}
	slices.Sort(attrs)
	b.WriteString(strings.Join(attrs, ""))
	fmt.Fprintf(&b, ">%s", strings.TrimSpace(e.Text()))
	var patterns []stanza.Element
	if pattern != nil {
		patterns = slices.Collect(pattern.Children())
	}
	for i, c := range slices.Collect(e.Children()) {
		var p *stanza.Element
		if i < len(patterns) {
			p = &patterns[i]
		}
		b.WriteString(canonical(c, p))
	}
	b.WriteString("</>")
	return b.String()
}

// stanzaError is the error child with a condition.
func stanzaError(typ, condition string) string {
	return fmt.Sprintf("<error type='%s'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", typ, condition)
}

// unavailable is what senders are told who shall learn nothing.
var unavailable = stanzaError("cancel", "service-unavailable")

var errDown = errors.New("the database is down")
