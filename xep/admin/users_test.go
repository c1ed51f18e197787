package admin_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// users are those of a program.
type users []jid.JID

func (all users) User(_ context.Context, addr jid.JID) (server.User, error) {
	for _, j := range all {
		if j == addr {
			return server.User{ID: j.String(), Name: j.Localpart()}, nil
		}
	}
	return server.User{}, server.ErrNoUser
}

// §5: where the accounts are the users of a program, nobody is allowed to change them here. The rest goes on.
func TestXEP0133_5_UsersOfTheProgram(t *testing.T) {
	h := start(t, func(o *admin.Options, s *server.Options) {
		o.InsecurePlaintext = true // as it is in memory
		s.Users, s.Storage.Accounts = users{bard, at("juliet")}, nil
	})
	ctx := t.Context()
	c, err := client.Dial(ctx, bard, &client.Options{Server: h.Server.Server})
	require.NoError(t, err)
	d := &device{Client: c, t: t}
	t.Cleanup(d.leave)
	secret := func(name string, who jid.JID) error {
		_, err := command.Run(ctx, d, org, node(name), form.Field{Var: "accountjid", Values: []string{who.String()}}, form.Field{Var: "password", Values: []string{"secret"}})
		return err
	}
	for name, err := range map[string]error{
		"add": secret("add-user", at("romeo")), "password": secret("change-user-password", at("juliet")),
		"delete": admin.DeleteUser(ctx, d, at("juliet")), "disable": admin.DisableUser(ctx, d, at("juliet")), "enable": admin.ReenableUser(ctx, d, at("juliet")),
	} {
		require.ErrorIs(t, err, stanza.NotAllowed, name)
	}
	_, err = admin.Users(ctx, d, org, admin.Registered)
	require.ErrorIs(t, err, stanza.NotAllowed)
	all, err := admin.Users(ctx, d, org, admin.Online)
	require.NoError(t, err)
	require.Equal(t, []jid.JID{bard}, all)
	u, err := admin.Stats(ctx, d, at("juliet"))
	require.NoError(t, err)
	require.Zero(t, u.Roster)
	require.NoError(t, admin.EditAdmins(ctx, d, org, func(all []jid.JID) []jid.JID { return append(all, at("juliet")) }))
	require.ErrorIs(t, admin.EditAdmins(ctx, d, org, func(all []jid.JID) []jid.JID { return append(all, at("nurse")) }), stanza.ItemNotFound)
}
