package house_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/house"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// Who asks for a name that nobody has before and after a restart is told the same, as of one that somebody has.
func TestSec_UserEnumerationAcrossARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "xmppd.toml")
	require.NoError(t, os.WriteFile(file, []byte("storage = 'memory'\n[[host]]\ndomain = 'localhost'\n"), 0o600))
	c, err := config.Load(file)
	require.NoError(t, err)
	var salts []string
	for range 2 {
		h, err := house.Open(t.Context(), c, house.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Serving: true})
		require.NoError(t, err)
		salts = append(salts, salt(t, h, c, "nobody"))
		require.NoError(t, h.Close(context.Background()))
	}
	require.NotEmpty(t, salts[0])
	require.Equal(t, salts[0], salts[1])
}

// salt is what somebody is told who begins to log in.
func salt(t *testing.T, h *house.House, c *config.Config, name string) string {
	t.Helper()
	near, far := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = h.Server.ServeConn(context.Background(), far)
	}()
	authority, err := os.ReadFile(c.Path("certs/authority.pem"))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(authority))
	defer func() {
		near.Close()
		<-served
	}()
	nc, r := near, bufio.NewReader(near)
	say := func(text, until string) string {
		_, err := io.WriteString(nc, text)
		require.NoError(t, err)
		var got strings.Builder
		for !strings.Contains(got.String(), until) {
			b, err := r.ReadByte()
			require.NoError(t, err, "%s", got.String())
			got.WriteByte(b)
		}
		return got.String()
	}
	const header = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	say(header, "</stream:features>")
	say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "/>")
	nc = tls.Client(near, &tls.Config{ServerName: "localhost", RootCAs: roots})
	r.Reset(nc)
	say(header, "</stream:features>")
	first := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "n,,n=%s,r=nonce", name))
	got := say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>"+first+"</auth>", "</challenge>")
	_, got, _ = strings.Cut(strings.TrimSuffix(got, "</challenge>"), ">")
	challenge, err := base64.StdEncoding.DecodeString(got)
	require.NoError(t, err)
	for part := range strings.SplitSeq(string(challenge), ",") {
		if s, ok := strings.CutPrefix(part, "s="); ok {
			return s
		}
	}
	return ""
}
