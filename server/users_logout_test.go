package server_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
)

// LogOut ends the sessions of an account, and a user who is disabled does not come back.
func TestUsers_LogOut(t *testing.T) {
	p := newParty(t)
	v, other := p.login("juliet", withPassword("juliet")), p.login("romeo", withPassword("romeo"))
	p.table.change("juliet", func(u *server.User) { u.Disabled = true })
	require.NoError(t, p.LogOut(t.Context(), v.LocalAddr().Bare()))
	require.ErrorContains(t, v.Wait(t.Context()), "logged out")
	require.ErrorIs(t, p.login("juliet", withPassword("juliet")).err, sasl.ErrAccountDisabled)
	require.NoError(t, other.Err())
	p.table.change("juliet", func(u *server.User) { u.Disabled = false })
	require.NoError(t, p.login("juliet", withPassword("juliet")).err)
}

// A user who is gone leaves nothing: not to the contacts, and not to the next one of the name.
func TestUsers_RemoveUser(t *testing.T) {
	for _, online := range []bool{true, false} {
		t.Run(fmt.Sprint("online ", online), func(t *testing.T) {
			p := newParty(t)
			juliet, romeo := jid.MustParse("juliet@example.org"), jid.MustParse("romeo@example.org")
			require.NoError(t, p.AddContact(t.Context(), juliet, romeo))
			v := p.login("juliet", withPassword("juliet"))
			require.NoError(t, v.err)
			if !online {
				p.leave(v)
			}
			require.ErrorContains(t, p.RemoveUser(t.Context(), juliet, "7"), "still has")
			p.table.remove("juliet")
			require.Error(t, p.RemoveUser(t.Context(), juliet, ""))
			require.Error(t, p.RemoveUser(t.Context(), jid.MustParse("juliet@elsewhere.example"), "7"))
			require.NoError(t, p.RemoveUser(t.Context(), juliet, "7"))
			if online {
				require.ErrorContains(t, v.Wait(t.Context()), "deleted")
			}
			w := p.login("romeo", withPassword("romeo"))
			require.NoError(t, w.err)
			contacts, err := roster.Get(t.Context(), w)
			require.NoError(t, err)
			require.Len(t, contacts.Items, 1)
			require.Equal(t, roster.None, contacts.Items[0].Subscription)

			p.table.change("juliet", func(u *server.User) { u.ID, u.PasswordHash = "9", bcryptOf("juliet") })
			next := p.login("juliet", func(o *client.Options) {
				o.Password, o.Policy = "juliet", &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
			})
			require.NoError(t, next.err)
			contacts, err = roster.Get(t.Context(), next)
			require.NoError(t, err)
			require.Empty(t, contacts.Items)
		})
	}
}

// The next user of a name is left alone when the one before is removed late.
func TestUsers_RemovedLate(t *testing.T) {
	p := newParty(t)
	p.table.change("juliet", func(u *server.User) { u.ID = "9" })
	v := p.login("juliet", withPassword("juliet"))
	require.NoError(t, v.err)
	require.NoError(t, p.AddContact(t.Context(), v.LocalAddr().Bare(), jid.MustParse("romeo@example.org")))
	require.NoError(t, p.RemoveUser(t.Context(), v.LocalAddr().Bare(), "7"))
	require.NoError(t, v.Err())
	contacts, err := roster.Get(t.Context(), v)
	require.NoError(t, err)
	require.Len(t, contacts.Items, 1)
}

// A name that changes hands in the table does so here at the next login, whether the program has told or not. What is kept of who had it
// stays under that id.
func TestUsers_NameChangesHands(t *testing.T) {
	p := newParty(t)
	old := p.login("juliet", withPassword("juliet"))
	require.NoError(t, old.err)
	romeo := jid.MustParse("romeo@example.org")
	require.NoError(t, p.AddContact(t.Context(), old.LocalAddr().Bare(), romeo))
	p.table.change("juliet", func(u *server.User) { u.ID, u.PasswordHash = "9", bcryptOf("new") })
	require.Error(t, p.login("juliet", withPassword("juliet")).err)
	require.NoError(t, old.Err())
	next := p.login("juliet", withPassword("new"))
	require.NoError(t, next.err)
	require.ErrorContains(t, old.Wait(t.Context()), "logged out")
	contacts, err := roster.Get(t.Context(), next)
	require.NoError(t, err)
	require.Empty(t, contacts.Items)

	p.table.change("juliet", func(u *server.User) { u.ID, u.PasswordHash = "7", bcryptOf("juliet") }) // and back
	again := p.login("juliet", withPassword("juliet"))
	require.NoError(t, again.err)
	require.ErrorContains(t, next.Wait(t.Context()), "logged out")
	contacts, err = roster.Get(t.Context(), again)
	require.NoError(t, err)
	require.Len(t, contacts.Items, 1)
}
