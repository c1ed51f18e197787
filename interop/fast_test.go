//go:build unix

package interop

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// on runs a program that is a client of the demo, and returns what it says.
func (d demo) on(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	return string(out)
}

// TestXMPPjsOnDemo: @xmpp/client logs in to our server by SASL2 with Bind 2 and stream
// management, then with the token that it got (FAST), and resumes its session when the connection is
// cut.
func TestXMPPjsOnDemo(t *testing.T) {
	needNode(t)
	d := startDemo(t)
	out := d.on(t, "testdata/xmppjs", []string{"NODE_EXTRA_CA_CERTS=" + d.ca},
		"node", "login.mjs", "xmpp://"+d.server, "localhost", "you", d.password)
	require.Contains(t, out, "mechanism SCRAM-SHA-1\n")
	require.Contains(t, out, "mechanism HT-SHA-256-NONE\n")
	require.Contains(t, out, "resumed you@localhost/xmppjs/")
	require.Contains(t, out, "ALL WELL")
}

// TestMelliumOnDemo: another implementation of SCRAM-SHA-256-PLUS, over TLS 1.3 and so bound by
// tls-exporter, logs in to our server.
func TestMelliumOnDemo(t *testing.T) {
	need(t, "go")
	d := startDemo(t)
	out := d.on(t, "testdata/mellium", []string{"GOWORK=off"}, "go", "run", ".", d.account, d.password, d.server, d.ca)
	require.Contains(t, out, "by SCRAM-SHA-256-PLUS")
}
