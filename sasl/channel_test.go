package sasl

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeTLS13 has a version and nothing else.
var fakeTLS13 = &tls.ConnectionState{Version: tls.VersionTLS13}

func TestRFC9266_2_Exporter(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, server := tlsPair(t, tlsOptions{version: version})
		want, err := client.TLS.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte(""), 32)
		require.NoError(t, err)
		for _, c := range []*Channel{client, server} {
			got, err := c.Binding(TLSExporter)
			require.NoError(t, err)
			require.Equal(t, want, got, "%s", tls.VersionName(version))
			require.Equal(t, []string{TLSExporter, TLSServerEndPoint}, c.Bindings())
		}
		other, _ := tlsPair(t, tlsOptions{version: version})
		got, err := other.Binding(TLSExporter)
		require.NoError(t, err)
		require.NotEqual(t, want, got)
	}
}

func TestRFC9266_4_2_NoExporterNoBinding(t *testing.T) {
	client, _ := tlsPair(t, tlsOptions{version: tls.VersionTLS12, noExporter: true})
	require.Equal(t, []string{TLSServerEndPoint}, client.Bindings())
	_, err := client.Binding(TLSExporter)
	require.ErrorIs(t, err, ErrNoBinding)
}

func TestRFC5929_4_1_EndPoint(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{})
	sum := sha256.Sum256(server.Certificate.Raw)
	for _, c := range []*Channel{client, server} {
		got, err := c.Binding(TLSServerEndPoint)
		require.NoError(t, err)
		require.Equal(t, sum[:], got)
	}

	raw := []byte("certificate")
	s256, s384, s512 := sha256.Sum256(raw), sha512.Sum384(raw), sha512.Sum512(raw)
	for _, tt := range []struct {
		algorithm x509.SignatureAlgorithm
		want      []byte // nil: undefined
	}{
		{x509.MD5WithRSA, s256[:]},
		{x509.SHA1WithRSA, s256[:]},
		{x509.DSAWithSHA1, s256[:]},
		{x509.ECDSAWithSHA1, s256[:]},
		{x509.SHA256WithRSA, s256[:]},
		{x509.DSAWithSHA256, s256[:]},
		{x509.SHA256WithRSAPSS, s256[:]},
		{x509.ECDSAWithSHA256, s256[:]},
		{x509.SHA384WithRSA, s384[:]},
		{x509.SHA384WithRSAPSS, s384[:]},
		{x509.ECDSAWithSHA384, s384[:]},
		{x509.SHA512WithRSA, s512[:]},
		{x509.SHA512WithRSAPSS, s512[:]},
		{x509.ECDSAWithSHA512, s512[:]},
		{x509.PureEd25519, nil},
		{x509.UnknownSignatureAlgorithm, nil},
		{x509.MD2WithRSA, nil},
	} {
		got, err := endPoint(&x509.Certificate{Raw: raw, SignatureAlgorithm: tt.algorithm})
		if string(got) != string(tt.want) || (err == nil) != (tt.want != nil) || err != nil && !errors.Is(err, ErrNoBinding) {
			t.Errorf("endPoint(%v) = %x, %v; want %x", tt.algorithm, got, err, tt.want)
		}
	}
}

// An Ed25519 certificate made another library panic.
func TestSec_Ed25519Certificate(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{ed25519: true})
	require.Equal(t, x509.PureEd25519, server.Certificate.SignatureAlgorithm)
	require.Equal(t, []string{TLSExporter}, client.Bindings())
	require.Equal(t, []string{TLSExporter}, server.Bindings())

	auth := newAuth(t, newAccounts(t, "juliet", "secret"), nil)
	creds := &Credentials{Username: "juliet", Password: "secret"}
	name, _, clientErr, serverErr := login(t, auth, creds, client, server, nil)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	require.Equal(t, SCRAMSHA512Plus, name)

	// Without the exporter there is nothing left, which a client accepts only
	// when told to.
	client, server = tlsPair(t, tlsOptions{ed25519: true, version: tls.VersionTLS12, noExporter: true})
	require.Empty(t, client.Bindings())
	_, err := Select(auth.Offer(server), creds, client, nil)
	require.ErrorIs(t, err, ErrDowngrade)
	name, _, clientErr, serverErr = login(t, auth, creds, client, server, &Policy{Mechanisms: []string{SCRAMSHA256}})
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	require.Equal(t, SCRAMSHA256, name)
}

func TestChannelWithout(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{})
	for name, c := range map[string]*Channel{
		"nil":             nil,
		"zero":            {},
		"no TLS":          secure,
		"no handshake":    {TLS: &tls.ConnectionState{}},
		"no version":      {TLS: &tls.ConnectionState{HandshakeComplete: true}},
		"not a handshake": {TLS: fakeTLS13, Certificate: server.Certificate},
	} {
		if got := c.Bindings(); len(got) != 0 {
			t.Errorf("%s: Bindings = %q; want none", name, got)
		}
	}
	if _, err := client.Binding("tls-unique"); !errors.Is(err, ErrNoBinding) {
		t.Errorf("Binding(tls-unique) = %v; want ErrNoBinding", err)
	}
	bare := tls.Certificate{Certificate: [][]byte{server.Certificate.Raw}}
	if c := ServerChannel(*server.TLS, &bare); !slices.Equal(c.Bindings(), server.Bindings()) {
		t.Errorf("certificate without Leaf: Bindings = %q; want %q", c.Bindings(), server.Bindings())
	}
	for _, cert := range []*tls.Certificate{nil, {}, {Certificate: [][]byte{[]byte("junk")}}} {
		if c := ServerChannel(*server.TLS, cert); !slices.Equal(c.Bindings(), []string{TLSExporter}) {
			t.Errorf("without certificate: Bindings = %q; want tls-exporter", c.Bindings())
		}
	}
}
