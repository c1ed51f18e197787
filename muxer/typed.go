package muxer

import (
	"context"
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Decoder is a pointer to P that reads itself: the link between the payload a
// handler names and the element it is read from.
type Decoder[P any] interface {
	*P
	stanza.Decoder
}

// IQ routes requests of type t that carry a P to h, decoded, and sends what it
// returns. P, whose pointer implements [stanza.Decoder], and the answer's type
// R are inferred from h. R may be [stanza.Payload] for a handler whose answers
// vary or are empty; a nil R is an empty result.
//
// A payload that does not decode is answered with bad-request, or with the
// [*stanza.Error] or [stanza.Condition] that ParseXML returned. Otherwise it is
// as [Mux.IQ].
func IQ[P any, R stanza.Payload, D Decoder[P]](m *Mux, t stanza.IQType, h func(context.Context, *stanza.IQ, *P) (R, error)) {
	name := payloadName[P, D]()
	m.IQ(t, name.Space, name.Local, func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		p := new(P)
		if err := iq.Decode(D(p)); err != nil {
			return nil, badRequest(err)
		}
		r, err := h(ctx, iq, p)
		if err != nil {
			return nil, err
		}
		return r, nil // orNil sees through a nil pointer in r
	})
}

// Message has h called with every message of type t that carries a P, decoded:
// the first one, if there are several. P is inferred from h, as by [IQ]. What
// does not decode does not reach h; the failure is returned for the session to
// log.
func Message[P any, D Decoder[P]](m *Mux, t stanza.MessageType, h func(context.Context, *stanza.Message, *P) error) {
	name := payloadName[P, D]()
	m.MessagePayload(t, name.Space, name.Local, func(ctx context.Context, msg *stanza.Message) error {
		p := new(P)
		if found, err := decode(msg.Payloads, D(p)); !found {
			return err
		}
		return h(ctx, msg, p)
	})
}

// Presence has h called with every presence of type t that carries a P,
// decoded. It is otherwise as [Message].
func Presence[P any, D Decoder[P]](m *Mux, t stanza.PresenceType, h func(context.Context, *stanza.Presence, *P) error) {
	name := payloadName[P, D]()
	m.PresencePayload(t, name.Space, name.Local, func(ctx context.Context, pr *stanza.Presence) error {
		p := new(P)
		if found, err := decode(pr.Payloads, D(p)); !found {
			return err
		}
		return h(ctx, pr, p)
	})
}

func payloadName[P any, D Decoder[P]]() xml.Name {
	name := D(new(P)).PayloadName()
	if name.Local == "" {
		panic(fmt.Sprintf("muxer: %T has no payload name", *new(P)))
	}
	return name
}

// decode fills d from the first payload of its name. It reports whether there
// was one that made sense.
func decode(payloads stanza.Payloads, d stanza.Decoder) (bool, error) {
	found, err := payloads.Decode(d)
	if err != nil {
		return false, fmt.Errorf("muxer: payload %s: %w", d.PayloadName().Local, err)
	}
	return found, nil
}

// badRequest makes an error of ParseXML one that is sent. Its text is for the
// log, unless it was meant for the peer.
func badRequest(err error) error {
	if _, ok := stanza.AsError(err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", stanza.BadRequest, err)
}
