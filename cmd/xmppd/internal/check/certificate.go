package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
)

// soon is how long before its end a certificate is worth a word.
const soon = 14 * 24 * time.Hour

// certificate looks at that of a host.
func (x *checker) certificate(i int) {
	h := &x.Hosts[i]
	subject := "certificate " + h.Domain.String()
	certFile, keyFile := certs.Files(x.Config, h)
	if _, err := os.Stat(certFile); h.Cert == "" && errors.Is(err, fs.ErrNotExist) {
		x.ok(subject, "it is made at the first start; clients have to trust %s", certs.AuthorityFile(x.Config))
		return
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		remedy := "restore " + certFile + " from a backup, or remove it, and another one is made"
		if h.Cert != "" {
			remedy = fmt.Sprintf("see that host[%d].cert and key are PEM files of one certificate, the key without a passphrase, and that xmppd can read them", i)
		}
		x.bad(subject, remedy, "%s", strings.TrimPrefix(err.Error(), "tls: "))
		return
	}
	if h.Cert == "" && !x.authority(subject) {
		return
	}
	leaf := pair.Leaf
	if err := leaf.VerifyHostname(certs.Name(h.Domain)); err != nil {
		x.bad(subject, "get one for "+certs.Name(h.Domain)+": clients look for the domain of the account, not for the name of the machine", "it is for %s", strings.Join(names(leaf), ", "))
		return
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o007 != 0 {
		x.warn(subject, "chmod 640 "+keyFile, "everybody on the machine can read its key")
	}
	remedy := "renew it and send the server a SIGHUP"
	if h.Cert == "" {
		remedy = "restart the server, or send it a SIGHUP: it makes another one"
	}
	day := leaf.NotAfter.Format(time.DateOnly)
	switch {
	case x.now.After(leaf.NotAfter):
		x.bad(subject, remedy, "it has ended on %s", day)
	case x.now.Before(leaf.NotBefore):
		x.bad(subject, "set the clock of the machine, or wait", "it begins on %s", leaf.NotBefore.Format(time.DateOnly))
	case x.now.Add(soon).After(leaf.NotAfter):
		x.warn(subject, remedy, "it ends on %s", day)
	case h.Cert == "":
		x.ok(subject, "it is good until %s; clients have to trust %s", day, certs.AuthorityFile(x.Config))
	default:
		x.trusted(subject, &pair, day)
	}
}

// authority looks whether there is what signs certificates that are made here.
func (x *checker) authority(subject string) bool {
	certFile, keyFile := certs.AuthorityFile(x.Config), certs.AuthorityKey(x.Config)
	_, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case err == nil:
		return true
	case errors.Is(err, fs.ErrNotExist):
		x.warn(subject, "restore it from a backup, or have clients trust the one that is made at the next start", "what has signed it is not there: %v", err)
	default:
		x.bad(subject, fmt.Sprintf("restore %s and %s from a backup, or remove both, and others are made", certFile, keyFile), "what has signed it cannot be used: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	return false
}

// trusted looks whether those trust a certificate who trust what this machine trusts.
func (x *checker) trusted(subject string, pair *tls.Certificate, day string) {
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Intermediates: between, CurrentTime: x.now}); err != nil {
		x.warn(subject, "put the certificates between it and a known authority behind it, into the same file (of certbot it is fullchain.pem)", "this machine would not trust it: %v", err)
		return
	}
	x.ok(subject, "it is good until %s", day)
}

// names are what a certificate is for.
func names(c *x509.Certificate) []string {
	all := c.DNSNames
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return []string{"no domain at all"}
	}
	return all
}
