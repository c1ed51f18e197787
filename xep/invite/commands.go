package invite

import (
	"context"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// The nodes of the commands (XEP-0401 §3), and what the form is about in which a link comes.
const (
	nodeInvite     = "urn:xmpp:invite#invite"
	nodeAccount    = "urn:xmpp:invite#create-account"
	formInvitation = "urn:xmpp:invite#invitation"
)

// The fields of the forms. The link expires in "expire" where the XEP speaks of it, and in "expiry" where it lists the names.
const (
	fieldURI       = "uri"
	fieldLanding   = "landing-url"
	fieldExpire    = "expire"
	fieldExpiry    = "expiry"
	fieldUsername  = "username"
	fieldSubscribe = "roster-subscription"
)

// CommandOptions adjusts [Commands].
type CommandOptions struct {
	// Commands is what offers the commands, to be shared with others who offer some at the domains. Nil makes one.
	Commands *command.Responder
	// Invite reports whether an account may invite contacts, who may make an account if the server makes accounts by invites; so many at a
	// time as [Options] says. Create reports whether somebody may invite people to make accounts, of a certain name or any, who need not
	// become his contacts; without a bound. It is also asked of people of other domains. Nil allows nobody.
	Invite, Create func(ctx context.Context, from jid.JID) bool
	// Landing returns the address of a web page for a link, for those who have no client yet; empty for none. Nil is none.
	Landing func(u URI) string
}

// Commands lets people have invites made with the clients that they have (XEP-0401): [Ask] and [AskAccount] are the calls. The service is a module
// too.
func Commands(s *Service, o *CommandOptions) module.Module {
	c := &commands{service: s}
	if o != nil {
		c.o = *o
	}
	return c
}

type commands struct {
	service *Service
	o       CommandOptions
}

// Install implements [module.Module].
func (c *commands) Install(h module.Host) error {
	if c.o.Commands == nil {
		c.o.Commands = command.NewResponder(nil)
	}
	ask := form.Form{Type: form.TypeForm, Title: "Create an account", Fields: []form.Field{
		{Var: fieldUsername, Type: form.TextSingle, Label: "Username"},
		{Var: fieldSubscribe, Type: form.Boolean, Label: "Roster subscription"},
	}}
	c.o.Commands.Add(
		command.Offer{Node: nodeInvite, Name: "Invite user", Lang: "en", Allow: c.mayInvite, Run: c.invite},
		command.Offer{Node: nodeAccount, Name: "Create account", Lang: "en", Allow: c.mayCreate, Run: func(context.Context, *command.Request) (command.Stage, error) {
			return command.Stage{Form: &ask, Complete: c.create}, nil
		}})
	c.o.Commands.Register(h.Domain())
	return nil
}

// mayInvite lets accounts of the domain that was asked pass.
func (c *commands) mayInvite(ctx context.Context, from jid.JID) bool {
	asked := xmpp.SessionFrom(ctx)
	return c.o.Invite != nil && asked != nil && from.Localpart() != "" && from.Domain() == asked.LocalAddr().Domain() && c.o.Invite(ctx, from)
}

func (c *commands) mayCreate(ctx context.Context, from jid.JID) bool {
	return c.o.Create != nil && c.service.accounts && from.Localpart() != "" && c.o.Create(ctx, from)
}

// invite makes an invite of who asks (§5.1).
func (c *commands) invite(ctx context.Context, r *command.Request) (command.Stage, error) {
	want := Request{Inviter: r.From.Bare()}
	if c.service.accounts {
		want.Account = want.Inviter.Domain()
	}
	return c.make(ctx, r, want)
}

// create makes an invite to an account (§5.4). Without a subscription it is the server's own.
func (c *commands) create(ctx context.Context, r *command.Request) (command.Stage, error) {
	want := Request{Account: r.To.Domain()}
	if name := r.Form.Value(fieldUsername); name != "" {
		var err error
		if want.Account, err = want.Account.WithLocal(name); err != nil {
			return command.Stage{}, refused(stanza.NotAcceptable, "nobody can have that name")
		}
	}
	if subscribe, _ := r.Form.Lookup(fieldSubscribe); subscribe.Bool() {
		if r.From.Domain() != r.To.Domain() {
			return command.Stage{}, refused(stanza.NotAcceptable, "you have no account here")
		}
		want.Inviter = r.From.Bare()
	}
	return c.make(ctx, r, want)
}

// make makes an invite, and shows the link.
func (c *commands) make(ctx context.Context, r *command.Request, want Request) (command.Stage, error) {
	made, err := c.service.Create(ctx, want)
	switch {
	case errors.Is(err, storage.ErrFull):
		return command.Stage{}, &stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint, Text: "too many of your invites have not been used yet", Lang: "en"}
	case errors.Is(err, storage.ErrExists):
		return command.Stage{}, refused(stanza.Conflict, "somebody has that name, or is invited to have it")
	case errors.Is(err, storage.ErrNotFound):
		return command.Stage{}, stanza.Forbidden
	case err != nil:
		return command.Stage{}, err
	}
	c.service.o.Logger.InfoContext(ctx, "invite made", "by", r.From, "account", want.Account)
	line := func(name, value string) form.Field {
		return form.Field{Var: name, Type: form.TextSingle, Values: []string{value}}
	}
	fields := []form.Field{line(fieldURI, made.URI.String())}
	if c.o.Landing != nil {
		if page := c.o.Landing(made.URI); page != "" {
			fields = append(fields, line(fieldLanding, page))
		}
	}
	fields = append(fields, line(fieldExpire, made.Expires.UTC().Format(time.RFC3339)))
	return command.Result(form.New(form.TypeResult, formInvitation, fields...)), nil
}

// refused is an error with words for people.
func refused(c stanza.Condition, text string) error {
	return &stanza.Error{Condition: c, Text: text, Lang: "en"}
}
