package vcard_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// start starts a server with the module.
func start(t *testing.T, opts *vcard.ServerOptions, change ...func(*server.Options)) *xmpptest.Server {
	t.Helper()
	o := &server.Options{InsecurePlaintext: true, Modules: []module.Module{vcard.Server(opts)}, Storage: memory.New(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(o)
	}
	return xmpptest.StartFor(t, o)
}

// ask sends a request and returns what comes back, for better or worse.
func ask(t *testing.T, s xmpp.Session, typ stanza.IQType, to jid.JID, payload string) (string, error) {
	t.Helper()
	result, err := s.Query(t.Context(), stanza.IQ{Type: typ, To: to, Payload: element(t, payload)})
	if err != nil || result.Payload == nil {
		return "", err
	}
	e, err := stanza.ElementOf(result.Payload)
	return e.String(), err
}

// §3.1 to §3.3, §4: the vCard comes back as it was set, to everybody.
func TestXEP0054_3_SetAndGet(t *testing.T) {
	s := start(t, nil)
	juliet, romeo := s.Dial(t, "juliet", nil), s.Dial(t, "romeo", nil)
	info, err := disco.GetInfo(t.Context(), juliet, juliet.RemoteAddr(), "")
	require.NoError(t, err)
	require.True(t, info.Has("vcard-temp"))

	_, err = ask(t, juliet, stanza.IQGet, jid.JID{}, "<vCard xmlns='vcard-temp'/>")
	require.ErrorIs(t, err, stanza.ItemNotFound)
	whole := card("<FN a='b'>Juliet</FN><odd xmlns='urn:x'>x<y/>z</odd><TEL>1</TEL>")
	_, err = ask(t, juliet, stanza.IQSet, jid.JID{}, whole)
	require.NoError(t, err)
	for _, tt := range []struct {
		who xmpp.Session
		to  jid.JID
	}{{juliet, jid.JID{}}, {juliet, juliet.LocalAddr().Bare()}, {romeo, juliet.LocalAddr().Bare()}} {
		got, err := ask(t, tt.who, stanza.IQGet, tt.to, "<vCard xmlns='vcard-temp'/>")
		require.NoError(t, err)
		require.Equal(t, whole, got)
	}

	require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{}))
	_, err = ask(t, juliet, stanza.IQGet, jid.JID{}, "<vCard xmlns='vcard-temp'/>")
	require.ErrorIs(t, err, stanza.ItemNotFound)
}

// §3.2: nobody sets the vCard of somebody else.
func TestXEP0054_3_2_Foreign(t *testing.T) {
	s := start(t, nil)
	juliet, romeo := s.Dial(t, "juliet", nil), s.Dial(t, "romeo", nil)
	require.NoError(t, s.AddContact(t.Context(), juliet.LocalAddr().Bare(), romeo.LocalAddr().Bare()))
	require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{FN: "Juliet"}))
	for _, to := range []jid.JID{juliet.LocalAddr().Bare(), juliet.LocalAddr().Domain()} {
		_, err := ask(t, romeo, stanza.IQSet, to, card("<FN>Tybalt</FN>"))
		require.ErrorIs(t, err, stanza.ServiceUnavailable)
	}
	v, err := vcard.Get(t.Context(), romeo, juliet.LocalAddr().Bare())
	require.NoError(t, err)
	require.Equal(t, "Juliet", v.FN)
}

// §3.3: who has no vCard cannot be told from who does not exist.
func TestSec_VCardHarvesting(t *testing.T) {
	s := start(t, nil)
	juliet, romeo := s.Dial(t, "juliet", nil), s.Dial(t, "romeo", nil)
	for _, typ := range []stanza.IQType{stanza.IQGet, stanza.IQSet} {
		var answers []stanza.Error
		for _, who := range []jid.JID{juliet.LocalAddr().Bare(), jid.MustParse("nobody@example.org")} {
			_, err := ask(t, romeo, typ, who, "<vCard xmlns='vcard-temp'/>")
			e, ok := errors.AsType[*stanza.Error](err)
			require.True(t, ok, "%v", err)
			answers = append(answers, *e)
		}
		require.Equal(t, stanza.ServiceUnavailable, answers[0].Condition)
		require.Equal(t, answers[0], answers[1])
	}
	_, err := vcard.Get(t.Context(), romeo, juliet.LocalAddr().Bare())
	require.ErrorIs(t, err, vcard.ErrNone)
}

// A vCard is bounded.
func TestSec_VCardSize(t *testing.T) {
	s := start(t, &vcard.ServerOptions{Bytes: 1000})
	juliet := s.Dial(t, "juliet", nil)
	require.ErrorIs(t, vcard.Set(t.Context(), juliet, vcard.VCard{Photo: &vcard.Photo{Data: make([]byte, 750)}}), stanza.PolicyViolation)
	require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{Photo: &vcard.Photo{Data: make([]byte, 600)}}))
	_, err := server.New(&server.Options{Domains: []string{"a.example"}, InsecurePlaintext: true, Modules: []module.Module{vcard.Server(&vcard.ServerOptions{Bytes: -1})}})
	require.ErrorContains(t, err, "-1 bytes")
}

// A counter is a store that counts how often it is read, and may fail.
type counter struct {
	storage.Documents
	reads atomic.Int32
	err   atomic.Pointer[error]
}

func (c *counter) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	c.reads.Add(1)
	if err := c.err.Load(); err != nil {
		return nil, *err
	}
	return c.Documents.Get(ctx, owner, kind, name)
}

// XEP-0153: presence that says nothing of pictures is completed, from a vCard that is read once until it is set.
func TestXEP0153_4_1_Completed(t *testing.T) {
	store := new(counter)
	s := start(t, nil, func(o *server.Options) {
		store.Documents = o.Storage.Documents
		o.Storage.Documents = store
	})
	seen := make(chan string, 100)
	mux := muxer.New()
	mux.Presence(muxer.AnyPresence, func(ctx context.Context, p *stanza.Presence) error {
		var found []string
		for _, c := range p.Payloads {
			if e, err := stanza.ElementOf(c); err == nil && e.Name().Space == vcard.NSUpdate {
				found = append(found, e.String())
			}
		}
		if p.From.Localpart() == "juliet" && p.From.IsFull() {
			seen <- strings.TrimSpace(string(p.Type) + " " + strings.Join(found, ""))
		}
		return nil
	})
	romeo := s.Dial(t, "romeo", mux)
	juliet, other := s.Dial(t, "juliet", nil), s.Dial(t, "juliet", nil)
	require.NoError(t, s.AddContact(t.Context(), juliet.LocalAddr().Bare(), romeo.LocalAddr().Bare()))
	_, err := romeo.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	require.NoError(t, ping.Send(t.Context(), romeo, jid.JID{}))
	shown := func(from *client.Client, p stanza.Presence) string {
		t.Helper()
		_, err := from.Send(t.Context(), p)
		require.NoError(t, err)
		return <-seen
	}
	hash := func(p *vcard.Photo) string {
		return "<x xmlns='vcard-temp:x:update'><photo>" + p.Hash() + "</photo></x>"
	}
	none, unknown := "<x xmlns='vcard-temp:x:update'><photo/></x>", "<x xmlns='vcard-temp:x:update'/>"
	store.reads.Store(0)
	require.Equal(t, none, shown(juliet, stanza.Presence{}))
	require.Equal(t, none, shown(other, stanza.Presence{}))
	require.EqualValues(t, 1, store.reads.Load())

	one, two := photo("one"), photo("two")
	set := func(from *client.Client, p *vcard.Photo, want string) {
		t.Helper()
		require.NoError(t, vcard.Set(t.Context(), from, vcard.VCard{Photo: p}))
		require.Equal(t, []string{want, want}, []string{<-seen, <-seen}, "both are broadcast again")
	}
	store.reads.Store(0)
	set(other, one, hash(one))
	require.Equal(t, hash(one), shown(juliet, stanza.Presence{Show: stanza.ShowAway}))
	require.Equal(t, hash(one), shown(other, stanza.Presence{To: romeo.LocalAddr()}), "directed")
	require.EqualValues(t, 1, store.reads.Load())
	set(juliet, two, hash(two))
	require.Equal(t, hash(two), shown(juliet, stanza.Presence{}))

	// What the client says stays, unless it says that it does not know yet; what is not available says nothing.
	require.Equal(t, hash(two), shown(juliet, stanza.Presence{Payloads: stanza.Payloads{vcard.Update{}}}))
	require.Equal(t, none, shown(juliet, stanza.Presence{Payloads: stanza.Payloads{vcard.Update{Known: true}}}))
	require.Equal(t, hash(one), shown(juliet, stanza.Presence{Payloads: stanza.Payloads{vcard.Update{Hash: one.Hash()}}}))
	require.Equal(t, "unavailable", shown(juliet, stanza.Presence{Type: stanza.PresenceUnavailable}))

	// A store that fails keeps nobody from being seen.
	down := errors.New("the database is down")
	store.err.Store(&down)
	require.NoError(t, vcard.Set(t.Context(), juliet, vcard.VCard{}))
	require.Equal(t, unknown, shown(juliet, stanza.Presence{}))
	_, err = vcard.Get(t.Context(), romeo, juliet.LocalAddr().Bare())
	require.ErrorIs(t, err, stanza.InternalServerError)
	store.err.Store(nil)
	require.Equal(t, none, shown(juliet, stanza.Presence{}))
}

// Both halves: two clients of juliet and one of romeo agree about her picture.
func TestXEP0153_BothHalves(t *testing.T) {
	s := start(t, nil)
	told := make(chan string, 100)
	dial := func(account string, opts *vcard.AvatarOptions) (*client.Client, *vcard.Avatars) {
		mux := muxer.New()
		a := vcard.NewAvatars(opts)
		a.Register(mux)
		c := s.Dial(t, account, mux)
		_, err := a.Load(t.Context(), c)
		require.NoError(t, err)
		_, err = c.Send(t.Context(), stanza.Presence{})
		require.NoError(t, err)
		return c, a
	}
	romeo, _ := dial("romeo", &vcard.AvatarOptions{Changed: func(ctx context.Context, who jid.JID, hash string) {
		v, err := vcard.Get(ctx, xmpp.SessionFrom(ctx), who)
		if err != nil {
			told <- err.Error()
			return
		}
		if v.Photo.Hash() != hash {
			return // her other client has told late of the one before
		}
		told <- string(v.Photo.Data)
	}})
	juliet, avatars := dial("juliet", nil)
	other, others := dial("juliet", nil)
	require.NoError(t, s.AddContact(t.Context(), juliet.LocalAddr().Bare(), romeo.LocalAddr().Bare()))
	require.NoError(t, avatars.Set(t.Context(), juliet, photo("one")))
	require.Equal(t, "one", <-told)
	require.NoError(t, others.Set(t.Context(), other, photo("two")))
	for got := "one"; got != "two"; got = <-told {
		require.Equal(t, "one", got)
	}
}
