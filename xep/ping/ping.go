// Package ping asks whether an entity can be reached, and answers when asked
// (XEP-0199).
//
// [Register] answers the pings of others; [Send] pings:
//
//	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
//	defer cancel()
//	if err := ping.Send(ctx, s, jid.JID{}); err != nil {
//		// the own server does not answer
//	}
//
// A ping to a full JID reaches that session. One to a bare JID is answered by
// the server there and says nothing of the person (§4.4).
package ping

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace of pings, and the feature of answering them.
const NS = "urn:xmpp:ping"

// A Ping is the payload of a request. It says nothing but its name.
type Ping struct{}

// AppendXML implements [stanza.Payload].
func (Ping) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "ping")
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Ping) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "ping"} }

// ParseXML implements [stanza.Decoder]. It never fails.
func (*Ping) ParseXML(stanza.Element) error { return nil }

// Register answers every ping and advertises the feature. To hide from some
// that the session is there, a layer of the mux can answer
// [stanza.ServiceUnavailable] in its place, as the server does for a session
// that is not (§7).
func Register(mux *muxer.Mux) {
	mux.Feature(NS)
	mux.IQ(stanza.IQGet, NS, "ping", func(context.Context, *stanza.IQ) (stanza.Payload, error) {
		return nil, nil
	})
}

// Send pings the entity at to and waits for its answer. The zero address is the
// own account, for which the own server answers.
//
// Nil means that the entity was reached. Of the server at the other end of the
// stream, any answer proves that, so that an error answer is nil too: it may
// not know pings, but the stream works (§4.2). Of anybody else an error answer
// may come from a server on the way. It is returned, a [*stanza.Error], and to
// be judged by its condition: [stanza.FeatureNotImplemented] comes from the
// entity itself; [stanza.ServiceUnavailable] from an entity that knows no pings
// or from a server that has no such session, which cannot be told apart (§7);
// the others say why the ping did not arrive.
//
// Without any answer the error is that of [xmpp.Session.Query], such as one
// that matches [xmpp.ErrTimeout].
func Send(ctx context.Context, s xmpp.Session, to jid.JID) error {
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: to, Payload: Ping{}})
	if err == nil {
		return nil
	}
	if _, answered := errors.AsType[*stanza.Error](err); answered && atStreamEnd(s, to) {
		return nil
	}
	who := to.String()
	if to.IsZero() {
		who = "the own server"
	}
	return fmt.Errorf("ping: %s: %w", who, err)
}

// atStreamEnd reports whether to is answered for by the other side of the
// stream: no address, the own account, or that side's own address.
func atStreamEnd(s xmpp.Session, to jid.JID) bool {
	switch to {
	case jid.JID{}, s.LocalAddr().Bare(), s.RemoteAddr():
		return true
	}
	return false
}
