package stream

import (
	"context"
	"encoding/xml"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsSession = "urn:ietf:params:xml:ns:xmpp-session"

// Session is the [Feature] by which clients of RFC 3921 §3 began a session after
// binding. It has no effect any more. The receiving entity offers it as
// optional, for the clients that insist; the initiating entity uses it only with
// a server that does not say that it is optional. List it behind [Bind].
type Session struct{}

// Name implements [Feature].
func (Session) Name() xml.Name { return xml.Name{Space: nsSession, Local: "session"} }

// Possible implements [Feature].
func (Session) Possible(s State) bool { return s.Has(Authenticated) }

// Offer implements [Feature].
func (Session) Offer(n *Negotiation, w *stanza.Writer) {
	if n.State().Has(Bound) {
		return
	}
	w.Start(nsSession, "session")
	w.Element("", "optional", "")
	w.End()
}

// Wants implements [Feature]. A request to a person or a resource is none of its
// business.
func (Session) Wants(e stanza.Element) bool {
	return e.Is(stanza.NS, "iq") && e.Attr("type") == string(stanza.IQSet) && !e.Child(nsSession, "session").IsZero() &&
		!strings.ContainsAny(e.Attr("to"), "@/")
}

// Serve implements [Feature].
func (Session) Serve(_ context.Context, n *Negotiation, e stanza.Element) error {
	if !n.State().Has(Bound) {
		return unexpected(e)
	}
	answer := stanza.IQ{Type: stanza.IQResult, ID: e.Attr("id")}
	answer.To, _ = jid.ParseLenient(e.Attr("from"))
	answer.From, _ = jid.ParseLenient(e.Attr("to"))
	if !n.addressed(e) { // to another domain
		answer.Type, answer.Error = stanza.IQError, &stanza.Error{Condition: stanza.ServiceUnavailable}
	}
	return n.Reply(answer)
}

// Standing implements [Standing]: negotiation is over when a session is asked for.
func (Session) Standing() {}

// Use implements [Feature].
func (Session) Use(ctx context.Context, n *Negotiation, offer stanza.Element) error {
	if !offer.Child(nsSession, "optional").IsZero() || !n.State().Has(Bound) {
		return nil
	}
	request := stanza.IQ{Type: stanza.IQSet, ID: stanza.NewID(), Payload: sessionRequest{}}
	if _, err := query(ctx, n, request); err != nil {
		return refused("session", err)
	}
	return nil
}

type sessionRequest struct{}

// AppendXML implements [stanza.Payload].
func (sessionRequest) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(nsSession, "session", "")
	return w.Bytes()
}
