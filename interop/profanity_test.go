//go:build unix

package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A terminal is a screen and a keyboard, with a program on it.
type terminal struct{ socket string }

// startTerminal runs a program on a terminal of its own.
func startTerminal(t *testing.T, command string) *terminal {
	t.Helper()
	term := &terminal{socket: filepath.Join(t.TempDir(), "tmux")}
	term.tmux(t, "-f", os.DevNull, "new-session", "-d", "-x", "120", "-y", "50", command)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen:\n%s", strings.TrimRight(term.screen(t), "\n"))
		}
		term.tmux(t, "kill-server")
	})
	return term
}

func (term *terminal) tmux(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	require.NoError(t, err, "tmux %q: %s", args, out)
	return string(out)
}

func (term *terminal) screen(t *testing.T) string { return term.tmux(t, "capture-pane", "-p") }

// enter types a line once the screen shows what it answers to.
func (term *terminal) enter(t *testing.T, after, line string) {
	t.Helper()
	term.await(t, after)
	term.tmux(t, "send-keys", "-l", line)
	term.tmux(t, "send-keys", "Enter")
}

// await waits until the screen shows text.
func (term *terminal) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for !strings.Contains(term.screen(t), text) {
		select {
		case <-timeout:
			t.Fatalf("the screen does not show %q", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A prof is profanity on a terminal, which reaches a server.
type prof struct {
	*terminal
	host, port string
}

// startProfanity starts profanity with a home of its own, in which the authority of the server is trusted.
func startProfanity(t *testing.T, d demo) *prof {
	t.Helper()
	dir := t.TempDir()
	certs := filepath.Join(dir, "certs")
	require.NoError(t, os.Mkdir(certs, 0o755))
	pem, err := os.ReadFile(d.ca)
	require.NoError(t, err)
	write(t, filepath.Join(certs, "ca.pem"), pem)
	command(t, "openssl", "rehash", certs)
	p := new(prof)
	p.host, p.port, err = net.SplitHostPort(d.server)
	require.NoError(t, err)
	p.terminal = startTerminal(t, fmt.Sprintf("HOME=%[1]s XDG_CONFIG_HOME=%[1]s/config XDG_DATA_HOME=%[1]s/data LANG=C.UTF-8 profanity", dir))
	p.enter(t, "Type /help", "/tls certpath set "+certs)
	p.await(t, "Certificate path set")
	return p
}

// connect logs in.
func (p *prof) connect(t *testing.T, account, password string) {
	t.Helper()
	p.enter(t, "", fmt.Sprintf("/connect %s server %s port %s tls force", account, p.host, p.port))
	p.enter(t, "Enter password", password)
	p.await(t, "[TLS] [online]")
}

// TestProfanityOnDemo: profanity logs in to our server with the certificate
// verified, sees the bot in its roster and gets its echo.
func TestProfanityOnDemo(t *testing.T) {
	need(t, "profanity", "tmux", "openssl")
	d := startDemo(t)
	term := startProfanity(t, d)
	term.connect(t, d.account, d.password)
	term.enter(t, "", "/roster")
	term.await(t, "bot@localhost - both")
	term.enter(t, "", "/msg bot@localhost hello from profanity")
	term.await(t, "me: hello from profanity")
	term.await(t, "bot@localhost/") // who answers, by its full address
	require.Equal(t, 2, strings.Count(term.screen(t), ": hello from profanity"))
}
