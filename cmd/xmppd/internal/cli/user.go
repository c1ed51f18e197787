package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/jid"
)

// noDomain is all of them.
var noDomain jid.JID

func (p *program) user() *cobra.Command {
	var asJSON, yes bool
	list := &cobra.Command{
		Use: "list [DOMAIN]", Short: "List accounts, of one domain or of all", Args: cobra.MaximumNArgs(1),
		RunE: p.run(func(ctx context.Context, args []string) error { return p.listUsers(ctx, asJSON, args) }),
	}
	list.Flags().BoolVar(&asJSON, "json", false, "one object of JSON a line")
	remove := p.account("delete", "Delete an account with all that is kept for it", func(ctx context.Context, addr jid.JID) error {
		if !yes {
			if err := p.sure(ctx, fmt.Sprintf("%s and all its contacts and messages will be gone.", addr)); err != nil {
				return err
			}
		}
		return p.reach(ctx, func(o control.Operations) error { return o.DeleteUser(ctx, addr) })
	})
	remove.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return group("user", "Add, change, list and delete accounts",
		p.account("add", "Add an account; the password is asked for, or a line of the input", p.withPassword(control.Operations.AddUser)),
		p.account("passwd", "Give an account another password", p.withPassword(control.Operations.SetPassword)),
		p.account("disable", "Let nobody log in to an account, and end its sessions", func(ctx context.Context, addr jid.JID) error {
			return p.reach(ctx, func(o control.Operations) error { return o.SetDisabled(ctx, addr, true) })
		}),
		p.account("enable", "Undo disable", func(ctx context.Context, addr jid.JID) error {
			return p.reach(ctx, func(o control.Operations) error { return o.SetDisabled(ctx, addr, false) })
		}),
		remove, list,
	)
}

// account is a command about one account.
func (p *program) account(name, short string, do func(context.Context, jid.JID) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " JID", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: p.completeUsers,
		Example: "xmppd user " + name + " juliet@capulet.example",
		RunE: p.run(func(ctx context.Context, args []string) error {
			addr, err := address(args[0], false)
			if err != nil {
				return err
			}
			return do(ctx, addr)
		}),
	}
}

// withPassword asks for a password before it uses the folder, which nobody else can as long as that lasts.
func (p *program) withPassword(do func(control.Operations, context.Context, jid.JID, string) error) func(context.Context, jid.JID) error {
	return func(ctx context.Context, addr jid.JID) error {
		if _, err := p.config(); err != nil { // before somebody types in vain
			return err
		}
		password, err := p.password(ctx, addr)
		if err != nil {
			return err
		}
		return p.reach(ctx, func(o control.Operations) error { return do(o, ctx, addr, password) })
	}
}

func (p *program) listUsers(ctx context.Context, asJSON bool, args []string) error {
	var d jid.JID
	if len(args) == 1 {
		var err error
		if d, err = domain(args[0]); err != nil {
			return err
		}
	}
	return p.reach(ctx, func(o control.Operations) error {
		e, w := json.NewEncoder(p.stdout), tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		for u, err := range o.Users(ctx, d) {
			if err != nil {
				return err
			}
			if asJSON {
				err = e.Encode(u)
			} else {
				_, err = fmt.Fprintf(w, "%s\t%s\t%s\n", u.Addr, u.Created.Local().Format(time.DateOnly), state(u))
			}
			if err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

// state is a word or two for how an account is.
func state(u control.User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case !u.Password:
		return "no password"
	}
	return "enabled"
}

func (p *program) invite() *cobra.Command {
	var r control.InviteRequest
	c := &cobra.Command{
		Use: "new [DOMAIN | JID]", Short: "Make a link to make an account by, of that name or of any",
		Args: cobra.MaximumNArgs(1), Example: "xmppd invite new capulet.example",
		RunE: p.run(func(ctx context.Context, args []string) error {
			if len(args) == 1 {
				var err error
				if r.Account, err = jid.Parse(args[0]); err != nil || !r.Account.IsBare() {
					return control.Invalid("%q is neither a domain nor the address of an account", args[0])
				}
			}
			return p.reach(ctx, func(o control.Operations) error {
				i, err := o.Invite(ctx, r)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.stdout, i.URI)
				if isTerminal(p.stdout) {
					fmt.Fprintf(p.stderr, "It is good until %s.\n", i.Expires.Local().Format(time.DateTime))
				}
				return err
			})
		}),
	}
	c.Flags().IntVar(&r.Uses, "uses", 1, "how `often` it is good")
	c.Flags().DurationVar(&r.Valid, "valid", 7*24*time.Hour, "how `long` it is good, such as 48h")
	return group("invite", "Invite people to make accounts", c)
}
