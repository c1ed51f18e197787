package admin

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xep/last"
)

// userOffers are the commands that tell of a user (§4.8 to §4.10).
func (s *server) userOffers() []command.Offer {
	accounts := func(label string) form.Field {
		return form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: label, Required: true}
	}
	return []command.Offer{
		{Node: "get-user-roster", Name: "Get User Roster", Run: ask("Getting a User's Roster", "Fill out this form to get a user's roster.", s.userRoster,
			accounts("The Jabber ID for which to retrieve the roster"))},
		{Node: "get-user-lastlogin", Name: "Get User Last Login Time", Run: ask("Getting a User's Last Login Time", "Fill out this form to get a user's last login time.", s.lastLogin,
			accounts("The Jabber ID for which to retrieve the last login time"))},
		{Node: "user-stats", Name: "Get User Statistics", Run: ask("Get User Statistics", "Fill out this form to gather user statistics.", s.userStats,
			form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The Jabber ID for statistics", Required: true})},
	}
}

// userRoster tells who is in a roster (§4.8), one at a time.
func (s *server) userRoster(ctx context.Context, r *command.Request) (command.Stage, error) {
	a, err := s.single(ctx, r, fieldAccounts)
	if err != nil {
		return command.Stage{}, err
	}
	contacts, err := s.host.Contacts(ctx, a)
	if err != nil {
		return command.Stage{}, err
	}
	p := rosterForm{form.New(form.TypeResult, NS, form.Field{Var: fieldAccounts, Type: form.JIDMulti, Values: []string{a.Addr.String()}}), roster.Query{}}
	for _, c := range contacts {
		if c.Listed {
			p.roster.Items = append(p.roster.Items, itemOf(c))
		}
	}
	return command.Stage{Payloads: stanza.Payloads{p}}, nil
}

// itemOf is a contact as the owner of the roster sees it.
func itemOf(c storage.Contact) roster.Item {
	i := roster.Item{JID: c.JID, Name: c.Name, Groups: c.Groups, Ask: c.Subscription.Has(storage.PendingOut), Approved: c.Approved}
	switch {
	case c.Subscription.Has(storage.To | storage.From):
		i.Subscription = roster.Both
	case c.Subscription.Has(storage.To):
		i.Subscription = roster.To
	case c.Subscription.Has(storage.From):
		i.Subscription = roster.From
	}
	return i
}

// A rosterForm is a form with a roster in it, which is where §4.8 has it.
type rosterForm struct {
	form   form.Form
	roster roster.Query
}

// AppendXML implements [stanza.Payload].
func (f rosterForm) AppendXML(dst []byte) ([]byte, error) {
	const end = "</x>"
	out, err := f.form.AppendXML(dst)
	if err == nil {
		out, err = f.roster.AppendXML(bytes.TrimSuffix(out, []byte(end)))
	}
	if err != nil {
		return dst, err
	}
	return append(out, end...), nil
}

// lastLogin tells when people have logged in: who is online, with the session that was bound last; of others it is known until when they were
// available (§4.9). The XEP has the form for one; of several there are rows.
func (s *server) lastLogin(ctx context.Context, r *command.Request) (command.Stage, error) {
	all, err := s.known(ctx, r, fieldAccounts)
	if err != nil {
		return command.Stage{}, err
	}
	var unknown []string
	rows := make([][]form.Field, len(all))
	for i, a := range all {
		at, err := s.lastSeen(ctx, a)
		if err != nil {
			return command.Stage{}, err
		}
		seen := form.Field{Var: fieldLastLogin}
		if at.IsZero() {
			unknown = append(unknown, a.Addr.String())
		} else {
			seen.Values = []string{at.UTC().Format(time.RFC3339)}
		}
		rows[i] = []form.Field{{Var: fieldAccounts, Values: []string{a.Addr.String()}}, seen}
	}
	stage := lastLogins(rows)
	if len(unknown) > 0 {
		stage.Notes = []command.Note{{Type: command.Info, Text: "it is not known when these were here: " + strings.Join(unknown, ", ")}}
	}
	return stage, nil
}

// lastLogins is the end of the command for one account or several.
func lastLogins(rows [][]form.Field) command.Stage {
	account := form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: "The Jabber ID"}
	at := form.Field{Var: fieldLastLogin, Type: form.TextSingle, Label: "Last login"}
	if len(rows) > 1 {
		return command.Result(form.Form{Type: form.TypeResult, Reported: []form.Field{account, at}, Items: rows})
	}
	account.Values, at.Values = rows[0][0].Values, rows[0][1].Values
	if len(at.Values) == 0 {
		return result(account)
	}
	return result(account, at)
}

// lastSeen is zero if that is not known.
func (s *server) lastSeen(ctx context.Context, a module.Account) (at time.Time, err error) {
	for _, t := range s.host.Sessions(a.Addr) {
		if t.Since().After(at) {
			at = t.Since()
		}
	}
	if at.IsZero() {
		at, _, err = last.Seen(ctx, s.host, a)
	}
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return at, err
}

// userStats tells what is known about somebody (§4.10).
func (s *server) userStats(ctx context.Context, r *command.Request) (command.Stage, error) {
	a, err := s.single(ctx, r, fieldAccount)
	if err != nil {
		return command.Stage{}, err
	}
	contacts, err := s.host.Contacts(ctx, a)
	if err != nil {
		return command.Stage{}, err
	}
	listed := 0
	for _, c := range contacts {
		if c.Listed {
			listed++
		}
	}
	var addresses, resources []string
	for _, t := range s.host.Sessions(a.Addr) {
		resources = append(resources, t.Addr().Resourcepart())
		if ip := t.Remote(); ip.IsValid() && !slices.Contains(addresses, ip.String()) {
			addresses = append(addresses, ip.String())
		}
	}
	return result(
		form.Field{Var: fieldAddresses, Type: form.TextMulti, Label: "The IP addresses of online sessions", Values: addresses},
		form.Field{Var: fieldRosterSize, Type: form.TextSingle, Label: "Number of roster items", Values: []string{strconv.Itoa(listed)}},
		form.Field{Var: fieldResources, Type: form.TextMulti, Label: "The names of online sessions", Values: resources},
	), nil
}
