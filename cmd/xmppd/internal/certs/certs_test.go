package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/devcert"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// at is a config with those domains, in a folder.
func at(dir string, domains ...string) *config.Config {
	c := config.Default()
	c.Data, c.Hosts = dir, nil
	for _, d := range domains {
		c.Hosts = append(c.Hosts, config.Host{Domain: jid.MustParse(d)})
	}
	return c
}

// shown does a handshake and returns the certificate that is shown, verified by the own authority.
func shown(t *testing.T, k *certs.Keeper, c *config.Config, serverName, verify string) *x509.Certificate {
	t.Helper()
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(certs.AuthorityFile(c))
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(pem))
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(theirs, k.TLS()).Handshake() }()
	client := tls.Client(ours, &tls.Config{ServerName: serverName, InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		theirs.Close()
		<-done
		return nil
	}
	require.NoError(t, <-done)
	leaf := client.ConnectionState().PeerCertificates[0]
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: verify, Roots: pool})
	require.NoError(t, err)
	return leaf
}

// Each domain is shown its own, also one that is not ASCII and one that is an address; who names none gets the first.
func TestMade(t *testing.T) {
	c := at(t.TempDir(), "localhost", "bücher.example", "127.0.0.1", "[::1]")
	set, err := certs.Load(c, time.Now())
	require.NoError(t, err)
	k := new(certs.Keeper)
	require.Nil(t, k.Shown())
	k.Show(set)
	shown(t, k, c, "localhost", "localhost")
	shown(t, k, c, "LOCALHOST.", "localhost")
	shown(t, k, c, "xn--bcher-kva.example", "xn--bcher-kva.example")
	shown(t, k, c, "", "localhost")
	require.Nil(t, shown(t, k, c, "montague.example", "montague.example"))
	require.NoError(t, set.Of(jid.MustParse("127.0.0.1")).VerifyHostname("127.0.0.1"))
	require.NoError(t, set.Of(jid.MustParse("[::1]")).VerifyHostname("::1"))
	require.Nil(t, set.Of(jid.MustParse("montague.example")))

	files, err := filepath.Glob(filepath.Join(c.Data, "certs", "*"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		if f != certs.AuthorityFile(c) {
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f)
		}
	}
}

// What was made is kept, and made anew before it is no good any more; the authority stays, so that clients go on.
func TestKept(t *testing.T) {
	c, now := at(t.TempDir(), "localhost"), time.Now()
	leaf := func(c *config.Config, now time.Time) *x509.Certificate {
		s, err := certs.Load(c, now)
		require.NoError(t, err)
		return s.Of(jid.MustParse("localhost"))
	}
	first := leaf(c, now)
	authority, err := os.ReadFile(certs.AuthorityFile(c))
	require.NoError(t, err)
	require.Equal(t, first.Raw, leaf(c, now.AddDate(0, 10, 0)).Raw)
	second := leaf(c, now.AddDate(0, 11, 10))
	require.NotEqual(t, first.Raw, second.Raw)
	again, err := os.ReadFile(certs.AuthorityFile(c))
	require.NoError(t, err)
	require.Equal(t, authority, again)
	require.NotEqual(t, second.Raw, leaf(c, now.AddDate(9, 6, 0)).Raw)
	again, err = os.ReadFile(certs.AuthorityFile(c))
	require.NoError(t, err)
	require.NotEqual(t, authority, again, "it would end before what it signs")

	require.NoError(t, os.WriteFile(certs.AuthorityFile(c), []byte("x"), 0o600))
	_, err = certs.Load(c, now)
	require.ErrorContains(t, err, certs.AuthorityFile(c)+" and "+certs.AuthorityKey(c)+": failed to find any PEM data", "a file that somebody else has written to is not replaced")
	require.ErrorContains(t, err, "or remove it, and another one is made")
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		return file
	}
	ca, err := devcert.New("localhost")
	require.NoError(t, err)
	chain, key, err := ca.KeyPairPEM()
	require.NoError(t, err)
	other, err := devcert.New("localhost")
	require.NoError(t, err)
	_, otherKey, err := other.KeyPairPEM()
	require.NoError(t, err)
	cert := write("cert.pem", chain)

	c := at(dir, "localhost")
	c.Hosts[0].Cert, c.Hosts[0].Key = cert, write("key.pem", key)
	s, err := certs.Load(c, time.Now())
	require.NoError(t, err)
	require.Contains(t, s.Of(jid.MustParse("localhost")).DNSNames, "localhost")
	require.NoFileExists(t, certs.AuthorityFile(c), "nothing is made that is not needed")

	for name, tt := range map[string]struct{ cert, key, at string }{
		"none of both":  {filepath.Join(dir, "none"), filepath.Join(dir, "none"), "host[0].cert"},
		"no cert":       {filepath.Join(dir, "none"), c.Hosts[0].Key, "host[0].cert"},
		"no key":        {cert, filepath.Join(dir, "none"), "host[0].key"},
		"another key":   {cert, write("other.pem", otherKey), "host[0].cert"},
		"not PEM":       {write("x.pem", []byte("x")), c.Hosts[0].Key, "host[0].cert"},
		"a key for one": {c.Hosts[0].Key, c.Hosts[0].Key, "host[0].cert"},
	} {
		bad := at(dir, "localhost")
		bad.Hosts[0].Cert, bad.Hosts[0].Key = tt.cert, tt.key
		_, err := certs.Load(bad, time.Now())
		e, ok := errors.AsType[*config.Error](err)
		require.True(t, ok, "%s: %v", name, err)
		require.Equal(t, tt.at, e.Key, name)
		require.NotEmpty(t, e.Remedy, name)
	}
}

func TestWith(t *testing.T) {
	a, err := certs.Load(at(t.TempDir(), "localhost", "capulet.example"), time.Now())
	require.NoError(t, err)
	b, err := certs.Load(at(t.TempDir(), "capulet.example", "montague.example"), time.Now())
	require.NoError(t, err)
	both := a.With(b)
	for _, d := range []string{"localhost", "capulet.example", "montague.example"} {
		require.NotNil(t, both.Of(jid.MustParse(d)))
	}
	require.Equal(t, a.Of(jid.MustParse("capulet.example")), both.Of(jid.MustParse("capulet.example")))
	require.Equal(t, a, a.With(nil))
}
