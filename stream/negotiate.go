package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// Initiate opens a stream over nc and negotiates it from the side that
// connected. A [*tls.Conn] is direct TLS (XEP-0368); make it with [TLSClient].
//
// ctx bounds all of negotiation: however the peer drips its bytes, when ctx is
// done it is over. Its end does not matter afterwards. The Conn owns nc; so
// does Initiate when it fails, and closes it, after a stream error where one is
// due. Errors to look for are [ErrNoTLS], [*tls.CertificateVerificationError],
// [*AuthError], the errors of sasl, [*stanza.Error] from binding, [*Error], and
// the cause of ctx.
func Initiate(ctx context.Context, nc net.Conn, cfg *Config) (*Conn, error) {
	return start(ctx, nc, cfg, true)
}

// Accept negotiates a stream over nc from the side that was connected to.
// A [*tls.Conn] is direct TLS; make it with [TLSServer].
//
// ctx, nc and the error are as for [Initiate]. A peer whose time is over is told
// so, for at most two seconds more; when ctx ends for another reason it is not,
// unless the [context.Cause] is an [*Error].
func Accept(ctx context.Context, nc net.Conn, cfg *Config) (*Conn, error) {
	return start(ctx, nc, cfg, false)
}

func start(ctx context.Context, nc net.Conn, cfg *Config, initiating bool) (*Conn, error) {
	complete, err := cfg.withDefaults(initiating)
	if _, direct := nc.(*tls.Conn); err == nil && !direct {
		err = complete.checkPlaintext()
	}
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	n := &Negotiation{c: newConn(nc, &complete, initiating), cfg: &complete, bounded: ctx}
	if err = n.run(ctx); err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, n.abandon(ctx, err)
	}
	n.c.r.SetLimits(n.c.after)
	n.c.idle, n.c.probe = complete.IdleTimeout, complete.ProbeTimeout
	if initiating {
		n.heed()
	} else {
		n.c.standing = standing(complete.Features)
	}
	n.goOn()
	return n.c, nil
}

func (n *Negotiation) run(ctx context.Context) error {
	if tc, ok := n.c.nc.(*tls.Conn); ok {
		if err := handshake(ctx, tc); err != nil {
			return err
		}
		n.secured(tc)
	}
	if proven := n.cfg.Proven; !proven.IsZero() {
		n.c.domain = proven.Domain()
		if err := n.authenticated(proven); err != nil {
			return err
		}
	}
	if n.c.initiating {
		return n.initiate(ctx)
	}
	return n.accept(ctx)
}

// abandon ends a stream that could not be negotiated, and returns err.
func (n *Negotiation) abandon(ctx context.Context, err error) error {
	told := err
	_, silent := errors.AsType[transportError](err)
	if cause := context.Cause(ctx); !silent && cause != nil && errors.Is(err, cause) {
		err = fmt.Errorf("stream: negotiation: %w", cause)
		told = n.farewell(cause)
	}
	var preamble []byte
	switch {
	case n.opened:
	case n.reply.id == "": // there is no stream yet to say anything on
		told = transportError{"open", told}
	default:
		preamble = n.reply.append(nil)
	}
	_ = n.c.conclude(preamble, told)
	return err
}

// farewell is what the peer is told when the time for negotiation is over.
func (n *Negotiation) farewell(cause error) error {
	if _, ok := errors.AsType[*Error](cause); ok {
		return cause
	}
	if !n.c.initiating && errors.Is(cause, context.DeadlineExceeded) {
		return &Error{Condition: PolicyViolation, Text: "negotiation took too long", Lang: "en"}
	}
	return transportError{"negotiation", cause}
}

// readHeader reads the start of the peer's stream.
func (n *Negotiation) readHeader(ctx context.Context) (h xmlwire.Header, err error) {
	err = n.interruptible(ctx, func() (err error) {
		h, err = n.c.r.Header()
		return err
	})
	if err == io.EOF {
		return h, transportError{"read", io.ErrUnexpectedEOF}
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
			return h, err
		}
		return h, readError(err)
	}
	if n.c.trace.Received != nil && traced(n.c.trace) {
		n.c.trace.Received(headerText(h))
	}
	n.c.content = h.ContentNS
	n.c.lang = ""
	if lang, _ := h.Attr(xmlwire.NSXML, "lang"); len(lang) <= maxLang {
		n.c.lang = lang
	}
	return h, nil
}

// maxLang is longer than any language tag: what exceeds it is no language.
const maxLang = 255

// judge checks what holds for the headers of both sides (RFC 6120 §4.8).
func judge(h xmlwire.Header) error {
	switch {
	case h.Name.Space != xmlwire.NSStreams: // §4.8.1
		return &Error{Condition: InvalidNamespace}
	case h.Name.Local != "stream":
		return &Error{Condition: BadFormat, Text: "the root is not a stream", Lang: "en"}
	case !contentNS(h.ContentNS): // §4.8.3
		return &Error{Condition: InvalidNamespace}
	}
	return nil
}
