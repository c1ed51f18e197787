package sasl

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// The channel binding types of this package. There is no tls-unique: TLS 1.3
// does not define it, and without the extended master secret it can be forged.
const (
	TLSExporter       = "tls-exporter"         // RFC 9266
	TLSServerEndPoint = "tls-server-end-point" // RFC 5929 §4
)

// ErrNoBinding: the channel does not have the channel binding asked for.
var ErrNoBinding = errors.New("sasl: no such channel binding")

// A Channel describes what the exchange runs over. Nil is a channel in clear
// text. [ClientChannel] and [ServerChannel] make one from a TLS connection.
//
// RFC 9266 §4.1 allows one exchange per connection to use tls-exporter: after a
// failed one, a careful client connects anew.
type Channel struct {
	// Confidential says that nobody can read along and that the client knows
	// with whom it speaks. A client that did not verify the server's
	// certificate must not set it.
	Confidential bool
	// TLS is the state after the handshake, as [tls.Conn.ConnectionState] returned
	// it; nil without TLS.
	TLS *tls.ConnectionState
	// Certificate is the certificate that the server presented, on both sides.
	// It is what tls-server-end-point binds to.
	Certificate *x509.Certificate
}

// ClientChannel describes a TLS connection that verified the server's
// certificate, as its client sees it.
func ClientChannel(state tls.ConnectionState) *Channel {
	c := &Channel{Confidential: true, TLS: &state}
	if len(state.PeerCertificates) > 0 {
		c.Certificate = state.PeerCertificates[0]
	}
	return c
}

// ServerChannel describes a TLS connection as its server sees it. The
// certificate is the one the server presented on it; nil, or one that does not
// parse, does without tls-server-end-point.
func ServerChannel(state tls.ConnectionState, presented *tls.Certificate) *Channel {
	c := &Channel{Confidential: true, TLS: &state}
	if presented == nil {
		return c
	}
	c.Certificate = presented.Leaf
	if c.Certificate == nil && len(presented.Certificate) > 0 {
		if leaf, err := x509.ParseCertificate(presented.Certificate[0]); err == nil {
			c.Certificate = leaf
		}
	}
	return c
}

func (c *Channel) confidential() bool { return c != nil && c.Confidential }

func (c *Channel) hasTLS() bool {
	return c != nil && c.TLS != nil && c.TLS.HandshakeComplete && c.TLS.Version != 0
}

// Bindings returns the channel binding types that the channel has, strongest
// first.
func (c *Channel) Bindings() []string {
	return slices.DeleteFunc([]string{TLSExporter, TLSServerEndPoint}, func(name string) bool {
		_, err := c.Binding(name)
		return err != nil
	})
}

// Binding returns the channel binding data of a type, or [ErrNoBinding]. The
// data is no secret and serves for nothing but channel binding.
func (c *Channel) Binding(name string) ([]byte, error) {
	if !c.hasTLS() {
		return nil, fmt.Errorf("%w: %.40q without TLS", ErrNoBinding, name)
	}
	switch name {
	case TLSExporter:
		// crypto/tls refuses without the extended master secret and with
		// renegotiation, unless GODEBUG=tlsunsafeekm=1 is set. The empty context
		// must not be nil: before TLS 1.3 an absent one gives other bytes.
		data, err := c.TLS.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrNoBinding, name, err)
		}
		return data, nil
	case TLSServerEndPoint:
		// A resumed session will do: the certificate is the one each side saw in
		// the full handshake, so the splicing that RFC 7677 §4 warns of shows.
		return endPoint(c.Certificate)
	}
	return nil, fmt.Errorf("%w: unknown type %.40q", ErrNoBinding, name)
}

// endPoint hashes a certificate as RFC 5929 §4.1 says.
func endPoint(cert *x509.Certificate) ([]byte, error) {
	if cert == nil || len(cert.Raw) == 0 {
		return nil, fmt.Errorf("%w: %s without the server's certificate", ErrNoBinding, TLSServerEndPoint)
	}
	hash, ok := endPointHash(cert.SignatureAlgorithm)
	if !ok {
		return nil, fmt.Errorf("%w: %s is undefined for signatures with %v", ErrNoBinding, TLSServerEndPoint, cert.SignatureAlgorithm)
	}
	h := hash.New()
	h.Write(cert.Raw)
	return h.Sum(nil), nil
}

// endPointHash returns the hash function that a signature algorithm names, with
// MD5 and SHA-1 raised to SHA-256. Ed25519 names none, and neither does an
// algorithm that crypto/x509 does not know: there the type is undefined.
func endPointHash(a x509.SignatureAlgorithm) (crypto.Hash, bool) {
	switch a {
	case x509.MD5WithRSA,
		x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.DSAWithSHA256, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS:
		return crypto.SHA256, true
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		return crypto.SHA384, true
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		return crypto.SHA512, true
	}
	return 0, false
}
