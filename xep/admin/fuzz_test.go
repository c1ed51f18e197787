package admin_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
)

// answering is a session to whose commands one answer comes, whatever was asked.
type answering struct {
	xmpp.Session
	answer command.Command
}

func (s answering) LocalAddr() jid.JID { return bard }
func (s answering) Secure() bool       { return true }

func (s answering) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	var asked command.Command
	e, err := stanza.ElementOf(iq.Payload)
	if err == nil {
		err = e.Decode(&asked)
	}
	if err != nil {
		return stanza.IQ{}, err
	}
	s.answer.Node = asked.Node
	if e, err = stanza.ElementOf(s.answer); err != nil {
		return stanza.IQ{}, &stanza.Error{Condition: stanza.BadRequest}
	}
	return iq.Result(e), nil
}

// FuzzAnswers: whatever a server answers, the calls make something of it that makes sense, or an error.
func FuzzAnswers(f *testing.F) {
	const open = "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='1' status='completed'><x xmlns='jabber:x:data' type='result'>"
	f.Add(open + "<field var='accountjids'><value>juliet@example.org</value></field><query xmlns='jabber:iq:roster'><item jid='romeo@example.net' subscription='both'/></query></x></command>")
	f.Add(open + "<field var='lastlogin'><value>2003-12-19T17:58:35Z</value></field><field var='rostersize'><value>-1</value></field><field var='ipaddresses'><value/></field></x></command>")
	f.Add(open + "<field var='onlineusersnum'><value>79</value></field><field var='onlineuserjids'><value>@</value></field></x></command>")
	f.Add(open + "<query xmlns='jabber:iq:roster'><item/></query></x></command>")
	f.Add("<command xmlns='http://jabber.org/protocol/commands' node='n' status='executing'><x xmlns='jabber:x:data' type='form'><field var='adminjids' type='jid-multi'><value>a@b</value></field></x></command>")
	f.Fuzz(func(t *testing.T, in string) {
		e, err := stanza.ParseElement([]byte(in))
		if err != nil {
			return
		}
		ctx, s, juliet := t.Context(), answering{}, at("juliet")
		if e.Decode(&s.answer) != nil {
			return
		}
		items, err := admin.Roster(ctx, s, juliet)
		if err == nil {
			for _, i := range items {
				require.False(t, i.JID.IsZero())
			}
		}
		_, _ = admin.LastLogin(ctx, s, juliet)
		if u, err := admin.Stats(ctx, s, juliet); err == nil {
			require.GreaterOrEqual(t, u.Roster, 0)
		}
		for _, g := range []admin.Group{admin.Registered, admin.Online, admin.Idle} {
			if n, err := admin.Count(ctx, s, org, g); err == nil {
				require.GreaterOrEqual(t, n, 0)
			}
			all, err := admin.Users(ctx, s, org, g)
			if err == nil {
				for _, j := range all {
					require.False(t, j.IsZero())
				}
			}
		}
		_ = admin.EditAdmins(ctx, s, org, func(all []jid.JID) []jid.JID { return all })
		_ = admin.AddUser(ctx, s, juliet, "secret")
	})
}
