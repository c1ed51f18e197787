package server_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// newInside returns a server that no network reaches, with juliet and romeo.
func newInside(t testing.TB) *server.Server {
	srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Iterations: sasl.MinIterations, Logger: silent})
	require.NoError(t, err)
	for _, who := range []string{"juliet", "romeo"} {
		require.NoError(t, srv.CreateAccount(t.Context(), jid.MustParse(who+"@example.org"), "secret"))
	}
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()) })
	return srv
}

func enter(t testing.TB, srv *server.Server, addr string, change func(*client.Options)) *client.Client {
	opts := &client.Options{Server: srv, Logger: silent}
	if change != nil {
		change(opts)
	}
	c, err := client.Dial(t.Context(), jid.MustParse(addr), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Close(context.Background())
		_ = c.Wait(context.Background())
	})
	return c
}

// What does not leave the program is as safe as with TLS, on both sides: passwords may be told.
func TestInsideSecure(t *testing.T) {
	seen := make(chan bool, 1)
	srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Logger: silent, Modules: []module.Module{
		module.Func(func(h module.Host) error {
			h.Hook(module.Hooks{Opened: func(_ context.Context, s module.Session) { seen <- s.Secure() }})
			return nil
		}),
	}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()) })
	require.NoError(t, srv.CreateAccount(t.Context(), jid.MustParse("juliet@example.org"), "secret"))
	require.True(t, enter(t, srv, "juliet@example.org", nil).Secure())
	require.True(t, <-seen)
}

// A program logs in to its own server without a network or a password, and is then a client like any other.
func TestInside(t *testing.T) {
	srv := newInside(t)
	heard := make(chan string, 1)
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		heard <- m.From.String() + " " + m.Body.String()
		return nil
	})
	romeo := enter(t, srv, "romeo@example.org/orchard", func(o *client.Options) { o.Handler = mux })
	require.Equal(t, "romeo@example.org/orchard", romeo.LocalAddr().String())
	juliet := enter(t, srv, "juliet@example.org", nil)
	require.Equal(t, "juliet@example.org", juliet.LocalAddr().Bare().String())
	_, err := juliet.Send(t.Context(), stanza.Message{To: romeo.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("O Romeo")})
	require.NoError(t, err)
	require.Equal(t, juliet.LocalAddr().String()+" O Romeo", <-heard)
}

// Only accounts that exist and are enabled are entered.
func TestInside_Refused(t *testing.T) {
	srv := newInside(t)
	require.NoError(t, srv.SetDisabled(t.Context(), jid.MustParse("romeo@example.org"), true))
	for addr, want := range map[string]error{
		"tybalt@example.org": sasl.ErrNotAuthorized, "romeo@example.org": sasl.ErrAccountDisabled,
	} {
		_, err := client.Dial(t.Context(), jid.MustParse(addr), &client.Options{Server: srv})
		require.ErrorIs(t, err, client.ErrCredentials)
		require.ErrorIs(t, err, want)
	}
	for _, addr := range []string{"juliet@elsewhere.example", "example.org"} {
		_, err := client.Dial(t.Context(), jid.MustParse(addr), &client.Options{Server: srv})
		require.Error(t, err, addr)
	}
	for name, o := range map[string]client.Options{
		"an address": {Address: "localhost:5222"}, "a proxy": {Proxy: "socks5://localhost:1080"}, "a dialer": {Dialer: &net.Dialer{}},
		"anonymous": {Anonymous: true}, "something before the login": {BeforeLogin: func(context.Context, xmpp.Session) error { return nil }},
	} {
		o.Server = srv
		_, err := client.Dial(t.Context(), jid.MustParse("juliet@example.org"), &o)
		require.ErrorContains(t, err, "Server", name)
	}
	require.Zero(t, srv.Stats().Connections)
}

// cutter keeps the connections that it makes.
type cutter struct {
	*server.Server
	mu    sync.Mutex
	last  net.Conn
	calls int
}

func (c *cutter) DialAccount(ctx context.Context, account jid.JID) (net.Conn, error) {
	nc, err := c.Server.DialAccount(ctx, account)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = nc
	c.calls++
	return nc, err
}

// What is resumed on a network is resumed here.
func TestInside_Resumed(t *testing.T) {
	via := &cutter{Server: newInside(t)}
	status := make(chan xmpp.Status, 8)
	mux := muxer.New()
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		status <- e.Status
		return nil
	})
	c := enter(t, via.Server, "juliet@example.org", func(o *client.Options) { o.Server, o.Handler, o.Reconnect = via, mux, client.Backoff{Min: 1} })
	addr := c.LocalAddr()
	require.Equal(t, xmpp.Online, <-status)
	via.mu.Lock()
	require.NoError(t, via.last.Close())
	via.mu.Unlock()
	require.Equal(t, xmpp.Suspended, <-status)
	require.Equal(t, xmpp.Resumed, <-status)
	require.Equal(t, addr, c.LocalAddr())
}

// A server that has shut down does not come back, so its clients in the program end; and no more get in.
func TestInside_Shutdown(t *testing.T) {
	srv := newInside(t)
	via := &cutter{Server: srv}
	c := enter(t, srv, "juliet@example.org", func(o *client.Options) { o.Server, o.Reconnect = via, client.Backoff{Min: 1, Attempts: 9} })
	require.NoError(t, srv.Shutdown(t.Context()))
	<-c.Done()
	require.ErrorIs(t, c.Err(), net.ErrClosed)
	require.Equal(t, 2, via.calls)
	_, err := srv.DialAccount(t.Context(), jid.MustParse("juliet@example.org"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// Strangers who do not log in keep each other out, but not the program.
func TestSec_RoomForTheProgram(t *testing.T) {
	srv := newInside(t)
	require.NoError(t, srv.SetLimits(server.Limits{Unauthenticated: 1, Connections: 3}))
	near, far := bufpipe.New()
	served := make(chan error, 1)
	go func() { served <- srv.ServeConn(context.Background(), far) }()
	s := &script{t: t, nc: near}
	s.send("<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	s.until("</stream:features>")
	_, refused := bufpipe.New()
	require.ErrorIs(t, srv.ServeConn(t.Context(), refused), server.ErrRefused)
	enter(t, srv, "juliet@example.org", nil)
	enter(t, srv, "romeo@example.org", nil)
	_, err := client.Dial(t.Context(), jid.MustParse("juliet@example.org"), &client.Options{Server: srv})
	require.ErrorIs(t, err, server.ErrRefused, "that of all connections holds")
	require.Equal(t, 1, srv.Stats().Unauthenticated)
	require.NoError(t, near.Close())
	require.Error(t, <-served)
	require.Zero(t, srv.Stats().Unauthenticated)
}

// A connection that the server is given is one from outside, even if it never leaves memory: whoever is there proves who it is.
func TestSec_NoWayInside(t *testing.T) {
	srv := newInside(t)
	near, far := bufpipe.New()
	served := make(chan error, 1)
	go func() { served <- srv.ServeConn(context.Background(), far) }()
	s := &script{t: t, nc: near}
	s.send("<stream:stream from='juliet@example.org' to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	require.NotContains(t, s.until("</stream:features>"), "xmpp-bind")
	s.send("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	require.Contains(t, s.until("</stream:stream>"), "not-authorized")
	require.NoError(t, near.Close())
	require.Error(t, <-served)
}

// Tests that run in parallel have a server each, and the check for leaks at the end of all tests finds nothing of them.
func TestInside_InParallel(t *testing.T) {
	for i := range 100 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: newest{}, Logger: silent})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, srv.Shutdown(context.Background())) })
			heard := make(chan string, 1)
			mux := muxer.New()
			mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
				heard <- m.Body.String()
				return nil
			})
			juliet := enter(t, srv, "juliet@example.org", func(o *client.Options) { o.Handler = mux })
			romeo := enter(t, srv, "romeo@example.org", nil)
			_, err = romeo.Send(t.Context(), stanza.Message{To: juliet.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain(fmt.Sprint(i))})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), <-heard)
		})
	}
}

// How long a test waits for a server and its first client.
func BenchmarkInside(b *testing.B) {
	ctx := context.Background()
	account := jid.MustParse("juliet@example.org")
	for b.Loop() {
		srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Logger: silent, Users: newest{}})
		if err != nil {
			b.Fatal(err)
		}
		c, err := client.Dial(ctx, account, &client.Options{Server: srv, Logger: silent})
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close(ctx)
		_ = c.Wait(ctx)
		_ = srv.Shutdown(ctx)
	}
}

// newest has everybody.
type newest struct{}

func (newest) User(_ context.Context, addr jid.JID) (server.User, error) {
	return server.User{ID: addr.Localpart()}, nil
}
