package stream

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/parlance-xmpp/xmpp/jid"
)

// verifyDomain makes cfg accept a certificate, valid otherwise, that is for the
// domain by any of the identifiers of RFC 6120 §13.7.1.2. As crypto/tls knows
// only one of them, it does all of its verification over again.
func verifyDomain(cfg *tls.Config, domain jid.JID) {
	peer, connection := cfg.VerifyPeerCertificate, cfg.VerifyConnection
	roots, now := cfg.RootCAs, cfg.Time
	cfg.InsecureSkipVerify, cfg.VerifyPeerCertificate = true, nil
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		if now != nil {
			opts.CurrentTime = now()
		}
		chains, err := verifyCertificate(cs.PeerCertificates, domain, opts)
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		if peer != nil && !cs.DidResume {
			if err := peer(rawCertificates(cs.PeerCertificates), chains); err != nil {
				return err
			}
		}
		if connection != nil {
			cs.VerifiedChains = chains
			return connection(cs)
		}
		return nil
	}
}

func rawCertificates(certs []*x509.Certificate) [][]byte {
	raw := make([][]byte, len(certs))
	for i, c := range certs {
		raw[i] = c.Raw
	}
	return raw
}

// verifyCertificate verifies a chain, and that its first certificate is for the domain.
func verifyCertificate(certs []*x509.Certificate, domain jid.JID, opts x509.VerifyOptions) ([][]*x509.Certificate, error) {
	if len(certs) == 0 {
		return nil, fmt.Errorf("stream: the server has no certificate")
	}
	leaf := *certs[0]
	// A subject alternative name without any form that crypto/x509 knows is one it
	// cannot handle. We do.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), oidSubjectAltName.Equal)
	for _, c := range certs[1:] {
		opts.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(opts)
	if err != nil {
		return nil, err
	}
	return chains, verifyIdentity(&leaf, domain)
}

// verifyIdentity reports whether a certificate is for a domain: as a DNS name,
// wildcards included, as the service xmpp-client there, or as an XMPP address.
func verifyIdentity(leaf *x509.Certificate, domain jid.JID) error {
	name := asciiDomain(domain)
	err := leaf.VerifyHostname(name)
	if err == nil {
		return nil
	}
	services, addresses := otherNames(leaf)
	for _, s := range services {
		if strings.EqualFold(s, "_xmpp-client."+name) {
			return nil
		}
	}
	for _, a := range addresses {
		if addr, err := jid.Parse(a); err == nil && addr == domain {
			return nil
		}
	}
	return err
}

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidSRVName        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985
	oidXMPPAddr       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
)

// otherNames returns the services and the XMPP addresses that a certificate
// names. What is malformed is left out.
func otherNames(cert *x509.Certificate) (services, addresses []string) {
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(oidSubjectAltName) {
			continue
		}
		der := cryptobyte.String(ext.Value)
		var names cryptobyte.String
		if !der.ReadASN1(&names, cbasn1.SEQUENCE) {
			continue
		}
		for !names.Empty() {
			var name cryptobyte.String
			var tag cbasn1.Tag
			if !names.ReadAnyASN1(&name, &tag) {
				break
			}
			if tag != cbasn1.Tag(0).ContextSpecific().Constructed() {
				continue
			}
			switch id, value := parseOtherName(name); {
			case id.Equal(oidSRVName):
				services = append(services, value)
			case id.Equal(oidXMPPAddr):
				addresses = append(addresses, value)
			}
		}
	}
	return services, addresses
}

// parseOtherName reads the inside of an otherName (RFC 5280 §4.2.1.6) that holds
// a string. The id is nil if it is anything else.
func parseOtherName(der cryptobyte.String) (id asn1.ObjectIdentifier, value string) {
	var wrapped, content cryptobyte.String
	var tag cbasn1.Tag
	if !der.ReadASN1ObjectIdentifier(&id) ||
		!der.ReadASN1(&wrapped, cbasn1.Tag(0).ContextSpecific().Constructed()) || !der.Empty() ||
		!wrapped.ReadAnyASN1(&content, &tag) || !wrapped.Empty() ||
		tag != cbasn1.UTF8String && tag != cbasn1.IA5String {
		return nil, ""
	}
	return id, string(content)
}
