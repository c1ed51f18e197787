//go:build unix

package interop

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/server/devcert"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// The account that every other server gets for its bot, and that of a user.
const (
	botAccount, botPassword   = "bot@localhost", "b0t \"pass\" & <word>"
	userAccount, userPassword = "user@localhost", "user password"
)

// startTimeout bounds the start of another server.
const startTimeout = 60 * time.Second

// need skips the test where interop is not asked for, and fails it where a
// program is missing though it is.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("XMPP_INTEROP") == "" {
		t.Skip("set XMPP_INTEROP=1 to run this against", strings.Join(programs, ", "))
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%v; .ci/run interop installs what is needed", err)
		}
	}
}

// A peer is another server, running.
type peer struct {
	startTLS, directTLS string // host:port
	caFile              string
	ca                  *devcert.Authority
}

// newPeer chooses addresses and makes certificates for a peer in dir:
// cert.pem, key.pem and ca.pem.
func newPeer(t *testing.T, dir string) *peer {
	t.Helper()
	ca, err := devcert.New("localhost")
	require.NoError(t, err)
	chain, key, err := ca.KeyPairPEM()
	require.NoError(t, err)
	p := &peer{startTLS: freeAddress(t), directTLS: freeAddress(t), ca: ca, caFile: filepath.Join(dir, "ca.pem")}
	write(t, filepath.Join(dir, "cert.pem"), chain)
	write(t, filepath.Join(dir, "key.pem"), key)
	write(t, p.caFile, ca.PEM())
	return p
}

// ready waits until the peer accepts connections.
func (p *peer) ready(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	for _, address := range []string{p.startTLS, p.directTLS} {
		for {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", address)
			if err == nil {
				c.Close()
				break
			}
			select {
			case <-ctx.Done():
				t.Fatalf("no server on %s: %v", address, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, content, 0o644))
}
