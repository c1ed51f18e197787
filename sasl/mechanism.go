package sasl

import (
	"context"
	"slices"
	"strings"
)

// The names of the mechanisms.
const (
	SCRAMSHA512Plus = "SCRAM-SHA-512-PLUS"
	SCRAMSHA256Plus = "SCRAM-SHA-256-PLUS" // RFC 7677
	SCRAMSHA1Plus   = "SCRAM-SHA-1-PLUS"   // RFC 5802
	SCRAMSHA512     = "SCRAM-SHA-512"
	SCRAMSHA256     = "SCRAM-SHA-256" // RFC 7677
	SCRAMSHA1       = "SCRAM-SHA-1"   // RFC 5802
	External        = "EXTERNAL"      // RFC 4422 Appendix A
	OAuthBearer     = "OAUTHBEARER"   // RFC 7628
	Plain           = "PLAIN"         // RFC 4616
	Anonymous       = "ANONYMOUS"     // RFC 4505
)

// Mechanisms returns the names of all mechanisms of this package, in the order
// of preference: what binds to the channel, what proves a password without
// revealing it, what rests on the channel alone.
func Mechanisms() []string {
	return []string{
		SCRAMSHA512Plus, SCRAMSHA256Plus, SCRAMSHA1Plus,
		SCRAMSHA512, SCRAMSHA256, SCRAMSHA1,
		External, OAuthBearer, Plain, Anonymous,
	}
}

// An Offer is what a server advertises before authentication. Exchanges keep the
// slices of theirs: do not change them.
type Offer struct {
	// Mechanisms are the names of the mechanisms.
	Mechanisms []string
	// Bindings are the channel binding types that the server says it supports
	// (XEP-0440). Empty means it did not say.
	Bindings []string
	// Listed says that a server with mechanisms that bind must have said with what: it is
	// the rule where SASL2 is spoken. If it has not, somebody has left it out.
	Listed bool
}

func (o Offer) has(mechanism string) bool { return slices.Contains(o.Mechanisms, mechanism) }

// binds reports whether a mechanism with channel binding is offered.
func (o Offer) binds() bool { return slices.ContainsFunc(o.Mechanisms, isPlus) }

func isPlus(mechanism string) bool { return strings.HasSuffix(mechanism, "-PLUS") }

// A Client is the client's side of one exchange. It is used once, by one
// goroutine. After an error it is spent, and any call out of order is an error.
//
// Those of this package come from [Select]. A protocol accepts the interface,
// so that further mechanisms can be written elsewhere.
type Client interface {
	// Name is the name of the mechanism.
	Name() string
	// Start returns the initial response. Nil means that there is none, which
	// differs from an empty one.
	Start() (initial []byte, err error)
	// Next answers a challenge. On an error, abort the exchange and report it.
	Next(challenge []byte) (response []byte, err error)
	// Finish takes the server's word that authentication succeeded, and the
	// additional data that came with it (nil if none). Only when it returns nil
	// is the server to be believed: one that has not proven itself where the
	// mechanism lets it is [ErrServerNotProven].
	Finish(additional []byte) error
}

// A Server is the server's side of one exchange. It is used once, by one
// goroutine. After an error it is spent, and any call out of order is an error.
//
// Those of this package come from [Authenticator.Start].
type Server interface {
	// Name is the name of the mechanism.
	Name() string
	// Next takes what the client sent: first its initial response (nil: it sent
	// none), then its answers. The challenge that it returns goes to the client,
	// empty or not; when done, it is the additional data for success, nil if
	// there is none. The error always wraps a [Condition].
	Next(ctx context.Context, response []byte) (challenge []byte, done bool, err error)
	// Identity is who the client proved to be, once done; before, it is zero.
	Identity() Identity
}

// An Identity is the outcome of an exchange, seen by the server.
type Identity struct {
	// Username is the account whose credentials were proven, as
	// [Options.PrepareUsername] returned it or the store named it.
	Username string
	// Authzid is the identity the client asked to act as, as it was sent.
	// Empty means that of Username. It has passed [Options.Authorize].
	Authzid string
}
