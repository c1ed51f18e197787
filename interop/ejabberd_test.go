//go:build unix

package interop

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ejabberdConfig takes: folder, STARTTLS port, direct TLS port, more modules.
const ejabberdConfig = `
loglevel: warning
hosts:
  - localhost
certfiles:
  - "%[1]s/cert.pem"
  - "%[1]s/key.pem"
auth_method: internal
auth_password_format: scram
auth_scram_hash: sha256
listen:
  - port: %[2]s
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: true
    starttls_required: true
  - port: %[3]s
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
registration_timeout: infinity
modules:
  mod_roster:
    versioning: true
  mod_disco: {}
  mod_ping: {}
  mod_stream_mgmt: {}
%[4]s`

// startEjabberd starts ejabberd with the two accounts and with more modules than the usual ones. The package runs it as
// a system user of its own, who must own its files.
func startEjabberd(t *testing.T, modules ...string) *peer {
	t.Helper()
	need(t, "ejabberdctl", "erl")
	dir, err := os.MkdirTemp("", "ejabberd") // not t.TempDir: its parents are closed to other users
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := newPeer(t, dir)
	config := filepath.Join(dir, "ejabberd.yml")
	write(t, config, fmt.Appendf(nil, ejabberdConfig, dir, port(p.startTLS), port(p.directTLS), strings.Join(modules, "")))
	control := filepath.Join(dir, "ejabberdctl.cfg")
	write(t, control, []byte("INET_DIST_INTERFACE=127.0.0.1\nERL_EPMD_ADDRESS=127.0.0.1\n"))
	for _, sub := range []string{"spool", "log"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	giveTo(t, "ejabberd", dir)

	// A port mapper for this node alone; ejabberdctl stops it with the node.
	t.Setenv("ERL_EPMD_PORT", port(freeAddress(t)))
	node := "parlance" + port(p.startTLS) + "@localhost"
	ctl := []string{"--node", node, "--config", config, "--ctl-config", control,
		"--spool", filepath.Join(dir, "spool"), "--logs", filepath.Join(dir, "log")}
	start(t, "ejabberdctl", append(ctl, "foreground")...)
	t.Cleanup(func() {
		command(t, "ejabberdctl", append(ctl, "stop")...)
		command(t, "ejabberdctl", append(ctl, "stopped")...) // waits for it
	})
	p.ready(t)
	for account, password := range map[string]string{botAccount: botPassword, userAccount: userPassword} {
		user, host, _ := strings.Cut(account, "@")
		command(t, "ejabberdctl", append(ctl, "register", user, host, password)...)
	}
	return p
}

// giveTo makes a user own a folder and everything in it.
func giveTo(t *testing.T, name, dir string) {
	t.Helper()
	u, err := user.Lookup(name)
	require.NoError(t, err)
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	}))
}

func TestEchobotOnEjabberd(t *testing.T) { testEchobot(t, startEjabberd(t)) }
