package muxer

import (
	"context"
	"encoding/xml"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// Message has h called with every message of type t, or of every type but error
// when t is [AnyMessage].
//
// Each handler gets a Message of its own, which it may change and keep; what
// its fields refer to is shared with the others and must not be changed.
func (m *Mux) Message(t stanza.MessageType, h func(context.Context, *stanza.Message) error) {
	m.message(t, xml.Name{}, h)
}

// MessagePayload is [Mux.Message] for the messages that have a child of that
// name, whatever else they carry. space and local may be [Any].
func (m *Mux) MessagePayload(t stanza.MessageType, space, local string, h func(context.Context, *stanza.Message) error) {
	m.message(t, childName(space, local), h)
}

func (m *Mux) message(t stanza.MessageType, child xml.Name, h func(context.Context, *stanza.Message) error) {
	if h == nil {
		panic("muxer: a route needs a handler")
	}
	if t == "normal" { // so it may be on the wire
		t = stanza.MessageNormal
	}
	m.change(func(tb *table) {
		tb.messages = append(slices.Clip(tb.messages), route[stanza.MessageType, stanza.Message]{t, child, h})
	})
}

// Presence has h called with every presence of type t, or of every type but
// error when t is [AnyPresence]. As to ownership see [Mux.Message].
func (m *Mux) Presence(t stanza.PresenceType, h func(context.Context, *stanza.Presence) error) {
	m.presence(t, xml.Name{}, h)
}

// PresencePayload is [Mux.Presence] for the presences that have a child of that
// name, whatever else they carry. space and local may be [Any].
func (m *Mux) PresencePayload(t stanza.PresenceType, space, local string, h func(context.Context, *stanza.Presence) error) {
	m.presence(t, childName(space, local), h)
}

func (m *Mux) presence(t stanza.PresenceType, child xml.Name, h func(context.Context, *stanza.Presence) error) {
	if h == nil {
		panic("muxer: a route needs a handler")
	}
	m.change(func(tb *table) {
		tb.presences = append(slices.Clip(tb.presences), route[stanza.PresenceType, stanza.Presence]{t, child, h})
	})
}

func childName(space, local string) xml.Name {
	if local == "" {
		panic("muxer: a route for a payload needs its name")
	}
	return xml.Name{Space: space, Local: local}
}

// route is one registration for messages or presences.
type route[T ~string, S any] struct {
	t      T
	child  xml.Name // Local is empty when no child is asked for
	handle func(context.Context, *S) error
}

// fits reports whether a stanza of that type and with those children is for the
// route. That the children are many does not make it fit more than once.
func (r *route[T, S]) fits(t T, children []xml.Name) bool {
	if r.t != t && (r.t != Any || t == "error") {
		return false
	}
	return r.child.Local == "" || slices.ContainsFunc(children, func(n xml.Name) bool {
		return (r.child.Space == Any || r.child.Space == n.Space) && (r.child.Local == Any || r.child.Local == n.Local)
	})
}

func (t *table) serveMessage(ctx context.Context, st *stanza.Raw) error {
	typ := stanza.MessageNormal // which an unknown type is taken for (RFC 6121 §5.2.2)
	switch mt := stanza.MessageType(st.Header().Type); mt {
	case stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline, stanza.MessageError:
		typ = mt
	}
	return deliver(ctx, t.messages, typ, st, func() (stanza.Message, error) {
		m, err := st.Message()
		m.Subject, m.Body, m.Payloads = slices.Clip(m.Subject), slices.Clip(m.Body), slices.Clip(m.Payloads)
		return m, err
	})
}

func (t *table) servePresence(ctx context.Context, st *stanza.Raw) error {
	return deliver(ctx, t.presences, stanza.PresenceType(st.Header().Type), st, func() (stanza.Presence, error) {
		p, err := st.Presence()
		p.Status, p.Payloads = slices.Clip(p.Status), slices.Clip(p.Payloads)
		return p, err
	})
}

// deliver calls the routes that fit. The stanza is decoded once, when there is
// one; its slices must have no room to grow, so that what one handler appends
// does not show in another's.
func deliver[T ~string, S any](ctx context.Context, routes []route[T, S], t T, st *stanza.Raw, decode func() (S, error)) error {
	var (
		decoded *S
		errs    []error
		names   = st.Header().Children
	)
	for i := range routes {
		r := &routes[i]
		if !r.fits(t, names) {
			continue
		}
		if decoded == nil {
			s, err := decode()
			if err != nil {
				return err
			}
			decoded = &s
		}
		own := *decoded
		if err := r.handle(ctx, &own); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
