package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	oids "encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stream"
)

// CertificateUsernames implements [sasl.CertificateMapper]: a certificate that crypto/tls has verified, as Options.TLS says, is for
// the accounts whose addresses are in it (RFC 6120 §13.7.1.4, §13.7.2.2).
func (c credentials) CertificateUsernames(ctx context.Context, state *tls.ConnectionState) ([]string, error) {
	if len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return nil, nil
	}
	var names []string
	claims := claimsOf(ctx)
	for _, addr := range xmppAddrs(state.PeerCertificates[0]) {
		if addr.Domain() != c.domain || addr.Localpart() == "" || addr.IsFull() {
			continue
		}
		a, err := c.accounts.Get(ctx, addr)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case a.Disabled:
			return nil, sasl.ErrAccountDisabled
		}
		claims.certify(a)
		names = append(names, addr.Localpart())
	}
	return names, nil
}

// authorize decides whether somebody may act as an account, and notes for which one a certificate counts: it may be for several.
func (c credentials) authorize(ctx context.Context, id sasl.Identity) error {
	err := stream.Authorize(c.domain)(ctx, id)
	if err != nil {
		return err
	}
	if addr, err := c.domain.WithLocal(id.Username); err == nil {
		claimsOf(ctx).choose(addr)
	}
	return nil
}

// certify notes an account that a certificate is for.
func (c *claims) certify(a storage.Account) {
	if c != nil {
		c.certified = append(c.certified, a)
	}
}

// choose makes the claim of those that a certificate is for, if it is for that one.
func (c *claims) choose(addr jid.JID) {
	if c == nil {
		return
	}
	for _, a := range c.certified {
		if a.Addr == addr {
			c.note(a)
		}
	}
}

// The object identifiers of names in certificates.
var (
	oidSubjectAltName = oids.ObjectIdentifier{2, 5, 29, 17}
	oidXmppAddr       = oids.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // id-on-xmppAddr
)

// xmppAddrs returns the addresses in a certificate.
func xmppAddrs(cert *x509.Certificate) (all []jid.JID) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		in := cryptobyte.String(e.Value)
		var names cryptobyte.String
		if !in.ReadASN1(&names, asn1.SEQUENCE) {
			continue
		}
		for !names.Empty() {
			var name cryptobyte.String
			var tag asn1.Tag
			if !names.ReadAnyASN1(&name, &tag) {
				break
			}
			if tag != asn1.Tag(0).ContextSpecific().Constructed() { // otherName
				continue
			}
			if addr, err := jid.Parse(xmppAddr(name)); err == nil {
				all = append(all, addr)
			}
		}
	}
	return all
}

// xmppAddr returns the text of an otherName that is an address; empty for another one.
func xmppAddr(name cryptobyte.String) string {
	var oid oids.ObjectIdentifier
	var explicit, text cryptobyte.String
	if !name.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidXmppAddr) ||
		!name.ReadASN1(&explicit, asn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1(&text, asn1.UTF8String) {
		return ""
	}
	return string(text)
}
