package module

import (
	"context"
	"net/netip"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Session is a resource of an account that is bound. It is the same one after the client was cut off and has
// resumed it. Its methods may be called from any goroutine.
type Session interface {
	// Addr is the full JID.
	Addr() jid.JID
	Account() Account
	// Since is when it was bound.
	Since() time.Time
	// Secure reports whether nobody can read its stream on the way: TLS protects it, or it does not leave the program.
	Secure() bool
	// Remote is where its client is; zero if that is not known.
	Remote() netip.Addr
	// Suspended reports whether its client was cut off, and may be back.
	Suspended() bool
	// LastActive is when something came from its client, or a moment before. Where servers act as one, of a session of another node it is Since.
	LastActive() time.Time
	// Close ends the session: its client is told policy-violation, with a text for people. It cannot resume the session, but log in again, which many
	// clients do by themselves: who is to stay out has to be disabled first. It does not wait.
	// A session of another node it leaves alone.
	Close(text string)
	// Presence is what the session has broadcast last, nil while it is not available.
	Presence() *stanza.Raw
	// Send queues a stanza for this client, with the header it has, if there is room for it at once, and reports whether
	// there was. It does not wait.
	Send(st stanza.Stanza) bool
	// Deliver is Send for what must not be left out, such as the news of a change of the account's own. A client that has left so much
	// unread that there is no room even for that loses its session.
	Deliver(st stanza.Stanza) bool
	// Value and SetValue keep something with the session, under a key of a type of the module's own as in a
	// [context.Context]. Nil is nothing. Where servers act as one, a session of another node has none.
	Value(key any) any
	SetValue(key, value any)
	// Mark marks the session with a namespace, or no longer, and Marked reports whether it is: where servers act as one, on every node.
	// Only the node of a session marks it.
	Mark(ns string, on bool)
	Marked(ns string) bool
}

type sessionKey struct{}

// WithSession returns a context that carries a session to a handler. Servers call it; so do tests of handlers.
func WithSession(ctx context.Context, s Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// FromContext returns the session that a handler serves. It is nil when a handler of an account serves none of the account's
// own, and when one of a domain serves no client of this server.
func FromContext(ctx context.Context) Session {
	s, _ := ctx.Value(sessionKey{}).(Session)
	return s
}

// A Stranger is a connection whose client has not logged in. It is for one goroutine.
type Stranger struct {
	Domain jid.JID    // the one that the client addresses
	Remote netip.Addr // zero if the transport has none
	Secure bool       // TLS protects the stream
	values map[any]any
}

// Value returns what [Stranger.SetValue] has kept under a key, nil if that is nothing.
func (s *Stranger) Value(key any) any { return s.values[key] }

// SetValue keeps something for as long as the connection is one of a stranger.
func (s *Stranger) SetValue(key, value any) {
	if s.values == nil {
		s.values = make(map[any]any)
	}
	s.values[key] = value
}

type strangerKey struct{}

// WithStranger returns a context that carries a stranger to a handler.
func WithStranger(ctx context.Context, s *Stranger) context.Context {
	return context.WithValue(ctx, strangerKey{}, s)
}

// StrangerFrom returns the stranger that a handler of [Host.Stranger] serves, nil elsewhere.
func StrangerFrom(ctx context.Context) *Stranger {
	s, _ := ctx.Value(strangerKey{}).(*Stranger)
	return s
}
