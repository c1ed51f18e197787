package stream

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Negotiation is what a [Feature] sees of the stream. It belongs to the
// goroutine that negotiates and must not be kept.
type Negotiation struct {
	c           *Conn
	cfg         *Config
	established bool             // negotiation is over
	bounded     context.Context  // the bound of all of it; its whole life is one call
	opened      bool             // our header of this stream has been sent
	reply       header           // receiving: our header, as far as it is known
	features    bool             // receiving: the peer has been told them
	peer        jid.JID          // receiving: the from of the peer's header
	pinned      jid.JID          // receiving: the domain of an authenticated stream
	restart     bool             // the stream has been replaced: headers come next
	retries     map[xml.Name]int // see Retry
	resumed     *Conn            // whose session goes on
	last        []byte           // receiving: what says so to the peer; it leaves with what was not acknowledged
	begun       *attempt2        // sent together with the header
	limits      stanza.Element   // initiating: announced since authentication
}

// State is what has been agreed so far.
func (n *Negotiation) State() State { return n.c.state }

// Initiating reports whether this side opened the stream.
func (n *Negotiation) Initiating() bool { return n.c.initiating }

// Domain is the service: for the initiating entity the one it wants, for the
// receiving entity the one that was asked for. After authentication it does not
// change any more.
func (n *Negotiation) Domain() jid.JID { return n.c.domain }

// Account is whose stream it is. For the initiating entity that is what its
// Config says until it knows better; for the receiving entity it is zero until
// authentication.
func (n *Negotiation) Account() jid.JID { return n.c.account }

// Features is, for the initiating entity, all that was offered: a features
// element.
func (n *Negotiation) Features() stanza.Element { return n.c.offered }

// Transport is what carries the stream now. Read from it only what is to replace
// it; see [Negotiation.Secured].
func (n *Negotiation) Transport() net.Conn { return n.c.nc }

// TLS describes the TLS connection; nil without one.
func (n *Negotiation) TLS() *tls.ConnectionState { return n.c.TLS() }

// Channel describes what SASL runs over, to bind to it; nil without TLS. The
// certificate that a receiving entity presented is known if its configuration
// was made by [ServerTLS].
func (n *Negotiation) Channel() *sasl.Channel { return n.c.channel() }

// Read returns the next first-level element. It ends, with the cause of ctx,
// when ctx is done. Its errors are for Serve and Use to return.
func (n *Negotiation) Read(ctx context.Context) (stanza.Element, error) {
	var e stanza.Element
	read := func() (err error) {
		e, err = n.c.read()
		e = e.Clone()
		return err
	}
	if n.established {
		return e, read()
	}
	err := n.interruptible(ctx, read)
	if err == io.EOF {
		return e, fmt.Errorf("stream: the peer closed the stream during negotiation: %w", io.ErrUnexpectedEOF)
	}
	return e, err
}

// interruptible bounds f, which reads, by ctx and by all of negotiation.
func (n *Negotiation) interruptible(ctx context.Context, f func() error) error {
	if ctx.Done() == n.bounded.Done() {
		return n.c.interruptible(ctx, f)
	}
	return n.c.interruptible(n.bounded, func() error { return n.c.interruptible(ctx, f) })
}

// Write sends what f writes, one first-level element or several, and returns
// when it has left. On an established stream it only queues it.
func (n *Negotiation) Write(f func(w *stanza.Writer)) error {
	w := stanza.NewWriter(nil)
	f(w)
	return n.finish(w, false)
}

// Reply sends the answer to a request, as Write does. It is a stanza: on an established stream it counts as one
// (XEP-0198 §4), and nothing else does.
func (n *Negotiation) Reply(iq stanza.IQ) error {
	w := stanza.NewWriter(nil)
	w.Payload(iq)
	return n.finish(w, true)
}

func (n *Negotiation) finish(w *stanza.Writer, isStanza bool) error {
	b, err := w.Bytes()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if n.established {
		_, err := n.c.out.append(lifetime{n.c}, b, isStanza)
		return err
	}
	return n.send(b)
}

// send sends b and returns when it has left: negotiation goes on.
func (n *Negotiation) send(b []byte) error {
	if _, err := n.c.out.append(n.bounded, b, false); err != nil {
		return err
	}
	if err := n.c.out.idle(n.bounded); err != nil {
		return err
	}
	return n.c.raw.SetWriteDeadline(time.Time{}) // so that none is left for TLS to run into
}

// Retry counts a failed attempt at the feature of that name. It returns the
// stream error to end the stream with if after most retries still another one
// has failed (RFC 6120 §6.4.5, §7.7.3).
func (n *Negotiation) Retry(name xml.Name, most int) error {
	if n.retries == nil {
		n.retries = make(map[xml.Name]int)
	}
	if n.retries[name]++; n.retries[name] > most {
		return &Error{Condition: PolicyViolation, Text: "too many failed attempts", Lang: "en"}
	}
	return nil
}

// errEstablished is the error of a Standing feature that wants too much.
var errEstablished = errors.New("stream: an established stream cannot be changed")

// Secured says that TLS protects the stream from now on: its handshake, over the
// old [Negotiation.Transport], is complete. The stream starts anew (RFC 6120
// §5.3.2), and whatever the peer sent before TLS is forgotten (§5.4.3.3).
func (n *Negotiation) Secured(tc *tls.Conn) error {
	switch {
	case n.established:
		return errEstablished
	case n.c.state.Has(Secure):
		return errors.New("stream: TLS over TLS")
	case !tc.ConnectionState().HandshakeComplete:
		return errors.New("stream: the TLS handshake is not complete")
	}
	if n.c.r.Reset(&source{n.c, tc}) > 0 && n.c.initiating {
		return transportError{"starttls", ErrInjected}
	}
	n.c.out.redirect(tc)
	n.c.nc = tc
	n.secured(tc)
	n.restart = true
	return nil
}

// secured takes note of TLS.
func (n *Negotiation) secured(tc *tls.Conn) {
	n.c.tls = tc
	n.agree(Secure)
	state := tc.ConnectionState()
	n.c.event("tls", tls.VersionName(state.Version)+", "+tls.CipherSuiteName(state.CipherSuite))
}

// Authenticated says who the initiating entity is: an account, or a server's
// domain. The stream starts anew (RFC 6120 §6.3.2), for the same domain.
func (n *Negotiation) Authenticated(addr jid.JID) error {
	switch {
	case n.established:
		return errEstablished
	case n.c.state.Has(Authenticated):
		return errors.New("stream: authenticated twice")
	case n.c.initiating && n.c.r.Buffered() > 0:
		return transportError{"sasl", ErrInjected}
	}
	if err := n.authenticated(addr); err != nil {
		return err
	}
	n.c.r.Restart()
	n.restart = true
	return nil
}

// authenticated is Authenticated for a stream that goes on (XEP-0388).
func (n *Negotiation) authenticated(addr jid.JID) error {
	if n.established || n.c.state.Has(Authenticated) {
		return errors.New("stream: authenticated twice")
	}
	n.c.account, n.pinned = addr, n.c.domain
	n.agree(Authenticated)
	n.c.event("authenticated", addr.String())
	n.c.r.SetLimits(n.c.after)
	return nil
}

// Bound says which full JID the initiating entity has on this stream, which goes
// on as it is (RFC 6120 §7.3.2).
func (n *Negotiation) Bound(full jid.JID) error {
	switch {
	case n.established:
		return errEstablished
	case n.c.state.Has(Bound):
		return errors.New("stream: bound twice")
	}
	n.c.full = full
	n.agree(Bound)
	n.c.event("bound", full.String())
	return nil
}

// addressed reports whether a stanza is for the server itself: for nobody named,
// its domain, or the account of the stream (RFC 6120 §10.3).
func (n *Negotiation) addressed(e stanza.Element) bool {
	s := e.Attr("to")
	if s == "" {
		return true
	}
	to, err := jid.ParseLenient(s)
	return err == nil && (to == n.Domain() || to == n.Account().Bare())
}

// agree is the one place that changes what has been agreed.
func (n *Negotiation) agree(s State) { n.c.state |= s }

// usable reports whether a feature may be offered and used now. Here is where a
// stream without TLS is held to STARTTLS (RFC 6120 §5.3.1).
func (n *Negotiation) usable(f Feature) bool {
	if !n.c.state.Has(Secure) && !n.cfg.InsecurePlaintext && f.Name() != startTLSName {
		return false
	}
	return f.Possible(n.c.state)
}
