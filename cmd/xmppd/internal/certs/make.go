package certs

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
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/jid"
)

// How long what is made here is good, and how long before its end it is made anew.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	hostLife      = 365 * 24 * time.Hour
	renewal       = 30 * 24 * time.Hour
)

// AuthorityFile is the certificate that clients trust who are to accept what is made here.
func AuthorityFile(c *config.Config) string { return c.Path("certs", "authority.pem") }

// AuthorityKey is the key of that certificate.
func AuthorityKey(c *config.Config) string { return c.Path("certs", "authority.key") }

// Files are where the certificate of a host and its key are, whether made here or not. What is made here is one file, so that nothing can come
// between.
func Files(c *config.Config, h *config.Host) (cert, key string) {
	if h.Cert != "" {
		return h.Cert, h.Key
	}
	file := c.Path("certs", Name(h.Domain)+".pem")
	return file, file
}

// made returns the certificate of a host that has no files: the one that was made before, as long as it will do.
func made(c *config.Config, domain jid.JID, now time.Time) (*tls.Certificate, error) {
	cert, err := remade(c, domain, now)
	if err != nil {
		return nil, fmt.Errorf("the certificate of %s: %w", domain, err)
	}
	return cert, nil
}

func remade(c *config.Config, domain jid.JID, now time.Time) (*tls.Certificate, error) {
	authority, err := authority(c, now)
	if err != nil {
		return nil, err
	}
	certFile, keyFile := Files(c, &config.Host{Domain: domain})
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case err == nil && willDo(cert.Leaf, authority.Leaf, domain, now):
		return &cert, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, damaged(err, certFile)
	}
	t, err := template(now, hostLife)
	if err != nil {
		return nil, err
	}
	name := Name(domain)
	t.Subject = pkix.Name{CommonName: name}
	if len(name) > 64 { // more a common name does not hold
		t.Subject.CommonName = ""
	}
	if ip := net.ParseIP(name); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{name}
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return issue(t, authority, certFile, keyFile)
}

// willDo reports whether a certificate that was made before is still good.
func willDo(leaf, authority *x509.Certificate, domain jid.JID, now time.Time) bool {
	return leaf.VerifyHostname(Name(domain)) == nil && leaf.CheckSignatureFrom(authority) == nil && now.Add(renewal).Before(leaf.NotAfter)
}

// authority returns the own authority, which is made if there is none.
func authority(c *config.Config, now time.Time) (*tls.Certificate, error) {
	certFile, keyFile := AuthorityFile(c), AuthorityKey(c)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case err == nil && now.Add(hostLife).Before(cert.Leaf.NotAfter):
		return &cert, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, damaged(err, certFile, keyFile)
	}
	if err := os.MkdirAll(filepath.Dir(certFile), 0o700); err != nil {
		return nil, err
	}
	t, err := template(now, authorityLife)
	if err != nil {
		return nil, err
	}
	t.Subject = pkix.Name{CommonName: "xmppd authority of " + c.Hosts[0].Domain.String()}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	return issue(t, nil, certFile, keyFile)
}

// damaged is the error of files that were made here and cannot be used.
func damaged(err error, files ...string) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; let the user that runs xmppd read it", err)
	}
	return fmt.Errorf("%s: %s; restore it from a backup, or remove it, and another one is made",
		strings.Join(files, " and "), strings.TrimPrefix(err.Error(), "tls: "))
}

func template(now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{SerialNumber: serial, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life)}, nil // clocks differ
}

// issue makes a certificate and keeps it; without an authority it is one itself.
func issue(t *x509.Certificate, by *tls.Certificate, certFile, keyFile string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, signer := t, crypto.PrivateKey(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if by != nil {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Leaf.Raw})...)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	secret = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if certFile == keyFile {
		err = write(keyFile, append(chain, secret...), 0o600)
	} else if err = write(keyFile, secret, 0o600); err == nil {
		err = write(certFile, chain, 0o644)
	}
	if err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	return &cert, err
}

// write replaces a file as a whole.
func write(name string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
