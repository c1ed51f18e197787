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
	"github.com/parlance-xmpp/xmpp/jid"
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

// A change that fails half way leaves everything as it was: hosts, certificates, limits and who administers.
func TestChangeThatFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "xmppd.toml")
	load := func(text string) *config.Config {
		require.NoError(t, os.WriteFile(file, []byte("storage = 'memory'\n"+text), 0o600))
		c, err := config.Load(file)
		require.NoError(t, err)
		return c
	}
	const localhost = "[[host]]\ndomain = 'localhost'\n"
	before := load("limits.stanza_bytes = 20000\n" + localhost + "admins = ['juliet@localhost']\n")
	h, err := house.Open(t.Context(), before, house.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Serving: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close(context.Background())) }()
	limits, domains, shown := h.Server.Limits(), h.Server.Domains(), h.Certificates()
	for name, tt := range map[string]struct {
		spoil func(*config.Config)
		want  string
	}{
		"a certificate that is not there": {func(c *config.Config) { c.Hosts[2].Cert, c.Hosts[2].Key = "none", "none" }, file + ":7: host[2].cert: open none"},
		"limits that make no sense":       {func(c *config.Config) { c.Limits.SessionsPerAccount = -1 }, "limits: "},
		"a host that is none":             {func(c *config.Config) { c.Hosts[2].Domain = jid.MustParse("romeo@montague.example") }, file + ":8: host[2].domain: "},
	} {
		next := load("limits.stanza_bytes = 30000\n[[host]]\ndomain = 'capulet.example'\n" + localhost + "[[host]]\ndomain = 'montague.example'\n")
		tt.spoil(next)
		require.ErrorContains(t, h.Change(t.Context(), next), tt.want, name)
		require.Equal(t, limits, h.Server.Limits(), name)
		require.Equal(t, domains, h.Server.Domains(), name)
		require.Same(t, shown, h.Certificates(), name)
		require.Same(t, before, h.Config(), name)
		require.Equal(t, []jid.JID{jid.MustParse("juliet@localhost")}, h.Admins(domains[0]), name)
	}
	next := load(localhost + "[[host]]\ndomain = 'montague.example'\n")
	require.NoError(t, h.Change(t.Context(), next), "nothing is left of those that failed")
	require.Len(t, h.Server.Domains(), 2)
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
