package stream

import (
	"context"
	"crypto/tls"
	"encoding/xml"

	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsTLS = "urn:ietf:params:xml:ns:xmpp-tls"

var startTLSName = xml.Name{Space: nsTLS, Local: "starttls"}

// StartTLS is the [Feature] that puts TLS under a stream (RFC 6120 §5), for both
// roles. It is not offered on a stream that has TLS already.
type StartTLS struct {
	// Config is, for the initiating entity, completed for each stream as
	// [TLSClient] says, but without a protocol of its own; nil is the default.
	// For the receiving entity it is one that [ServerTLS] has made, and nil
	// offers nothing.
	Config *tls.Config
}

// Name implements [Feature].
func (StartTLS) Name() xml.Name { return startTLSName }

// Possible implements [Feature].
func (StartTLS) Possible(s State) bool { return s == 0 }

// Offer implements [Feature].
func (f StartTLS) Offer(n *Negotiation, w *stanza.Writer) {
	if f.Config == nil {
		return
	}
	w.Start(nsTLS, "starttls")
	if !n.cfg.InsecurePlaintext {
		w.Start(nsTLS, "required")
		w.End()
	}
	w.End()
}

// Wants implements [Feature].
func (StartTLS) Wants(e stanza.Element) bool { return e.Is(nsTLS, "starttls") }

// Serve implements [Feature].
func (f StartTLS) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	if f.Config == nil || !e.First().IsZero() || e.Text() != "" {
		return f.Refuse(ctx, n, e)
	}
	if err := n.Write(func(w *stanza.Writer) { w.Element(nsTLS, "proceed", "") }); err != nil {
		return err
	}
	// What came behind <starttls/> is dropped, by Secured: it can be anybody's.
	tc := tls.Server(&serverTransport{Conn: n.Transport(), domain: asciiDomain(n.Domain())}, f.Config)
	if err := handshake(ctx, tc); err != nil {
		return err
	}
	return n.Secured(tc)
}

// Refuse answers a request that cannot be met (RFC 6120 §5.4.2.2). It implements [Refuser].
func (StartTLS) Refuse(_ context.Context, n *Negotiation, _ stanza.Element) error {
	if err := n.Write(func(w *stanza.Writer) { w.Element(nsTLS, "failure", "") }); err != nil {
		return err
	}
	return errRefusedTLS
}

// Use implements [Feature].
func (f StartTLS) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	if err := n.Write(func(w *stanza.Writer) { w.Element(nsTLS, "starttls", "") }); err != nil {
		return err
	}
	e, err := n.Read(ctx)
	if err != nil {
		return err
	}
	switch {
	case e.Is(nsTLS, "proceed"):
	case e.Is(nsTLS, "failure"):
		return ErrTLSRefused
	default:
		return unexpected(e)
	}
	if n.c.r.Buffered() > 0 { // the server speaks next inside TLS: this is not from it
		return transportError{"starttls", ErrInjected}
	}
	cfg, verifies := clientConfig(f.Config, n.Domain())
	tc := tls.Client(&clientTransport{n.Transport(), verifies}, cfg)
	if err := handshake(ctx, tc); err != nil {
		return err
	}
	return n.Secured(tc)
}

// handshake runs the handshake of TLS. When it fails there is nothing more to
// say: not even the stream's closing tag (RFC 6120 §5.4.3.2).
func handshake(ctx context.Context, tc *tls.Conn) error {
	if err := tc.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return transportError{"tls", err}
	}
	return nil
}
