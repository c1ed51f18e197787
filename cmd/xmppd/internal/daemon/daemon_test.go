package daemon_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/daemon"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// load makes a config of a file in a folder of its own.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "xmppd.toml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	c, err := config.Load(name)
	require.NoError(t, err)
	return c
}

// run runs until ctx is done, and returns what was logged. When clients can come, it calls do.
func run(ctx context.Context, c *config.Config, do func(control.Listening)) (log string, err error) {
	var b bytes.Buffer // which one at a time writes to
	level := new(slog.LevelVar)
	o := daemon.Options{
		Version: "test", Log: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level})), Level: level,
		Started: func(_ *config.Config, l control.Listening) { do(l) },
	}
	err = daemon.Run(ctx, c, o)
	return b.String(), err
}

// free returns an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

// Whichever step of a start fails, nothing is kept of those before it: not the folder, not an address, not a socket.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, tt := range map[string]struct {
		file  string // behind the addresses
		spoil func(*testing.T, *config.Config)
		want  string
	}{
		"no certificate":   {"cert = 'none'\nkey = 'none'\n", func(*testing.T, *config.Config) {}, "host[0].cert: open "},
		"no database":      {"", func(t *testing.T, c *config.Config) { require.NoError(t, os.MkdirAll(store.DatabaseFile(c), 0o700)) }, "storage: "},
		"no secret":        {"", func(t *testing.T, c *config.Config) { require.NoError(t, os.MkdirAll(c.Path("secret"), 0o700)) }, "secret: is a directory"},
		"the last address": {"", func(_ *testing.T, c *config.Config) { c.Listen.Metrics[0] = taken.Addr().String() }, "listen.metrics[0]: listen tcp"},
		"no socket": {"", func(t *testing.T, c *config.Config) {
			require.NoError(t, os.MkdirAll(filepath.Join(control.Socket(c), "in the way"), 0o700))
		}, "the socket for commands: rename"},
	} {
		t.Run(name, func(t *testing.T) {
			addresses := []string{free(t), free(t), free(t)}
			c := load(t, "[listen]\nc2s = ['"+addresses[0]+"']\nc2s_tls = ['"+addresses[1]+"']\nmetrics = ['"+addresses[2]+"']\n[[host]]\ndomain = 'localhost'\n"+tt.file)
			tt.spoil(t, c)
			_, err := run(t.Context(), c, func(control.Listening) { t.Error("it serves") })
			require.ErrorContains(t, err, tt.want)
			lock, err := store.Take(c)
			require.NoError(t, err)
			require.NoError(t, lock.Release())
			for _, a := range addresses {
				ln, err := net.Listen("tcp", a)
				require.NoError(t, err)
				require.NoError(t, ln.Close())
			}
			left, err := filepath.Glob(c.Path(".s*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

// certificate writes one that ends at a time.
func certificate(t *testing.T, c *config.Config, domain string, begins, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begins, NotAfter: ends, DNSNames: []string{domain}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(c.Hosts[0].Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(c.Hosts[0].Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// A certificate that clients will not accept, now or soon, is shown, and the log says so: at the start and after each reload.
func TestDoubts(t *testing.T) {
	c := load(t, "storage = 'memory'\n[listen]\nc2s = []\nc2s_tls = []\n[[host]]\ndomain = 'capulet.example'\ncert = 'cert.pem'\nkey = 'key.pem'\n")
	const day = 24 * time.Hour
	now := time.Now()
	for _, tt := range []struct {
		domain       string
		begins, ends time.Duration
		want         string // empty for nothing
	}{
		{"capulet.example", -day, 90 * day, ""},
		{"*.example", -day, 90 * day, ""},
		{"capulet.example", -day, 6 * day, "level=WARN msg=\"the certificate ends soon; renew it and reload\" host=capulet.example file="},
		{"capulet.example", -2 * day, -day, "level=ERROR msg=\"the certificate has ended"},
		{"capulet.example", day, 2 * day, "level=ERROR msg=\"the certificate has not begun"},
		{"xmpp.capulet.example", -day, 90 * day, "level=ERROR msg=\"the certificate is for other names"},
	} {
		certificate(t, c, tt.domain, now.Add(tt.begins), now.Add(tt.ends))
		ctx, stop := context.WithCancel(t.Context())
		log, err := run(ctx, c, func(control.Listening) {
			client, err := control.Dial(ctx, c)
			require.NoError(t, err)
			defer client.Close()
			_, err = client.Reload(ctx)
			require.NoError(t, err)
			stop()
		})
		require.NoError(t, err)
		if tt.want == "" {
			require.NotContains(t, log, "the certificate ")
		} else {
			require.Equal(t, 2, strings.Count(log, tt.want), log)
		}
	}
}
