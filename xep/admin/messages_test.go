package admin_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// inBubble runs a test in which time passes as it likes.
func inBubble(t *testing.T, test func(t *testing.T, h *house), change ...func(*admin.Options, *server.Options)) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, append(change, plain)...)
		defer h.Stop()
		test(t, h)
	})
}

// §4.23: an announcement reaches who is available at the domain.
func TestXEP0133_4_23_Announce(t *testing.T) {
	h := start(t)
	d := h.device(bard)
	balcony, chamber := h.user(jid.MustParse("juliet@example.org/balcony")), h.user(jid.MustParse("juliet@example.org/chamber"))
	silent, elsewhere := h.device(at("nurse")), h.user(jid.MustParse("romeo@example.net"))
	require.NoError(t, admin.Announce(t.Context(), d, org, "Attention!\n\nPlease log off now."))
	for _, u := range []*device{balcony, chamber} {
		require.Equal(t, []string{"Announcement: Attention!\n\nPlease log off now."}, u.hears())
	}
	for _, u := range []*device{silent, elsewhere, d} {
		require.Empty(t, u.hears())
	}
}

// §4.24 to §4.26: everybody gets the message once, at once or as he comes; a corrected one goes to those who have not got it.
func TestXEP0133_4_24_MOTD(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx, d := t.Context(), h.device(bard)
		defer d.leave()
		balcony, elsewhere := h.user(jid.MustParse("juliet@example.org/balcony")), h.user(jid.MustParse("romeo@example.net"))
		defer balcony.leave()
		defer elsewhere.leave()
		silent := h.device(at("nurse"))
		defer silent.leave()
		const first = "Message of the day: Don't forget:\nthe grand re-opening of the Globe"
		require.NoError(t, admin.SetMOTD(ctx, d, org, "Don't forget:\nthe grand re-opening of the Globe"))
		synctest.Wait()
		require.Equal(t, []string{first}, balcony.hears())
		require.Empty(t, elsewhere.hears())
		require.Empty(t, silent.hears())
		silent.available()
		require.Equal(t, []string{first}, silent.hears())
		silent.available()
		require.Empty(t, silent.hears())
		chamber := h.user(jid.MustParse("juliet@example.org/chamber"))
		defer chamber.leave()
		require.Empty(t, chamber.hears(), "the account has got it")
		late := h.user(at("tybalt"))
		defer late.leave()
		require.Equal(t, []string{first}, late.hears())

		require.NoError(t, admin.EditMOTD(ctx, d, org, "tomorrow"))
		synctest.Wait()
		require.Empty(t, balcony.hears())
		later := h.user(at("paris"))
		defer later.leave()
		require.Equal(t, []string{"Message of the day: tomorrow"}, later.hears())

		require.NoError(t, admin.SetMOTD(ctx, d, org, "tomorrow"))
		synctest.Wait()
		require.Len(t, append(balcony.hears(), chamber.hears()...), 1, "another one, once for the account")
		require.NoError(t, admin.DeleteMOTD(ctx, d, org))
		last := h.user(at("benvolio"))
		defer last.leave()
		require.Empty(t, last.hears())
		require.NoError(t, admin.DeleteMOTD(ctx, d, org))
		require.NoError(t, admin.EditMOTD(ctx, d, org, "the first again"))
		synctest.Wait()
		require.Len(t, last.hears(), 1)
	})
}

// Devices that come at the same time are one user.
func TestMOTDOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		d := h.device(bard)
		defer d.leave()
		require.NoError(t, admin.SetMOTD(t.Context(), d, org, "the play"))
		var all []*device
		for _, r := range []string{"a", "b", "c", "d"} {
			u := h.device(jid.MustParse("juliet@example.org/" + r))
			defer u.leave()
			all = append(all, u)
		}
		for _, u := range all {
			_, err := u.Send(t.Context(), stanza.Presence{})
			require.NoError(t, err)
		}
		time.Sleep(time.Minute)
		n := 0
		for _, u := range all {
			n += len(u.hears())
		}
		require.Equal(t, 1, n)
	}, func(_ *admin.Options, s *server.Options) { s.Storage.Documents = slow{s.Storage.Documents} })
}

// slow is a store that takes its time.
type slow struct{ storage.Documents }

func (s slow) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	data, err := s.Documents.Get(ctx, owner, kind, name)
	time.Sleep(time.Second)
	return data, err
}

// §4.27, §4.28: who is new is welcome, once, whichever message it is by then.
func TestXEP0133_4_27_Welcome(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx, d := t.Context(), h.device(bard)
		defer d.leave()
		old := h.account(at("nurse"))
		time.Sleep(time.Second)
		require.NoError(t, admin.SetWelcome(ctx, d, org, "hail"))
		h.account(at("juliet"))
		time.Sleep(time.Second)
		require.NoError(t, admin.SetWelcome(ctx, d, org, "welcome"))
		for addr, want := range map[jid.JID][]string{
			old: nil, at("juliet"): {"Welcome: welcome"}, at("romeo"): {"Welcome: welcome"}, jid.MustParse("romeo@example.net"): nil,
		} {
			for range 2 {
				u := h.user(addr)
				require.Equal(t, want, u.hears(), addr)
				u.leave()
				want = nil
			}
		}
		require.NoError(t, admin.DeleteWelcome(ctx, d, org))
		u := h.user(at("tybalt"))
		defer u.leave()
		require.Empty(t, u.hears())
	})
}

// §4.9: when somebody has logged in last, and of who is gone, until when he was here.
func TestXEP0133_4_9_LastLogin(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx, d := t.Context(), h.device(bard)
		defer d.leave()
		h.account(at("juliet"))
		lastLogin := func() time.Time {
			at, err := admin.LastLogin(ctx, d, at("juliet"))
			require.NoError(t, err)
			return at
		}
		require.Zero(t, lastLogin())
		first := time.Now()
		balcony := h.user(jid.MustParse("juliet@example.org/balcony"))
		time.Sleep(time.Minute)
		second := time.Now()
		chamber := h.user(jid.MustParse("juliet@example.org/chamber"))
		time.Sleep(time.Minute)
		require.WithinDuration(t, second, lastLogin(), time.Second)
		chamber.leave()
		synctest.Wait()
		require.WithinDuration(t, first, lastLogin(), time.Second, "as far as is known of those who are here")
		gone := time.Now()
		balcony.leave()
		synctest.Wait()
		time.Sleep(time.Hour)
		require.WithinDuration(t, gone, lastLogin(), time.Second)
		_, err := admin.LastLogin(ctx, d, at("nobody"))
		require.ErrorIs(t, err, stanza.ItemNotFound)
	})
}

// §4.9: of several there are rows, and a note names those of whom nothing is known.
func TestXEP0133_4_9_LastLogins(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		d := h.device(bard)
		defer d.leave()
		juliet := h.user(at("juliet"))
		defer juliet.leave()
		h.account(at("nurse"))
		now := time.Now().UTC().Format(time.RFC3339)
		ask := func(who ...string) (*command.Execution, error) {
			return command.Run(t.Context(), d, org, node("get-user-lastlogin"), form.Field{Var: "accountjids", Values: who})
		}
		e, err := ask("juliet@example.org", "nurse@example.org", "Juliet@example.org")
		require.NoError(t, err)
		var got [][]string
		for _, row := range e.Form.Items {
			f := form.Form{Fields: row}
			got = append(got, []string{f.Value("accountjids"), f.Value("lastlogin")})
		}
		require.Equal(t, [][]string{{"juliet@example.org", now}, {"nurse@example.org", ""}}, got)
		require.Equal(t, []command.Note{{Type: command.Info, Text: "it is not known when these were here: nurse@example.org"}}, e.Notes)
		_, err = ask("juliet@example.org", "nobody@example.org")
		require.ErrorIs(t, err, stanza.ItemNotFound)
		require.ErrorContains(t, err, "nobody@example.org")
	})
}

// §4.25, §4.27: an admin is shown the message of his domain that is there now, and no other.
func TestXEP0133_4_25_WhatIsThere(t *testing.T) {
	h := start(t)
	d := h.device(both)
	shown := func(domain jid.JID, name, field string) []string {
		t.Helper()
		e, err := command.Start(t.Context(), d, domain, node(name))
		require.NoError(t, err)
		values := e.Form.Values(field)
		require.NoError(t, e.Cancel(t.Context()))
		return values
	}
	require.NoError(t, admin.SetMOTD(t.Context(), d, org, "the play\nis the thing"))
	require.NoError(t, admin.SetWelcome(t.Context(), d, net, "welcome"))
	require.Equal(t, []string{"the play", "is the thing"}, shown(org, "edit-motd", "motd"))
	require.Equal(t, []string{"welcome"}, shown(net, "set-welcome", "welcome"))
	require.Empty(t, shown(net, "edit-motd", "motd"))
	require.Empty(t, shown(org, "set-welcome", "welcome"))
	require.Empty(t, shown(org, "set-motd", "motd"), "another one is set, and not this one corrected")
	require.NoError(t, admin.DeleteMOTD(t.Context(), d, org))
	require.Empty(t, shown(org, "edit-motd", "motd"))
}

// §4.16, §4.17: who has said nothing for a while, or that he is away, is idle, unless he is not so elsewhere.
func TestXEP0133_4_17_Idle(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx, d := t.Context(), h.device(bard)
		defer d.leave()
		nurse, romeo := h.user(at("nurse")), h.user(at("romeo"))
		defer nurse.leave()
		defer romeo.leave()
		balcony, chamber := h.user(jid.MustParse("juliet@example.org/balcony")), h.user(jid.MustParse("juliet@example.org/chamber"))
		defer balcony.leave()
		defer chamber.leave()
		time.Sleep(15 * time.Second)
		balcony.sync()
		romeo.sync()
		_, err := nurse.Send(ctx, stanza.Presence{Show: stanza.ShowXA})
		require.NoError(t, err)
		nurse.sync()
		users := func(g admin.Group) []jid.JID {
			synctest.Wait() // a session is active since the server waits for more from it
			all, err := admin.Users(ctx, d, org, g)
			require.NoError(t, err)
			return all
		}
		require.Equal(t, []jid.JID{bard, at("juliet"), at("romeo")}, users(admin.Active))
		require.Equal(t, []jid.JID{at("nurse")}, users(admin.Idle))
		time.Sleep(15 * time.Second)
		balcony.sync()
		require.Equal(t, []jid.JID{bard, at("juliet")}, users(admin.Active))
		require.Equal(t, []jid.JID{at("nurse"), at("romeo")}, users(admin.Idle))
		n, err := admin.Count(ctx, d, org, admin.Idle)
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}, func(o *admin.Options, _ *server.Options) { o.IdleAfter = 14 * time.Second })
}
