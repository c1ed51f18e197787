// Package usual has the extensions that people's clients ask a server for when they log in.
//
//	srv, err := server.New(&server.Options{
//		Domains: []string{"example.org"},
//		TLS:     tlsConfig,
//		Modules: usual.Modules(nil),
//	})
//
// These are capabilities (XEP-0115), software version (0092), time (0202), last activity (0012), vCards and their avatars (0054, 0153),
// private XML (0049), blocking (0191), carbons (0280), registration and invites (0077, 0401, 0379, 0445) and contact
// addresses (0157). Nobody can make an account by himself unless [Options].Registration says so. With [Options].Admins there are
// ad-hoc commands (0050), too, by which admins run the service (0133) and have invites made. A program that wants others, or fewer,
// lists the modules itself.
package usual

import (
	"cmp"
	"context"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/carbons"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
	"github.com/parlance-xmpp/xmpp/xep/entitytime"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/last"
	"github.com/parlance-xmpp/xmpp/xep/private"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xep/version"
)

// Node is what capabilities name the software by, unless a program has a URI of its own.
const Node = "https://github.com/parlance-xmpp/xmpp"

// Options adjusts [Modules]. Nil and the zero value are ready to use.
type Options struct {
	// Software is what the server says of itself (XEP-0092). A name alone will do; zero says "Parlance" and no more.
	Software version.Info
	// Node is a URI of the software or the service (XEP-0115). Empty means [Node].
	Node string
	// Contacts are where the people who run the service can be reached (XEP-0157).
	Contacts contactaddr.Addresses
	// Registration says who may make an account (XEP-0077): by default nobody. Its Invites are those of Invites, unless it has
	// others.
	Registration register.ServerOptions
	// Invites makes links that let people in. Nil makes one, for the program's own code, and for those who may have invites made.
	Invites *invite.Service
	// Admins says who administers the domains (XEP-0133), and has invites made (XEP-0401). Nil means nobody, and no commands for that.
	Admins admin.Admins
	// Admin adjusts what admins can do. Its Admins are those of Admins, unless it has others; invites are offered by its Commands.
	Admin admin.Options
	// MayInvite reports whether an account that is no admin may have invites made for its friends (XEP-0401). Nil means none.
	MayInvite func(ctx context.Context, account jid.JID) bool
	// Report gets what people say about those whom they block (XEP-0377); nil advertises nothing.
	Report func(ctx context.Context, by module.Account, who jid.JID, r blocking.Report)
}

// Modules returns the modules, for [server.Options].Modules of one server.
func Modules(opts *Options) []module.Module {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Invites == nil {
		o.Invites = invite.New(nil)
	}
	if o.Registration.Invites == nil {
		o.Registration.Invites = o.Invites
	}
	if o.Admin.Admins == nil {
		o.Admin.Admins = o.Admins
	}
	if o.Admin.Commands == nil {
		o.Admin.Commands = command.NewResponder(nil)
	}
	o.Software.Name = cmp.Or(o.Software.Name, "Parlance")
	o.Software.Version = cmp.Or(o.Software.Version, "unknown")
	all := []module.Module{
		blocking.Server(&blocking.ServerOptions{Report: o.Report}), // first: what it forbids nobody else sees
		vcard.Server(nil),
		carbons.Server(),
		private.Server(nil),
		last.Server(),
		o.Invites,
		register.Server(&o.Registration),
		version.Server(o.Software),
		entitytime.Server(time.Now),
		contactaddr.Server(o.Contacts),
		caps.Server(cmp.Or(o.Node, Node)),
	}
	return append(all, o.commands()...)
}

// commands are the modules by which people run the service, and let others in.
func (o *Options) commands() (all []module.Module) {
	c := invite.CommandOptions{Commands: o.Admin.Commands, Create: func(context.Context, jid.JID) bool { return false }}
	if o.Admin.Admins != nil {
		all = append(all, admin.Server(&o.Admin))
		c.Create = admin.Allow(o.Admin.Admins)
	}
	c.Invite = func(ctx context.Context, from jid.JID) bool {
		return c.Create(ctx, from) || o.MayInvite != nil && o.MayInvite(ctx, from.Bare())
	}
	if o.Admin.Admins != nil || o.MayInvite != nil {
		all = append(all, invite.Commands(o.Invites, &c))
	}
	return all
}
