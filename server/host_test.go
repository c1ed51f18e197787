package server

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// An account can be hidden from, and shown to, a contact, one session of a contact, and a whole domain.
func TestHostHide(t *testing.T) {
	var host module.Host
	h := newHouse(t, []string{"juliet", "romeo", "nurse", "paris@montague.example"}, with(func(h module.Host) error { host = h; return nil }))
	h.befriend("juliet", "romeo")
	h.befriend("juliet", "paris@montague.example")
	juliet := h.online("juliet", "balcony", "")
	account, err := host.Lookup(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	others := map[string]*client{"orchard": h.online("romeo", "orchard", ""), "street": h.online("romeo", "street", ""),
		"nurse": h.online("nurse", "house", ""), "paris": h.online("paris@montague.example", "house", "")}
	directed := func() {
		juliet.send("<presence to='nurse@capulet.example/house'/>")
		juliet.sync()
		others["nurse"].expect("<presence from='juliet@capulet.example/balcony' to='nurse@capulet.example/house' xml:lang='en'/>")
	}
	seen := func() (out []string) {
		for name, c := range others {
			for _, e := range c.all() {
				if e.Attr("from") == juliet.addr.String() {
					out = append(out, strings.TrimSpace(name+" "+e.Attr("type")))
				}
			}
		}
		slices.Sort(out)
		return out
	}
	seen()
	for _, tt := range []struct {
		hide, show string
		hidden     []string
		shown      []string
	}{
		{"romeo@capulet.example", "romeo@capulet.example", []string{"orchard unavailable", "street unavailable"}, []string{"orchard", "street"}},
		{"romeo@capulet.example/orchard", "romeo@capulet.example/orchard", []string{"orchard unavailable"}, []string{"orchard"}},
		{"capulet.example", "romeo@capulet.example", []string{"nurse unavailable", "orchard unavailable", "street unavailable"}, []string{"orchard", "street"}},
		{"nurse@capulet.example/house", "nurse@capulet.example", []string{"nurse unavailable"}, nil},
		{"nurse@capulet.example/elsewhere", "nurse@capulet.example/house", nil, nil},
		{"montague.example", "paris@montague.example", []string{"paris unavailable"}, []string{"paris"}},
		{"montague.example/x", "montague.example", nil, nil},
	} {
		directed()
		require.NoError(t, host.Hide(t.Context(), account, jid.MustParse(tt.hide)))
		require.Equal(t, tt.hidden, seen(), tt.hide)
		require.NoError(t, host.Show(t.Context(), account, jid.MustParse(tt.show)))
		require.Equal(t, tt.shown, seen(), tt.show)
	}
	for _, e := range juliet.all() {
		require.NotEqual(t, juliet.addr.String(), e.Attr("from"), "got %s", e)
	}
}

// A client that has its account deleted is answered before its session ends, whether it asks its account or the domain.
func TestModuleDeletesOwnAccount(t *testing.T) {
	for _, to := range []string{"", " to='capulet.example'"} {
		h := newHouse(t, []string{"juliet"}, with(func(h module.Host) error {
			remove := func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
				s, id, from := module.FromContext(ctx), iq.ID, iq.From
				h.Go(func(ctx context.Context) {
					err := h.DeleteOwnAccount(ctx, s.Account(), func() { s.Send(stanza.IQ{ID: id, To: from, Type: stanza.IQResult}) })
					if err != nil {
						t.Errorf("DeleteOwnAccount: %v", err)
					}
				})
				return nil, module.ErrDrop
			}
			h.Account().IQ(stanza.IQSet, nsTest, "remove", remove)
			h.Domain().IQ(stanza.IQSet, nsTest, "remove", remove)
			return nil
		}))
		juliet, other := h.online("juliet", "balcony", ""), h.login("juliet", "chamber")
		juliet.all()
		juliet.send("<iq type='set' id='1'" + to + "><remove xmlns='" + nsTest + "'/></iq>")
		got := juliet.expectEnd("not-authorized")
		require.Len(t, got, 1)
		require.Equal(t, "result 1", got[0].Attr("type")+" "+got[0].Attr("id"))
		other.expectEnd("not-authorized")
	}
}

// What the owner of an account asked for does not happen to the account of somebody else who has got the address meanwhile.
func TestSec_AddressOfAnother(t *testing.T) {
	var host module.Host
	h := newHouse(t, []string{"juliet"}, with(func(h module.Host) error { host = h; return nil }))
	old, err := host.Lookup(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	require.NoError(t, h.srv.DeleteAccount(t.Context(), old.Addr))
	require.NoError(t, h.srv.CreateAccount(t.Context(), old.Addr, password))
	require.ErrorIs(t, host.SetOwnPassword(t.Context(), old, "stolen"), storage.ErrNotFound)
	require.ErrorIs(t, host.DeleteOwnAccount(t.Context(), old, func() { t.Error("gone") }), storage.ErrNotFound)
	h.login("juliet", "") // with the password that it has

	own, err := host.Lookup(t.Context(), old.Addr)
	require.NoError(t, err)
	require.NoError(t, host.SetOwnPassword(t.Context(), own, "another"))
	c := h.connect()
	c.open("capulet.example")
	require.Equal(t, "success", c.exchange(own.Addr, sasl.SCRAMSHA1, "", "another").Name().Local)
	require.NoError(t, host.DeleteOwnAccount(t.Context(), own, nil))
}

// Shutdown waits for what a module has started, and tells it when it waits no more; then nothing starts.
func TestModuleGo(t *testing.T) {
	var host module.Host
	h := newHouse(t, nil, with(func(h module.Host) error { host = h; return nil }))
	ended := false
	require.True(t, host.Go(func(ctx context.Context) { <-ctx.Done(); ended = true }))
	require.True(t, host.Go(func(context.Context) { panic("at once") }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.srv.Shutdown(ctx), context.Canceled)
	require.True(t, ended)
	require.False(t, host.Go(func(context.Context) { t.Error("started too late") }))
}

// A module subscribes to a contact for an account, as its client would.
func TestModuleSubscribes(t *testing.T) {
	var host module.Host
	refuse := false
	h := newHouse(t, []string{"juliet", "romeo", "nurse"}, with(func(h module.Host) error {
		host = h
		h.Hook(module.Hooks{Permit: func(_ context.Context, _ module.Account, _ jid.JID, dir module.Direction, _ stanza.Header) error {
			if refuse && dir == module.Out {
				return stanza.NotAcceptable
			}
			return nil
		}})
		return nil
	}))
	h.befriend("juliet", "nurse")
	juliet, romeo := h.interested("juliet", "balcony"), h.interested("romeo", "orchard")
	romeo.send("<presence/>")
	romeo.all()
	a, err := host.Lookup(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	require.NoError(t, host.Subscribe(t.Context(), a, h.addr("nurse")))
	juliet.expect()
	require.NoError(t, host.Subscribe(t.Context(), a, romeo.addr))
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none' ask='subscribe'"))
	romeo.expect("<presence id='*' type='subscribe' from='juliet@capulet.example' to='romeo@capulet.example'/>")

	refuse = true
	require.ErrorIs(t, host.Subscribe(t.Context(), a, romeo.addr), stanza.NotAcceptable)
	require.ErrorIs(t, host.Subscribe(t.Context(), a, jid.MustParse("a@elsewhere.example")), stanza.RemoteServerNotFound)
	require.ErrorIs(t, host.Subscribe(t.Context(), module.Account{ID: "another", Addr: a.Addr}, romeo.addr), storage.ErrNotFound)
	require.ErrorIs(t, host.Subscribe(t.Context(), module.Account{ID: "x", Addr: h.addr("nobody")}, romeo.addr), storage.ErrNotFound)
	require.Error(t, host.Subscribe(t.Context(), a, a.Addr))
}
