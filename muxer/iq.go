package muxer

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// iqPattern is what requests a route takes: a type, and the name of the
// payload, each part of which may be "*".
type iqPattern struct {
	t    stanza.IQType
	name xml.Name
}

type iqRoute struct {
	handle  func(context.Context, *stanza.IQ) (stanza.Payload, error)
	builtIn bool // may be replaced
}

// IQ routes requests of type t whose payload has that name to h, and advertises
// the namespace. t is [stanza.IQGet], [stanza.IQSet] or [AnyIQ]; space and
// local may be [Any]. The package comment says which route wins.
//
// h returns the answer as [xmpp.Handler] says. A payload that is a nil pointer
// or the zero [stanza.Element] is an empty result, like nil.
//
// IQ panics when the same pattern is registered already. Only the routes for
// service discovery, which every mux begins with, may be replaced, once, by a
// program that wants to answer it all by itself.
func (m *Mux) IQ(t stanza.IQType, space, local string, h func(context.Context, *stanza.IQ) (stanza.Payload, error)) {
	if !t.IsRequest() && t != AnyIQ {
		panic(fmt.Sprintf("muxer: an IQ of type %q is not a request", t))
	}
	if local == "" || h == nil {
		panic("muxer: an IQ route needs a name and a handler")
	}
	m.iq(iqPattern{t, xml.Name{Space: space, Local: local}}, iqRoute{handle: h})
}

func (m *Mux) iq(p iqPattern, r iqRoute) {
	m.change(func(t *table) {
		if old, ok := t.iqs[p]; ok && !old.builtIn {
			panic(fmt.Sprintf("muxer: IQ %s {%s}%s is registered twice", p.t, p.name.Space, p.name.Local))
		}
		t.iqs = with(t.iqs, p, r)
		if space := p.name.Space; space != Any && space != "" {
			t.spaces = with(t.spaces, space, true)
			t.disco.addFeatures(space)
		}
	})
}

// with returns a copy of m in which k is v.
func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	c := maps.Clone(m)
	if c == nil {
		c = make(map[K]V)
	}
	c[k] = v
	return c
}

// serveIQ answers a request. Results and errors that arrive here answer nothing
// that was asked and are ignored (RFC 6120 §8.2.3).
func (t *table) serveIQ(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	switch h := st.Header(); stanza.IQType(h.Type) {
	case stanza.IQResult, stanza.IQError:
		return nil, nil
	}
	iq, err := st.IQ()
	if err != nil {
		return nil, err
	}
	return t.answerIQ(ctx, &iq)
}

func (t *table) answerIQ(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	payload, err := stanza.ElementOf(iq.Payload) // a request has exactly one
	if err != nil {
		return nil, err
	}
	name := payload.Name()
	r, ok := t.findIQ(iq.Type, name)
	switch {
	case ok:
		answer, err := r.handle(ctx, iq)
		if err != nil {
			return nil, err
		}
		return orNil(answer), nil
	case t.spaces[name.Space]:
		return nil, stanza.FeatureNotImplemented
	}
	return nil, stanza.ServiceUnavailable
}

// Handles reports whether a request with a payload of that name would be answered by what the
// program has registered, rather than by the mux itself.
func (m *Mux) Handles(typ stanza.IQType, name xml.Name) bool {
	r, ok := m.table.Load().findIQ(typ, name)
	return ok && !r.builtIn
}

// AnswerIQ answers a request as [Mux.HandleStanza] does, without the layers of [Mux.Use]. It is for requests that came in
// another way than as a stanza of a session.
func (m *Mux) AnswerIQ(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	return m.table.Load().answerIQ(ctx, iq)
}

// findIQ returns the most specific route.
func (t *table) findIQ(typ stanza.IQType, name xml.Name) (iqRoute, bool) {
	for _, n := range [...]xml.Name{name, {Space: name.Space, Local: Any}, {Space: Any, Local: name.Local}, {Space: Any, Local: Any}} {
		for _, typ := range [...]stanza.IQType{typ, AnyIQ} {
			if r, ok := t.iqs[iqPattern{typ, n}]; ok {
				return r, true
			}
		}
	}
	return iqRoute{}, false
}

// orNil returns p, or nil when it is nothing in the guise of a payload.
func orNil(p stanza.Payload) stanza.Payload {
	if e, ok := p.(stanza.Element); ok && e.IsZero() {
		return nil
	}
	if v := reflect.ValueOf(p); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return p
}
