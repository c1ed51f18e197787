package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Errors are one line, whatever the server writes into them.
func TestErrorsAreOneLine(t *testing.T) {
	d := &dialError{account: jid.MustParse("juliet@example.org/balcony"), errs: []error{
		&attemptError{target{host: "a.example.org", port: 5222}, &stream.Error{
			Condition: stream.Conflict, Text: "line one\r\nline\u2028two\x1b[31m \u202eright to left", Received: true}},
		&attemptError{target{host: "::1", port: 443, direct: true}, &kindError{ErrRefused, errors.New("dial tcp: refused")}},
		&attemptError{target{host: "c", port: 1}, errors.New(strings.Repeat("ä", maxText))},
	}}
	got := d.Error()
	want := "client: dial juliet@example.org: a.example.org:5222: stream: the peer reports conflict: line one  line two [31m  right to left; " +
		"[::1]:443 (direct TLS): the connection was refused: dial tcp: refused; c:1: ää"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "ä…") || strings.ContainsAny(got, "\r\n\u2028\x1b\ufffd") {
		t.Errorf("got  %q,\nwant %q…", got, want)
	}
	for _, kind := range []error{stream.Conflict, ErrRefused} {
		if !errors.Is(d, kind) {
			t.Errorf("errors.Is(%v) is false", kind)
		}
	}
}

func TestKinds(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("wrapped: %w", err) }
	for _, tt := range []struct {
		err   error
		kind  error // nil: none
		final bool  // no other server is tried
	}{
		{&stream.AuthError{Condition: sasl.ErrNotAuthorized}, ErrCredentials, true},
		{&stream.AuthError{Condition: sasl.ErrAccountDisabled}, ErrCredentials, true},
		{&stream.AuthError{Condition: sasl.ErrCredentialsExpired}, ErrCredentials, true},
		{&stream.AuthError{Condition: sasl.ErrInvalidAuthzid}, ErrCredentials, true},
		{&stream.AuthError{Condition: sasl.ErrTemporary}, nil, true},
		{&stream.AuthError{Condition: sasl.ErrAborted}, nil, true},
		{&stream.AuthError{Condition: sasl.ErrMechanismTooWeak}, ErrMechanism, true},
		{sasl.ErrNoMechanism, ErrMechanism, true},
		{sasl.ErrDowngrade, nil, true},
		{sasl.ErrServerNotProven, nil, true},
		{sasl.ErrIterations, nil, true},
		{stanza.ResourceConstraint, nil, true},
		{&stanza.Error{Condition: stanza.Conflict}, nil, true},
		{stream.ErrNoTLS, ErrNoTLS, false},
		{stream.ErrTLSRefused, ErrNoTLS, false},
		{stream.ErrInjected, nil, false},
		{&stream.Error{Condition: stream.HostUnknown, Received: true}, ErrHostNotFound, false},
		{&stream.Error{Condition: stream.HostGone, Received: true}, ErrHostNotFound, false},
		{&stream.Error{Condition: stream.SystemShutdown, Received: true}, nil, false},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, ErrHostNotFound, false},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, ErrTimeout, false},
		{io.ErrUnexpectedEOF, nil, false},
	} {
		got := classify(t.Context(), wrap(tt.err))
		for _, kind := range []error{ErrCredentials, ErrMechanism, ErrHostNotFound, ErrCertificate, ErrNoTLS, ErrRefused, ErrTimeout} {
			if errors.Is(got, kind) != (kind == tt.kind) {
				t.Errorf("%v: is %v: %v, want %v", tt.err, kind, errors.Is(got, kind), kind == tt.kind)
			}
		}
		if !errors.Is(got, tt.err) || final(got) != tt.final {
			t.Errorf("%v: became %v, final %v; want final %v", tt.err, got, final(got), tt.final)
		}
	}
}

// Options do not show what is secret, wherever they are printed.
func TestOptionsArePrintedWithoutSecrets(t *testing.T) {
	o := Options{Password: "hunter2", Token: "hunter3"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("dial", "opts", o, "pointer", &o)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("dial", "opts", o, "pointer", &o)
	for _, s := range []string{fmt.Sprint(o), fmt.Sprintf("%+v %#v %s %q", o, o, o, &o), log.String()} {
		if strings.Contains(s, "hunter") {
			t.Errorf("printed as %s", s)
		}
	}
}
