package stream

import (
	"context"
	"encoding/xml"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Feature is one thing that may be negotiated (RFC 6120 §4.3.2), for one role
// or both. A value serves many streams, at the same time too: what belongs to
// one stream is kept in the [Negotiation] or in variables of Serve and Use.
//
// Serve and Use run until their part is over, in success or in a failure after
// which the stream goes on. What they agree on they say with the methods of the
// Negotiation. Their error ends the stream: an [*Error] is told to the peer,
// after any other the stream is closed.
type Feature interface {
	// Name is that of the feature's child of <stream:features/>.
	Name() xml.Name
	// Possible reports whether the feature may be offered and used in a state.
	// Whether TLS is needed first is not its concern: see Config.InsecurePlaintext.
	Possible(s State) bool

	// Offer writes, for the receiving entity, what goes into <stream:features/>;
	// nothing if there is nothing to offer on this stream.
	Offer(n *Negotiation, w *stanza.Writer)
	// Wants reports whether a first-level element that the receiving entity has
	// got begins the feature.
	Wants(e stanza.Element) bool
	// Serve is the receiving entity's part, beginning with the element that it wants.
	Serve(ctx context.Context, n *Negotiation, e stanza.Element) error

	// Use is the initiating entity's part. The offer is the child of that Name.
	Use(ctx context.Context, n *Negotiation, offer stanza.Element) error
}

// A Refuser is a [Feature] that has an answer of its own to an element it wants
// where it is not possible. To others it is a not-authorized stream error.
type Refuser interface {
	Feature
	// Refuse answers e. It has the error of Serve.
	Refuse(ctx context.Context, n *Negotiation, e stanza.Element) error
}

// A Standing feature may also be begun when negotiation is over: [Conn.Next] lets
// it serve what it wants, on its own goroutine, instead of returning it. It can
// change nothing about the stream's State then.
type Standing interface {
	Feature
	// Standing does nothing.
	Standing()
}

// Announce is a [Feature] that is only shown: Payload goes into
// <stream:features/> as long as When has been agreed. It tells a client what the
// server can do, such as roster versioning (RFC 6121 §2.6.1). A client that
// wants to know looks at [Conn.Features].
type Announce struct {
	Payload stanza.Payload
	When    State
}

// Name implements [Feature].
func (a Announce) Name() xml.Name {
	e, err := stanza.ElementOf(a.Payload)
	if err != nil {
		return xml.Name{}
	}
	return e.Name()
}

// Possible implements [Feature].
func (a Announce) Possible(s State) bool { return s.Has(a.When) }

// Offer implements [Feature].
func (a Announce) Offer(_ *Negotiation, w *stanza.Writer) { w.Payload(a.Payload) }

// Wants implements [Feature].
func (Announce) Wants(stanza.Element) bool { return false }

// Serve implements [Feature].
func (Announce) Serve(context.Context, *Negotiation, stanza.Element) error { return nil }

// Use implements [Feature].
func (Announce) Use(context.Context, *Negotiation, stanza.Element) error { return nil }
