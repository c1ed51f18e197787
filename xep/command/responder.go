package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// Options adjusts [NewResponder]. Nil and the zero value are ready to use.
type Options struct {
	// Sessions is how many commands may wait for those who run them. Zero means 1000.
	Sessions int
	// PerRequester is how many of them may wait for one account; then the one that has waited longest ends. Zero means 10.
	PerRequester int
	// Lifetime is how long a command waits. Zero means 10 minutes.
	Lifetime time.Duration
}

// A Responder offers commands: on the mux of a bot or a component, or as a module of a server, which offers them at its
// domains. Make one with [NewResponder]. Its methods may be called from any goroutine at any time.
type Responder struct {
	sessions *sessions

	mu     sync.RWMutex // guards the fields below
	offers []*Offer     // in the order in which they were added
	guards []guard
	muxes  []*muxer.Mux
}

var _ module.Module = (*Responder)(nil)

// NewResponder returns a responder that offers nothing yet.
func NewResponder(opts *Options) *Responder {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.Sessions = cmp.Or(max(o.Sessions, 0), 1000)
	o.PerRequester = cmp.Or(max(o.PerRequester, 0), 10)
	o.Lifetime = cmp.Or(max(o.Lifetime, 0), 10*time.Minute)
	return &Responder{sessions: newSessions(o)}
}

// Add offers commands. It panics when one has no node or nothing to run, or when there is one of that node.
func (r *Responder) Add(offers ...Offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range offers {
		if o.Node == "" || o.Run == nil {
			panic("command: an offer needs a node and something to run")
		}
		if slices.ContainsFunc(r.offers, func(p *Offer) bool { return p.Node == o.Node }) {
			panic(fmt.Sprintf("command: %s is offered twice", o.Node))
		}
		r.offers = append(r.offers, &o)
	}
}

// A guard keeps those whom it does not allow from learning which commands there are.
type guard struct {
	prefix string
	allow  func(ctx context.Context, from jid.JID) bool
}

// Guard has whoever allow refuses be forbidden every command whose node begins with a prefix, those included that are not offered: which are, is
// for the others to know.
func (r *Responder) Guard(prefix string, allow func(ctx context.Context, from jid.JID) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guards = append(r.guards, guard{prefix, allow})
}

// missing is why a command that is not offered cannot be had.
func (r *Responder) missing(ctx context.Context, node string, from jid.JID) error {
	r.mu.RLock()
	guards := slices.Clone(r.guards)
	r.mu.RUnlock()
	for _, g := range guards {
		if strings.HasPrefix(node, g.prefix) && !g.allow(ctx, from) {
			return stanza.Forbidden
		}
	}
	return stanza.ItemNotFound
}

// Register has the responder answer on a mux, and advertises it. Several packages may offer commands on one mux if they
// share the responder: to register it again changes nothing.
func (r *Responder) Register(mux *muxer.Mux) {
	r.mu.Lock()
	known := slices.Contains(r.muxes, mux)
	if !known {
		r.muxes = append(r.muxes, mux)
	}
	r.mu.Unlock()
	if known {
		return
	}
	muxer.IQ(mux, stanza.IQSet, r.serve)
	mux.Items(r.items)
	mux.Nodes(r.describe)
}

// Install implements [module.Module]: it offers the commands at the domains of a server.
func (r *Responder) Install(h module.Host) error {
	r.Register(h.Domain())
	return nil
}

func (r *Responder) find(node string) *Offer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, o := range r.offers {
		if o.Node == node {
			return o
		}
	}
	return nil
}

func (o *Offer) allows(ctx context.Context, from jid.JID) bool {
	return o.Allow != nil && o.Allow(ctx, from)
}

// Announcement is what tells somebody, as the payload of a message, of the commands that he may use at an address of the responder's (§2.3).
func (r *Responder) Announcement(ctx context.Context, at, to jid.JID) disco.Items {
	r.mu.RLock()
	offers := slices.Clone(r.offers)
	r.mu.RUnlock()
	all := disco.Items{Node: NS}
	for _, o := range offers {
		if o.allows(ctx, to) {
			all.Items = append(all.Items, disco.Item{JID: at, Node: o.Node, Name: o.Name})
		}
	}
	return all
}

// asked returns the address of ours that a request is for.
func asked(ctx context.Context, iq *stanza.IQ) jid.JID {
	if s := xmpp.SessionFrom(ctx); iq.To.IsZero() && s != nil {
		return s.LocalAddr()
	}
	return iq.To
}

// items lists the commands (§2.2).
func (r *Responder) items(ctx context.Context, iq *stanza.IQ, node string) ([]disco.Item, error) {
	if node != NS {
		return nil, stanza.ItemNotFound
	}
	return r.Announcement(ctx, asked(ctx, iq), iq.From).Items, nil
}

// describe answers for the list of commands, and for each of them.
func (r *Responder) describe(ctx context.Context, iq *stanza.IQ, node string) (disco.Info, error) {
	if node == NS {
		return disco.Info{Identities: []disco.Identity{{Category: "automation", Type: "command-list"}}}, nil
	}
	o := r.find(node)
	switch {
	case o == nil:
		return disco.Info{}, r.missing(ctx, node, iq.From)
	case !o.allows(ctx, iq.From):
		return disco.Info{}, stanza.Forbidden
	}
	return disco.Info{
		Identities: []disco.Identity{{Category: "automation", Type: "command-node", Name: o.Name, Lang: o.Lang}},
		Features:   []string{NS, form.NS},
	}, nil
}
