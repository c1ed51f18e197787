package vcard_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/cluster/clustertest"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A watcher notes what presence tells it of pictures.
type watcher struct {
	*client.Client
	t   *testing.T
	got chan string
}

// watch logs in. What comes from the own account is not noted.
func watch(t *testing.T, s *xmpptest.Server, account string) *watcher {
	t.Helper()
	w := &watcher{t: t, got: make(chan string, 100)}
	w.Client = s.Dial(t, account, xmpp.HandlerFunc(w.note))
	return w
}

func (w *watcher) note(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	h := st.Header()
	if h.Kind == stanza.KindMessage {
		w.got <- h.ID
		return nil, nil
	}
	if h.Kind != stanza.KindPresence || h.From.Localpart() == xmpp.SessionFrom(ctx).LocalAddr().Localpart() {
		return nil, nil
	}
	line := h.From.Localpart() + " " + h.Type
	if x := st.Element().Child(vcard.NSUpdate, "x"); !x.IsZero() {
		line += x.Child(vcard.NSUpdate, "photo").Text()
	}
	w.got <- line
	return nil, nil
}

// show sends presence, and returns once the server has handled it.
func (w *watcher) show(p stanza.Presence) {
	w.t.Helper()
	_, err := w.Send(w.t.Context(), p)
	require.NoError(w.t, err)
	w.sync()
}

func (w *watcher) sync() {
	w.t.Helper()
	require.NoError(w.t, ping.Send(w.t.Context(), w, jid.JID{}))
}

// sees returns what has come since it was asked last.
func (w *watcher) sees() (all []string) {
	w.t.Helper()
	id := stanza.NewID()
	_, err := w.Send(w.t.Context(), stanza.Message{To: w.LocalAddr(), ID: id, Type: stanza.MessageChat}) // which comes behind it
	require.NoError(w.t, err)
	for line := range w.got {
		if line == id {
			break
		}
		all = append(all, line)
	}
	return all
}

func update(u vcard.Update) stanza.Payloads { return stanza.Payloads{u} }

// friends lets each see the presence of the others.
func friends(t *testing.T, s *xmpptest.Server, all ...string) {
	t.Helper()
	for _, a := range all {
		addr, err := s.Account(a)
		require.NoError(t, err)
		for _, b := range all {
			if other, err := s.Account(b); a < b {
				require.NoError(t, err)
				require.NoError(t, s.AddContact(t.Context(), addr, other))
			}
		}
	}
}

// XEP-0153 §4.1: contacts are told of another picture at once, for a client that leaves it to the server, and only then.
func TestXEP0153_4_1_BroadcastAgain(t *testing.T) {
	one, two := photo("one"), photo("two")
	for _, tt := range []struct {
		name string
		show []stanza.Presence // before the picture is set
		want []string          // what romeo sees then
	}{
		{"a client that says nothing", []stanza.Presence{{Show: stanza.ShowAway}}, []string{"juliet " + two.Hash()}},
		{"one that is not ready", []stanza.Presence{{Payloads: update(vcard.Update{})}}, []string{"juliet " + two.Hash()}},
		{"one that says so itself", []stanza.Presence{{Payloads: update(vcard.Update{Hash: one.Hash()})}}, nil},
		{"one that shows none", []stanza.Presence{{Payloads: update(vcard.Update{Known: true})}}, nil},
		{"one that says so itself since", []stanza.Presence{{}, {Payloads: update(vcard.Update{Hash: one.Hash()})}}, nil},
		{"one that says so itself to all", []stanza.Presence{{Payloads: update(vcard.Update{Hash: one.Hash()})}, {To: jid.MustParse("romeo@example.org")}}, nil},
		{"one that has said so", []stanza.Presence{{Payloads: update(vcard.Update{Hash: one.Hash()})}, {}}, []string{"juliet " + two.Hash()}},
		{"one that is not available", nil, nil},
		{"one that is not available any more", []stanza.Presence{{}, {Type: stanza.PresenceUnavailable}}, nil},
		{"one that is there for somebody", []stanza.Presence{{To: jid.MustParse("romeo@example.org")}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, nil)
			friends(t, s, "juliet", "romeo")
			romeo, juliet := watch(t, s, "romeo"), watch(t, s, "juliet")
			romeo.show(stanza.Presence{})
			for _, p := range tt.show {
				juliet.show(p)
			}
			romeo.sees()
			require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{Photo: two}))
			require.Equal(t, tt.want, romeo.sees())
			require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{FN: "Juliet", Photo: two}))
			require.Empty(t, romeo.sees(), "the picture is the same")
		})
	}
}

// What is broadcast again is what the client has said last, but for the picture; who comes later is told that, too.
func TestXEP0153_4_1_BroadcastAgainIsTheSame(t *testing.T) {
	s := start(t, nil)
	friends(t, s, "juliet", "romeo", "tybalt")
	juliet := watch(t, s, "juliet")
	juliet.show(stanza.Presence{Show: stanza.ShowDND, Status: stanza.Plain("on the balcony"), Priority: 3})
	seen := make(chan *stanza.Raw, 100)
	note := xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
		if st.Header().From == juliet.LocalAddr() {
			seen <- st
		}
		return nil, nil
	})
	romeo := s.Dial(t, "romeo", note)
	_, err := romeo.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	before, err := (<-seen).Presence()
	require.NoError(t, err)
	require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{Photo: photo("one")}))
	raw := <-seen
	after, err := raw.Presence()
	require.NoError(t, err)
	require.Len(t, after.Payloads, 1)
	after.Payloads, before.Payloads = nil, nil
	require.Equal(t, before, after)

	tybalt := watch(t, s, "tybalt")
	tybalt.show(stanza.Presence{})
	require.Contains(t, tybalt.sees(), "juliet "+photo("one").Hash())
}

// Whom the account has blocked is not told, nor who got directed presence, nor who does not see it.
func TestXEP0153_4_1_BroadcastAgainTo(t *testing.T) {
	s := start(t, nil, func(o *server.Options) { o.Modules = append(o.Modules, blocking.Server(nil)) })
	friends(t, s, "juliet", "romeo", "tybalt")
	juliet, other := watch(t, s, "juliet"), watch(t, s, "juliet")
	romeo, tybalt, paris := watch(t, s, "romeo"), watch(t, s, "tybalt"), watch(t, s, "paris")
	for _, w := range []*watcher{romeo, tybalt, paris, juliet} {
		w.show(stanza.Presence{})
	}
	juliet.show(stanza.Presence{To: paris.LocalAddr()})
	other.show(stanza.Presence{To: romeo.LocalAddr()})
	require.NoError(t, blocking.Block(t.Context(), juliet, tybalt.LocalAddr().Bare()))
	for _, w := range []*watcher{romeo, tybalt, paris} {
		w.sees()
	}
	require.NoError(t, vcard.Set(t.Context(), other, vcard.VCard{Photo: photo("one")}))
	require.Equal(t, []string{"juliet " + photo("one").Hash()}, romeo.sees(), "of the session that is available")
	require.Empty(t, tybalt.sees())
	require.Empty(t, paris.sees())
	juliet.show(stanza.Presence{To: paris.LocalAddr()})
	require.Equal(t, []string{"juliet " + photo("one").Hash()}, paris.sees())
}

// A picture that is set while a presence is on its way is what contacts see in the end.
func TestPictureInBetween(t *testing.T) {
	held, goOn := make(chan bool), make(chan bool)
	hold := module.Func(func(h module.Host) error {
		h.Hook(module.Hooks{Outbound: func(_ context.Context, _ module.Session, t *module.Transit) error {
			if t.Header().ID == "slow" {
				held <- true
				<-goOn
			}
			return nil
		}})
		return nil
	})
	s := start(t, nil, func(o *server.Options) { o.Modules = append(o.Modules, hold) })
	friends(t, s, "juliet", "romeo")
	romeo, juliet, other := watch(t, s, "romeo"), watch(t, s, "juliet"), watch(t, s, "juliet")
	romeo.show(stanza.Presence{})
	romeo.sees()
	_, err := juliet.Send(t.Context(), stanza.Presence{ID: "slow"})
	require.NoError(t, err)
	<-held
	require.NoError(t, vcard.Set(t.Context(), other, vcard.VCard{Photo: photo("one")}))
	goOn <- true
	juliet.sync()
	require.Equal(t, []string{"juliet ", "juliet " + photo("one").Hash()}, romeo.sees())
}

// Where servers act as one, it does not matter on which one the picture is set.
func TestPictureElsewhere(t *testing.T) {
	network, stores := clustertest.New(), memory.New()
	node := func() *xmpptest.Server {
		return start(t, nil, func(o *server.Options) { o.Storage, o.Cluster, o.Iterations = stores, network, sasl.MinIterations })
	}
	here, there := node(), node()
	friends(t, here, "juliet", "romeo")
	dial := func(s *xmpptest.Server, account string) *watcher {
		w := &watcher{t: t, got: make(chan string, 100)}
		addr, err := here.Account(account)
		require.NoError(t, err)
		opts := here.Options(addr)
		opts.Dialer, opts.Handler, opts.Reconnect = s.Options(addr).Dialer, xmpp.HandlerFunc(w.note), client.Never
		w.Client, err = client.Dial(t.Context(), addr, opts)
		require.NoError(t, err)
		t.Cleanup(func() {
			_ = w.Close(context.Background())
			_ = w.Wait(context.Background())
		})
		return w
	}
	romeo, juliet, other := dial(here, "romeo"), dial(there, "juliet"), dial(here, "juliet")
	network.Settle()
	for _, w := range []*watcher{romeo, juliet} {
		w.show(stanza.Presence{})
		network.Settle()
	}
	require.Contains(t, romeo.sees(), "juliet ")
	require.NoError(t, vcard.Set(t.Context(), other, vcard.VCard{Photo: photo("one")}))
	network.Settle()
	require.Equal(t, []string{"juliet " + photo("one").Hash()}, romeo.sees())
	juliet.show(stanza.Presence{Show: stanza.ShowAway})
	network.Settle()
	require.Equal(t, []string{"juliet " + photo("one").Hash()}, romeo.sees(), "it is not what was there before")
}
