package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// An issuer makes certificates for people.
type issuer struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t}
	var err error
	i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "people"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &i.key.PublicKey, i.key)
	require.NoError(t, err)
	i.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return i
}

// issue makes a certificate with addresses. Beside them are names of other sorts.
func (i *issuer) issue(addrs ...string) tls.Certificate {
	type otherName struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"utf8,explicit,tag:0"`
	}
	marshal := func(v any, params string) []byte {
		b, err := asn1.MarshalWithParams(v, params)
		require.NoError(i.t, err)
		return b
	}
	names := marshal("mail@capulet.example", "ia5,tag:1")
	names = append(names, marshal(otherName{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}, "romeo@capulet.example"}, "tag:0")...)
	for _, a := range addrs {
		names = append(names, marshal(otherName{oidXmppAddr, a}, "tag:0")...)
	}
	san := marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true, Bytes: names}, "")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "romeo@capulet.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: san}},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, i.cert, &key.PublicKey, i.key)
	require.NoError(i.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// certified opens a stream by TLS with a certificate; none if it has no key.
func (h *house) certified(cert tls.Certificate) *client {
	near, far := net.Pipe()
	c := h.attach(near, stream.TLSServer(far, h.srv.opts.TLS))
	cfg := h.ca.ClientConfig()
	cfg.ServerName, cfg.NextProtos = "capulet.example", []string{"xmpp-client"}
	if cert.PrivateKey != nil {
		cfg.Certificates = []tls.Certificate{cert}
	}
	tc := tls.Client(near, cfg)
	require.NoError(h.t, tc.HandshakeContext(h.t.Context()))
	c.nc = tc
	c.r.Reset(tc)
	c.open("capulet.example")
	return c
}

// external logs in by EXTERNAL and returns what comes of it.
func (c *client) external(authzid string) string {
	c.t.Helper()
	c.raw("<auth xmlns='" + nsSASL + "' mechanism='EXTERNAL'>" + encode([]byte(authzid)) + "</auth>")
	e := c.next()
	if e.Name().Local == "success" {
		return "success"
	}
	return e.First().Name().Local
}

func TestC13_8_4_External(t *testing.T) {
	people, strangers := newIssuer(t), newIssuer(t)
	clients := x509.NewCertPool()
	clients.AddCert(people.cert)
	ask := func(o *Options) {
		o.TLS.ClientAuth, o.TLS.ClientCAs = tls.VerifyClientCertIfGiven, clients
	}
	h := newHouse(t, []string{"juliet", "nurse", "romeo", "tybalt", "juliet@montague.example"}, ask)
	require.NoError(t, h.srv.SetDisabled(t.Context(), h.addr("tybalt"), true))
	require.NotContains(t, h.certified(tls.Certificate{}).offer().Mechanisms, sasl.External)

	for _, tt := range []struct {
		name    string
		addrs   []string
		authzid string
		want    string
	}{
		{"an address", []string{"juliet@capulet.example"}, "", "success"},
		{"it is asked for", []string{"juliet@capulet.example"}, "juliet@capulet.example", "success"},
		{"in another form", []string{"JULIET@Capulet.Example"}, "", "success"},
		{"another one is asked for", []string{"juliet@capulet.example"}, "romeo@capulet.example", "invalid-authzid"},
		{"several", []string{"juliet@capulet.example", "nurse@capulet.example"}, "", "invalid-authzid"},
		{"one of several", []string{"juliet@capulet.example", "nurse@capulet.example"}, "nurse@capulet.example", "success"},
		{"of another domain", []string{"juliet@montague.example"}, "", "not-authorized"},
		{"of no account", []string{"paris@capulet.example"}, "", "not-authorized"},
		{"a domain", []string{"capulet.example"}, "", "not-authorized"},
		{"a full JID", []string{"juliet@capulet.example/balcony"}, "", "not-authorized"},
		{"no address", []string{"@"}, "", "not-authorized"},
		{"a disabled account", []string{"tybalt@capulet.example"}, "", "account-disabled"},
		{"other names do not count", nil, "", "not-authorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := h.certified(people.issue(tt.addrs...))
			require.Equal(t, sasl.External, c.offer().Mechanisms[0], "it comes first (§6.3.4)")
			require.Equal(t, tt.want, c.external(tt.authzid))
			if tt.want != "success" {
				return
			}
			c.r.Restart()
			c.open("capulet.example")
			c.bind("balcony")
			want := tt.authzid
			if want == "" {
				want = "juliet@capulet.example"
			}
			require.Equal(t, want, c.addr.Bare().String())
		})
	}

	// A certificate that nobody has verified is worth nothing (§13.7.2.2).
	near, far := net.Pipe()
	h.attach(near, stream.TLSServer(far, h.srv.opts.TLS))
	cfg := h.ca.ClientConfig()
	cfg.ServerName, cfg.Certificates = "capulet.example", []tls.Certificate{strangers.issue("juliet@capulet.example")}
	tc := tls.Client(near, cfg)
	_ = tc.SetDeadline(time.Now().Add(5 * time.Second))
	err := tc.HandshakeContext(t.Context())
	if err == nil { // TLS 1.3 tells at the next read
		_, err = tc.Read(make([]byte, 1))
	}
	require.Error(t, err)

	unverified := newHouse(t, []string{"juliet"}, func(o *Options) { o.TLS.ClientAuth = tls.RequestClientCert })
	c := unverified.certified(strangers.issue("juliet@capulet.example"))
	require.Equal(t, "not-authorized", c.external(""))
}

// A subscription that somebody else than a client sends to a resource that is not there is ignored.
func TestI8_5_3_2_2_SubscriptionOfAResource(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	service, err := h.srv.Session(h.addr("juliet").Domain())
	require.NoError(t, err)
	juliet := h.interested("juliet", "balcony")
	juliet.send("<presence/>", "<presence type='subscribe' to='capulet.example'/>")
	juliet.all()
	nobody, err := h.addr("juliet").WithResource("nobody")
	require.NoError(t, err)
	for _, typ := range []stanza.PresenceType{stanza.PresenceSubscribed, stanza.PresenceUnsubscribe, stanza.PresenceUnsubscribed} {
		_, err = service.Send(t.Context(), stanza.Presence{To: nobody, Type: typ})
		require.NoError(t, err)
	}
	require.Empty(t, juliet.all())
	_, err = service.Send(t.Context(), stanza.Presence{To: juliet.addr, Type: stanza.PresenceSubscribed})
	require.NoError(t, err)
	require.Len(t, juliet.all(), 2, "the approval, and the push of what it changes")
}
