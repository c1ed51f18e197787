package house

import (
	"slices"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xep/version"
)

// modules are the extensions of the server. What follows from the file is asked for each time: the file may change.
func (h *House) modules() []module.Module {
	return usual.Modules(&usual.Options{
		Software:     version.Info{Name: "xmppd", Version: h.version},
		Registration: register.ServerOptions{ModeAt: h.registration, Logger: h.log},
		Invites:      h.Invites,
		// Administration by clients (XEP-0133) takes h.Admins here.
	})
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
