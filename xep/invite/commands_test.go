package invite_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

var elsewhere = jid.MustParse("example.net")

// withCommands is a house in which romeo invites contacts, and friar makes accounts.
func withCommands(t *testing.T, mode register.Mode) *house {
	is := func(names ...string) func(context.Context, jid.JID) bool {
		return func(_ context.Context, from jid.JID) bool { return slices.Contains(names, from.Localpart()) }
	}
	return start(t, options{mode: mode, commands: &invite.CommandOptions{
		Invite: is("romeo"), Create: is("friar"),
		Landing: func(u invite.URI) string {
			if u.Action == invite.Register {
				return ""
			}
			return "https://example.org/invite/#" + u.Token
		},
	}})
}

// XEP-0401 §5.1: a link for a friend, who makes an account by it.
func TestXEP0401_5_1_Invite(t *testing.T) {
	h := withCommands(t, register.Invited)
	romeo := h.Dial(t, "romeo", nil)
	l, err := invite.Ask(t.Context(), romeo)
	require.NoError(t, err)
	require.Equal(t, invite.URI{Addr: at("romeo"), Action: invite.Roster, Token: l.URI.Token, Accounts: true}, l.URI)
	require.Equal(t, "https://example.org/invite/#"+l.URI.Token, l.Landing)
	require.WithinDuration(t, time.Now().Add(invite.Week), l.Expires, time.Hour)
	juliet, err := h.join(l.URI, "juliet", nil)
	require.NoError(t, err)
	require.Equal(t, "both", contact(t, juliet, at("romeo")))
	for range 10 {
		_, err = invite.Ask(t.Context(), romeo)
		require.NoError(t, err)
	}
	_, err = invite.Ask(t.Context(), romeo)
	require.ErrorIs(t, err, stanza.ResourceConstraint)
}

// A server that makes no accounts by invites promises none.
func TestXEP0401_5_1_NoAccounts(t *testing.T) {
	h := withCommands(t, register.Closed)
	l, err := invite.Ask(t.Context(), h.Dial(t, "romeo", nil))
	require.NoError(t, err)
	require.False(t, l.URI.Accounts)
	_, err = invite.AskAccount(t.Context(), h.Dial(t, "friar", nil), here, "", false)
	require.ErrorIs(t, err, stanza.Forbidden)
}

// §5.4: an account of a certain name, or of any, with the inviter as a contact or not.
func TestXEP0401_5_4_CreateAccount(t *testing.T) {
	h := withCommands(t, register.Invited)
	ctx, friar := t.Context(), h.Dial(t, "friar", nil)
	ask := func(domain jid.JID, name string, subscribe bool) invite.URI {
		l, err := invite.AskAccount(ctx, friar, domain, name, subscribe)
		require.NoError(t, err)
		return l.URI
	}
	u := ask(here, "juliet", false)
	require.Equal(t, invite.URI{Addr: at("juliet"), Action: invite.Register, Token: u.Token}, u)
	for _, name := range []string{"juliet", "friar"} {
		_, err := invite.AskAccount(ctx, friar, here, name, false)
		require.ErrorIs(t, err, stanza.Conflict)
	}
	juliet, err := h.join(u, "juliet", nil)
	require.NoError(t, err)
	require.Empty(t, contact(t, juliet, at("friar")))

	u = ask(here, "", false)
	require.Equal(t, invite.URI{Addr: here, Action: invite.Register, Token: u.Token}, u)
	h.mustJoin(u, "nurse")
	u = ask(here, "paris", true)
	paris, err := h.join(u, "paris", nil)
	require.NoError(t, err)
	require.Equal(t, "both", contact(t, paris, at("friar")))

	u = ask(elsewhere, "tybalt", false)
	require.Equal(t, jid.MustParse("tybalt@example.net"), u.Addr)
	_, err = invite.AskAccount(ctx, friar, elsewhere, "benvolio", true)
	require.ErrorIs(t, err, stanza.NotAcceptable)
	_, err = invite.AskAccount(ctx, friar, here, "a b", false)
	require.ErrorIs(t, err, stanza.NotAcceptable)
}

// The commands are for those whom the program allows, and inviting is for accounts of the domain.
func TestSec_WhoInvites(t *testing.T) {
	h := withCommands(t, register.Invited)
	for name, want := range map[string][]string{"romeo": {"urn:xmpp:invite#invite"}, "friar": {"urn:xmpp:invite#create-account"}, "tybalt": nil} {
		c := h.Dial(t, name, nil)
		items, err := command.List(t.Context(), c, here)
		require.NoError(t, err)
		var nodes []string
		for _, i := range items {
			nodes = append(nodes, i.Node)
		}
		require.Equal(t, want, nodes, name)
		if name != "romeo" {
			_, err = invite.Ask(t.Context(), c)
			require.ErrorIs(t, err, stanza.Forbidden)
		}
		_, err = command.Run(t.Context(), c, elsewhere, "urn:xmpp:invite#invite")
		require.ErrorIs(t, err, stanza.Forbidden)
		if name != "friar" {
			_, err = invite.AskAccount(t.Context(), c, here, "", false)
			require.ErrorIs(t, err, stanza.Forbidden)
		}
	}
	nobody := start(t, options{mode: register.Invited, commands: &invite.CommandOptions{}})
	_, err := invite.Ask(t.Context(), nobody.Dial(t, "romeo", nil))
	require.ErrorIs(t, err, stanza.Forbidden)
}

// What other servers answer.
func TestXEP0401_5_1_Answers(t *testing.T) {
	const link = "xmpp:romeo@example.org?roster;preauth=TOKEN;ibr=y"
	at := time.Date(2017, 11, 6, 2, 56, 15, 0, time.UTC)
	for name, tt := range map[string]struct {
		fields []form.Field
		want   time.Time
		bad    bool
	}{
		"as the XEP shows it": {fields: []form.Field{{Var: "uri", Values: []string{link}}, {Var: "expire", Values: []string{"2017-11-06T02:56:15Z"}}}, want: at},
		"as it lists it":      {fields: []form.Field{{Var: "uri", Values: []string{link}}, {Var: "expiry", Values: []string{"2017-11-06T02:56:15Z"}}}, want: at},
		"for ever":            {fields: []form.Field{{Var: "uri", Values: []string{link}}}},
		"no link":             {fields: []form.Field{{Var: "uri", Values: []string{"https://example.org"}}}, bad: true},
		"no time":             {fields: []form.Field{{Var: "uri", Values: []string{link}}, {Var: "expire", Values: []string{"soon"}}}, bad: true},
		"no form":             {bad: true},
	} {
		r := command.NewResponder(nil)
		r.Add(command.Offer{Node: "urn:xmpp:invite#invite", Allow: func(context.Context, jid.JID) bool { return true }, Run: func(context.Context, *command.Request) (command.Stage, error) {
			if tt.fields == nil {
				return command.Stage{}, nil
			}
			return command.Result(form.New(form.TypeResult, "urn:xmpp:invite#invitation", tt.fields...)), nil
		}})
		mux := muxer.New()
		r.Register(mux)
		s, _ := xmpptest.Pipe(t, xmpptest.End{Addr: jid.MustParse("romeo@example.org/orchard")}, xmpptest.End{Addr: here, Handler: mux})
		l, err := invite.Ask(t.Context(), s)
		if tt.bad {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, link, l.URI.String())
		require.Equal(t, tt.want, l.Expires, name)
	}
}
