//go:build unix

package interop

import (
	"context"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A demo is the echo bot's own server, as it says it can be reached.
type demo struct{ account, password, server, ca string }

var demoFacts = regexp.MustCompile(`(?s)account +(\S+)\n +password +(\S+)\n +server +(\S+) .*?trust +(\S+)\n`)

// startDemo runs the example without flags.
func startDemo(t *testing.T) demo {
	t.Helper()
	out := start(t, echobot(t)).await(t, "Interrupt to stop")
	m := demoFacts.FindStringSubmatch(out)
	require.NotNil(t, m, "the demo does not say how to reach it:\n%s", out)
	return demo{m[1], m[2], m[3], m[4]}
}

// TestSlixmppOnDemo: slixmpp, as Debian has it and a newer one, logs in to our server with the certificate
// verified, sees the bot in its roster and online, and gets its echo.
func TestSlixmppOnDemo(t *testing.T) {
	for name, python := range map[string]string{"packaged": "/usr/bin/python3", "newest": "testdata/venv/bin/python"} {
		t.Run(name, func(t *testing.T) {
			need(t, python)
			d := startDemo(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, python, append([]string{"testdata/slixmpp_echo.py", d.account, d.password, d.server, d.ca}, texts...)...)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			t.Logf("%s", out)
		})
	}
}
