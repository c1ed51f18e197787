//go:build unix

package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// prosodyConfig takes: folder, STARTTLS port, direct TLS port, settings that replace those before.
const prosodyConfig = `
run_as_root = true
pidfile = "%[1]s/prosody.pid"
data_path = "%[1]s/data"
log = { warn = "*console" }
interfaces = { "127.0.0.1" }
c2s_ports = { %[2]s }
c2s_direct_tls_ports = { %[3]s }
s2s_ports = {}
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "smacks" }
modules_disabled = { "s2s", "http" }
allow_registration = false
c2s_require_encryption = true
authentication = "internal_hashed"
password_hash = "SHA-256"
ssl = { certificate = "%[1]s/cert.pem", key = "%[1]s/key.pem" }
c2s_direct_tls_ssl = { certificate = "%[1]s/cert.pem", key = "%[1]s/key.pem" }
%[4]s
VirtualHost "localhost"
`

// startProsody starts Prosody with the two accounts, and with settings that replace the usual ones.
func startProsody(t *testing.T, settings ...string) *peer {
	t.Helper()
	need(t, "prosody", "prosodyctl")
	dir := t.TempDir()
	p := newPeer(t, dir)
	config := filepath.Join(dir, "prosody.cfg.lua")
	write(t, config, fmt.Appendf(nil, prosodyConfig, dir, port(p.startTLS), port(p.directTLS), strings.Join(settings, "\n")))
	for account, password := range map[string]string{botAccount: botPassword, userAccount: userPassword} {
		user, host, _ := strings.Cut(account, "@")
		command(t, "prosodyctl", "--config", config, "register", user, host, password)
	}
	start(t, "prosody", "--config", config, "-F")
	p.ready(t)
	return p
}

func TestEchobotOnProsody(t *testing.T) { testEchobot(t, startProsody(t)) }
