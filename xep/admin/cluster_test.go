package admin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/cluster/clustertest"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
)

// Where servers act as one, accounts and standing messages are those of all, and an admin is told which sessions were out of reach.
func TestNodes(t *testing.T) {
	network, stores := clustertest.New(), memory.New()
	node := func() *house {
		return start(t, func(_ *admin.Options, s *server.Options) { s.Storage, s.Cluster = stores, network })
	}
	here, there := node(), node()
	d := here.device(bard)
	there.user(jid.MustParse("juliet@example.org/balcony"))
	chamber := here.user(jid.MustParse("juliet@example.org/chamber"))
	network.Settle()

	err := admin.EndSession(t.Context(), d, jid.MustParse("juliet@example.org/balcony"))
	require.ErrorIs(t, err, command.ErrFailed)
	require.ErrorContains(t, err, "0 sessions were ended, and 1 of other nodes were not")
	chamber.sync()
	err = admin.EndSession(t.Context(), d, at("juliet"))
	require.ErrorContains(t, err, "1 sessions were ended, and 1 of other nodes were not")
	require.Error(t, chamber.Wait(t.Context()))

	require.NoError(t, admin.SetMOTD(t.Context(), d, org, "the play"))
	require.Equal(t, []string{"Message of the day: the play"}, there.user(at("romeo")).hears())
	require.Empty(t, here.user(at("romeo")).hears(), "it was told there")

	tybalt := there.user(at("tybalt"))
	require.NoError(t, admin.DisableUser(t.Context(), d, at("tybalt")))
	require.Error(t, tybalt.Wait(t.Context()))
}
