//go:build unix

package interop

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/xep/admin"
)

// TestSlixmppAdmin: slixmpp's plugins for ad-hoc commands and service administration list and run the commands of our
// server, and a user who is no admin is forbidden.
func TestSlixmppAdmin(t *testing.T) {
	const python, bardPassword = "/usr/bin/python3", "to be or not to be"
	need(t, python)
	bard := jid.MustParse("bard@localhost")
	ca, err := devcert.New("localhost")
	require.NoError(t, err)
	srv, err := server.New(&server.Options{
		Domains: []string{"localhost"}, TLS: ca.ServerConfig(), Modules: usual.Modules(&usual.Options{Admins: admin.NewList(bard)}),
	})
	require.NoError(t, err)
	require.NoError(t, srv.CreateAccount(t.Context(), bard, bardPassword))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		<-served
	})
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	write(t, caFile, ca.PEM())

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/admin.py", "localhost", ln.Addr().String(), caFile, bardPassword, "R0m30").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "ALL WELL")
	t.Logf("%s", out)
}
