package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
)

const whole = `
data = "./kept"
storage = "postgres://xmpp:s3cret@db.example.org/xmpp"
drain = "5s"
log = "json"
log_level = "debug"
mechanisms = ["SCRAM-SHA-1", "PLAIN"]

[listen]
c2s = ["127.0.0.1:5222", "[::1]:5222"]
c2s_tls = []
metrics = ["127.0.0.1:9090"]

[contact]
abuse = ["mailto:abuse@capulet.example", "xmpp:nurse@capulet.example"]
support = ["https://capulet.example/help"]

[[host]]
domain = "Capulet.example"
cert = "tls/capulet.pem"
key = "/etc/tls/capulet.key"
registration = "invite"
admins = ["Juliet@capulet.example"]

[[host]]
domain = "montague.example"

[limits]
stanza_bytes = 20000
sessions_per_account = 0
rate_bytes_per_second = 4096
`

func TestWhole(t *testing.T) {
	c, err := parse("/etc/xmppd/xmppd.toml", []byte(whole))
	require.NoError(t, err)
	require.Equal(t, "/etc/xmppd/kept", c.Data)
	require.Equal(t, Storage{Postgres, "postgres://xmpp:s3cret@db.example.org/xmpp"}, c.Storage)
	require.NotContains(t, c.Storage.String(), "s3cret")
	require.Equal(t, Listen{C2S: []string{"127.0.0.1:5222", "[::1]:5222"}, C2STLS: []string{}, Metrics: []string{"127.0.0.1:9090"}}, c.Listen)
	require.Equal(t, contactaddr.Addresses{
		Abuse: []string{"mailto:abuse@capulet.example", "xmpp:nurse@capulet.example"}, Support: []string{"https://capulet.example/help"},
	}, c.Contact)
	require.Equal(t, []Host{
		{
			Domain: jid.MustParse("capulet.example"), Cert: "/etc/xmppd/tls/capulet.pem", Key: "/etc/tls/capulet.key",
			Registration: Invite, Admins: []jid.JID{jid.MustParse("juliet@capulet.example")},
		},
		{Domain: jid.MustParse("montague.example"), Registration: Closed},
	}, c.Hosts)
	require.Equal(t, Limits{StanzaBytes: 20000, SessionsPerAccount: 20, RateBytesPerSecond: 4096}, c.Limits)
	require.Equal(t, 5*time.Second, c.Drain)
	require.Equal(t, "json", c.Log)
	require.Equal(t, []string{"SCRAM-SHA-1", "PLAIN"}, c.Mechanisms)
	require.Equal(t, slog.LevelDebug, c.LogLevel)
	require.Equal(t, &c.Hosts[1], c.Host(jid.MustParse("montague.example")))
	require.Nil(t, c.Host(jid.MustParse("verona.example")))
}

// A file that says next to nothing means the defaults, beside the file.
func TestDefaults(t *testing.T) {
	c, err := parse("/srv/x.toml", []byte("[[host]]\ndomain = 'localhost'\n"))
	require.NoError(t, err)
	d := Default()
	require.Equal(t, "/srv/data", c.Data)
	require.Equal(t, "data", d.Data)
	c.Data, c.File, c.lines = d.Data, d.File, d.lines
	require.Equal(t, d, c)
	require.Equal(t, 262144, c.Limits.StanzaBytes)
	require.Equal(t, Storage{Kind: SQLite}, c.Storage)
	require.Empty(t, c.Listen.Metrics)
}

// Every error names the line, the key and what to do.
func TestErrors(t *testing.T) {
	const host = "[[host]]\ndomain = 'localhost'\n"
	for _, tt := range []struct{ name, text, want string }{
		{"no TOML", "data = \n" + host, "f:1: unexpected character U+000A at start of value; see https://toml.io for how a file is written"},
		{"no TOML either", "[listen\n", "f:1: expected"},
		{"a key twice", "log = 'text'\nlog = 'json'\n" + host, "f:2: log: "},
		{"a table twice", "[limits]\n[limits]\n" + host, "f:2: limits: "},
		{"another type", "\ndrain = 20\n" + host, "f:2: drain: it is of the wrong type: integer; write a text in quotation marks"},
		{"no list", "[listen]\nc2s = '127.0.0.1:5222'\n" + host, `write a list of addresses, such as ["127.0.0.1:5222"]`},
		{"no number", "[limits]\nstanza_bytes = '1'\n" + host, "f:2: limits.stanza_bytes: it is of the wrong type: string; write a number"},

		{"misspelt", "storge = 'sqlite'\n" + host, "f:1: storge: there is no such key; did you mean storage?"},
		{"swapped", "dtaa = 'x'\n" + host, "f:1: dtaa: there is no such key; did you mean data?"},
		{"misspelt below", host + "registraton = 'open'\n", "f:3: host.registraton: there is no such key; did you mean host.registration?"},
		{"misspelt in a table", "[listen]\nc2s_tsl = []\n" + host, "f:2: listen.c2s_tsl: there is no such key; did you mean listen.c2s_tls?"},
		{"a table misspelt", "[limit]\nstanza_bytes = 1\n" + host, "did you mean limits?"},
		{"in the wrong place", "c2s = []\n" + host, "f:1: c2s: there is no such key; it belongs below [listen]"},
		{"in the wrong place, of a host", "domain = 'localhost'\n" + host, "f:1: domain: there is no such key; it belongs below [[host]]"},
		{"below the hosts", host + "drain = '1s'\n", "f:3: host.drain: there is no such key; drain belongs at the top of the file, above the first ["},
		{"not like any", host + "[listen]\nwebsocket = []\n", "f:4: listen.websocket: there is no such key; there are c2s, c2s_tls, metrics"},
		{"two of them", "a_a_a_a = 1\nb_b_b_b = 1\n" + host, "f:2: b_b_b_b: there is no such key"},

		{"data", "data = ''\n" + host, `f:1: data: it is empty; write a folder, such as "./data"`},
		{"storage", "storage = 'mysql'\n" + host, `f:1: storage: there is no storage "mysql"; write "sqlite", "memory" or "postgres://user@host/database"`},
		{"no database", "storage = 'postgres://user@host'\n" + host, "f:1: storage: the address of the database makes no sense; write"},
		{"drain", "drain = '20'\n" + host, `f:1: drain: "20" is no time; write a number with its unit, such as "20s"`},
		{"never", "drain = '-1s'\n" + host, `f:1: drain: "-1s" is no time`},
		{"log", "log = 'jsn'\n" + host, `f:1: log: "jsn" is none of the words for it; did you mean "json"? Else write "text" or "json"`},
		{"log_level", "log_level = 'loud'\n" + host, `f:1: log_level: "loud" is none of the words for it; write "debug", "info", "warn" or "error"`},
		{"no mechanism", "mechanisms = []\n" + host, "f:1: mechanisms: there is none, so that nobody could log in; leave the key out to offer all"},
		{"a mechanism that there is not", "mechanisms = ['PLAIN', 'SCRAM-SHA-256-PLSU']\n" + host, `f:1: mechanisms[1]: "SCRAM-SHA-256-PLSU" is none of the words for it; did you mean "SCRAM-SHA-256-PLUS"?`},
		{"no port", "[listen]\nc2s = [':5222',\n '127.0.0.1']\n" + host, `f:2: listen.c2s[1]: "127.0.0.1" is no address; write an IP address and a port`},
		{"a port too many", "[listen]\nmetrics = [':65536']\n" + host, `f:2: listen.metrics[0]: ":65536" is no address`},
		{"twice", "[listen]\nc2s_tls = [':5223', ':5223']\n" + host, "f:2: listen.c2s_tls[1]: :5223 is there twice; leave one of them out"},
		{"no URI", "[contact]\nabuse = ['mailto:a@b.example',\n 'a@b.example']\n" + host, `f:2: contact.abuse[1]: "a@b.example" is no URI; write one such as "mailto:abuse@capulet.example"`},
		{"nothing behind the scheme", "[contact]\nstatus = ['mailto:']\n" + host, `f:2: contact.status[0]: "mailto:" is no URI`},
		{"no list of URIs", "[contact]\nsupport = 'mailto:a@b.example'\n" + host, "f:2: contact.support: it is of the wrong type: string; write a list of URIs"},
		{"for two things", "[listen]\nc2s = [':5222', ':0']\nc2s_tls = [':0', ':5222']\n" + host, "f:3: listen.c2s_tls[1]: :5222 is in listen.c2s already; write another port for one of them"},
		{"as one thing is by itself", "[listen]\nmetrics = ['127.0.0.1:5223']\n" + host, "f:2: listen.metrics[0]: 127.0.0.1:5223 is in listen.c2s_tls already"},
		{"too small", "[limits]\nstanza_bytes = 9999\n" + host, "f:2: limits.stanza_bytes: 9999 is out of bounds; write a number from 10000 to 268435456, or 0 for the default"},
		{"negative", "[limits]\n\nsessions_per_account = -1\n" + host, "f:3: limits.sessions_per_account: -1 is out of bounds"},
		{"a rate that serves nobody", "[limits]\nrate_bytes_per_second = 10\n" + host, "f:2: limits.rate_bytes_per_second: 10 is out of bounds"},

		{"no host", "log = 'text'\n", "f:1: host: there is none; add a line [[host]]"},
		{"nothing", "", "f:1: host: there is none"},
		{"no domain", host + "[[host]]\nregistration = 'open'\n", `f:3: host[1].domain: it is missing; write domain = "capulet.example" below [[host]]`},
		{"not a domain", "[[host]]\ndomain = 'juliet@localhost'\n", `f:2: host[0].domain: "juliet@localhost" is no domain; write a name such as`},
		{"twice the domain", host + "[[host]]\n\ndomain = 'LOCALHOST'\n", "f:5: host[1].domain: localhost is there twice; leave this [[host]] out, or that of line 1"},
		{"no key", host + "cert = 'c.pem'\n", "f:3: host[0].cert: it has no key beside it; write both files, or neither"},
		{"no cert", host + "key = 'c.pem'\n", "f:3: host[0].key: it has no cert beside it"},
		{"empty cert", host + "cert = ''\nkey = 'k'\n", "f:3: host[0].cert: it is empty"},
		{"empty key", host + "cert = 'c'\nkey = ''\n", "f:4: host[0].key: it is empty"},
		{"registration", host + "registration = 'opne'\n", `f:3: host[0].registration: "opne" is none of the words for it; did you mean "open"? Else write "closed", "open" or "invite"`},
		{"an admin who is a domain", host + "admins = ['juliet@localhost', 'localhost']\n", `f:3: host[0].admins[1]: "localhost" is not the address of an account; write one such as`},
		{"an admin with a device", host + "admins = ['juliet@localhost/balcony']\n", "f:3: host[0].admins[0]:"},
		{"all of them, in order", "log = 'x'\n" + host + "registration = 'x'\n[limits]\nstanza_bytes = 1\n", "f:4: host[0].registration: \"x\" is none of the words for it; write \"closed\", \"open\" or \"invite\"\nf:6: limits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("f", []byte(tt.text))
			require.ErrorContains(t, err, tt.want)
			all, ok := err.(Errors)
			require.True(t, ok)
			for _, e := range all {
				require.NotZero(t, e.Line, e)
				require.NotEmpty(t, e.Remedy, e)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	name := filepath.Join(t.TempDir(), "xmppd.toml")
	_, err := Load(name)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "; say which file is meant by -config or $XMPPD_CONFIG")
	_, err = Load(filepath.Dir(name))
	require.ErrorContains(t, err, "is a directory; say which file is meant")
	require.NoError(t, os.WriteFile(name, []byte("\uFEFF"+whole), 0o600)) // as an editor of Windows does
	_, err = Load(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, []byte(whole), 0o600))
	c, err := Load(name)
	require.NoError(t, err)
	e := c.Problem("host[0].cert", "it is old", "renew it")
	require.EqualError(t, e, name+":20: host[0].cert: it is old; renew it")
}

func TestRestart(t *testing.T) {
	a, err := parse("f", []byte(whole))
	require.NoError(t, err)
	b, err := parse("f", []byte(whole))
	require.NoError(t, err)
	require.Empty(t, a.Restart(b))
	b.Hosts, b.Limits, b.Drain, b.LogLevel = nil, Limits{}, 0, 0
	require.Empty(t, a.Restart(b), "these can change")
	b.Data, b.Storage, b.Listen.C2S, b.Contact.Abuse = "x", Storage{Kind: Memory}, nil, nil
	require.Equal(t, []string{"contact", "data", "listen.c2s", "storage"}, a.Restart(b))
	k := b.Keeping(a)
	require.Empty(t, a.Restart(k))
	require.Equal(t, "x", b.Data)
	require.Empty(t, k.Hosts)
}

// Whatever is in a file, it is a config or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("[[host]]\n[[host]]\ndomain=1"))
	f.Add([]byte("host = [{domain='a'}]\nlisten.c2s=['x']"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse("f", text)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if c != nil && len(c.Hosts) == 0 {
			t.Fatal("no host, and no error")
		}
	})
}
