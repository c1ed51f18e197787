package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// accountOffers are the commands that change accounts (§4.1 to §4.7).
func (s *server) accountOffers() []command.Offer {
	several := func(label string) form.Field {
		return form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: label, Required: true}
	}
	account := form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The Jabber ID for the account", Required: true}
	password := form.Field{Var: fieldPassword, Type: form.TextPrivate, Label: "The password for this account", Required: true}
	return []command.Offer{
		{Node: "add-user", Name: "Add User", Run: ask("Adding a User", "Fill out this form to add a user.", s.addUser,
			account, password, form.Field{Var: fieldVerify, Type: form.TextPrivate, Label: "Retype password"})},
		{Node: "delete-user", Name: "Delete User", Run: ask("Deleting a User", "Fill out this form to delete a user.", s.deleteUser,
			several("The Jabber ID(s) to delete"))},
		{Node: "disable-user", Name: "Disable User", Run: ask("Disabling a User", "Fill out this form to disable a user.", s.disableUser,
			several("The Jabber ID(s) to disable"))},
		{Node: "reenable-user", Name: "Re-Enable User", Run: ask("Re-Enable a User", "Fill out this form to re-enable a user.", s.reenableUser,
			several("The Jabber ID(s) to re-enable"))},
		{Node: "end-user-session", Name: "End User Session", Run: ask("Ending a User Session", "Fill out this form to end a user's session.", s.endSession,
			several("The Jabber ID(s) for which to end sessions"))},
		{Node: "change-user-password", Name: "Change User Password", Run: ask("Changing a User Password", "Fill out this form to change a user's password.", s.changePassword,
			account, password)},
	}
}

// addUser makes an account (§4.1).
func (s *server) addUser(ctx context.Context, r *command.Request) (command.Stage, error) {
	addrs, err := targets(r, fieldAccount)
	if err != nil {
		return command.Stage{}, err
	}
	addr, password := addrs[0], r.Form.Value(fieldPassword)
	if _, err := jid.Parse(addr.String()); err != nil || !addr.IsBare() {
		return command.Stage{}, refused(stanza.NotAcceptable, "nobody can have that address")
	}
	if verify := r.Form.Value(fieldVerify); verify != "" && verify != password {
		return command.Stage{}, refused(stanza.NotAcceptable, "the passwords are not the same")
	}
	if err := s.acceptable(ctx, password); err != nil {
		return command.Stage{}, err
	}
	if err := s.host.CreateAccount(ctx, addr, password); err != nil {
		return command.Stage{}, translated(err, addr)
	}
	s.note(ctx, r, "account made", addr)
	return command.Done(""), nil
}

// changePassword gives an account another password (§4.7).
func (s *server) changePassword(ctx context.Context, r *command.Request) (command.Stage, error) {
	a, err := s.single(ctx, r, fieldAccount)
	if err == nil {
		err = s.acceptable(ctx, r.Form.Value(fieldPassword))
	}
	if err == nil {
		err = translated(s.host.SetPassword(ctx, a.Addr, r.Form.Value(fieldPassword)), a.Addr)
	}
	if err != nil {
		return command.Stage{}, err
	}
	s.note(ctx, r, "password changed", a.Addr)
	return command.Done(""), nil
}

// acceptable reports a password that will not do, or came where others could read it.
func (s *server) acceptable(ctx context.Context, password string) error {
	if own := module.FromContext(ctx); own != nil && !own.Secure() && !s.o.InsecurePlaintext {
		return refused(stanza.NotAuthorized, "this needs TLS")
	}
	if _, err := sasl.NewSecrets(sasl.SHA1, password, sasl.MinIterations); err != nil {
		return refused(stanza.NotAcceptable, "the password has characters that cannot be used")
	}
	return nil
}

// each does something to the accounts that a form names: to all of them, or to none if one does not exist or is the admin's own, or if nobody
// may do that here.
func (s *server) each(ctx context.Context, r *command.Request, what string, do func(jid.JID) error) (command.Stage, error) {
	all, err := s.known(ctx, r, fieldAccounts)
	if err != nil {
		return command.Stage{}, err
	}
	if slices.ContainsFunc(all, func(a module.Account) bool { return a.Addr == r.From.Bare() }) {
		return command.Stage{}, refused(stanza.NotAllowed, "not to your own account")
	}
	var failed []string
	for _, a := range all {
		err := do(a.Addr)
		if errors.Is(err, stanza.NotAllowed) {
			return command.Stage{}, err
		}
		if err != nil {
			s.o.Logger.ErrorContext(ctx, "admin: not or not wholly done: "+what, "peer", a.Addr, "err", err)
			failed = append(failed, a.Addr.String())
			continue
		}
		s.note(ctx, r, what, a.Addr)
	}
	if len(failed) > 0 {
		return failure("this failed for " + strings.Join(failed, ", ")), nil
	}
	return command.Done(""), nil
}

func (s *server) deleteUser(ctx context.Context, r *command.Request) (command.Stage, error) {
	return s.each(ctx, r, "account deleted", func(j jid.JID) error { return s.host.DeleteAccount(ctx, j) })
}

func (s *server) disableUser(ctx context.Context, r *command.Request) (command.Stage, error) {
	return s.each(ctx, r, "account disabled", func(j jid.JID) error { return s.host.SetDisabled(ctx, j, true) })
}

func (s *server) reenableUser(ctx context.Context, r *command.Request) (command.Stage, error) {
	return s.each(ctx, r, "account enabled", func(j jid.JID) error { return s.host.SetDisabled(ctx, j, false) })
}

// endSession ends one session, or all of an account (§4.5). Those of other nodes cannot be reached.
func (s *server) endSession(ctx context.Context, r *command.Request) (command.Stage, error) {
	addrs, err := targets(r, fieldAccounts)
	if err != nil {
		return command.Stage{}, err
	}
	here := make(map[jid.JID]module.Session)
	for t := range s.host.All() {
		here[t.Addr()] = t
	}
	ended, away := 0, 0
	var none []string
	for _, j := range addrs {
		n, others := s.endAll(j, here)
		if n+others == 0 {
			none = append(none, j.String())
		}
		ended, away = ended+n, away+others
	}
	if ended > 0 {
		s.note(ctx, r, "sessions ended", addrs...)
	}
	stage := command.Done(fmt.Sprintf("sessions ended: %d", ended))
	switch {
	case away > 0:
		stage = failure(fmt.Sprintf("%d sessions were ended, and %d of other nodes were not", ended, away))
	case ended == 0:
		return command.Stage{}, refused(stanza.ItemNotFound, "there is no such session")
	}
	if len(none) > 0 {
		stage.Notes = append(stage.Notes, command.Note{Type: command.Warn, Text: "there is no session of " + strings.Join(none, ", ")})
	}
	return stage, nil
}

// endAll ends the sessions that an address means and that are here. It returns how many these are, and how many are elsewhere.
func (s *server) endAll(j jid.JID, here map[jid.JID]module.Session) (ended, away int) {
	for _, t := range s.host.Sessions(j.Bare()) {
		switch own := here[t.Addr()]; {
		case j.IsFull() && t.Addr() != j:
		case own == nil:
			away++
		default:
			ended++
			own.Close("ended by an administrator")
		}
	}
	return ended, away
}
