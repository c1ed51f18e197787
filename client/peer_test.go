package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

var (
	juliet   = jid.MustParse("juliet@example.org/balcony")
	domain   = juliet.Domain()
	quiet    = slog.New(slog.DiscardHandler)
	password = "wherefore art thou"
)

// An authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority() *authority {
	a := &authority{}
	template := x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	made := a.issue(func(c *x509.Certificate) { *c = template })
	a.cert, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// issue makes a certificate for example.org, valid for an hour, unless adjust
// changes that. Without a certificate of its own the authority lets it sign itself.
func (a *authority) issue(adjust func(*x509.Certificate)) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		DNSNames:    []string{domain.String()},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if adjust != nil {
		adjust(template)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "example.org"} // which no client may look at
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// A peer is all of a server that a client can see: TLS, login for juliet,
// binding, and a handler. It is the client's [client.Options.Dialer] in memory,
// or listens on loopback.
type peer struct {
	domain  jid.JID
	ca      *authority
	tls     *tls.Config
	direct  bool
	sasl    sasl.Options
	config  stream.Config
	handler xmpp.Handler

	hellos   chan *tls.ClientHelloInfo // of each TLS handshake
	sessions chan *session.Session     // of each who has logged in
	conns    chan *stream.Conn         // the stream of each
	ctx      context.Context           // ends with the peer
	stop     func()                    // ends it
	wg       sync.WaitGroup
}

// newPeer starts a server for example.org that ends with the test. It is
// adjusted before it does anything.
func newPeer(t testing.TB, adjust ...func(*peer)) *peer {
	p := startPeer(adjust...)
	t.Cleanup(p.stop)
	return p
}

func startPeer(adjust ...func(*peer)) *peer {
	ctx, cancel := context.WithCancel(context.Background())
	p := &peer{
		domain:   domain,
		ca:       newAuthority(),
		handler:  echo{},
		hellos:   make(chan *tls.ClientHelloInfo, 10),
		sessions: make(chan *session.Session, 10),
		conns:    make(chan *stream.Conn, 10),
		ctx:      ctx,
	}
	for _, f := range adjust {
		f(p)
	}
	p.setDefaults()
	p.stop = func() {
		cancel()
		p.wg.Wait()
	}
	return p
}

func (p *peer) setDefaults() {
	if p.tls == nil {
		p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(func(c *x509.Certificate) {
			c.DNSNames = []string{p.domain.String()}
		})}}
	}
	p.tls.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		p.hellos <- hello
		return nil, nil
	}
	p.tls = stream.ServerTLS(p.tls)
	p.sasl.Authorize = stream.Authorize(p.domain)
	auth, err := sasl.NewAuthenticator(newAccounts(), &p.sasl)
	if err != nil {
		panic(err)
	}
	p.config.DefaultHost = p.domain
	if p.config.Features == nil {
		p.config.Features = []stream.Feature{
			stream.StartTLS{Config: p.tls},
			stream.ServerSASL{Authenticator: func(jid.JID) *sasl.Authenticator { return auth }},
			stream.Bind{},
			stream.Session{},
		}
	}
}

// certifiedFor gives a peer a certificate for other names.
func certifiedFor(names ...string) func(*peer) {
	return func(p *peer) {
		p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(dnsNames(names...))}}
	}
}

// serve is the life of one connection.
func (p *peer) serve(nc net.Conn) {
	if p.direct {
		nc = stream.TLSServer(nc, p.tls)
	}
	conn, err := stream.Accept(p.ctx, nc, &p.config)
	if err != nil {
		return
	}
	s := session.New(stamping{conn}, session.Options{Handler: p.handler, AnswerFrom: true, Logger: quiet})
	s.Start(s)
	p.sessions <- s
	p.conns <- conn
	select {
	case <-s.Done():
	case <-p.ctx.Done():
		conn.Abort()
	}
	_ = s.Wait()
}

// stamping is a stream that names the sender of what it receives, as every
// server does (RFC 6120 §8.1.2.1).
type stamping struct{ *stream.Conn }

func (c stamping) Next() (stanza.Element, error) {
	e, err := c.Conn.Next()
	if err != nil {
		return e, err
	}
	raw, err := stanza.NewRaw(e, jid.ParseLenient)
	if err != nil {
		return e, err
	}
	h := raw.Header()
	h.From = c.RemoteAddr()
	b, err := stanza.AppendWith(nil, raw, h)
	return stanza.NewElement(b), err
}

// DialContext connects to the peer in memory, whatever the address.
func (p *peer) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	p.wg.Go(func() { p.serve(theirs) })
	return ours, nil
}

// listen has the peer listen on loopback and returns the address.
func (p *peer) listen(t testing.TB) string {
	addr, stop := listen(p.serve)
	t.Cleanup(stop)
	return addr
}

// listen serves connections on loopback until stop is called.
func listen(serve func(net.Conn)) (addr string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer nc.Close()
				serve(nc)
			})
		}
	})
	return ln.Addr().String(), func() {
		_ = ln.Close()
		wg.Wait()
	}
}

// options returns what juliet needs to log in through memory.
func (p *peer) options() *client.Options {
	return &client.Options{
		Reconnect: client.Never,
		Password:  password,
		Address:   "xmpp.example.net:5222", // somewhere
		Dialer:    p,
		DirectTLS: p.direct,
		TLS:       &tls.Config{RootCAs: p.ca.pool()},
		Logger:    quiet,
	}
}

// dial logs juliet in. The client is closed when the test ends.
func (p *peer) dial(t testing.TB, opts *client.Options) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), juliet, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Close(context.Background())
		_ = c.Wait(context.Background())
	})
	return c
}

// accounts has juliet, by password, by token and by certificate.
type accounts struct{ juliet sasl.Secrets }

func newAccounts() accounts {
	secrets, err := sasl.NewSecrets(sasl.SHA256, password, sasl.MinIterations)
	if err != nil {
		panic(err)
	}
	return accounts{secrets}
}

func (accounts) SCRAMHashes() []sasl.Hash { return []sasl.Hash{sasl.SHA256} }

func (a accounts) SCRAMSecrets(_ context.Context, username string, _ sasl.Hash) (sasl.Secrets, error) {
	switch username {
	case "juliet":
		return a.juliet, nil
	case "disabled":
		return a.juliet, sasl.ErrAccountDisabled
	}
	return sasl.Secrets{}, sasl.ErrNotAuthorized
}

func (accounts) VerifyToken(_ context.Context, token string) (string, error) {
	if token != "balcony-scene" {
		return "", sasl.ErrNotAuthorized
	}
	return "juliet", nil
}

func (accounts) CertificateUsernames(context.Context, *tls.ConnectionState) ([]string, error) {
	return []string{"juliet"}, nil
}

// echo answers requests with an empty result and returns messages to their
// sender, from the address they were for.
type echo struct{}

func (echo) HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	m, err := st.Message()
	if err != nil {
		return nil, nil
	}
	s := xmpp.SessionFrom(ctx)
	m.To, m.From = s.RemoteAddr(), m.To
	_, err = s.Send(ctx, m)
	return nil, err
}

// A records is a resolver for one domain.
type records struct {
	starttls, direct []*net.SRV
}

func (r records) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	list := r.starttls
	if service == "xmpps-client" {
		list = r.direct
	}
	if proto != "tcp" || name != "example.org." || len(list) == 0 {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", list, nil
}

// routes is a dialer that knows where addresses lead.
type routes map[string]interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

func (r routes) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d, ok := r[address]; ok {
		return d.DialContext(ctx, network, address)
	}
	host, _, _ := net.SplitHostPort(address)
	return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
}

// to is a dialer that always goes to one address of loopback.
type to string

func (a to) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, string(a))
}

// silent is a dialer to a server that accepts and says nothing.
type silent struct{}

func (silent) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	go func() { // ends with the client's end
		defer theirs.Close()
		_, _ = io.Copy(io.Discard, theirs)
	}()
	return ours, nil
}
