//go:build unix

package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/xep/invite"
)

// usualPassword is that of every account which [startUsual] makes.
const usualPassword = "O, swear not by the moon"

// A usualServer is xmppd, from an empty folder.
type usualServer struct {
	t           *testing.T
	program     string
	file        string
	address, ca string // host:port, and a file
}

// startUsual starts xmppd with some accounts; registration says who may make another, as in its file. It ends with the test.
func startUsual(t *testing.T, registration string, localparts ...string) *usualServer {
	t.Helper()
	dir := t.TempDir()
	u := &usualServer{
		t: t, program: filepath.Join(dir, "xmppd"), file: filepath.Join(dir, "xmppd.toml"),
		address: freeAddress(t), ca: filepath.Join(dir, "data", "certs", "authority.pem"),
	}
	command(t, "go", "build", "-o", u.program, "../cmd/xmppd")
	write(t, u.file, fmt.Appendf(nil, `
[listen]
c2s = [%q]
c2s_tls = []

[contact]
abuse = ["mailto:abuse@example.org"]

[[host]]
domain = "localhost"
registration = %q
admins = ["bard@localhost"]
`, u.address, registration))
	for _, l := range localparts {
		u.xmppd(usualPassword+"\n", "user", "add", l+"@localhost")
	}
	start(t, u.program, "-config", u.file, "serve").await(t, "msg=serving")
	return u
}

// xmppd runs a command, and returns what it prints.
func (u *usualServer) xmppd(stdin string, args ...string) string {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, u.program, append([]string{"-config", u.file}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(u.t, err, "xmppd %q: %s", args, out)
	return string(out)
}

// invite has the server make an invite for one account.
func (u *usualServer) invite() string {
	u.t.Helper()
	link, err := invite.ParseURI(strings.Fields(u.xmppd("", "invite", "new", "localhost"))[0])
	require.NoError(u.t, err)
	return link.Token
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
