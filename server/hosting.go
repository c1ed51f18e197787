package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A hosting is the domains that a server serves. It is replaced, never changed.
type hosting struct {
	domains  []jid.JID
	services map[jid.JID]*service
	auth     map[jid.JID]*sasl.Authenticator
}

// Domains lists the domains that are served, the first of which is meant by a client that names none.
func (s *Server) Domains() []jid.JID { return slices.Clone(s.hosting.Load().domains) }

// service returns the domain as an entity, nil if it is not served.
func (s *Server) service(domain jid.JID) *service { return s.hosting.Load().services[domain] }

// hosts reports whether the server serves the domain of an address.
func (s *Server) hosts(addr jid.JID) bool { return s.service(addr.Domain()) != nil }

// AddDomain makes the server serve one more domain; without effect if it does already. Its certificate is the business of
// [Options].TLS, whose GetCertificate is asked for each connection.
func (s *Server) AddDomain(name string) error {
	domains, err := parseDomains([]string{name})
	if err != nil {
		return err
	}
	return s.host(domains...)
}

// host adds domains.
func (s *Server) host(domains ...jid.JID) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	now := s.hosting.Load()
	next := &hosting{slices.Clone(now.domains), maps.Clone(now.services), maps.Clone(now.auth)}
	for _, domain := range domains {
		if next.services[domain] != nil {
			continue
		}
		auth, err := newAuthenticator(&s.opts, domain, s.opts.Mechanisms)
		if err != nil {
			return err
		}
		next.domains = append(next.domains, domain)
		next.auth[domain] = auth
		next.services[domain] = &service{
			srv: s, addr: domain, handler: s.opts.Mux, outgoing: s.opts.Mux, log: s.log,
			work:    &worker{limit: serviceBytes, begin: s.begin, end: s.end},
			queries: make(map[question]chan *stanza.Raw),
		}
	}
	s.hosting.Store(next)
	return nil
}

// RemoveDomain stops serving a domain, which must not be the only one; without effect if it is not served. The sessions of its accounts end with
// a host-gone stream error (RFC 6120 §4.9.3.5). What is stored stays where it is.
func (s *Server) RemoveDomain(ctx context.Context, name string) error {
	domains, err := parseDomains([]string{name})
	if err != nil {
		return err
	}
	gone := domains[0]
	if err := s.unhost(gone); err != nil {
		return fmt.Errorf("server: remove %s: %w", gone, err)
	}
	var leaving []*account
	for _, a := range s.directory.all() {
		if a.addr.Domain() == gone {
			leaving = append(leaving, a)
			s.directory.remove(a)
			a.close(&stream.Error{Condition: stream.HostGone})
		}
	}
	for _, a := range leaving {
		if err := a.left(ctx); err != nil {
			return fmt.Errorf("server: remove %s: %w", gone, err)
		}
	}
	return nil
}

func (s *Server) unhost(domain jid.JID) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	now := s.hosting.Load()
	if now.services[domain] == nil {
		return nil
	}
	if len(now.domains) == 1 {
		return errors.New("it is the only domain")
	}
	next := &hosting{slices.Clone(now.domains), maps.Clone(now.services), maps.Clone(now.auth)}
	next.domains = slices.DeleteFunc(next.domains, func(d jid.JID) bool { return d == domain })
	delete(next.services, domain)
	delete(next.auth, domain)
	s.hosting.Store(next)
	return nil
}
