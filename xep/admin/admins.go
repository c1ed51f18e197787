package admin

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
)

// Admins knows who administers which domain. It is asked at every step that anybody takes, so it should not have to
// go far. Its methods may be called from any goroutine.
type Admins interface {
	// List returns the bare JIDs of those who administer a domain.
	List(ctx context.Context, domain jid.JID) ([]jid.JID, error)
}

// An Editor is Admins that can be changed: then admins can make others admins of their domain, by the command edit-admin, if these have an
// account or are of another server. An account that is deleted is no admin any more, whoever gets the address next.
type Editor interface {
	Admins
	// Set replaces those who administer a domain.
	Set(ctx context.Context, domain jid.JID, admins []jid.JID) error
}

// Allow returns what a [command.Offer] asks who is for admins only: whether somebody administers the domain that was asked.
func Allow(a Admins) func(ctx context.Context, from jid.JID) bool {
	return allower{a, nil}.asked
}

// An allower decides what is for admins.
type allower struct {
	admins Admins
	log    *slog.Logger // nil means slog.Default
}

// asked reports whether somebody administers the domain that was asked.
func (a allower) asked(ctx context.Context, who jid.JID) bool {
	s := xmpp.SessionFrom(ctx)
	return s != nil && a.of(ctx, who, s.LocalAddr().Domain())
}

// of reports whether somebody administers a domain.
func (a allower) of(ctx context.Context, who, domain jid.JID) bool {
	if who.Localpart() == "" {
		return false
	}
	admins, err := a.admins.List(ctx, domain)
	if err != nil {
		cmp.Or(a.log, slog.Default()).ErrorContext(ctx, "admin: who administers a domain is not known", "peer", domain, "err", err)
	}
	return err == nil && slices.Contains(admins, who.Bare())
}

// Fixed returns admins that stay what they are, each of the domain of its own address. Such an address must be kept: whoever
// gets it is an admin.
func Fixed(admins ...jid.JID) Admins { return fixed{NewList(admins...)} }

type fixed struct{ l *List }

func (f fixed) List(ctx context.Context, domain jid.JID) ([]jid.JID, error) {
	return f.l.List(ctx, domain)
}

// A List is an [Editor] in memory.
type List struct {
	mu sync.RWMutex // guards the field below
	of map[jid.JID][]jid.JID
}

var _ Editor = (*List)(nil)

// NewList returns a list of admins, at first each of the domain of its own address.
func NewList(admins ...jid.JID) *List {
	l := &List{of: make(map[jid.JID][]jid.JID)}
	for _, a := range admins {
		l.of[a.Domain()] = append(l.of[a.Domain()], a.Bare())
	}
	return l
}

// List implements [Admins].
func (l *List) List(_ context.Context, domain jid.JID) ([]jid.JID, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.of[domain]), nil
}

// Set implements [Editor].
func (l *List) Set(_ context.Context, domain jid.JID, admins []jid.JID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[domain] = slices.Clone(admins)
	return nil
}
