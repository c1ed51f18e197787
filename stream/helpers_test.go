package stream

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var (
	example = jid.MustParse("im.example.com")
	juliet  = jid.MustParse("juliet@im.example.com")
)

const password = "r0m30myr0m30"

// ---- certificates -------------------------------------------------------------

// A pki is a certificate authority with one key for all its certificates. They
// are valid at the time of the tests and at that of package synctest.
type pki struct {
	key  *ecdsa.PrivateKey
	root *x509.Certificate
	pool *x509.CertPool
}

var authority = sync.OnceValue(func() *pki {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p := &pki{key: key, pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	if p.root, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	p.pool.AddCert(p.root)
	return p
})

// issue makes a certificate for DNS names; change may alter the template.
func (p *pki) issue(change func(*x509.Certificate), names ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.root, p.key.Public(), p.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: p.key}
}

// serverTLS is the TLS of a server for im.example.com. Over net.Pipe, which has no
// buffer, nobody reads the tickets that a server would send.
func serverTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{authority().issue(nil, "im.example.com")}, SessionTicketsDisabled: true}
}

func clientTLS() *tls.Config { return &tls.Config{RootCAs: authority().pool} }

// ---- accounts -----------------------------------------------------------------

// accounts is a store with one password for all of them.
type accounts map[string]bool

func (a accounts) SCRAMHashes() []sasl.Hash { return []sasl.Hash{sasl.SHA256} }

var secrets256 = sync.OnceValue(func() sasl.Secrets {
	s, err := sasl.NewSecrets(sasl.SHA256, password, 4096)
	if err != nil {
		panic(err)
	}
	return s
})

func (a accounts) SCRAMSecrets(_ context.Context, username string, _ sasl.Hash) (sasl.Secrets, error) {
	if !a[username] {
		return sasl.Secrets{}, sasl.ErrNotAuthorized
	}
	return secrets256(), nil
}

// authenticators returns one for im.example.com.
func authenticators(t testing.TB, change func(*sasl.Options)) func(jid.JID) *sasl.Authenticator {
	opts := &sasl.Options{Authorize: Authorize(example), AllowPlain: true, FakeIterations: 4096}
	if change != nil {
		change(opts)
	}
	auth, err := sasl.NewAuthenticator(accounts{"juliet": true, "nurse": true}, opts)
	require.NoError(t, err)
	return func(jid.JID) *sasl.Authenticator { return auth }
}

// ---- configurations -------------------------------------------------------------

// receiving is a server for im.example.com, TLS required.
func receiving(t testing.TB) *Config {
	return &Config{
		DefaultHost: example,
		Features: []Feature{
			StartTLS{Config: ServerTLS(serverTLS())},
			ServerSASL{Authenticator: authenticators(t, nil)},
			Bind{},
			Session{},
		},
	}
}

// plainReceiving is the same without TLS.
func plainReceiving(t testing.TB) *Config {
	cfg := receiving(t)
	cfg.InsecurePlaintext = true
	cfg.Features = cfg.Features[1:]
	return cfg
}

// initiating is a client of juliet.
func initiating() *Config {
	return &Config{
		Domain:  example,
		Account: juliet,
		Features: []Feature{
			StartTLS{Config: clientTLS()},
			ClientSASL{Credentials: sasl.Credentials{Username: "juliet", Password: password}},
			Bind{},
			Session{},
		},
	}
}

// plainInitiating is the same without TLS.
func plainInitiating() *Config {
	cfg := initiating()
	cfg.InsecurePlaintext = true
	cfg.Features = cfg.Features[1:]
	return cfg
}

// ---- one side of ours, one that follows a script ----------------------------------

// outcome is what became of a negotiation.
type outcome struct {
	c   *Conn
	err error
}

// negotiating runs a negotiation against a scripted peer.
func negotiating(t testing.TB, initiate bool, cfg *Config) (*peer, <-chan outcome) {
	ours, theirs := net.Pipe()
	wire := &tap{Conn: ours}
	p, done := against(t, wire, theirs, initiate, cfg)
	p.wire = wire
	return p, done
}

// A tap notes what was written last.
type tap struct {
	net.Conn
	mu   sync.Mutex
	last []byte
}

func (c *tap) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.last = bytes.Clone(b)
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// endsTLS reports whether what was written last is an alert of TLS 1.3, as
// close_notify is one: a record for two bytes. (Package tls does not tell: it accepts an
// end without close_notify between two records.)
func (c *tap) endsTLS() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.HasPrefix(c.last, []byte{23, 3, 3, 0, 2 + 1 + 16})
}

func against(t testing.TB, ours, theirs net.Conn, initiate bool, cfg *Config) (*peer, <-chan outcome) {
	done := make(chan outcome, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f := Accept
		if initiate {
			f = Initiate
		}
		c, err := f(t.Context(), ours, cfg)
		done <- outcome{c, err}
	}()
	p := &peer{t: t, nc: theirs, bound: map[string]string{}}
	t.Cleanup(func() {
		_ = theirs.Close()
		_ = ours.Close()
		<-ended
	})
	return p, done
}

// tcpPipe is net.Pipe over TCP: with buffers, and with directions.
func tcpPipe(t testing.TB) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = ln.Close() }()
	client, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	server, err = ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
	})
	return client, server
}

// A peer follows a script.
type peer struct {
	t     testing.TB
	wire  *tap // what our side wrote; nil if nobody listens
	nc    net.Conn
	buf   []byte
	bound map[string]string // what the $variables were
}

// send writes, with the $variables replaced.
func (p *peer) send(s string) {
	p.t.Helper()
	require.NoError(p.t, p.trySend(s))
}

func (p *peer) trySend(s string) error {
	for name, value := range p.bound {
		s = strings.ReplaceAll(s, "$"+name, value)
	}
	_, err := io.WriteString(p.nc, s)
	return err
}

var variable = regexp.MustCompile(`\\\$([a-z]+[0-9]*)`)

// expect reads what must be exactly this, byte for byte. A $variable stands for
// anything in an attribute or text, and is bound to it; bound before, it stands for that.
func (p *peer) expect(want string) {
	p.t.Helper()
	for name, value := range p.bound {
		want = strings.ReplaceAll(want, "$"+name, value)
	}
	var names []string
	pattern := variable.ReplaceAllStringFunc(regexp.QuoteMeta(want), func(v string) string {
		names = append(names, v[2:])
		return `([^'<>]*)`
	})
	whole := regexp.MustCompile("^" + pattern)
	_ = p.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	defer func() { _ = p.nc.SetReadDeadline(time.Time{}) }()
	for {
		if m := whole.FindSubmatch(p.buf); m != nil {
			for i, name := range names {
				p.bound[name] = string(m[i+1])
			}
			p.buf = p.buf[len(m[0]):]
			return
		}
		chunk := make([]byte, 4096)
		n, err := p.nc.Read(chunk)
		p.buf = append(p.buf, chunk[:n]...)
		if err != nil && n == 0 {
			p.t.Fatalf("the peer got\n\t%s\nthen %v; want\n\t%s", p.buf, err, want)
		}
	}
}

// expectEnd reads the end of the transport, after nothing else.
func (p *peer) expectEnd() {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	rest, err := io.ReadAll(p.nc)
	if errors.Is(err, os.ErrDeadlineExceeded) || len(p.buf)+len(rest) > 0 {
		p.t.Fatalf("the peer got\n\t%s%s\nthen %v; want the end of the connection", p.buf, rest, err)
	}
}

// startTLS makes the peer a TLS client or server from here on.
func (p *peer) startTLS(client bool) {
	p.t.Helper()
	require.Empty(p.t, string(p.buf), "bytes before TLS")
	var tc *tls.Conn
	if client {
		tc = TLSClient(p.nc, clientTLS(), example)
	} else {
		tc = tls.Server(p.nc, serverTLS())
	}
	require.NoError(p.t, tc.HandshakeContext(p.t.Context()))
	p.nc = tc
}

// Headers, as the scripted peers send them and as ours must look like.
const (
	xmlDecl      = "<?xml version='1.0'?>"
	namespaces   = " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	clientOpens  = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='de-CH'" + namespaces
	serverOpens  = xmlDecl + "<stream:stream from='im.example.com' id='$id' version='1.0' xml:lang='en'" + namespaces
	startTLSOnly = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	bindFeatures = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" +
		"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session></stream:features>"
	plainAuth   = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>"
	saslSuccess = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
)

// failedWith is the end of a stream with an error.
func failedWith(c Condition) string {
	return "<stream:error><" + string(c) + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
}

// failedWithText is the same with a text.
func failedWithText(c Condition, text string) string {
	return "<stream:error><" + string(c) + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>" + text + "</text></stream:error></stream:stream>"
}

// wantError requires a stream error that we raised.
func wantError(t testing.TB, err error, condition Condition) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Received || !errors.Is(err, condition) {
		t.Errorf("error = %v; want %s of our own", err, condition)
	}
}

// ---- two sides of ours ---------------------------------------------------------

// connect negotiates a stream between two sides of ours over two ends of a
// transport.
func connect(t testing.TB, clientEnd, serverEnd net.Conn, clientCfg, serverCfg *Config) (client, server *Conn) {
	t.Helper()
	accepted := make(chan outcome, 1)
	go func() {
		c, err := Accept(t.Context(), serverEnd, serverCfg)
		accepted <- outcome{c, err}
	}()
	client, err := Initiate(t.Context(), clientEnd, clientCfg)
	s := <-accepted
	require.NoError(t, err, "Initiate; Accept: %v", s.err)
	require.NoError(t, s.err, "Accept")
	return client, s.c
}

// connected returns a stream over TLS over net.Pipe.
func connected(t testing.TB) (client, server *Conn) {
	t.Helper()
	a, b := net.Pipe()
	client, server = connect(t, a, b, initiating(), receiving(t))
	t.Cleanup(func() {
		client.Abort()
		server.Abort()
	})
	return client, server
}

// reading calls Next until the end.
func reading(c *Conn) (elements <-chan stanza.Element, end <-chan error) {
	out, done := make(chan stanza.Element, 1000), make(chan error, 1)
	go func() {
		for {
			e, err := c.Next()
			if err != nil {
				done <- err
				return
			}
			out <- e.Clone()
		}
	}()
	return out, done
}

// established returns a stream in plain text to a scripted peer, who is its
// client or, if we initiate, its server.
func established(t testing.TB, initiate bool, change func(*Config)) (*peer, *Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	return establishedOver(t, ours, theirs, initiate, change)
}

func establishedOver(t testing.TB, ours, theirs net.Conn, initiate bool, change func(*Config)) (*peer, *Conn) {
	t.Helper()
	cfg := anonymous()
	if !initiate {
		cfg = plainReceiving(t)
		cfg.Features[0] = ServerSASL{Authenticator: authenticators(t, func(o *sasl.Options) { o.AllowAnonymous = true })}
	}
	if change != nil {
		change(cfg)
	}
	done := make(chan outcome, 1)
	go func() {
		c, err := start(t.Context(), ours, cfg, initiate)
		done <- outcome{c, err}
	}()
	p := &peer{t: t, nc: theirs, bound: map[string]string{}}
	if initiate {
		p.actServer()
	} else {
		p.actClient()
	}
	got := <-done
	require.NoError(t, got.err)
	t.Cleanup(func() {
		got.c.Abort()
		<-got.c.Done()
	})
	return p, got.c
}

func (p *peer) actServer() { p.actServerOffering("") }

// actServerOffering is actServer with more behind binding than that.
func (p *peer) actServerOffering(more string) {
	p.t.Helper()
	const opens = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces
	const answer = "<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces
	p.expect(opens)
	p.send(answer + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>")
	p.expect("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
	p.send(saslSuccess)
	p.expect(opens)
	p.send(answer + "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" + more + "</stream:features>")
	p.expect("<iq type='set' id='$bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	p.send("<iq type='result' id='$bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@im.example.com/balcony</jid></bind></iq>")
}

func (p *peer) actClient() {
	p.t.Helper()
	p.logIn()
	p.send("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>")
	p.expect("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>$full</jid></bind></iq>")
}

// logIn is actClient without binding.
func (p *peer) logIn() {
	p.t.Helper()
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>")
	p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
	p.expect(saslSuccess)
	p.send(clientOpens)
	p.bound = map[string]string{}
	p.expect(serverOpens + bindFeatures)
}
