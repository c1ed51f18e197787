//go:build unix

package interop

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
)

// A client that renegotiates TLS, which crypto/tls cannot be made to do, is cut off (RFC 6120 §5.3.5).
func TestC5_3_5_Renegotiation(t *testing.T) {
	need(t, "openssl")
	ca, err := devcert.New("localhost")
	require.NoError(t, err)
	srv, err := server.New(&server.Options{Domains: []string{"localhost"}, TLS: ca.ServerConfig()})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	ended := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			err = srv.ServeConn(context.Background(), tls.Server(nc, ca.ServerConfig()))
		}
		ended <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", "s_client", "-connect", ln.Addr().String(), "-servername", "localhost", "-tls1_2")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	_, err = in.Write([]byte("R\n")) // which s_client takes as its command
	require.NoError(t, err)
	end := <-ended // while the client would go on
	require.Error(t, end)
	require.False(t, errors.Is(end, context.DeadlineExceeded), "%v", end)
	_ = cmd.Wait()
	require.Contains(t, out.String(), "RENEGOTIATING")
	require.NoError(t, srv.Shutdown(ctx))
	t.Log(end)
}
