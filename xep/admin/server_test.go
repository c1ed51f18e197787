package admin_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// commands are all that are offered, with what each asks for: the names of §4.
var commands = map[string][]string{
	"add-user":                  {"accountjid", "password", "password-verify"},
	"delete-user":               {"accountjids"},
	"disable-user":              {"accountjids"},
	"reenable-user":             {"accountjids"},
	"end-user-session":          {"accountjids"},
	"change-user-password":      {"accountjid", "password"},
	"get-user-roster":           {"accountjids"},
	"get-user-lastlogin":        {"accountjids"},
	"user-stats":                {"accountjid"},
	"get-registered-users-num":  nil,
	"get-disabled-users-num":    nil,
	"get-online-users-num":      nil,
	"get-active-users-num":      nil,
	"get-idle-users-num":        nil,
	"get-registered-users-list": {"max_items"},
	"get-disabled-users-list":   {"max_items"},
	"get-online-users-list":     {"max_items"},
	"get-active-users":          {"max_items"},
	"get-idle-users":            {"max_items"},
	"announce":                  {"announcement"},
	"set-motd":                  {"motd"},
	"edit-motd":                 {"motd"},
	"delete-motd":               nil,
	"set-welcome":               {"welcome"},
	"delete-welcome":            nil,
	"edit-admin":                {"adminjids"},
	"restart":                   {"delay", "announcement"},
	"shutdown":                  {"delay", "announcement"},
}

// serverWide are those that concern all domains.
var serverWide = []string{"restart", "shutdown"}

func node(name string) string { return admin.NS + "#" + name }

// names are those of the commands that somebody sees.
func names(t *testing.T, d *device, domain jid.JID) (all []string) {
	t.Helper()
	items, err := command.List(t.Context(), d, domain)
	require.NoError(t, err)
	for _, i := range items {
		name, ok := strings.CutPrefix(i.Node, admin.NS+"#")
		require.True(t, ok, i.Node)
		require.NotEmpty(t, i.Name)
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// §3, §4: the commands are there for whom they are, with the forms and names of the XEP.
func TestXEP0133_4_Commands(t *testing.T) {
	h := start(t)
	d := h.device(both)
	var want []string
	for name := range commands {
		want = append(want, name)
	}
	slices.Sort(want)
	require.Equal(t, want, names(t, d, org))
	require.Equal(t, want, names(t, d, net))
	info, err := disco.GetInfo(t.Context(), d, org, "")
	require.NoError(t, err)
	require.True(t, info.Has(command.NS))
	for name, fields := range commands {
		_, err := command.Describe(t.Context(), d, org, node(name))
		require.NoError(t, err, name)
		e, err := command.Start(t.Context(), d, org, node(name))
		require.NoError(t, err, name)
		if fields == nil {
			require.Equal(t, command.Completed, e.Status, name)
			continue
		}
		require.Equal(t, command.Executing, e.Status, name)
		require.Equal(t, command.Actions{Complete: true, Execute: command.Complete}, e.Actions, name)
		require.Equal(t, admin.NS, e.Form.FormType(), name)
		var got []string
		for _, f := range e.Form.Fields[1:] {
			got = append(got, f.Var)
		}
		require.Equal(t, fields, got, name)
		require.NoError(t, e.Cancel(t.Context()), name)
	}
	_, err = command.Start(t.Context(), d, org, node("get-user-password"))
	require.ErrorIs(t, err, stanza.ItemNotFound)
}

// §6: nobody else gets anywhere with any command, and an admin of one domain is nobody at another.
func TestSec_AdminsOnly(t *testing.T) {
	h := start(t)
	h.account(bard)
	for who, d := range map[string]struct {
		*device
		domain jid.JID
	}{
		"a user":                             {h.device(at("juliet")), org},
		"a user of another domain":           {h.device(jid.MustParse("juliet@example.net")), org},
		"an admin of another domain":         {h.device(hal), org},
		"an admin of the other, other way":   {h.device(bard), net},
		"who has the name of an admin there": {h.device(jid.MustParse("bard@example.net")), org},
	} {
		require.Empty(t, names(t, d.device, d.domain), who)
		for _, name := range append(slices.Collect(maps.Keys(commands)), "get-user-password", "edit-blacklist", "no-command") { // also what is not there
			_, err := command.Start(t.Context(), d, d.domain, node(name))
			require.ErrorIs(t, err, stanza.Forbidden, "%s: %s", who, name)
			_, err = command.Describe(t.Context(), d, d.domain, node(name))
			require.ErrorIs(t, err, stanza.Forbidden, "%s: %s", who, name)
		}
	}
}

// The commands for all domains are for those who administer all domains.
func TestSec_ServerWide(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	for _, name := range serverWide {
		require.NotContains(t, names(t, d, org), name)
		_, err := command.Start(t.Context(), d, org, node(name))
		require.ErrorIs(t, err, stanza.Forbidden)
	}
}

// An admin does nothing to accounts of another domain, not even along with his own.
func TestSec_OtherDomains(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	other := h.account(jid.MustParse("juliet@example.net"))
	h.account(at("juliet"))
	session := h.device(jid.MustParse("romeo@example.net/orchard"))
	kept := h.everything()
	for name, fields := range commands {
		i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "accountjid") })
		if i < 0 {
			continue
		}
		lists := [][]string{{other.String()}, {session.LocalAddr().Bare().String()}}
		if fields[i] == "accountjids" {
			lists = append(lists, []string{at("juliet").String(), other.String()})
		}
		for _, values := range lists {
			_, err := command.Run(t.Context(), d, org, node(name), form.Field{Var: fields[i], Values: values}, form.Field{Var: "password", Values: []string{"an0ther one"}})
			require.ErrorIs(t, err, stanza.Forbidden, "%s %v", name, values)
		}
	}
	require.ErrorIs(t, admin.EndSession(t.Context(), d, session.LocalAddr()), stanza.Forbidden)
	require.Equal(t, kept, h.everything())
	session.sync()
}

// everything is what the server knows of accounts.
func (h *house) everything() (all []any) {
	for _, domain := range []jid.JID{org, net} {
		some, err := h.stores.Accounts.List(h.t.Context(), domain.Domainpart(), jid.JID{}, 1000)
		require.NoError(h.t, err)
		for _, a := range some {
			all = append(all, a)
		}
	}
	return all
}

// §4.1, §4.2, §4.6, §4.7: accounts are made, get other passwords and are deleted.
func TestXEP0133_4_1_AddAndDeleteUser(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	require.NoError(t, admin.AddUser(ctx, d, at("juliet"), "R0m30"))
	require.ErrorIs(t, admin.AddUser(ctx, d, at("juliet"), "R0m30"), stanza.Conflict)
	juliet, err := h.login(at("juliet"), "R0m30", nil)
	require.NoError(t, err)
	require.NoError(t, admin.ChangePassword(ctx, d, at("juliet"), "Par1s"))
	_, err = h.login(at("juliet"), "R0m30", nil)
	require.Error(t, err)
	again, err := h.login(at("juliet"), "Par1s", nil)
	require.NoError(t, err)

	require.NoError(t, admin.DeleteUser(ctx, d, at("juliet")))
	require.Error(t, juliet.Wait(ctx))
	require.Error(t, again.Wait(ctx))
	require.ErrorIs(t, admin.DeleteUser(ctx, d, at("juliet")), stanza.ItemNotFound)
	_, err = h.login(at("juliet"), "Par1s", nil)
	require.Error(t, err)
	require.ErrorIs(t, admin.ChangePassword(ctx, d, at("juliet"), "Par1s"), stanza.ItemNotFound)
}

// What an account cannot be, and what a password cannot.
func TestXEP0133_5_Refused(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	h.account(at("juliet"))
	add := func(account, password, verify string) error {
		_, err := command.Run(t.Context(), d, org, node("add-user"), form.Field{Var: "accountjid", Values: []string{account}},
			form.Field{Var: "password", Values: []string{password}}, form.Field{Var: "password-verify", Values: []string{verify}})
		return err
	}
	require.ErrorIs(t, add("romeo@example.org", "secret", "secrets"), stanza.NotAcceptable)
	require.ErrorIs(t, add("romeo@example.org/orchard", "secret", "secret"), stanza.NotAcceptable)
	require.ErrorIs(t, add("example.org", "secret", "secret"), stanza.NotAcceptable)
	require.ErrorIs(t, add("romeo@example.org", "\u0085", "\u0085"), stanza.NotAcceptable)
	require.ErrorIs(t, add("romeo@example.org", "", ""), command.BadPayload)
	require.ErrorIs(t, add("", "secret", "secret"), command.BadPayload)
	require.ErrorIs(t, add("@", "secret", "secret"), command.BadPayload)
	require.NoError(t, add("romeo@example.org", "secret", ""), "a program need not type it twice")
	require.ErrorIs(t, admin.ChangePassword(t.Context(), d, at("juliet"), "\u0085"), stanza.NotAcceptable)
	for _, do := range []func(context.Context, *device, jid.JID) error{
		func(ctx context.Context, d *device, j jid.JID) error { return admin.DeleteUser(ctx, d, j) },
		func(ctx context.Context, d *device, j jid.JID) error { return admin.DisableUser(ctx, d, j) },
	} {
		require.ErrorIs(t, do(t.Context(), d, bard), stanza.NotAllowed, "an admin does not lock himself out")
		require.ErrorIs(t, do(t.Context(), d, jid.MustParse("juliet@example.org/balcony")), stanza.NotAcceptable)
	}
	_, err := command.Run(t.Context(), d, org, node("delete-user"), form.Field{Var: "accountjids", Values: []string{"juliet@example.org", "nobody@example.org"}})
	require.ErrorIs(t, err, stanza.ItemNotFound)
	_, err = h.stores.Accounts.Get(t.Context(), at("juliet"))
	require.NoError(t, err, "all or none")
}

// No password goes where others can read it.
func TestSec_PasswordsInTheClear(t *testing.T) {
	h := start(t, func(_ *admin.Options, s *server.Options) { s.InsecurePlaintext = true })
	d := h.device(bard)
	h.account(at("juliet"))
	require.ErrorIs(t, admin.AddUser(t.Context(), d, at("romeo"), "secret"), admin.ErrInsecure)
	require.ErrorIs(t, admin.ChangePassword(t.Context(), d, at("juliet"), "secret"), admin.ErrInsecure)
	for _, name := range []string{"add-user", "change-user-password"} {
		account := map[string]string{"add-user": "romeo@example.org", "change-user-password": "juliet@example.org"}[name]
		_, err := command.Run(t.Context(), d, org, node(name), form.Field{Var: "accountjid", Values: []string{account}}, form.Field{Var: "password", Values: []string{"secret"}})
		require.ErrorIs(t, err, stanza.NotAuthorized)
	}
}

// §4.3, §4.4: who is disabled is put out and kept out, and keeps everything.
func TestXEP0133_4_3_Disable(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	juliet := h.user(at("juliet"))
	require.NoError(t, h.AddContact(ctx, at("juliet"), h.account(at("romeo"))))
	require.NoError(t, admin.DisableUser(ctx, d, at("juliet")))
	require.Error(t, juliet.Wait(ctx))
	_, err := h.login(at("juliet"), password, nil)
	require.Error(t, err)
	n, err := admin.Count(ctx, d, org, admin.Disabled)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	all, err := admin.Users(ctx, d, org, admin.Disabled)
	require.NoError(t, err)
	require.Equal(t, []jid.JID{at("juliet")}, all)

	require.NoError(t, admin.ReenableUser(ctx, d, at("juliet")))
	juliet = h.user(at("juliet"))
	r, err := roster.Get(ctx, juliet)
	require.NoError(t, err)
	require.Len(t, r.Items, 1)
	require.ErrorIs(t, admin.DisableUser(ctx, d, at("nobody")), stanza.ItemNotFound)
}

// Where it fails for some, the admin is told for whom.
func TestPartlyDone(t *testing.T) {
	h := start(t, func(_ *admin.Options, s *server.Options) {
		s.Storage.Accounts = failing{s.Storage.Accounts, at("romeo")}
	})
	d := h.device(bard)
	h.account(at("juliet"))
	h.account(at("romeo"))
	_, err := command.Run(t.Context(), d, org, node("disable-user"), form.Field{Var: "accountjids", Values: []string{"romeo@example.org", "juliet@example.org"}})
	require.ErrorIs(t, err, command.ErrFailed)
	require.ErrorContains(t, err, "romeo@example.org")
	require.NotContains(t, err.Error(), "juliet@example.org")
	all, err := admin.Users(t.Context(), d, org, admin.Disabled)
	require.NoError(t, err)
	require.Equal(t, []jid.JID{at("juliet")}, all)
}

// failing is a store that cannot disable an account.
type failing struct {
	storage.Accounts
	addr jid.JID
}

func (f failing) SetDisabled(ctx context.Context, id storage.AccountID, disabled bool) error {
	if a, err := f.Get(ctx, f.addr); err != nil || a.ID == id {
		return errors.New("the disk is full")
	}
	return f.Accounts.SetDisabled(ctx, id, disabled)
}

// §4.5: one session, or all.
func TestXEP0133_4_5_EndSession(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	balcony := h.user(jid.MustParse("juliet@example.org/balcony"))
	chamber := h.user(jid.MustParse("juliet@example.org/chamber"))
	garden := h.device(jid.MustParse("juliet@example.org/garden"))
	require.NoError(t, admin.EndSession(ctx, d, balcony.LocalAddr()))
	require.Error(t, balcony.Wait(ctx))
	chamber.sync()
	garden.sync()
	require.NoError(t, admin.EndSession(ctx, d, at("juliet")))
	require.Error(t, chamber.Wait(ctx))
	require.Error(t, garden.Wait(ctx))
	h.user(jid.MustParse("juliet@example.org/balcony"))
	require.ErrorIs(t, admin.EndSession(ctx, d, jid.MustParse("juliet@example.org/nowhere")), stanza.ItemNotFound)
	require.ErrorIs(t, admin.EndSession(ctx, d, at("nobody")), stanza.ItemNotFound)
	again := h.device(bard)
	again.sync()
	require.NoError(t, admin.EndSession(ctx, d, again.LocalAddr()), "one's own elsewhere")
	require.Error(t, again.Wait(ctx))

	romeo := h.device(at("romeo"))
	romeo.sync()
	e, err := command.Run(ctx, d, org, node("end-user-session"), form.Field{Var: "accountjids", Values: []string{"nobody@example.org", romeo.LocalAddr().String()}})
	require.NoError(t, err)
	require.Error(t, romeo.Wait(ctx))
	require.Equal(t, []command.Note{{Type: command.Info, Text: "sessions ended: 1"}, {Type: command.Warn, Text: "there is no session of nobody@example.org"}}, e.Notes)
}

// §4.8: a roster as its owner sees it.
func TestXEP0133_4_8_Roster(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	h.account(at("romeo"))
	h.account(at("tybalt"))
	require.NoError(t, h.AddContact(ctx, h.account(at("juliet")), at("romeo")))
	require.NoError(t, h.SetContact(ctx, at("juliet"), roster.Item{JID: at("romeo"), Name: "Romeo", Groups: []string{"Friends", "Lovers"}}))
	require.NoError(t, h.SetContact(ctx, at("juliet"), roster.Item{JID: at("nurse")}))
	tybalt := h.user(at("tybalt"))
	_, err := tybalt.Send(ctx, stanza.Presence{To: at("juliet"), Type: stanza.PresenceSubscribe})
	require.NoError(t, err)
	tybalt.sync()
	items, err := admin.Roster(ctx, d, at("juliet"))
	require.NoError(t, err)
	require.Equal(t, []roster.Item{
		{JID: at("nurse")},
		{JID: at("romeo"), Name: "Romeo", Groups: []string{"Friends", "Lovers"}, Subscription: roster.Both},
	}, items)
	items, err = admin.Roster(ctx, d, at("tybalt"))
	require.NoError(t, err)
	require.Equal(t, []roster.Item{{JID: at("juliet"), Ask: true}}, items)
	_, err = admin.Roster(ctx, d, at("nobody"))
	require.ErrorIs(t, err, stanza.ItemNotFound)
	_, err = command.Run(ctx, d, org, node("get-user-roster"), form.Field{Var: "accountjids", Values: []string{"juliet@example.org", "romeo@example.org"}})
	require.ErrorIs(t, err, stanza.NotAcceptable)
}

// §4.10: what is known of a user.
func TestXEP0133_4_10_Stats(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	require.NoError(t, h.AddContact(ctx, h.account(at("juliet")), h.account(at("romeo"))))
	h.user(jid.MustParse("juliet@example.org/balcony"))
	h.device(jid.MustParse("juliet@example.org/chamber"))
	u, err := admin.Stats(ctx, d, at("juliet"))
	require.NoError(t, err)
	require.Equal(t, admin.UserStats{Roster: 1, Resources: []string{"balcony", "chamber"}}, u, "clients in memory have no IP address")
	u, err = admin.Stats(ctx, d, at("romeo"))
	require.NoError(t, err)
	require.Equal(t, admin.UserStats{Roster: 1}, u)
}

// §4.13 to §4.22: users are counted and listed, those of the domain that is asked.
func TestXEP0133_4_13_Numbers(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(bard)
	h.user(jid.MustParse("juliet@example.org/balcony"))
	h.device(jid.MustParse("juliet@example.org/chamber"))
	h.user(jid.MustParse("romeo@example.net"))
	h.account(at("nurse"))
	for g, want := range map[admin.Group][]jid.JID{
		admin.Registered: {bard, at("juliet"), at("nurse")}, admin.Disabled: nil,
		admin.Online: {bard, at("juliet")}, admin.Active: {bard, at("juliet")}, admin.Idle: nil,
	} {
		n, err := admin.Count(ctx, d, org, g)
		require.NoError(t, err)
		require.Equal(t, len(want), n, g)
		all, err := admin.Users(ctx, d, org, g)
		require.NoError(t, err)
		require.Equal(t, want, all, g)
	}
	_, err := admin.Count(ctx, d, org, "bored")
	require.Error(t, err)
	_, err = admin.Users(ctx, d, org, "bored")
	require.Error(t, err)
}

// A list is as long as was asked for, and says if there are more.
func TestXEP0133_4_18_MaxItems(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	for i := range 30 {
		h.account(at(string(rune('c'+i/10)) + string(rune('0'+i%10))))
	}
	e, err := command.Run(t.Context(), d, org, node("get-registered-users-list"), form.Field{Var: "max_items", Values: []string{"25"}})
	require.NoError(t, err)
	require.Len(t, e.Form.Values("registereduserjids"), 25)
	require.Equal(t, command.Warn, e.Notes[0].Type)
	e, err = command.Run(t.Context(), d, org, node("get-registered-users-list"))
	require.NoError(t, err)
	require.Len(t, e.Form.Values("registereduserjids"), 31)
	require.Empty(t, e.Notes)
	_, err = command.Run(t.Context(), d, org, node("get-registered-users-list"), form.Field{Var: "max_items", Values: []string{"26"}})
	require.ErrorIs(t, err, command.BadPayload)
}

// §4.29: admins make others admins, of their domain; somebody remains.
func TestXEP0133_4_29_EditAdmins(t *testing.T) {
	h := start(t)
	ctx, d, juliet := t.Context(), h.device(bard), h.device(at("juliet"))
	edit := func(admins ...jid.JID) error {
		return admin.EditAdmins(ctx, d, org, func(old []jid.JID) []jid.JID {
			require.Contains(t, old, bard)
			return admins
		})
	}
	require.ErrorIs(t, edit(), stanza.NotAcceptable)
	require.ErrorIs(t, edit(bard, org), stanza.NotAcceptable)
	require.ErrorIs(t, edit(bard, jid.MustParse("juliet@example.org/balcony")), stanza.NotAcceptable)
	require.ErrorIs(t, edit(bard, at("nurse")), stanza.ItemNotFound, "who takes the address would be an admin")
	require.ErrorIs(t, edit(bard, jid.MustParse("nurse@example.net")), stanza.ItemNotFound)
	require.NoError(t, edit(bard, jid.MustParse("chris@marlowe.lit")), "an admin from elsewhere")
	require.NoError(t, edit(bard, at("juliet")))
	_, err := admin.Count(ctx, juliet, org, admin.Online)
	require.NoError(t, err)
	_, err = admin.Count(ctx, juliet, net, admin.Online)
	require.ErrorIs(t, err, stanza.Forbidden)
	require.NoError(t, edit(at("juliet")))
	require.Error(t, admin.EditAdmins(ctx, d, org, nil))
}

// An account that is gone is no admin, and so is nobody who gets its address.
func TestSec_DeletedAdmins(t *testing.T) {
	h := start(t)
	d := h.device(hal)
	h.account(both)
	require.NoError(t, admin.DeleteUser(t.Context(), d, both))
	again := h.device(both)
	for _, domain := range []jid.JID{org, net} {
		_, err := admin.Count(t.Context(), again, domain, admin.Online)
		require.ErrorIs(t, err, stanza.Forbidden)
	}
}

// Who administers a domain that nobody can tell? Nobody.
func TestSec_AdminsUnknown(t *testing.T) {
	h := start(t, func(o *admin.Options, _ *server.Options) { o.Admins = broken{} })
	d := h.device(bard)
	require.Empty(t, names(t, d, org))
	_, err := admin.Count(t.Context(), d, org, admin.Online)
	require.ErrorIs(t, err, stanza.Forbidden)
}

type broken struct{}

func (broken) List(context.Context, jid.JID) ([]jid.JID, error) {
	return []jid.JID{bard}, errors.New("the list is lost")
}

// What a program does not want is not offered.
func TestOffered(t *testing.T) {
	h := start(t, func(o *admin.Options, _ *server.Options) {
		o.Admins, o.Restart, o.Shutdown = admin.Fixed(bard, both), nil, nil
	})
	d := h.device(both)
	for _, name := range []string{"edit-admin", "restart", "shutdown"} {
		require.NotContains(t, names(t, d, net), name)
		_, err := command.Start(t.Context(), d, net, node(name))
		require.ErrorIs(t, err, stanza.ItemNotFound)
	}
	require.Empty(t, names(t, d, org), "each of his own domain")
	_, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Modules: []module.Module{admin.Server(nil)}})
	require.ErrorContains(t, err, "who are the admins?")
}

// §4.30, §4.31: the program is asked, after everybody was told.
func TestXEP0133_4_30_RestartAndShutdown(t *testing.T) {
	h := start(t)
	ctx, d := t.Context(), h.device(both)
	juliet, romeo := h.user(at("juliet")), h.user(jid.MustParse("romeo@example.net"))
	require.NoError(t, admin.Restart(ctx, d, org, 2*time.Minute, "The service will be restarted in 2 minutes!\nPlease log off now."))
	require.Equal(t, "restart after 2m0s", <-h.ended)
	for _, u := range []*device{juliet, romeo} {
		require.Equal(t, []string{"Announcement: The service will be restarted in 2 minutes!\nPlease log off now."}, u.hears())
	}
	require.NoError(t, admin.Shutdown(ctx, d, org, 0, ""))
	require.Equal(t, "shutdown after 0s", <-h.ended)
	require.Empty(t, juliet.hears())
	require.ErrorIs(t, admin.Shutdown(ctx, d, org, time.Second, ""), command.BadPayload)
	require.ErrorIs(t, admin.Shutdown(ctx, d, org, 5*time.Minute, ""), stanza.InternalServerError)
}
