package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"unicode"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// The kinds of error of [Dial] that a program may want to tell apart. Where
// several servers were tried, the error matches the kinds of all their failures.
var (
	// ErrCredentials: the server does not accept the password, token or
	// certificate for the account, or has disabled the account. Trying again
	// with the same will not help. The reason is a [sasl.Condition], or
	// [stream.InvalidFrom] when they are those of another account.
	ErrCredentials = errors.New("client: the credentials were not accepted")
	// ErrMechanism: the server offers no way to log in that the options allow.
	ErrMechanism = errors.New("client: no way to log in that both sides allow")
	// ErrHostNotFound: the domain has no XMPP server as far as the DNS knows,
	// or the server that was found does not serve it.
	ErrHostNotFound = errors.New("client: no server for the domain")
	// ErrCertificate: the server could not prove by its certificate that it is
	// the domain's. It is misconfigured, or somebody else answered.
	ErrCertificate = errors.New("client: the certificate is not trusted")
	// ErrNoTLS: the server offers no TLS or refuses it, or somebody on the way
	// makes it look so. Nothing has been revealed.
	ErrNoTLS = errors.New("client: the stream cannot be secured")
	// ErrRefused: nothing listens where the server should be.
	ErrRefused = errors.New("client: the connection was refused")
	// ErrTimeout: the server took too long. If it was the context that ended,
	// the error matches [context.DeadlineExceeded] too.
	ErrTimeout = errors.New("client: timed out")
)

// A dialError is what a call of Dial fails with.
type dialError struct {
	account jid.JID
	errs    []error // at least one
}

// Error tells of every attempt, on one line.
func (e *dialError) Error() string {
	parts := make([]string, len(e.errs))
	for i, err := range e.errs {
		parts[i] = oneLine(err.Error())
	}
	s := "client: dial"
	if !e.account.IsZero() {
		s += " " + e.account.Bare().String()
	}
	return s + ": " + strings.Join(parts, "; ")
}

func (e *dialError) Unwrap() []error { return e.errs }

// maxText bounds what a message quotes of one failure, in bytes.
const maxText = 500

// oneLine makes a text that holds words of others fit for a log: no line
// breaks or other control characters, no more than maxText bytes.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// An attemptError is how one server failed.
type attemptError struct {
	target target
	err    error
}

func (e *attemptError) Error() string { return e.target.String() + ": " + e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

// A kindError adds one of the exported kinds to an error.
type kindError struct{ kind, err error }

// Error says the kind and then what e.err adds to it, without the names of the
// packages it came through.
func (e *kindError) Error() string {
	detail := e.err.Error()
	for _, name := range []string{"stream: ", "tls: ", "tls: ", "sasl: "} {
		detail = strings.TrimPrefix(detail, name)
	}
	return strings.TrimPrefix(e.kind.Error(), "client: ") + ": " + detail
}

func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// classify adds the kind to the error of an attempt that ctx has bounded.
func classify(ctx context.Context, err error) error {
	if kind := kindOf(ctx, err); kind != nil {
		return &kindError{kind, err}
	}
	return err
}

func kindOf(ctx context.Context, err error) error {
	switch {
	case isCertificateError(err):
		return ErrCertificate
	case errors.Is(err, stream.ErrNoTLS), errors.Is(err, stream.ErrTLSRefused):
		return ErrNoTLS
	case errors.Is(err, sasl.ErrNotAuthorized), errors.Is(err, sasl.ErrInvalidAuthzid),
		errors.Is(err, sasl.ErrAccountDisabled), errors.Is(err, sasl.ErrCredentialsExpired),
		errors.Is(err, stream.InvalidFrom): // they are of another account (RFC 6120 §4.9.3.9), such as a token
		return ErrCredentials
	case errors.Is(err, sasl.ErrNoMechanism), errors.Is(err, sasl.ErrInvalidMechanism),
		errors.Is(err, sasl.ErrMechanismTooWeak), errors.Is(err, sasl.ErrEncryptionRequired):
		return ErrMechanism
	case isNotFound(err), errors.Is(err, stream.HostUnknown), errors.Is(err, stream.HostGone):
		return ErrHostNotFound
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrRefused
	case isTimeout(err), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrTimeout
	}
	return nil
}

// isCertificateError reports whether a certificate was not accepted by us.
func isCertificateError(err error) bool {
	return is[*tls.CertificateVerificationError](err) ||
		is[x509.CertificateInvalidError](err) ||
		is[x509.HostnameError](err) ||
		is[x509.UnknownAuthorityError](err) ||
		is[x509.UnhandledCriticalExtension](err) ||
		is[x509.ConstraintViolationError](err) ||
		is[x509.SystemRootsError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// final reports whether trying another server of the domain is of no use: this
// one was the right one, heard who we are and said no.
func final(err error) bool {
	for _, kind := range []error{
		ErrCredentials, ErrMechanism,
		sasl.ErrDowngrade, sasl.ErrServerNotProven, sasl.ErrIterations,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	_, bind := stanza.AsError(err)
	return bind || is[*stream.AuthError](err) || is[*beforeError](err)
}
