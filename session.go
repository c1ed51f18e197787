package xmpp

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Session is what a program holds of a stream, whichever side it is on. All
// methods may be called from any goroutine, a handler's included.
type Session interface {
	// LocalAddr is the address of this side: of a client, the full JID it is bound to.
	LocalAddr() jid.JID
	// RemoteAddr is the address of the other side: of a client, the domain of its account.
	RemoteAddr() jid.JID

	// Send queues s and returns; a stanza leaves whole or not at all, in the
	// order of the calls. A message or query without an id gets one. It waits,
	// as long as ctx allows, only while the queue is full.
	// The stanza and what it refers to belong to the caller again on return.
	Send(ctx context.Context, s stanza.Stanza) (Receipt, error)

	// Query sends a request and returns the result that answers it, matched
	// by peer, id and kind together. An error answer is a [*stanza.Error]; a
	// session that ends first gives an error that matches [ErrClosed].
	// A context without a deadline is bounded by the session's own.
	Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error)

	// Claim takes messages and presences out of the handler's stream: those
	// that match, from the next one on, go to the claim until it is closed.
	// It is for those that belong to a query, such as a page of an archive.
	// The match function runs on the stream's reader: it must be quick and
	// must not call back into the session.
	Claim(match func(stanza.Header) bool) *Claim
}

// An ElementSender is a [Session] on a stream that takes other first-level elements beside
// stanzas, for those extensions that need them.
type ElementSender interface {
	// Features is what the other side offers: a features element. It is zero if it offers nothing.
	Features() stanza.Element
	// SendElement queues an element, in order with the stanzas. The other side must understand it. It is not
	// acknowledged, and not sent again on another stream.
	SendElement(ctx context.Context, p stanza.Payload) error
}

// A Confidential session can tell whether others can read what it says.
type Confidential interface {
	// Secure reports whether TLS protects the stream, or it does not leave the program.
	Secure() bool
}

// ErrClosed is matched by every error that says the session has ended.
var ErrClosed = errors.New("xmpp: the session is closed")

// ErrTimeout is matched by the error of a query that was not answered in time.
var ErrTimeout = errors.New("xmpp: no answer in time")

// An UnsentError says that nothing of what was to be sent has left, so that
// sending it again cannot double it. See [SafeToRetry].
type UnsentError struct{ Err error }

// Error returns the reason.
func (e *UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsentError) Unwrap() error { return e.Err }

// SafeToRetry reports whether err, of Send or Query, says that not a byte had
// left.
func SafeToRetry(err error) bool {
	_, ok := errors.AsType[*UnsentError](err)
	return ok
}

type sessionKey struct{}

// WithSession returns a context that carries s to a handler. Sessions call it;
// so do tests of handlers.
func WithSession(ctx context.Context, s Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// SessionFrom returns the session on which the stanza being handled arrived.
// It is nil outside a handler.
func SessionFrom(ctx context.Context) Session {
	s, _ := ctx.Value(sessionKey{}).(Session)
	return s
}
