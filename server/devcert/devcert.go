// Package devcert makes certificates on the spot, for demos, tests and first
// steps: an authority that exists in this process only, and certificates for
// domains that it vouches for. Clients verify them as they would any other, so nothing
// has to be switched off.
//
//	ca, err := devcert.New("localhost")
//	srv, err := server.New(&server.Options{Domains: []string{"localhost"}, TLS: ca.ServerConfig()})
//	bot, err := client.Dial(ctx, account, &client.Options{TLS: ca.ClientConfig(), …})
//
// A client in another program trusts the authority through the file that
// [Authority.WriteFile] makes. Everything expires after a day.
package devcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"
)

// An Authority vouches for its domains. It never changes and may be used from
// any goroutine.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	leaf tls.Certificate
}

// New makes an authority and a certificate for the given domains, the first of
// which gives it its name.
func New(domains ...string) (*Authority, error) {
	if len(domains) == 0 {
		return nil, errors.New("devcert: no domain")
	}
	a := &Authority{}
	if err := a.makeRoot(); err != nil {
		return nil, fmt.Errorf("devcert: %w", err)
	}
	leaf, err := a.Issue(domains...)
	if err != nil {
		return nil, err
	}
	a.leaf = leaf
	return a, nil
}

// makeRoot makes the authority's own key and certificate.
func (a *Authority) makeRoot() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template, err := newTemplate("Parlance development authority")
	if err != nil {
		return err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	a.key = key
	a.cert, err = x509.ParseCertificate(der)
	return err
}

// Issue makes one more certificate, for the given domains.
func (a *Authority) Issue(domains ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("devcert: %w", err)
	}
	template, err := newTemplate(domains[0])
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("devcert: %w", err)
	}
	template.DNSNames = domains
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("devcert: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("devcert: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func newTemplate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.Add(24 * time.Hour),
	}, nil
}

// ServerConfig returns a configuration with the certificate of the authority's domains.
func (a *Authority) ServerConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf}}
}

// ClientConfig returns a configuration that trusts this authority and no other.
func (a *Authority) ClientConfig() *tls.Config {
	return &tls.Config{RootCAs: a.Pool()}
}

// Pool returns a pool that holds this authority and no other.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// KeyPairPEM returns the certificate chain and the private key of the
// authority's domains, for servers that read them from files.
func (a *Authority) KeyPairPEM() (chain, key []byte, err error) {
	for _, der := range a.leaf.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.leaf.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("devcert: %w", err)
	}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// WriteFile writes the authority's certificate to a new file in the system's
// folder for such and returns the file's name. The caller removes it.
func (a *Authority) WriteFile() (string, error) {
	f, err := os.CreateTemp("", "parlance-ca-*.pem")
	if err != nil {
		return "", fmt.Errorf("devcert: %w", err)
	}
	_, err = f.Write(a.PEM())
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("devcert: %w", err)
	}
	return f.Name(), nil
}
