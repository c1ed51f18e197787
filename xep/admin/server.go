package admin

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/accounts"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// Options adjusts [Server].
type Options struct {
	// Admins says who administers which domain. Required. If it is an [Editor], they can change that.
	Admins Admins
	// Commands is what offers the commands, to be shared with others who offer some at the domains. Nil makes one.
	Commands *command.Responder
	// IdleAfter is how long nothing has come from somebody who is [Idle], not even what his client sends by itself. Zero means 10 minutes.
	IdleAfter time.Duration
	// Restart and Shutdown are called when an admin wants the server restarted or shut down, after so much time; users have been told then. They
	// return at once, and the program does it later. As that concerns all domains, only who is an admin of each of them
	// may want it. Nil does not offer it.
	Restart, Shutdown func(ctx context.Context, after time.Duration) error
	// InsecurePlaintext lets passwords come without TLS, if the server itself does. It is for tests, and for connections
	// that never leave the machine.
	InsecurePlaintext bool
	// Logger gets what nobody can be told, and who has changed what. Nil means [slog.Default].
	Logger *slog.Logger
}

// Server is the server's half: the commands, at each domain for its admins. Needs [storage.Documents].
//
// The message of the day goes to who is online when it is set, and to others when they become available for the first time after that; to each account
// once. The welcome message goes to accounts that were made since it was first set, when they become available for the first time.
// When a client asks for the last login of somebody who is offline, it gets the time until which he was available, if the
// module of package last has kept that.
func Server(o *Options) module.Module {
	s := new(server)
	if o != nil {
		s.o = *o
	}
	return s
}

// A server is the module.
type server struct {
	o      Options
	allow  allower
	editor Editor // nil if admins cannot be changed
	host   module.Host
	// greetings are the turns to greet an account: what it has been told is read each time, as another node may have told it.
	greetings *accounts.Cache[struct{}]

	mu      sync.Mutex       // guards the field below
	showing map[jid.JID]bool // has the domains whose message of the day is being shown to those who are online; true if it has changed since
}

// Install implements [module.Module].
func (s *server) Install(h module.Host) error {
	switch {
	case s.o.Admins == nil:
		return errors.New("admin: who are the admins? Options has none")
	case h.Stores().Documents == nil:
		return errors.New("admin: no store for documents")
	}
	s.o.IdleAfter = cmp.Or(max(s.o.IdleAfter, 0), 10*time.Minute)
	s.o.Logger = cmp.Or(s.o.Logger, slog.Default())
	if s.o.Commands == nil {
		s.o.Commands = command.NewResponder(nil)
	}
	s.host, s.showing = h, make(map[jid.JID]bool)
	s.allow = allower{s.o.Admins, s.o.Logger}
	s.editor, _ = s.o.Admins.(Editor)
	s.greetings = accounts.New(func(context.Context, storage.AccountID) (struct{}, error) { return struct{}{}, nil })
	s.greetings.Follow(h)
	h.Hook(module.Hooks{Presence: s.presence, Deleted: s.deleted})
	s.o.Commands.Add(s.offers()...)
	s.o.Commands.Guard(node(""), s.allow.asked)
	s.o.Commands.Register(h.Domain())
	return nil
}

// offers are the commands.
func (s *server) offers() []command.Offer {
	all := slices.Concat(s.accountOffers(), s.userOffers(), s.listOffers(), s.messageOffers(), s.controlOffers())
	for i := range all {
		all[i].Node, all[i].Lang = node(all[i].Node), "en"
		if all[i].Allow == nil {
			all[i].Allow = s.allow.asked
		}
	}
	return all
}

// allowsAll reports whether somebody administers every domain.
func (s *server) allowsAll(ctx context.Context, who jid.JID) bool {
	return s.allow.asked(ctx, who) && !slices.ContainsFunc(s.host.Domains(), func(d jid.JID) bool { return !s.allow.of(ctx, who, d) })
}

// deleted takes an account that is gone from the admins.
func (s *server) deleted(ctx context.Context, a module.Account) {
	if s.editor == nil {
		return
	}
	for _, domain := range s.host.Domains() {
		admins, err := s.editor.List(ctx, domain)
		if err == nil && slices.Contains(admins, a.Addr) {
			err = s.editor.Set(ctx, domain, slices.DeleteFunc(admins, func(j jid.JID) bool { return j == a.Addr }))
		}
		if err != nil {
			s.o.Logger.ErrorContext(ctx, "admin: an account is gone and perhaps still an admin", "peer", a.Addr, "err", err)
		}
	}
}

// ask is a command with a form to fill in.
func ask(title, instructions string, do command.Handler, fields ...form.Field) command.Handler {
	f := form.New(form.TypeForm, NS, fields...)
	f.Title, f.Instructions = title, []string{instructions}
	stage := command.Stage{Form: &f, Complete: do}
	return func(context.Context, *command.Request) (command.Stage, error) { return stage, nil }
}

// result is the end of a command that has something to tell.
func result(fields ...form.Field) command.Stage {
	return command.Result(form.New(form.TypeResult, NS, fields...))
}

// failure is the end of a command that was not, or not wholly, possible (XEP-0050 §3.6).
func failure(text string) command.Stage {
	return command.Stage{Notes: []command.Note{{Type: command.Error, Text: text}}}
}

// note logs who has changed what.
func (s *server) note(ctx context.Context, r *command.Request, what string, about ...jid.JID) {
	s.o.Logger.InfoContext(ctx, "admin: "+what, "by", r.From, "about", about)
}
