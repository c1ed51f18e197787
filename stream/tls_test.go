package stream

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// An otherName is one that package x509 does not know.
type otherName struct {
	id    asn1.ObjectIdentifier
	tag   cbasn1.Tag
	value string
}

// altNames makes the extension of subject alternative names.
func altNames(critical bool, dns string, others ...otherName) pkix.Extension {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if dns != "" {
			b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(dns)) })
		}
		for _, o := range others {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(o.id)
				b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1(o.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o.value)) })
				})
			})
		}
	})
	return pkix.Extension{Id: oidSubjectAltName, Critical: critical, Value: b.BytesOrPanic()}
}

func srvName(name string) otherName  { return otherName{oidSRVName, cbasn1.IA5String, name} }
func xmppAddr(addr string) otherName { return otherName{oidXMPPAddr, cbasn1.UTF8String, addr} }

// TestC13_7_2_1_Identity: the certificate has to be valid, and for the domain of
// the service: not for the host that was dialed (client rule S8).
func TestC13_7_2_1_Identity(t *testing.T) {
	names := func(critical bool, dns string, others ...otherName) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{altNames(critical, dns, others...)} }
	}
	for _, tt := range []struct {
		name   string
		domain string // im.example.com when empty
		dns    []string
		change func(*x509.Certificate)
		ok     bool
	}{
		{name: "DNS name", dns: []string{"im.example.com"}, ok: true},
		{name: "one of several", dns: []string{"a.example", "im.example.com"}, ok: true},
		{name: "wildcard", dns: []string{"*.example.com"}, ok: true},
		{name: "wildcard, too deep", dns: []string{"*.com"}},
		{name: "wildcard, partial", dns: []string{"i*.example.com"}},
		{name: "another host", dns: []string{"example.com"}},
		{name: "the SRV target", dns: []string{"xmpp1.hosting.example"}},
		{name: "common name only", change: func(c *x509.Certificate) { c.Subject.CommonName = "im.example.com" }},
		{name: "expired", dns: []string{"im.example.com"}, change: func(c *x509.Certificate) { c.NotAfter = time.Unix(1, 0) }},
		{name: "not yet valid", dns: []string{"im.example.com"}, change: func(c *x509.Certificate) { c.NotBefore = time.Unix(1<<32-1, 0) }},
		{name: "not for servers", dns: []string{"im.example.com"}, change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }},
		{name: "SRV-ID", change: names(false, "", srvName("_xmpp-client.im.example.com")), ok: true},
		{name: "SRV-ID, critical", change: names(true, "", srvName("_XMPP-client.IM.example.com")), ok: true},
		{name: "SRV-ID beside another DNS name", change: names(false, "hosting.example", srvName("_xmpp-client.im.example.com")), ok: true},
		{name: "SRV-ID of another service", change: names(false, "", srvName("_xmpp-server.im.example.com"))},
		{name: "SRV-ID of another domain", change: names(false, "", srvName("_xmpp-client.example.com"))},
		{name: "xmppAddr", change: names(false, "", xmppAddr("im.example.com")), ok: true},
		{name: "xmppAddr of a user", change: names(false, "", xmppAddr("juliet@im.example.com"))},
		{name: "xmppAddr of another type", change: names(false, "", otherName{oidXMPPAddr, cbasn1.OCTET_STRING, "im.example.com"})},
		{name: "another name", change: names(false, "", otherName{asn1.ObjectIdentifier{1, 2, 3}, cbasn1.UTF8String, "im.example.com"})},
		{name: "IDN as an A-label", domain: "bücher.example", dns: []string{"xn--bcher-kva.example"}, ok: true},
		{name: "IDN as an SRV-ID", domain: "bücher.example", change: names(false, "", srvName("_xmpp-client.xn--bcher-kva.example")), ok: true},
		{name: "IDN as an xmppAddr", domain: "bücher.example", change: names(false, "", xmppAddr("bücher.example")), ok: true},
		{name: "IPv4", domain: "127.0.0.1", change: func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }, ok: true},
		{name: "IPv6", domain: "[::1]", change: func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv6loopback} }, ok: true},
		{name: "another IPv6", domain: "[::2]", change: func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv6loopback} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			domain := example
			if tt.domain != "" {
				domain = jid.MustParse(tt.domain)
			}
			err := handshakeWith(t, authority().issue(tt.change, tt.dns...), clientTLS(), domain)
			if (err == nil) != tt.ok {
				t.Errorf("handshake: %v; want success %v", err, tt.ok)
			}
			if _, ok := errors.AsType[*tls.CertificateVerificationError](err); err != nil && !ok {
				t.Errorf("error = %#v; want a certificate verification error", err)
			}
		})
	}
	t.Run("unknown authority", func(t *testing.T) {
		err := handshakeWith(t, authority().issue(nil, "im.example.com"), nil, example)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
			t.Errorf("handshake: %v; want an unknown authority", err)
		}
	})
}

// handshakeWith returns the client's error against a server with a certificate.
func handshakeWith(t *testing.T, cert tls.Certificate, cfg *tls.Config, domain jid.JID) error {
	t.Helper()
	a, b := tcpPipe(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = tls.Server(b, &tls.Config{Certificates: []tls.Certificate{cert}}).HandshakeContext(t.Context())
	}()
	err := TLSClient(a, cfg, domain).HandshakeContext(t.Context())
	_ = a.Close()
	<-served
	return err
}

// TestTLSClient_Callbacks: verification of the program's own comes after ours.
func TestTLSClient_Callbacks(t *testing.T) {
	refused := errors.New("not the pinned certificate")
	var chains int
	for name, change := range map[string]func(*tls.Config){
		"VerifyPeerCertificate": func(c *tls.Config) {
			c.VerifyPeerCertificate = func(raw [][]byte, verified [][]*x509.Certificate) error {
				chains = len(verified)
				return refused
			}
		},
		"VerifyConnection": func(c *tls.Config) {
			c.VerifyConnection = func(cs tls.ConnectionState) error {
				chains = len(cs.VerifiedChains)
				return refused
			}
		},
	} {
		cfg := clientTLS()
		change(cfg)
		chains = 0
		require.ErrorIs(t, handshakeWith(t, authority().issue(nil, "im.example.com"), cfg, example), refused, name)
		require.Equal(t, 1, chains, name)
		chains = 0
		require.Error(t, handshakeWith(t, authority().issue(nil, "other.example"), cfg, example))
		require.Zero(t, chains, "%s was asked about a certificate that had been refused", name)
		require.False(t, cfg.InsecureSkipVerify, "the program's own configuration was changed")
	}
}

// TestTLSClient_Time: the clock is that of the configuration.
func TestTLSClient_Time(t *testing.T) {
	cfg := clientTLS()
	cfg.Time = func() time.Time { return time.Unix(1<<32+1, 0) }
	require.ErrorContains(t, handshakeWith(t, authority().issue(nil, "im.example.com"), cfg, example), "expired")
}

// TestClientS8_SkipVerify: who does not verify may connect, but a password is not
// handed to a server that can be anybody.
func TestClientS8_SkipVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config *tls.Config
		ok     bool
	}{
		{"verified", clientTLS(), true},
		{"not verified", &tls.Config{InsecureSkipVerify: true}, false},
		{"verified by the program", &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}, true},
	} {
		for _, direct := range []bool{false, true} {
			clientCfg, serverCfg := initiating(), receiving(t)
			clientCfg.Features[0] = StartTLS{Config: tt.config}
			sasl1 := clientCfg.Features[1].(ClientSASL)
			sasl1.Policy = &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
			clientCfg.Features[1] = sasl1
			a, b := net.Pipe()
			var ca, cb net.Conn = a, b
			if direct {
				ca, cb = TLSClient(a, tt.config, example), TLSServer(b, ServerTLS(serverTLS()))
			}
			accepted := make(chan outcome, 1)
			go func() {
				c, err := Accept(t.Context(), cb, serverCfg)
				accepted <- outcome{c, err}
			}()
			c, err := Initiate(t.Context(), ca, clientCfg)
			if (err == nil) != tt.ok {
				t.Errorf("%s, direct %v: Initiate: %v; want success %v", tt.name, direct, err, tt.ok)
			}
			if !tt.ok {
				require.ErrorIs(t, err, sasl.ErrNoMechanism)
			} else if err == nil {
				c.Abort()
			}
			if s := <-accepted; s.c != nil {
				s.c.Abort()
			}
		}
	}
	// A TLS connection that was made elsewhere counts by what crypto/tls says of it.
	require.False(t, verified(tls.Client(nil, &tls.Config{InsecureSkipVerify: true})))
}

// TestServerTLS: the certificate that was presented is known, wherever it comes from.
func TestServerTLS(t *testing.T) {
	one, two := authority().issue(nil, "im.example.com"), authority().issue(nil, "im.example.com")
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &two, nil }
	for _, tt := range []struct {
		name   string
		config *tls.Config
		domain jid.JID
		want   *tls.Certificate
	}{
		{name: "one certificate", config: &tls.Config{Certificates: []tls.Certificate{one}}, want: &one},
		{name: "the first that fits", config: &tls.Config{Certificates: []tls.Certificate{authority().issue(nil, "other.example"), one}}, want: &one},
		{name: "callback", config: &tls.Config{GetCertificate: get}, want: &two},
		{name: "callback before list", config: &tls.Config{Certificates: []tls.Certificate{one}, GetCertificate: get}, want: &two},
		{name: "list for who names no server", config: &tls.Config{Certificates: []tls.Certificate{one}, GetCertificate: get}, domain: jid.MustParse("127.0.0.1"), want: &one},
		{name: "callback that does not know", config: &tls.Config{
			Certificates:   []tls.Certificate{one},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil },
		}, want: &one},
		{name: "configuration for the client", config: &tls.Config{
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				return &tls.Config{Certificates: []tls.Certificate{two}}, nil
			},
		}, want: &two},
		{name: "no configuration for the client", config: &tls.Config{
			Certificates:       []tls.Certificate{one},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil },
		}, want: &one},
		{name: "none", config: &tls.Config{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			domain := tt.domain
			if domain.IsZero() {
				domain = example
			}
			prepared := ServerTLS(tt.config)
			require.Equal(t, uint16(tls.VersionTLS12), prepared.MinVersion)
			a, b := tcpPipe(t)
			clientDone := make(chan struct{})
			go func() {
				defer close(clientDone)
				_ = TLSClient(a, &tls.Config{InsecureSkipVerify: true}, domain).HandshakeContext(t.Context())
			}()
			tc := TLSServer(b, prepared)
			err := tc.HandshakeContext(t.Context())
			_ = b.Close()
			<-clientDone
			if tt.want == nil {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want.Certificate[0], presented(tc).Certificate[0])
		})
	}
	require.Nil(t, presented(tls.Server(nil, &tls.Config{})))
}

// TestC5_4_3_1_Certificate: a client that names no server in TLS has named it in its
// header.
func TestC5_4_3_1_Certificate(t *testing.T) {
	want := authority().issue(nil, "im.example.com")
	cfg := receiving(t)
	cfg.Features[0] = StartTLS{Config: ServerTLS(&tls.Config{
		Certificates:           []tls.Certificate{authority().issue(nil, "other.example"), want},
		SessionTicketsDisabled: true,
	})}
	p, _ := negotiating(t, false, cfg)
	p.send(clientOpens)
	p.expect(serverOpens + startTLSOnly)
	p.send(startTLS)
	p.expect(proceed)
	tc := tls.Client(p.nc, &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, tc.HandshakeContext(t.Context()))
	require.Equal(t, want.Certificate[0], tc.ConnectionState().PeerCertificates[0].Raw)
}

// TestServerTLS_Resumption: sessions are resumed across the connections of one
// prepared configuration, and SCRAM still binds to them.
func TestServerTLS_Resumption(t *testing.T) {
	cache := tls.NewLRUClientSessionCache(4)
	clientCfg, serverCfg := initiating(), receiving(t)
	base := serverTLS()
	base.SessionTicketsDisabled = false
	serverCfg.Features[0] = StartTLS{Config: ServerTLS(base)}
	own := clientTLS()
	own.ClientSessionCache = cache
	clientCfg.Features[0] = StartTLS{Config: own}
	for i := range 2 {
		a, b := tcpPipe(t)
		client, server := connect(t, a, b, clientCfg, serverCfg)
		require.Equal(t, i == 1, client.TLS().DidResume, "connection %d", i)
		_, end := reading(client)
		_, serverEnd := reading(server)
		require.NoError(t, client.Close(t.Context()))
		<-end
		<-serverEnd
	}
}

// TestC5_TLS12 negotiates with the oldest TLS that we accept, and does not with an
// older one.
func TestC5_TLS12(t *testing.T) {
	for _, tt := range []struct {
		max uint16
		ok  bool
	}{{tls.VersionTLS12, true}, {tls.VersionTLS11, false}} {
		old := serverTLS()
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tt.max
		a, b := tcpPipe(t)
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = tls.Server(b, old).HandshakeContext(t.Context())
		}()
		err := TLSClient(a, clientTLS(), example).HandshakeContext(t.Context())
		if (err == nil) != tt.ok {
			t.Errorf("TLS %s: %v; want success %v", tls.VersionName(tt.max), err, tt.ok)
		}
		_ = a.Close()
		<-served
	}
}

// TestC13_9_5_OldTLS: a server takes no client whose TLS is too old, not to speak of SSL.
func TestC13_9_5_OldTLS(t *testing.T) {
	for _, tt := range []struct {
		max uint16
		ok  bool
	}{{tls.VersionTLS13, true}, {tls.VersionTLS12, true}, {tls.VersionTLS11, false}, {tls.VersionTLS10, false}} {
		a, b := tcpPipe(t)
		served := make(chan error, 1)
		go func() { served <- TLSServer(b, ServerTLS(serverTLS())).HandshakeContext(t.Context()) }()
		old := clientTLS()
		old.ServerName, old.MinVersion, old.MaxVersion = "im.example.com", tls.VersionTLS10, tt.max
		_ = tls.Client(a, old).HandshakeContext(t.Context())
		if err := <-served; (err == nil) != tt.ok {
			t.Errorf("TLS %s: %v; want success %v", tls.VersionName(tt.max), err, tt.ok)
		}
		_ = a.Close()
	}
}

// TestRenegotiation: a server that wants to renegotiate is not obliged (RFC 6120
// §5.3.5; Prosody, CVE-2021-32920): crypto/tls does not on the server's side, and
// on the client's only when it is told to.
func TestSec_Renegotiation(t *testing.T) {
	c, _ := clientConfig(nil, example)
	require.Equal(t, tls.RenegotiateNever, c.Renegotiation)
}

func FuzzOtherNames(f *testing.F) {
	f.Add(altNames(true, "im.example.com", srvName("_xmpp-client.im.example.com"), xmppAddr("im.example.com")).Value)
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, der []byte) {
		cert := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: der}}}
		services, addresses := otherNames(cert)
		total := 0
		for _, s := range append(services, addresses...) {
			total += len(s)
		}
		if total > len(der) {
			t.Errorf("%d bytes of names in %d bytes", total, len(der))
		}
	})
}
