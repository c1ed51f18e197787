package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
)

func dnsNames(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// The certificate has to be that of the account's domain, whatever the DNS says
// and however TLS begins.
func TestClientS8_Certificates(t *testing.T) {
	ca := newAuthority()
	selfSigned := new(authority).issue(nil)
	for _, tt := range []struct {
		name    string
		account string // juliet@example.org if empty
		cert    tls.Certificate
		good    bool
	}{
		{name: "the domain", cert: ca.issue(nil), good: true},
		{name: "the domain among others", cert: ca.issue(dnsNames("a.example", "example.org")), good: true},
		{name: "upper case", cert: ca.issue(dnsNames("EXAMPLE.ORG")), good: true},
		{name: "another domain", cert: ca.issue(dnsNames("example.com"))},
		{name: "the SRV target only", cert: ca.issue(dnsNames("xmpp.example.net"))},
		{name: "a parent", cert: ca.issue(dnsNames("org"))},
		{name: "a child", cert: ca.issue(dnsNames("xmpp.example.org"))},
		{name: "wildcard of children", cert: ca.issue(dnsNames("*.example.org"))},
		{name: "wildcard of siblings", cert: ca.issue(dnsNames("*.org")), good: true},
		{name: "wildcard of siblings, one level", account: "juliet@im.example.org", cert: ca.issue(dnsNames("*.example.org")), good: true},
		{name: "wildcard too high", account: "juliet@chat.im.example.org", cert: ca.issue(dnsNames("*.example.org"))},
		{name: "wildcard in the middle", account: "juliet@chat.im.example.org", cert: ca.issue(dnsNames("chat.*.example.org"))},
		{name: "wildcard of all", cert: ca.issue(dnsNames("*"))},
		{name: "common name only", cert: ca.issue(dnsNames())},
		{name: "A-labels", account: "julia@bücher.example", cert: ca.issue(dnsNames("xn--bcher-kva.example")), good: true},
		{name: "an address", account: "juliet@127.0.0.1", cert: ca.issue(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)}
		}), good: true},
		{name: "an address as a name", account: "juliet@127.0.0.1", cert: ca.issue(dnsNames("127.0.0.1"))},
		{name: "another address", account: "juliet@127.0.0.1", cert: ca.issue(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 2)}
		})},
		{name: "the server's network address", cert: ca.issue(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)}
		})},
		{name: "expired", cert: ca.issue(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		})},
		{name: "not valid yet", cert: ca.issue(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		})},
		{name: "for clients only", cert: ca.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		{name: "self-signed", cert: selfSigned},
		{name: "another authority", cert: newAuthority().issue(nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account := juliet
			if tt.account != "" {
				account = jid.MustParse(tt.account)
			}
			for _, direct := range []bool{false, true} {
				p := newPeer(t, func(p *peer) {
					p.domain, p.ca, p.direct = account.Domain(), ca, direct
					p.tls = &tls.Config{Certificates: []tls.Certificate{tt.cert}}
				})
				if account.Localpart() == "julia" {
					account, _ = account.WithLocal("juliet")
				}
				c, err := client.Dial(t.Context(), account, p.options())
				if (err == nil) != tt.good || err != nil && !errors.Is(err, client.ErrCertificate) {
					t.Errorf("direct %v: Dial = %v; want it good: %v", direct, err, tt.good)
				}
				if c != nil {
					require.NoError(t, c.Close(t.Context()))
					require.NoError(t, c.Wait(t.Context()))
				}
			}
		})
	}
}

// A certificate that no authority vouches for can be trusted by itself.
func TestPinnedCertificate(t *testing.T) {
	cert := new(authority).issue(dnsNames("server-in-the-cellar"))
	p := newPeer(t, func(p *peer) { p.tls = &tls.Config{Certificates: []tls.Certificate{cert}} })
	for _, good := range []bool{true, false} {
		pin := cert.Certificate[0]
		if !good {
			pin = newAuthority().cert.Raw
		}
		wrong := errors.New("not the certificate that was agreed on")
		opts := p.options()
		opts.TLS = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(cs tls.ConnectionState) error {
			if !bytes.Equal(cs.PeerCertificates[0].Raw, pin) {
				return wrong
			}
			return nil
		}}
		c, err := client.Dial(t.Context(), juliet, opts)
		if good {
			require.NoError(t, err)
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, c.Wait(t.Context()))
		} else {
			require.ErrorIs(t, err, wrong)
		}
	}
}

// tape is a dialer that keeps what the client sends in clear text.
type tape struct {
	script []string // what the server says after each part the client sends
	sent   bytes.Buffer
	done   chan struct{}
}

func (c *tape) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	c.done = make(chan struct{})
	go func() {
		defer close(c.done)
		defer theirs.Close()
		buf := make([]byte, 4096)
		for _, line := range c.script {
			n, err := theirs.Read(buf)
			c.sent.Write(buf[:n])
			if err != nil {
				return
			}
			if _, err := io.WriteString(theirs, line); err != nil {
				return
			}
		}
		_, _ = io.Copy(&c.sent, theirs)
	}()
	return ours, nil
}

const header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'" +
	" from='example.org' id='s1' version='1.0'>"

// Without TLS there is a hard error, and neither credentials nor the account
// have left.
func TestClientS6_STARTTLSStripping(t *testing.T) {
	const (
		starttls   = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
		mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>" +
			"<mechanism>ANONYMOUS</mechanism></mechanisms>"
		bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
	)
	for _, tt := range []struct {
		name   string
		script []string
		is     error
	}{
		{"no offer", []string{header + "<stream:features>" + mechanisms + "</stream:features>"}, client.ErrNoTLS},
		{"nothing offered", []string{header + "<stream:features/>"}, client.ErrNoTLS},
		{"binding offered", []string{header + "<stream:features>" + bind + "</stream:features>"}, client.ErrNoTLS},
		{"offer in another namespace", []string{header + "<stream:features><starttls/>" + mechanisms + "</stream:features>"}, client.ErrNoTLS},
		{"refused", []string{
			header + "<stream:features>" + starttls + mechanisms + "</stream:features>",
			"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"}, client.ErrNoTLS},
		{"success instead", []string{
			header + "<stream:features>" + starttls + mechanisms + "</stream:features>",
			"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, nil},
		{"no TLS behind it", []string{
			header + "<stream:features>" + starttls + mechanisms + "</stream:features>",
			"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
			header + "<stream:features>" + mechanisms + "</stream:features>"}, nil},
		{"injected behind proceed", []string{
			header + "<stream:features>" + starttls + mechanisms + "</stream:features>",
			"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + header + "<stream:features>" + mechanisms + "</stream:features>"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := &tape{script: tt.script}
			_, err := client.Dial(t.Context(), juliet, &client.Options{
				Password: password, Token: "balcony-scene", Anonymous: true, AllowPlain: true,
				Address: "xmpp.example.org:5222", Dialer: wire, Logger: quiet, ConnectTimeout: 10 * time.Second,
			})
			<-wire.done
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || errors.Is(err, client.ErrTimeout) {
				t.Errorf("Dial = %v, want %v", err, tt.is)
			}
			for _, secret := range []string{"<auth", "<response", "juliet", "SCRAM", "<iq", "balcony"} {
				if strings.Contains(wire.sent.String(), secret) {
					t.Errorf("%q has left in clear text: %s", secret, wire.sent.String())
				}
			}
			t.Log(err)
		})
	}
}

// Plain text takes an option of that name, and even then no password is shown.
func TestInsecurePlaintext(t *testing.T) {
	p := newPeer(t)
	p.config.Features = p.config.Features[1:] // no STARTTLS
	p.config.InsecurePlaintext = true
	opts := p.options()
	opts.AllowPlain = true
	_, err := client.Dial(t.Context(), juliet, opts)
	require.ErrorIs(t, err, client.ErrNoTLS)
	opts.InsecurePlaintext = true
	c := p.dial(t, opts)
	require.Nil(t, c.TLS())
	_, err = c.Query(t.Context(), pingOf(domain))
	require.NoError(t, err)

	// Where TLS is offered it is used all the same.
	p = newPeer(t)
	opts = p.options()
	opts.InsecurePlaintext = true
	require.NotNil(t, p.dial(t, opts).TLS())
}
