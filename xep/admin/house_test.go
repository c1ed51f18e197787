package admin_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/last"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

var (
	org  = jid.MustParse("example.org")
	net  = jid.MustParse("example.net")
	bard = jid.MustParse("bard@example.org")     // administers example.org
	hal  = jid.MustParse("hal@example.net")      // administers example.net
	both = jid.MustParse("falstaff@example.net") // administers both
)

const password = "b4lc0ny0f"

// A house is a server of two domains.
type house struct {
	*xmpptest.Server
	t      *testing.T
	admins *admin.List
	stores storage.Stores
	ended  chan string // how the program was asked to end
}

// plain has the server of a test go without TLS, where time passes as the test likes.
func plain(o *admin.Options, s *server.Options) {
	o.InsecurePlaintext, s.InsecurePlaintext = true, true
}

func start(t *testing.T, change ...func(*admin.Options, *server.Options)) *house {
	t.Helper()
	h := &house{t: t, admins: admin.NewList(bard, hal, both), stores: memory.New(), ended: make(chan string, 1)}
	require.NoError(t, h.admins.Set(t.Context(), org, []jid.JID{bard, both}))
	end := func(how string) func(context.Context, time.Duration) error {
		return func(_ context.Context, after time.Duration) error {
			if after == 5*time.Minute {
				return errors.New("too late")
			}
			h.ended <- how + " after " + after.String()
			return nil
		}
	}
	o := &admin.Options{Admins: h.admins, Restart: end("restart"), Shutdown: end("shutdown"), Logger: slog.New(slog.DiscardHandler)}
	so := &server.Options{Domains: []string{"example.org", "example.net"}, Storage: h.stores, Iterations: sasl.MinIterations}
	for _, f := range change {
		f(o, so)
	}
	so.Modules = append(so.Modules, last.Server(), admin.Server(o))
	h.Server = xmpptest.StartFor(t, so)
	return h
}

// account makes an account unless there is one.
func (h *house) account(addr jid.JID) jid.JID {
	h.t.Helper()
	if err := h.CreateAccount(h.t.Context(), addr.Bare(), password); err != nil {
		require.ErrorIs(h.t, err, storage.ErrExists)
	}
	return addr
}

// login logs in, with any password.
func (h *house) login(addr jid.JID, password string, handler xmpp.Handler) (*client.Client, error) {
	opts := h.Options(addr)
	opts.Password, opts.Handler, opts.Reconnect = password, handler, client.Never
	return client.Dial(h.t.Context(), addr, opts)
}

// A device is a client that notes the messages that it gets.
type device struct {
	*client.Client
	t   *testing.T
	got chan *stanza.Message
}

// device logs in to an account, made on the spot if need be.
func (h *house) device(addr jid.JID) *device {
	h.t.Helper()
	h.account(addr)
	d := &device{t: h.t, got: make(chan *stanza.Message, 100)}
	c, err := h.login(addr, password, xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
		if st.Header().Kind == stanza.KindMessage {
			m, err := st.Message()
			if err != nil {
				return nil, err
			}
			d.got <- &m
		}
		return nil, nil
	}))
	require.NoError(h.t, err)
	d.Client = c
	h.t.Cleanup(d.leave)
	return d
}

// user is a device that is available.
func (h *house) user(addr jid.JID) *device {
	h.t.Helper()
	d := h.device(addr)
	d.available()
	return d
}

func (d *device) available() {
	d.t.Helper()
	_, err := d.Send(d.t.Context(), stanza.Presence{})
	require.NoError(d.t, err)
	d.sync()
}

// sync returns when the server has handled what was sent.
func (d *device) sync() {
	d.t.Helper()
	_, err := roster.Get(d.t.Context(), d)
	require.NoError(d.t, err)
}

func (d *device) leave() {
	_ = d.Close(context.Background())
	_ = d.Wait(context.Background())
}

// hears returns the texts that have come from the domain as headlines, before one that the device sends to itself.
func (d *device) hears() (all []string) {
	d.t.Helper()
	id := stanza.NewID()
	_, err := d.Send(d.t.Context(), stanza.Message{To: d.LocalAddr(), ID: id, Type: stanza.MessageChat, Body: stanza.Plain("what news?")})
	require.NoError(d.t, err)
	for m := range d.got {
		if m.ID == id {
			break
		}
		require.Equal(d.t, d.LocalAddr().Domain(), m.From)
		require.Equal(d.t, stanza.MessageHeadline, m.Type)
		all = append(all, m.Subject.String()+": "+m.Body.String())
	}
	return all
}

// at is an address of example.org.
func at(localpart string) jid.JID {
	a, err := org.WithLocal(localpart)
	if err != nil {
		panic(err)
	}
	return a
}
