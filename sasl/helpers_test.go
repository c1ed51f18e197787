package sasl

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// accounts is a store that can do everything. A password is "secret" unless a
// test sets another.
type accounts struct {
	secrets map[string]map[Hash]Secrets
	err     error    // of SCRAMSecrets, VerifyPassword and VerifyToken
	certs   []string // of CertificateUsernames
}

var allHashes = []Hash{SHA512, SHA256, SHA1}

func newAccounts(t testing.TB, username, password string, hashes ...Hash) *accounts {
	t.Helper()
	a := &accounts{secrets: map[string]map[Hash]Secrets{}}
	if len(hashes) == 0 {
		hashes = allHashes
	}
	prepared, err := prepare(username)
	require.NoError(t, err)
	a.secrets[prepared] = map[Hash]Secrets{}
	for _, h := range hashes {
		s, err := NewSecrets(h, password, MinIterations)
		require.NoError(t, err)
		a.secrets[prepared][h] = s
	}
	return a
}

func (a *accounts) SCRAMHashes() []Hash { return allHashes }

func (a *accounts) SCRAMSecrets(_ context.Context, username string, h Hash) (Secrets, error) {
	s, ok := a.secrets[username][h]
	if !ok && a.err == nil {
		return Secrets{}, ErrNotAuthorized
	}
	return s, a.err
}

func (a *accounts) VerifyToken(_ context.Context, token string) (string, error) {
	if token != "letmein" {
		return "", ErrNotAuthorized
	}
	return "juliet", a.err
}

func (a *accounts) CertificateUsernames(context.Context, *tls.ConnectionState) ([]string, error) {
	return a.certs, a.err
}

func newAuth(t testing.TB, store any, opts *Options) *Authenticator {
	t.Helper()
	auth, err := NewAuthenticator(store, opts)
	require.NoError(t, err)
	return auth
}

// talk carries an exchange to its end. The hook sees every message before it is
// delivered and may return another: 0 is the initial response, 1 the answer to
// it, and so on; the last carries success.
func talk(c Client, s Server, hook func(i int, msg []byte) []byte) (id Identity, clientErr, serverErr error) {
	if hook == nil {
		hook = func(_ int, msg []byte) []byte { return msg }
	}
	response, err := c.Start()
	if err != nil {
		return id, err, nil
	}
	for i := 0; ; i += 2 {
		challenge, done, err := s.Next(context.Background(), hook(i, response))
		if err != nil {
			return id, errors.New("no success"), err
		}
		if challenge != nil {
			challenge = hook(i+1, challenge)
		}
		if done {
			return s.Identity(), c.Finish(challenge), nil
		}
		if response, err = c.Next(challenge); err != nil {
			return id, err, errors.New("aborted")
		}
	}
}

// login runs the exchange that Select and the authenticator agree on.
func login(t testing.TB, auth *Authenticator, creds *Credentials, client, server *Channel, policy *Policy) (name string, id Identity, clientErr, serverErr error) {
	t.Helper()
	offer := auth.Offer(server)
	c, err := Select(offer, creds, client, policy)
	require.NoError(t, err)
	s, err := auth.Start(c.Name(), offer, server)
	require.NoError(t, err)
	require.Equal(t, c.Name(), s.Name())
	id, clientErr, serverErr = talk(c, s, nil)
	return c.Name(), id, clientErr, serverErr
}

// secure is a confidential channel without TLS state.
var secure = &Channel{Confidential: true}

// tlsOptions adjusts tlsPair.
type tlsOptions struct {
	version    uint16
	ed25519    bool // key and signature of the certificate
	clientCert bool
	noExporter bool // for the client
}

// tlsPair completes a handshake in memory.
func tlsPair(t testing.TB, o tlsOptions) (client, server *Channel) {
	t.Helper()
	cert := selfSigned(t, o.ed25519)
	if o.version == 0 {
		o.version = tls.VersionTLS13
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	cc := &tls.Config{ServerName: "example.org", RootCAs: roots, MinVersion: o.version, MaxVersion: o.version}
	sc := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: o.version, MaxVersion: o.version, ClientAuth: tls.RequestClientCert}
	if o.clientCert {
		cc.Certificates = []tls.Certificate{selfSigned(t, false)}
	}
	if o.noExporter {
		// The extended master secret cannot be switched off in crypto/tls. This is
		// its other reason to refuse.
		cc.Renegotiation = tls.RenegotiateOnceAsClient
	}
	a, b := net.Pipe()
	ca, sb := tls.Client(a, cc), tls.Server(b, sc)
	handshake := make(chan error, 1)
	go func() { handshake <- sb.HandshakeContext(t.Context()) }()
	require.NoError(t, ca.HandshakeContext(t.Context()))
	// With TLS 1.3 the client is done before the server has read its last flight,
	// and the pipe has no buffer: the tickets that the server sends are read here.
	read := make(chan struct{})
	go func() { defer close(read); _, _ = ca.Read(make([]byte, 1)) }()
	require.NoError(t, <-handshake)
	t.Cleanup(func() { _ = a.Close(); _ = b.Close(); <-read })
	return ClientChannel(ca.ConnectionState()), ServerChannel(sb.ConnectionState(), &cert)
}

func selfSigned(t testing.TB, useEd25519 bool) tls.Certificate {
	t.Helper()
	var key any
	var public any
	if useEd25519 {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		key, public = priv, pub
	} else {
		priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		key, public = priv, priv.Public()
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"example.org"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
