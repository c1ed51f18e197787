//go:build unix

package interop

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xep/version"
)

// usualPassword is that of every account which [startUsual] makes.
const usualPassword = "O, swear not by the moon"

// A usualServer is a server of ours in this process, with the modules of package usual.
type usualServer struct {
	srv         *server.Server
	invites     *invite.Service
	address, ca string // host:port, and a file
}

// startUsual starts a server in which some localparts have an account; mode says who may make another. It ends with the test.
func startUsual(t *testing.T, mode register.Mode, localparts ...string) *usualServer {
	t.Helper()
	ca, err := devcert.New("localhost")
	require.NoError(t, err)
	u := &usualServer{invites: invite.New(nil), ca: filepath.Join(t.TempDir(), "ca.pem")}
	write(t, u.ca, ca.PEM())
	u.srv, err = server.New(&server.Options{
		Domains: []string{"localhost"},
		TLS:     ca.ServerConfig(),
		Modules: usual.Modules(&usual.Options{
			Software:     version.Info{Name: "Parlance", Version: "interop"},
			Contacts:     contactaddr.Addresses{Abuse: []string{"mailto:abuse@example.org"}},
			Registration: register.ServerOptions{Mode: mode},
			Invites:      u.invites,
			Admins:       admin.Fixed(jid.MustParse("bard@localhost")),
		}),
	})
	require.NoError(t, err)
	for _, l := range localparts {
		require.NoError(t, u.srv.CreateAccount(t.Context(), jid.MustParse(l+"@localhost"), usualPassword))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u.address = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- u.srv.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, u.srv.Shutdown(ctx))
		require.NoError(t, <-served)
	})
	return u
}

// invite makes an invite for one account.
func (u *usualServer) invite(t *testing.T, inviter string) string {
	t.Helper()
	made, err := u.invites.Create(t.Context(), invite.Request{Inviter: jid.MustParse(inviter), Account: jid.MustParse("localhost")})
	require.NoError(t, err)
	return made.URI.Token
}

// demo is the server as the other tests know the one of the example.
func (u *usualServer) demo() demo { return demo{server: u.address, ca: u.ca, password: usualPassword} }

// found are the lines in which a client says what it has found.
var found = regexp.MustCompile(`(?m)^(?:ok|FAILED) .*$`)

// requireFound wants a client to have found that all works, in that order, and nothing else.
func requireFound(t *testing.T, out string, want ...string) {
	t.Helper()
	for i, w := range want {
		want[i] = "ok " + w
	}
	require.Equal(t, strings.Join(want, "\n"), strings.Join(found.FindAllString(out, -1), "\n"))
}

// needNode skips or fails the test where node or the client for it is missing.
func needNode(t *testing.T) {
	t.Helper()
	need(t, "node")
	if _, err := os.Stat("testdata/xmppjs/node_modules"); err != nil {
		t.Fatalf("%v; .ci/run interop installs what is needed", err)
	}
}
