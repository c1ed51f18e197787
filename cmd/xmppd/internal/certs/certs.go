// Package certs has the certificates of the hosts: those of files, and for hosts without files those that it makes, of an authority
// of its own that is kept beside them. They are replaced while the server runs.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/jid"
)

// A Keeper shows each client the certificate of the domain it asks for. Its methods may be called from any goroutine.
type Keeper struct{ current atomic.Pointer[Set] }

// A Set is the certificates of some hosts. It is never changed.
type Set struct {
	first  string
	byName map[string]*tls.Certificate
}

// Load reads the certificates of all hosts, and makes those that have no files. Nothing is shown to anybody yet. An
// error of a file is a [*config.Error].
func Load(c *config.Config, now time.Time) (*Set, error) {
	s := &Set{byName: make(map[string]*tls.Certificate)}
	for i, h := range c.Hosts {
		cert, err := load(c, i, now)
		if err != nil {
			return nil, err
		}
		name := Name(h.Domain)
		if s.first == "" {
			s.first = name
		}
		s.byName[name] = cert
	}
	return s, nil
}

// load returns the certificate of a host.
func load(c *config.Config, i int, now time.Time) (*tls.Certificate, error) {
	h := c.Hosts[i]
	if h.Cert == "" {
		return made(c, h.Domain, now)
	}
	at := fmt.Sprintf("host[%d].", i)
	for _, of := range []struct{ key, file string }{{"cert", h.Cert}, {"key", h.Key}} {
		f, err := os.Open(of.file)
		if err != nil {
			return nil, c.Problem(at+of.key, err.Error(), "write the file of the certificate and that of its private key, and let this program read them")
		}
		f.Close()
	}
	cert, err := tls.LoadX509KeyPair(h.Cert, h.Key)
	if err != nil {
		return nil, c.Problem(at+"cert", strings.TrimPrefix(err.Error(), "tls: "), "both files must be PEM, and the key that of the first certificate in the file and without a passphrase")
	}
	return &cert, nil
}

// With returns a set that has the certificates of both; s where both have one.
func (s *Set) With(other *Set) *Set {
	if other == nil {
		return s
	}
	both := &Set{first: s.first, byName: make(map[string]*tls.Certificate)}
	for _, set := range []*Set{other, s} {
		maps.Copy(both.byName, set.byName)
	}
	return both
}

// Of returns the certificate of a domain, nil if there is none.
func (s *Set) Of(domain jid.JID) *x509.Certificate {
	if s == nil || s.byName[Name(domain)] == nil {
		return nil
	}
	return s.byName[Name(domain)].Leaf
}

// Show shows other certificates from now on.
func (k *Keeper) Show(s *Set) { k.current.Store(s) }

// Shown returns those that are shown; nil before there are any.
func (k *Keeper) Shown() *Set { return k.current.Load() }

var errNone = errors.New("certs: there is no certificate for that name")

// TLS returns a configuration that shows them. A client that names no domain is shown that of the first host.
func (k *Keeper) TLS() *tls.Config {
	return &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		set := k.current.Load()
		if set == nil {
			return nil, errNone
		}
		name := hello.ServerName
		if name == "" {
			name = set.first
		}
		if cert := set.byName[ascii(name)]; cert != nil {
			return cert, nil
		}
		return nil, errNone
	}}
}

// Name is a domain as certificates and TLS have it: in ASCII, without brackets.
func Name(domain jid.JID) string { return ascii(domain.Domainpart()) }

func ascii(name string) string {
	name = strings.Trim(strings.TrimSuffix(name, "."), "[]")
	if net.ParseIP(name) != nil {
		return name
	}
	if a, err := idna.ToASCII(name); err == nil {
		name = a
	}
	return strings.ToLower(name)
}
