package admin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// asked is a form as the examples of §4 have it: title, and name, type and options of each field, with an asterisk where it is required.
var asked = map[string][]string{
	"add-user":                  {"Adding a User", "accountjid jid-single *", "password text-private *", "password-verify text-private"},
	"delete-user":               {"Deleting a User", "accountjids jid-multi *"},
	"disable-user":              {"Disabling a User", "accountjids jid-multi *"},
	"reenable-user":             {"Re-Enable a User", "accountjids jid-multi *"},
	"end-user-session":          {"Ending a User Session", "accountjids jid-multi *"},
	"change-user-password":      {"Changing a User Password", "accountjid jid-single *", "password text-private *"},
	"get-user-roster":           {"Getting a User's Roster", "accountjids jid-multi *"},
	"get-user-lastlogin":        {"Getting a User's Last Login Time", "accountjids jid-multi *"},
	"user-stats":                {"Get User Statistics", "accountjid jid-single *"},
	"get-registered-users-list": {"Requesting List of Registered Users", "max_items list-single 25 50 75 100 150 200 none"},
	"get-disabled-users-list":   {"Requesting List of Disabled Users", "max_items list-single 25 50 75 100 150 200 none"},
	"get-online-users-list":     {"Requesting List of Online Users", "max_items list-single 25 50 75 100 150 200 none"},
	"get-active-users":          {"Requesting List of Active Users", "max_items list-single 25 50 75 100 150 200 none"},
	"get-idle-users":            {"Requesting List of Idle Users", "max_items list-single 25 50 75 100 150 200 none"},
	"announce":                  {"Making an Announcement", "announcement text-multi *"},
	"set-motd":                  {"Setting the Message of the Day", "motd text-multi *"},
	"edit-motd":                 {"Editing the Message of the Day", "motd text-multi *"},
	"set-welcome":               {"Setting Welcome Message", "welcome text-multi *"},
	"edit-admin":                {"Editing the Admin List", "adminjids jid-multi"},
	"restart":                   {"Restarting the Service", "delay list-single 30 60 90 120 180 240 300", "announcement text-multi"},
	"shutdown":                  {"Shutting Down the Service", "delay list-single 30 60 90 120 180 240 300", "announcement text-multi"},
}

// §4: each form asks for what the XEP's does, as it does.
func TestXEP0133_4_Forms(t *testing.T) {
	h := start(t)
	d := h.device(both)
	for name, fields := range commands {
		if fields == nil {
			continue
		}
		e, err := command.Start(t.Context(), d, org, node(name))
		require.NoError(t, err, name)
		got := []string{e.Form.Title}
		require.NotEmpty(t, e.Form.Instructions, name)
		for _, f := range e.Form.Fields[1:] {
			words := []string{f.Var, string(f.Type)}
			for _, o := range f.Options {
				words = append(words, o.Value)
			}
			if f.Required {
				words = append(words, "*")
			}
			require.NotEmpty(t, f.Label, "%s: %s", name, f.Var)
			got = append(got, strings.Join(words, " "))
		}
		require.Equal(t, asked[name], got, name)
		require.NoError(t, e.Cancel(t.Context()), name)
	}
}

// §5: what is filled in wrongly is refused, whatever the field, and nothing comes of it.
func TestXEP0133_5_WrongInput(t *testing.T) {
	h := start(t)
	d := h.device(both)
	h.account(at("juliet"))
	h.account(at("romeo"))
	good := map[string][]string{"accountjid": {"juliet@example.org"}, "accountjids": {"juliet@example.org"}, "password": {"secret"}}
	kept := h.everything()
	submit := func(name string, fields map[string][]string) error {
		f := form.Form{Type: form.TypeSubmit}
		for v, values := range fields {
			f.Fields = append(f.Fields, form.Field{Var: v, Values: values})
		}
		return step(d, org, name, begin(d, org, name), command.Complete, f)
	}
	refuse := func(name, what, want string, fields map[string][]string) {
		t.Helper()
		require.Equal(t, want, condition(submit(name, fields)), "%s: %s", name, what)
	}
	with := func(field string, values ...string) map[string][]string {
		all := map[string][]string{field: values}
		for v, values := range good {
			if v != field {
				all[v] = values
			}
		}
		return all
	}
	for name, fields := range asked {
		for _, f := range fields[1:] {
			words := strings.Fields(f)
			field, typ := words[0], form.FieldType(words[1])
			if slices.Contains(words, "*") {
				refuse(name, "no "+field, "bad-payload", with(field))
				refuse(name, "an empty "+field, "bad-payload", with(field, ""))
			}
			switch typ {
			case form.JIDSingle:
				refuse(name, "two of "+field, "bad-payload", with(field, "juliet@example.org", "romeo@example.org"))
				refuse(name, "no address", "bad-payload", with(field, "@"))
			case form.JIDMulti:
				refuse(name, "one that is no address", "bad-payload", with(field, "juliet@example.org", "@"))
				refuse(name, "a domain", string(stanza.NotAcceptable), with(field, "example.org"))
			case form.ListSingle:
				refuse(name, "no option", "bad-payload", with(field, "1"))
				refuse(name, "two options", "bad-payload", with(field, words[2], words[3]))
			case form.TextPrivate:
				refuse(name, "two of "+field, "bad-payload", with(field, "secret", "secret"))
			}
			if strings.HasPrefix(field, "accountjid") {
				refuse(name, "a foreign domain", string(stanza.Forbidden), with(field, "juliet@example.com"))
				if name != "add-user" {
					refuse(name, "nobody", string(stanza.ItemNotFound), with(field, "nobody@example.org"))
				}
				if name != "end-user-session" {
					refuse(name, "a session", string(stanza.NotAcceptable), with(field, "juliet@example.org/balcony"))
				}
			}
		}
		err := submit(name, map[string][]string{"FORM_TYPE": {admin.NS}, fields[1]: nil}) // and a field that nobody has asked for
		require.Equal(t, outcome(name), condition(err), name)
		if slices.Contains(serverWide, name) {
			<-h.ended
		}
	}
	require.Equal(t, kept, h.everything())
}

// outcome is what comes of a form that nobody has filled in.
func outcome(name string) string {
	if slices.ContainsFunc(asked[name][1:], func(f string) bool { return strings.HasSuffix(f, "*") }) {
		return "bad-payload"
	}
	if name == "edit-admin" {
		return string(stanza.NotAcceptable) // somebody has to be one
	}
	return ""
}

// step is the second request of a command.
func step(d *device, domain jid.JID, name, id string, a command.Action, payloads ...stanza.Payload) error {
	_, err := d.Query(d.t.Context(), stanza.IQ{Type: stanza.IQSet, To: domain, Payload: command.Command{
		Node: node(name), SessionID: id, Action: a, Payloads: payloads,
	}})
	return err
}

// begin begins a command and returns the id of its session.
func begin(d *device, domain jid.JID, name string) string {
	d.t.Helper()
	answer, err := d.Query(d.t.Context(), stanza.IQ{Type: stanza.IQSet, To: domain, Payload: command.Command{Node: node(name)}})
	require.NoError(d.t, err)
	var c command.Command
	require.NoError(d.t, answer.Decode(&c))
	return c.SessionID
}

// condition is that of XEP-0050 in an error, or else that of the RFC; empty if there is no error.
func condition(err error) string {
	if err == nil {
		return ""
	}
	e, ok := stanza.AsError(err)
	if !ok {
		return err.Error()
	}
	if e.App == nil {
		return string(e.Condition)
	}
	app, err := stanza.ElementOf(e.App)
	if err != nil {
		return err.Error()
	}
	return app.Name().Local
}

// §6: whoever has got hold of a session that is not his gets nowhere by it, at any stage.
func TestSec_StolenSessions(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	h.account(at("juliet"))
	filled := form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: "accountjids", Values: []string{"juliet@example.org"}}}}
	id := begin(d, org, "delete-user")
	user, admins := h.device(at("romeo")), h.device(both)
	kept := h.everything()
	for _, a := range []command.Action{command.Execute, command.Complete, command.Next, command.Prev, command.Cancel, command.Action("")} {
		require.ErrorIs(t, step(user, org, "delete-user", id, a, filled), stanza.Forbidden, a)
		require.Equal(t, "bad-sessionid", condition(step(admins, org, "delete-user", id, a, filled)), a)
		require.Equal(t, "bad-sessionid", condition(step(h.device(bard), org, "delete-user", id, a, filled)), "another device: %s", a)
		require.ErrorIs(t, step(d, net, "delete-user", id, a, filled), stanza.Forbidden, "another domain: %s", a)
		require.Equal(t, "bad-sessionid", condition(step(admins, net, "delete-user", id, a, filled)), "another domain: %s", a)
	}
	require.Equal(t, "bad-sessionid", condition(step(d, org, "disable-user", id, command.Complete, filled)), "another command")
	require.Equal(t, "bad-action", condition(step(d, org, "delete-user", id, command.Prev)))
	require.Equal(t, "bad-action", condition(step(d, org, "delete-user", id, command.Next, filled)))
	require.Equal(t, kept[:len(kept):len(kept)], h.everything())
	require.NoError(t, step(d, org, "delete-user", id, command.Complete, filled))
	require.Equal(t, "session-expired", condition(step(d, org, "delete-user", id, command.Complete, filled)))
}

// §6: who is no admin any more does not end what he began as one.
func TestSec_DemotedBetweenStages(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	h.account(at("juliet"))
	filled := form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: "accountjids", Values: []string{"juliet@example.org"}}}}
	id := begin(d, org, "delete-user")
	require.NoError(t, admin.EditAdmins(t.Context(), h.device(both), org, func([]jid.JID) []jid.JID { return []jid.JID{both} }))
	kept := h.everything()
	for _, a := range []command.Action{command.Complete, command.Cancel} {
		require.ErrorIs(t, step(d, org, "delete-user", id, a, filled), stanza.Forbidden, a)
	}
	require.Empty(t, names(t, d, org))
	require.Equal(t, kept, h.everything())
}

// XEP-0050 §3.5.1: a form that says cancel is one that is filled in, and this one lacks what is required.
func TestXEP0050_3_5_1_CancelForm(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	id := begin(d, org, "delete-user")
	require.Equal(t, "bad-payload", condition(step(d, org, "delete-user", id, command.Complete, form.Form{Type: form.TypeCancel})))
	id = begin(d, org, "get-online-users-list")
	require.NoError(t, step(d, org, "get-online-users-list", id, command.Complete, form.Form{Type: form.TypeCancel}))
	id = begin(d, org, "delete-user")
	other := form.New(form.TypeSubmit, "jabber:iq:register", form.Field{Var: "accountjids", Values: []string{"juliet@example.org"}})
	require.Equal(t, "bad-payload", condition(step(d, org, "delete-user", id, command.Complete, other)), "a form that is about something else")
}
