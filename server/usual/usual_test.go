package usual_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/carbons"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/entitytime"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/last"
	"github.com/parlance-xmpp/xmpp/xep/private"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xep/version"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// start starts a server with the usual modules.
func start(t *testing.T, o *usual.Options) *xmpptest.Server {
	s, err := xmpptest.Start(&server.Options{Modules: usual.Modules(o)})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// Everything that the package promises is answered, and said in service discovery of the domain or of the account.
func TestModules(t *testing.T) {
	s := start(t, &usual.Options{Contacts: contactaddr.Addresses{Abuse: []string{"mailto:abuse@example.org"}}})
	c := s.Dial(t, "juliet", nil)
	ctx := t.Context()
	domain, err := disco.GetInfo(ctx, c, c.RemoteAddr(), "")
	require.NoError(t, err)
	account, err := disco.GetInfo(ctx, c, jid.JID{}, "")
	require.NoError(t, err)
	features := append(domain.Features, account.Features...)
	for _, want := range []string{blocking.NS, carbons.NS, version.NS, entitytime.NS, last.NS, vcard.NS, private.NS, caps.NS} {
		require.Contains(t, features, want)
	}

	info, err := version.Get(ctx, c, c.RemoteAddr())
	require.NoError(t, err)
	require.Equal(t, "Parlance", info.Name)
	now, err := entitytime.Get(ctx, c, c.RemoteAddr())
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now, time.Hour)
	addresses, err := contactaddr.Get(ctx, c, c.RemoteAddr())
	require.NoError(t, err)
	require.Equal(t, []string{"mailto:abuse@example.org"}, addresses.Abuse)
	require.NoError(t, carbons.New(func(context.Context, carbons.Copy) {}).Enable(ctx, c))
	_, err = c.Query(ctx, stanza.IQ{Type: stanza.IQGet, Payload: stanza.NewElement([]byte("<blocklist xmlns='urn:xmpp:blocking'/>"))})
	require.NoError(t, err)
	_, err = c.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: c.RemoteAddr(), Payload: stanza.NewElement([]byte("<query xmlns='jabber:iq:last'/>"))})
	require.NoError(t, err)
}

// Who runs the service does so by commands, and lets others in; those who may, invite their friends.
func TestCommands(t *testing.T) {
	bard := jid.MustParse("bard@example.org")
	s := start(t, &usual.Options{
		Admins:       admin.NewList(bard),
		MayInvite:    func(_ context.Context, who jid.JID) bool { return who.String() == "romeo@example.org" },
		Registration: register.ServerOptions{Mode: register.Invited},
	})
	ctx, here := t.Context(), bard.Domain()
	b, romeo, tybalt := s.Dial(t, "bard", nil), s.Dial(t, "romeo", nil), s.Dial(t, "tybalt", nil)
	require.NoError(t, admin.AddUser(ctx, b, jid.MustParse("juliet@example.org"), "Wherefore art thou"))
	n, err := admin.Count(ctx, b, here, admin.Registered)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	for c, want := range map[*client.Client]struct {
		commands       int
		invite, create error
	}{
		b:      {26 + 2, nil, nil}, // all of package admin but restart and shutdown, and those for invites
		romeo:  {1, nil, stanza.Forbidden},
		tybalt: {0, stanza.Forbidden, stanza.Forbidden},
	} {
		all, err := command.List(ctx, c, here)
		require.NoError(t, err)
		require.Len(t, all, want.commands, c.LocalAddr())
		l, err := invite.Ask(ctx, c)
		require.ErrorIs(t, err, want.invite)
		require.Equal(t, want.invite == nil, l.URI.Accounts)
		_, err = invite.AskAccount(ctx, c, here, "", false)
		require.ErrorIs(t, err, want.create)
	}
}

// Nobody runs commands that the program has not asked for.
func TestSec_NoCommands(t *testing.T) {
	c := start(t, nil).Dial(t, "juliet", nil)
	info, err := disco.GetInfo(t.Context(), c, c.RemoteAddr(), "")
	require.NoError(t, err)
	require.False(t, info.Has(command.NS))
}

// Nobody can make an account by himself.
func TestSec_RegistrationIsClosed(t *testing.T) {
	s := start(t, nil)
	c := s.Dial(t, "juliet", nil)
	require.True(t, c.Features().Child("http://jabber.org/features/iq-register", "register").IsZero())
	_, err := s.Account("nobody else")
	require.Error(t, err)
}

func Example() {
	ca, err := devcert.New("example.org")
	if err != nil {
		fmt.Println(err)
		return
	}
	srv, err := server.New(&server.Options{
		Domains: []string{"example.org"},
		TLS:     ca.ServerConfig(),
		Modules: usual.Modules(nil),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Shutdown(context.Background())
	fmt.Println("ready for", jid.MustParse("juliet@example.org"))
	// Output: ready for juliet@example.org
}
