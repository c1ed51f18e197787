package muxer

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Any stands for every namespace or every local name in a route.
const Any = "*"

// The types that stand for several in a route.
const (
	AnyIQ       stanza.IQType       = "*" // get and set
	AnyMessage  stanza.MessageType  = "*" // every type but error
	AnyPresence stanza.PresenceType = "*" // every type but error
)

// A Mux routes stanzas to handlers. Make one with [New]. It implements
// [xmpp.Handler], [xmpp.Outgoing] and [xmpp.Observer].
//
// All methods may be called from any goroutine at any time. A stanza meets the
// routes that were registered when it arrived.
type Mux struct {
	mu    sync.Mutex            // lets one registration follow another; never held over code of others
	table atomic.Pointer[table] // what is registered: replaced, never changed
}

// table is what has been registered. It does not change once it is in use.
type table struct {
	iqs       map[iqPattern]iqRoute
	spaces    map[string]bool // the namespaces of iqs, without Any
	messages  []route[stanza.MessageType, stanza.Message]
	presences []route[stanza.PresenceType, stanza.Presence]
	layers    []xmpp.Handler // outermost first
	outgoing  []outgoing     // nearest to the wire first
	events    []func(context.Context, xmpp.Event) error
	disco     catalog
}

type outgoing = func(context.Context, stanza.Stanza) (stanza.Stanza, error)

// New returns a mux that answers service discovery and nothing else.
func New() *Mux {
	m := new(Mux)
	m.table.Store(&table{})
	m.serveDisco()
	return m
}

// change replaces the table by a copy that f has altered. f must leave alone
// what its slices and maps share with the old one.
func (m *Mux) change(f func(*table)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := *m.table.Load()
	f(&t)
	m.table.Store(&t)
}

// HandleStanza implements [xmpp.Handler].
func (m *Mux) HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	return m.handle(ctx, st, 0)
}

// handle lets a stanza pass the layers from depth inwards, then routes it.
func (m *Mux) handle(ctx context.Context, st *stanza.Raw, depth int) (stanza.Payload, error) {
	t := m.table.Load()
	if depth < len(t.layers) {
		return t.layers[depth].HandleStanza(ctx, st)
	}
	switch h := st.Header(); h.Kind {
	case stanza.KindIQ:
		return t.serveIQ(ctx, st)
	case stanza.KindMessage:
		return nil, t.serveMessage(ctx, st)
	case stanza.KindPresence:
		return nil, t.servePresence(ctx, st)
	}
	return nil, nil
}
