package house

import (
	"context"
	"slices"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xep/version"
)

// modules are the extensions of the server. What can change follows from the file that is in force, each time somebody asks.
func (h *House) modules(c *config.Config) []module.Module {
	return usual.Modules(&usual.Options{
		Software:     version.Info{Name: "xmppd", Version: h.version},
		Contacts:     c.Contact,
		Registration: register.ServerOptions{ModeAt: h.registration, Logger: h.log},
		Invites:      h.Invites,
		Admins:       admins{h},
		Admin:        admin.Options{Shutdown: h.shutdown, Logger: h.log},
	})
}

// admins are those of the file that is in force, as package admin asks for them.
type admins struct{ h *House }

// List implements [admin.Admins].
func (a admins) List(_ context.Context, domain jid.JID) ([]jid.JID, error) {
	return a.h.Admins(domain), nil
}

// Admins are the administrators of a domain, by the file that is in force.
func (h *House) Admins(domain jid.JID) []jid.JID {
	host := h.config.Load().Host(domain)
	if host == nil {
		return nil
	}
	return slices.Clone(host.Admins)
}

// registration says who may make an account at a domain.
func (h *House) registration(domain jid.JID) register.Mode {
	host := h.config.Load().Host(domain)
	if host == nil {
		return register.Closed
	}
	switch host.Registration {
	case config.Open:
		return register.Open
	case config.Invite:
		return register.Invited
	}
	return register.Closed
}
