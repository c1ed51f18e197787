package xmpp

import (
	"context"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Handler receives the stanzas of a session that answer no query and belong
// to no [Claim]. Package muxer has the one most programs want.
//
// A session calls it from one goroutine, one stanza after another, in the order
// of arrival (RFC 6120 §10.1). It may send, query and close the session;
// [SessionFrom] finds it. ctx ends with the session.
type Handler interface {
	// HandleStanza handles st, which it may keep.
	//
	// To an IQ of type get or set it returns the answer, which is sent exactly
	// once (RFC 6120 §8.2.3): the payload, nil for an empty result, or an error.
	// A [*stanza.Error] or [stanza.Condition] becomes the error answer; any other
	// error is logged and becomes internal-server-error, its text kept home.
	//
	// To anything else the payload is ignored. An error is logged; it never
	// ends the stream.
	HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error)
}

// A HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error)

// HandleStanza calls f.
func (f HandlerFunc) HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	return f(ctx, st)
}

// An Outgoing is a [Handler] that also sees what the session sends. A session
// looks for it once, when it is made.
type Outgoing interface {
	// OutgoingStanza returns the stanza to send in place of st: st itself or a changed
	// copy. An error keeps it from being sent and is returned by Send or Query.
	// It runs on the sender's goroutine and must not send.
	OutgoingStanza(ctx context.Context, st stanza.Stanza) (stanza.Stanza, error)
}

// Unhandled is the [Handler] of a program that handles nothing: it answers
// every request with service-unavailable (RFC 6120 §8.4).
var Unhandled Handler = HandlerFunc(func(context.Context, *stanza.Raw) (stanza.Payload, error) {
	return nil, stanza.ServiceUnavailable
})
