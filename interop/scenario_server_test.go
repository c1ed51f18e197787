//go:build unix

package interop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/server/usual"
)

// The servers, as the table of deviations names them.
const (
	ours     = "ours"
	prosody  = "Prosody"
	ejabberd = "ejabberd"
)

// host is the domain of every server.
const host = "localhost"

// passwordOf is the password of an account that a scenario has made.
func passwordOf(user string) string { return "the secret of " + user }

// What the servers need beyond their usual configuration: offline messages, which RFC 6121 asks for, and a way to make
// accounts that costs no new process each.
const (
	prosodyForScenarios = `
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "offline", "register_ibr" }
allow_registration = true
`
	ejabberdForScenarios = `
  mod_offline: {}
  mod_register:
    ip_access: all
    password_strength: 0
`
)

// A subject is a server that scenarios are played on.
type subject struct {
	*peer
	name     string
	register func(t testing.TB, s *subject, user string) // makes an account
}

// startOurs serves a domain from this process, over TCP and TLS as the others do.
func startOurs(t *testing.T, withUsual bool) *subject {
	t.Helper()
	ca, err := devcert.New(host)
	require.NoError(t, err)
	opts := &server.Options{
		Domains:    []string{host},
		TLS:        ca.ServerConfig(),
		Iterations: sasl.MinIterations,
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if withUsual {
		opts.Modules = usual.Modules(nil)
	}
	srv, err := server.New(opts)
	require.NoError(t, err)
	var serving sync.WaitGroup
	listen := func(serve func(context.Context, net.Listener) error) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		serving.Go(func() { _ = serve(context.Background(), ln) })
		return ln.Addr().String()
	}
	p := &peer{ca: ca, startTLS: listen(srv.Serve), directTLS: listen(srv.ServeTLS)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		serving.Wait()
	})
	return &subject{name: ours, peer: p, register: func(t testing.TB, _ *subject, user string) {
		require.NoError(t, srv.CreateAccount(t.Context(), jid.MustParse(user+"@"+host), passwordOf(user)))
	}}
}

// registerInBand makes an account as a client may (XEP-0077).
func registerInBand(t testing.TB, s *subject, user string) {
	t.Helper()
	c := dialWire(t, s, "registration", new(transcript))
	defer c.nc.Close()
	c.open()
	c.send(fmt.Sprintf("<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>%s</username><password>%s</password></query></iq>", user, passwordOf(user)))
	e, err := c.next()
	require.NoError(t, err)
	require.Equal(t, "result", e.Attr("type"), "registration of %s: %s", user, e)
}
