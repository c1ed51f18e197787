//go:build linux

package main

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xep/admin"
	"github.com/parlance-xmpp/xmpp/xep/register"
)

// cheap lets clients log in by what takes the least time.
var cheap = &sasl.Policy{Mechanisms: []string{"SCRAM-SHA-1-PLUS"}}

// people imports n accounts of a domain, user0 and so on, with the password s3cret and little work at each login.
func (h *home) people(domain string, n int) {
	h.t.Helper()
	s, err := sasl.NewSecrets(sasl.SHA1, "s3cret", sasl.MinIterations)
	require.NoError(h.t, err)
	b64 := base64.StdEncoding.EncodeToString
	var b strings.Builder
	fmt.Fprintf(&b, "<server-data xmlns='urn:xmpp:pie:0'><host jid='%s'>", domain)
	for i := range n {
		fmt.Fprintf(&b, "<user name='user%d'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><iter-count>%d</iter-count>"+
			"<salt>%s</salt><server-key>%s</server-key><stored-key>%s</stored-key></scram-credentials></user>", i, s.Iterations, b64(s.Salt), b64(s.ServerKey), b64(s.StoredKey))
	}
	b.WriteString("</host></server-data>")
	require.Contains(h.t, h.must(b.String(), "import", "-"), fmt.Sprintf("credentials: %d new", n))
}

// certificate writes another certificate for a domain, and returns what to trust for it.
func (h *home) certificate(domain string) (trust string) {
	h.t.Helper()
	ca, err := devcert.New(domain)
	require.NoError(h.t, err)
	chain, key, err := ca.KeyPairPEM()
	require.NoError(h.t, err)
	for name, data := range map[string][]byte{"cert.pem": chain, "key.pem": key, "ca.pem": ca.PEM()} {
		require.NoError(h.t, os.WriteFile(filepath.Join(h.dir, name), data, 0o600))
	}
	return filepath.Join(h.dir, "ca.pem")
}

// crowd logs in each of so many accounts so often, by several at a time.
func crowd(t *testing.T, domain string, accounts, each int, opts client.Options) []*client.Client {
	t.Helper()
	all := make([]*client.Client, accounts*each)
	var dialing sync.WaitGroup
	for worker := range 8 {
		dialing.Go(func() {
			for i := worker; i < len(all); i += 8 {
				c, err := client.Dial(t.Context(), jid.MustParse(fmt.Sprintf("user%d@%s", i%accounts, domain)), &opts)
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				all[i] = c
			}
		})
	}
	t.Cleanup(func() {
		for _, c := range all {
			if c != nil {
				(&friend{Client: c}).leave()
			}
		}
	})
	dialing.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// alive fails if one of them lost its stream, and asks each something over it.
func alive(t *testing.T, all []*client.Client) {
	t.Helper()
	for i, c := range all {
		if _, err := roster.Get(t.Context(), c); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
}

// Everything changes that can, and none of a thousand sessions loses its stream.
func TestReload(t *testing.T) {
	const accounts, each = 50, 20
	h := newHome(t, hosts("capulet.example"))
	trust := h.certificate("capulet.example")
	const capulet = "[[host]]\ndomain = 'capulet.example'\ncert = 'cert.pem'\nkey = 'key.pem'\n"
	h.write("[limits]\nsessions_per_account = 20\n" + capulet + "admins = ['user0@capulet.example']\n")
	h.people("capulet.example", accounts)
	s := h.serve()
	opts := h.options("s3cret")
	opts.TLS, opts.Policy = h.trust(trust), cheap
	all := crowd(t, "capulet.example", accounts, each, *opts)
	before := h.status()
	require.Equal(t, accounts*each, before.Stats.Sessions)
	require.Equal(t, []jid.JID{jid.MustParse("user0@capulet.example")}, before.Hosts[0].Admins)
	registered, err := admin.Count(t.Context(), all[0], jid.MustParse("capulet.example"), admin.Registered)
	require.NoError(t, err)
	require.Equal(t, accounts, registered)

	trust = h.certificate("capulet.example")
	h.write("drain = '5s'\nlog_level = 'debug'\n[limits]\nsessions_per_account = 3\nstanza_bytes = 20000\nrate_bytes_per_second = 1000000\n" +
		capulet + "registration = 'open'\n" + hosts("montague.example"))
	s.reload(inForce)
	alive(t, all)
	after := h.status()
	require.NotEqual(t, before.Hosts[0].Certificate, after.Hosts[0].Certificate)
	require.Empty(t, after.Hosts[0].Admins)
	_, err = admin.Count(t.Context(), all[0], jid.MustParse("capulet.example"), admin.Registered)
	require.ErrorIs(t, err, stanza.Forbidden)
	require.Equal(t, "open", after.Hosts[0].Registration)
	require.Equal(t, 3, after.Limits.SessionsPerAccount)
	require.Equal(t, 20000, after.Limits.StanzaBytes)
	require.Equal(t, 1000000, after.Limits.RateBytesPerSecond)
	shown(t, h, "capulet.example", h.trust(trust))
	shown(t, h, "montague.example", h.trust(trust))

	opts.TLS = h.trust(trust)
	_, err = client.Dial(t.Context(), jid.MustParse("user0@capulet.example"), opts)
	require.Error(t, err, "more than three are too many now")
	reg := *opts
	reg.Policy, reg.Password, reg.BeforeLogin = nil, "b4lc0ny0f", register.NewAccount(jid.MustParse("juliet@capulet.example"), "b4lc0ny0f", nil)
	juliet := join(t, "juliet@capulet.example", reg)
	h.must("s3cret", "user", "add", "romeo@montague.example")
	reg.Password, reg.BeforeLogin = "s3cret", nil
	romeo := join(t, "romeo@montague.example", reg)
	romeo.says("juliet@capulet.example", "good night, good night")
	juliet.hears("good night, good night")

	for text, want := range map[string]string{
		"[limits]\nsessions_per_account = 9\n[[host]]\ndomain = 'capulet.example'\nregistraton = 'closed'\n":           `line=9 key=host.registraton err="there is no such key" remedy="did you mean host.registration?"`,
		"[limits]\nsessions_per_account = 9\n[[host]]\ndomain = 'capulet.example'\ncert = 'no.pem'\nkey = 'key.pem'\n": "line=9 key=host[0].cert",
		"[limits\n": "line=5 key=\"\"",
	} {
		h.write(text)
		s.reload(want)
		r := h.run("", "reload")
		require.Equal(t, 3, r.code, r.err)
		require.Contains(t, r.err, "xmppd.toml:")
		again := h.status()
		again.Stats, after.Stats = before.Stats, before.Stats
		require.Equal(t, after, again, "nothing changes")
	}

	h.write("storage = 'memory'\n" + capulet + "registration = 'invite'\n")
	s.reload(`msg="this needs a restart to change: storage"`)
	s.says(inForce, 2)
	<-romeo.Done()
	require.ErrorIs(t, romeo.Err(), stream.HostGone)
	require.Equal(t, 2, h.run("", "user", "list", "montague.example").code)
	alive(t, all)
	alive(t, []*client.Client{juliet.Client})
	require.Equal(t, "sqlite", h.status().Storage)

	h.write(capulet + hosts("montague.example")) // and back
	h.must("", "reload")
	join(t, "romeo@montague.example", reg)
	alive(t, all)
	require.EqualValues(t, accounts*each+3, h.status().Stats.Opened)
	s.stop()
}

// shown checks which certificate is shown for a domain.
func shown(t *testing.T, h *home, domain string, trust *tls.Config) {
	t.Helper()
	trust.ServerName, trust.NextProtos = domain, []string{"xmpp-client"}
	c, err := tls.Dial("tcp", h.status().Listening.C2STLS[0], trust)
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
