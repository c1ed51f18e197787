package muxer

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Use puts a layer around everything that arrives. It is called once, with the
// handler of what lies within: later layers, then the routes. The handler it
// returns may pass a stanza on, before or after work of its own, pass on
// another, answer in its place or drop it. The layer registered first sees a
// stanza first and its answer last.
func (m *Mux) Use(layer func(next xmpp.Handler) xmpp.Handler) {
	next := &within{mux: m}
	h := layer(next)
	if h == nil {
		panic("muxer: a layer returned no handler")
	}
	m.change(func(t *table) {
		t.layers = append(t.layers[:len(t.layers):len(t.layers)], h)
		next.depth = len(t.layers)
	})
}

// within is what a layer calls next. Being looked up at each call, it includes
// layers that are registered later.
type within struct {
	mux   *Mux
	depth int // of the next layer; set before the layer is in use
}

func (w *within) HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	return w.mux.handle(ctx, st, w.depth)
}

// UseOutgoing puts a layer around everything the session sends: messages,
// presence, requests and answers alike. It returns the stanza to send, st or a
// changed copy, or an error that keeps it from being sent. It must not send by
// itself.
//
// Layers run in the reverse order of registration, so that what the last one
// returns, the one registered first, is what leaves.
func (m *Mux) UseOutgoing(layer func(ctx context.Context, st stanza.Stanza) (stanza.Stanza, error)) {
	if layer == nil {
		panic("muxer: an outgoing layer is nil")
	}
	m.change(func(t *table) {
		t.outgoing = append(t.outgoing[:len(t.outgoing):len(t.outgoing)], layer)
	})
}

// OutgoingStanza implements [xmpp.Outgoing].
func (m *Mux) OutgoingStanza(ctx context.Context, st stanza.Stanza) (stanza.Stanza, error) {
	layers := m.table.Load().outgoing
	for i := len(layers) - 1; i >= 0; i-- {
		var err error
		if st, err = layers[i](ctx, st); err != nil {
			return nil, err
		}
		if st == nil {
			return nil, errNoStanza
		}
	}
	return st, nil
}

var errNoStanza = errors.New("muxer: an outgoing layer returned neither a stanza nor an error")
