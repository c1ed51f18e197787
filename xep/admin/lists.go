package admin

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// A Group is some of the users of a domain.
type Group string

// The groups. Who is online has a session, and is either idle or active: idle, if each session has been cut off, or its client says that its
// user is away, or nothing came from it for a while.
const (
	Registered Group = "registered"
	Disabled   Group = "disabled"
	Online     Group = "online"
	Active     Group = "active"
	Idle       Group = "idle"
)

// groups are all of them, with the names that the XEP gives to what is about them (§4.13 to §4.22): a field for
// a number and one for a list, and the node of the list.
var groups = []struct {
	Group
	title        string
	number, list string
	node         string
}{
	{Registered, "Registered", "registeredusersnum", "registereduserjids", "get-registered-users-list"},
	{Disabled, "Disabled", "disabledusersnum", "disableduserjids", "get-disabled-users-list"},
	{Online, "Online", "onlineusersnum", "onlineuserjids", "get-online-users-list"},
	{Active, "Active", "activeusersnum", "activeuserjids", "get-active-users"},
	{Idle, "Idle", "idleusersnum", "activeuserjids", "get-idle-users"}, // so §4.22 has it
}

const (
	// maxListed bounds a list, which goes out in one stanza.
	maxListed = 2000
	// page is how many accounts are read at a time.
	page = 500
)

// listOffers are the commands that count and list users.
func (s *server) listOffers() (all []command.Offer) {
	choices := form.Field{Var: fieldMax, Type: form.ListSingle, Label: "Maximum number of items to show"}
	for _, n := range []string{"25", "50", "75", "100", "150", "200"} {
		choices.Options = append(choices.Options, form.Option{Label: n, Value: n})
	}
	choices.Options = append(choices.Options, form.Option{Label: "None", Value: "none"})
	for _, g := range groups {
		all = append(all, command.Offer{
			Node: "get-" + string(g.Group) + "-users-num", Name: "Get Number of " + g.title + " Users",
			Run: func(ctx context.Context, r *command.Request) (command.Stage, error) {
				n := 0
				err := s.users(ctx, r.To.Domain(), g.Group, func(jid.JID) bool { n++; return true })
				return result(form.Field{Var: g.number, Type: form.TextSingle, Label: "The number of " + string(g.Group) + " users", Values: []string{strconv.Itoa(n)}}), err
			},
		}, command.Offer{
			Node: g.node, Name: "Get List of " + g.title + " Users",
			Run: ask("Requesting List of "+g.title+" Users", "Fill out this form to request the "+string(g.Group)+" users of this service.", s.list(g.Group, g.list), choices),
		})
	}
	return all
}

// list lists a group, as far as was asked for.
func (s *server) list(g Group, name string) command.Handler {
	return func(ctx context.Context, r *command.Request) (command.Stage, error) {
		most := maxListed
		if n, err := strconv.Atoi(r.Form.Value(fieldMax)); err == nil {
			most = min(n, most)
		}
		var all []string
		more := false
		err := s.users(ctx, r.To.Domain(), g, func(j jid.JID) bool {
			if more = len(all) == most; !more {
				all = append(all, j.String())
			}
			return !more
		})
		stage := result(form.Field{Var: name, Type: form.JIDMulti, Label: "The list of " + string(g) + " users", Values: all})
		if more {
			stage.Notes = []command.Note{{Type: command.Warn, Text: "there are more"}}
		}
		return stage, err
	}
}

// users calls f with the users of a group, in the order of their addresses, as long as it returns true.
func (s *server) users(ctx context.Context, domain jid.JID, g Group, f func(jid.JID) bool) error {
	if g == Registered || g == Disabled {
		return s.accounts(ctx, domain, g, f)
	}
	now := time.Now()
	active := make(map[jid.JID]bool)
	for t := range s.host.All() {
		if addr := t.Account().Addr; addr.Domain() == domain {
			active[addr] = active[addr] || !s.isIdle(t, now)
		}
	}
	var all []jid.JID
	for addr, is := range active {
		if g == Online || is == (g == Active) {
			all = append(all, addr)
		}
	}
	slices.SortFunc(all, jid.JID.Compare)
	for _, addr := range all {
		if !f(addr) {
			break
		}
	}
	return nil
}

// isIdle reports whether nobody is at a session: its client is cut off, says so or is silent.
func (s *server) isIdle(t module.Session, now time.Time) bool {
	if t.Suspended() || now.Sub(t.LastActive()) >= s.o.IdleAfter {
		return true
	}
	raw := t.Presence()
	if raw == nil {
		return false
	}
	p, err := raw.Presence()
	return err == nil && (p.Show == stanza.ShowAway || p.Show == stanza.ShowXA)
}

// accounts is users for groups that are kept.
func (s *server) accounts(ctx context.Context, domain jid.JID, g Group, f func(jid.JID) bool) error {
	for after := (jid.JID{}); ; {
		some, err := s.host.Stores().Accounts.List(ctx, domain.Domainpart(), after, page)
		if err != nil {
			return err
		}
		for _, a := range some {
			if (g == Registered || a.Disabled) && !f(a.Addr) {
				return nil
			}
			after = a.Addr
		}
		if len(some) < page {
			return nil
		}
	}
}
