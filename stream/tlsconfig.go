package stream

import (
	"crypto/tls"
	"net"

	"golang.org/x/net/idna"

	"github.com/parlance-xmpp/xmpp/jid"
)

// alpnClient is the protocol name of direct TLS for clients (XEP-0368).
const alpnClient = "xmpp-client"

// TLSClient begins direct TLS (XEP-0368) over nc, to hand to [Initiate], which
// does the handshake.
//
// The configuration, nil for the default one, is copied and completed: the
// server name is domain, so the certificate must be that of the XMPP service,
// whatever host was dialed (RFC 6120 §13.7.2.1); TLS 1.2 is the least, unless
// MinVersion says otherwise; the protocol is xmpp-client, unless NextProtos says otherwise.
// A certificate may name the domain as a DNS name, a service or an XMPP address.
//
// With InsecureSkipVerify nothing is verified, except by the configuration's own
// VerifyPeerCertificate or VerifyConnection. Without them the stream counts as
// one that others can read, and passwords are not sent over it.
func TLSClient(nc net.Conn, cfg *tls.Config, domain jid.JID) *tls.Conn {
	c, verifies := clientConfig(cfg, domain)
	if c.NextProtos == nil {
		c.NextProtos = []string{alpnClient}
	}
	return tls.Client(&clientTransport{nc, verifies}, c)
}

// clientConfig returns a configuration for domain, and whether a certificate is
// verified with it.
func clientConfig(cfg *tls.Config, domain jid.JID) (c *tls.Config, verifies bool) {
	c = &tls.Config{}
	if cfg != nil {
		c = cfg.Clone()
	}
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	c.ServerName = asciiDomain(domain)
	if c.InsecureSkipVerify {
		return c, c.VerifyPeerCertificate != nil || c.VerifyConnection != nil
	}
	verifyDomain(c, domain)
	return c, true
}

// ServerTLS returns a copy of cfg for the receiving entity, for [TLSServer] and
// [StartTLS]. Make it once: tickets for resumption work across the connections
// of one configuration.
//
// TLS 1.2 is the least, unless MinVersion says otherwise; the protocol for who
// asks for one is xmpp-client, unless NextProtos says otherwise. On each
// connection it remembers which certificate it presented, to which SASL can bind
// then (tls-server-end-point).
func ServerTLS(cfg *tls.Config) *tls.Config {
	c := cfg.Clone()
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	if c.NextProtos == nil {
		c.NextProtos = []string{alpnClient}
	}
	rememberCertificate(c)
	if choose := c.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			other, err := choose(hello)
			if other == nil || err != nil {
				return other, err
			}
			other = other.Clone()
			rememberCertificate(other)
			return other, nil
		}
	}
	return c
}

// rememberCertificate makes cfg note the certificate that it presents.
func rememberCertificate(cfg *tls.Config) {
	get, static := cfg.GetCertificate, cfg.Certificates
	cfg.Certificates = nil // crypto/tls would prefer them
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		t, ok := hello.Conn.(*serverTransport)
		if ok && hello.ServerName == "" && t.domain != "" { // RFC 6120 §5.4.3.1
			named := *hello
			named.ServerName = t.domain
			hello = &named
		}
		cert, err := chooseCertificate(hello, get, static)
		if ok && err == nil {
			t.certificate = cert
		}
		return cert, err
	}
}

// chooseCertificate chooses as crypto/tls does. Nil leaves it to crypto/tls.
func chooseCertificate(hello *tls.ClientHelloInfo, get func(*tls.ClientHelloInfo) (*tls.Certificate, error), static []tls.Certificate) (*tls.Certificate, error) {
	if get != nil && (len(static) == 0 || hello.ServerName != "") {
		if cert, err := get(hello); cert != nil || err != nil {
			return cert, err
		}
	}
	if len(static) == 0 {
		return nil, nil
	}
	for i := range static {
		if len(static) == 1 || hello.SupportsCertificate(&static[i]) == nil {
			return &static[i], nil
		}
	}
	return &static[0], nil
}

// TLSServer begins direct TLS (XEP-0368) over nc, to hand to [Accept], which does
// the handshake. The configuration is one that [ServerTLS] has made.
func TLSServer(nc net.Conn, prepared *tls.Config) *tls.Conn {
	return tls.Server(&serverTransport{Conn: nc}, prepared)
}

// A clientTransport is what a TLS client of ours runs over.
type clientTransport struct {
	net.Conn
	verifies bool // the server's certificate is verified
}

// A serverTransport is what a TLS server of ours runs over.
type serverTransport struct {
	net.Conn
	domain      string           // which the client wants, as far as the stream has told
	certificate *tls.Certificate // which was presented; nil with a resumed session
}

func (t *clientTransport) unwrap() net.Conn { return t.Conn }
func (t *serverTransport) unwrap() net.Conn { return t.Conn }

// verified reports whether the server's certificate was verified.
func verified(tc *tls.Conn) bool {
	if t, ok := tc.NetConn().(*clientTransport); ok {
		return t.verifies
	}
	return len(tc.ConnectionState().VerifiedChains) > 0
}

// presented returns the certificate that a server of ours presented, if it is known.
func presented(tc *tls.Conn) *tls.Certificate {
	if t, ok := tc.NetConn().(*serverTransport); ok {
		return t.certificate
	}
	return nil
}

// asciiDomain is how DNS and TLS write the domain: with A-labels.
func asciiDomain(domain jid.JID) string {
	name, err := idna.Punycode.ToASCII(domain.Domainpart())
	if err != nil {
		return domain.Domainpart()
	}
	return name
}
