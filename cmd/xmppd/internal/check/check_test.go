package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/server/storage/sqlite"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// zone is a DNS: SRV records by their full name, and which hosts have an address.
type zone struct {
	srv   map[string][]*net.SRV
	hosts map[string]bool
	err   error
}

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if z.err != nil {
		return "", nil, z.err
	}
	records := z.srv["_"+service+"._"+proto+"."+name]
	if records == nil {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, records, nil
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if !z.hosts[host] {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
}

// place is a config in a folder of its own.
func place(t *testing.T, domain string) *config.Config {
	t.Helper()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Hosts[0].Domain = jid.MustParse(domain)
	c.Listen = config.Listen{C2S: []string{"127.0.0.1:0"}}
	return c
}

// find returns what was found about a subject.
func find(t *testing.T, all []Finding, subject string) string {
	t.Helper()
	var lines []string
	for _, f := range all {
		if strings.HasPrefix(f.Subject, subject) {
			lines = append(lines, fmt.Sprintf("%s %s", f.Level, f.Text))
			if f.Level != OK {
				require.NotEmpty(t, f.Remedy, f)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// Nothing is there yet, and nothing is made by looking.
func TestFirstLook(t *testing.T) {
	c := place(t, "capulet.example")
	all := Run(t.Context(), c, zone{}, time.Now())
	for _, f := range all {
		require.Equal(t, OK, f.Level, f)
	}
	require.NoDirExists(t, c.Data)
	require.Contains(t, find(t, all, "certificate capulet.example"), "ok it is made at the first start; clients have to trust")
	require.Contains(t, find(t, all, "DNS capulet.example"), "ok a name that the DNS is not asked for")
}

func TestData(t *testing.T) {
	c := place(t, "localhost")
	look := func(subject string) string { return find(t, Run(t.Context(), c, zone{}, time.Now()), subject) }
	require.NoError(t, os.MkdirAll(c.Data, 0o755))
	require.Contains(t, look(c.Data), "warn other users of the machine can use the folder for data (mode 755)")
	require.NoError(t, os.Chmod(c.Data, 0o700))
	entries, err := os.ReadDir(c.Data)
	require.NoError(t, err)
	require.Empty(t, entries, "root may look, too, and the lock would be root's")
	require.Equal(t, "ok only its owner can use the folder for data", look(c.Data))
	lock, err := store.Take(c)
	require.NoError(t, err)
	require.Equal(t, "bad "+c.Data+": another xmppd uses it", look("storage"))
	require.NoError(t, lock.Release())
	c.Data = filepath.Join(c.Data, "lock")
	require.Equal(t, "bad it is no folder", look(c.Data))
	for _, subject := range []string{"server", "storage", "certificate"} {
		require.Empty(t, look(subject), "what is in no folder has no faults")
	}

	c = place(t, "localhost")
	c.Storage = config.Storage{Kind: config.Memory}
	require.Contains(t, look("storage memory"), "warn all is gone when the server stops")
	c.Hosts[0].Admins = []jid.JID{jid.MustParse("juliet@localhost"), jid.MustParse("romeo@montague.example")}
	require.Equal(t, "warn romeo@montague.example cannot log in here", look("host[0].admins"))

	c.File = filepath.Join(t.TempDir(), "xmppd.toml")
	require.NoError(t, os.WriteFile(c.File, nil, 0o644))
	require.Equal(t, "ok it makes sense; hosts: 1", look(c.File))
	c.Storage = config.Storage{Kind: config.Postgres, Database: "postgres://xmpp:s3cret@localhost:1/xmpp"}
	require.Contains(t, look(c.File), "warn everybody on the machine can read the password of the database")
	require.Contains(t, look("storage postgres://xmpp:xxxxx@localhost"), "bad postgres: ")
}

func TestSchema(t *testing.T) {
	c := place(t, "localhost")
	look := func() string { return find(t, Run(t.Context(), c, zone{}, time.Now()), "storage") }
	require.NoError(t, os.MkdirAll(c.Data, 0o700))
	file := store.DatabaseFile(c)
	require.NoError(t, sqlite.Migrate(t.Context(), file, sqlite.Newest))
	require.Equal(t, fmt.Sprintf("ok it opens; schema version %d", sqlite.Newest), look())
	require.NoError(t, sqlite.Migrate(t.Context(), file, sqlite.Newest-1))
	require.Equal(t, fmt.Sprintf("warn its schema is of version %d, and becomes %d at the next start", sqlite.Newest-1, sqlite.Newest), look())
	require.Equal(t, fmt.Sprintf("warn its schema is of version %d, and becomes %d at the next start", sqlite.Newest-1, sqlite.Newest), look(), "looking has upgraded nothing")
	require.NoError(t, os.WriteFile(file, []byte("this is no database, but it is long enough to look like a file with something in it"), 0o600))
	require.Contains(t, look(), "bad sqlite: version of the schema: ")
}

func TestCertificate(t *testing.T) {
	c := place(t, "capulet.example")
	now := time.Now()
	look := func(now time.Time) string {
		return find(t, Run(t.Context(), c, zone{}, now), "certificate capulet.example")
	}
	_, err := certs.Load(c, now)
	require.NoError(t, err)
	require.Contains(t, look(now), "ok it is good until ")
	require.Contains(t, look(now.AddDate(0, 11, 25)), "warn it ends on ")
	require.Contains(t, look(now.AddDate(1, 1, 0)), "bad it has ended on ")
	require.Contains(t, look(now.AddDate(0, 0, -1)), "bad it begins on ")
	authority, err := os.ReadFile(certs.AuthorityFile(c))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certs.AuthorityFile(c), []byte("x"), 0o644))
	require.Contains(t, look(now), "bad what has signed it cannot be used: failed to find any PEM data")
	require.NoError(t, os.Remove(certs.AuthorityFile(c)))
	require.Contains(t, look(now), "warn what has signed it is not there: open ")
	require.NoError(t, os.WriteFile(certs.AuthorityFile(c), authority, 0o644))

	write := func(domain string) {
		ca, err := devcert.New(domain)
		require.NoError(t, err)
		chain, key, err := ca.KeyPairPEM()
		require.NoError(t, err)
		c.Hosts[0].Cert, c.Hosts[0].Key = c.Path("c.pem"), c.Path("k.pem")
		require.NoError(t, os.WriteFile(c.Hosts[0].Cert, chain, 0o644))
		require.NoError(t, os.WriteFile(c.Hosts[0].Key, key, 0o600))
	}
	write("xmpp.capulet.example")
	require.Equal(t, "bad it is for xmpp.capulet.example", look(now))
	c.Hosts[0].Cert, c.Hosts[0].Key = c.Path("certs", "capulet.example.pem"), c.Path("certs", "capulet.example.pem")
	require.Contains(t, look(now), "warn this machine would not trust it: ")
	write("capulet.example")
	require.NoError(t, os.Chmod(c.Hosts[0].Key, 0o644))
	require.Contains(t, look(now), "warn everybody on the machine can read its key")
	require.NoError(t, os.WriteFile(c.Hosts[0].Key, []byte("x"), 0o600))
	require.Contains(t, look(now), "bad failed to find any PEM data in key input")
	require.NoError(t, os.Remove(c.Hosts[0].Key))
	require.Contains(t, look(now), "bad open ")
}

func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	c := place(t, "xmpp.parlance.dev")
	c.Listen = config.Listen{C2S: []string{taken.Addr().String()}, Metrics: []string{"127.0.0.1:0"}}
	all := Run(t.Context(), c, zone{}, time.Now())
	require.Contains(t, find(t, all, "listen.c2s[0]"), "bad listen tcp ")
	require.Equal(t, "ok it is free", find(t, all, "listen.metrics[0]"))
	require.Contains(t, find(t, all, "listen"), "warn xmpp.parlance.dev is served for this machine only")
	c.Listen = config.Listen{}
	require.Contains(t, find(t, Run(t.Context(), c, zone{}, time.Now()), "listen"), "bad clients cannot come at all")
}

func TestDNS(t *testing.T) {
	const name = "parlance.dev"
	to := func(service, target string, port uint16) map[string][]*net.SRV {
		return map[string][]*net.SRV{"_" + service + "._tcp." + name + ".": {{Target: target, Port: port}}}
	}
	machine := map[string]bool{"xmpp.parlance.dev.": true}
	for what, tt := range map[string]struct {
		z    zone
		c2s  string
		want string
	}{
		"nothing":            {zone{}, ":5222", "bad clients do not find the server: lookup parlance.dev: no such host"},
		"an address":         {zone{hosts: map[string]bool{name: true}}, ":5222", "ok there is no SRV record; clients try [192.0.2.1], port 5222"},
		"the wrong port":     {zone{hosts: map[string]bool{name: true}}, ":5300", "warn there is no SRV record, and nothing listens on port 5222, where clients then try"},
		"a record":           {zone{srv: to("xmpp-client", "xmpp.parlance.dev.", 5300), hosts: machine}, ":5300", "ok _xmpp-client._tcp leads to xmpp.parlance.dev. port 5300, [192.0.2.1]"},
		"elsewhere":          {zone{srv: to("xmpp-client", "xmpp.parlance.dev.", 5222), hosts: machine}, ":5300", "warn _xmpp-client._tcp leads to xmpp.parlance.dev. port 5222, and xmppd listens on :5300"},
		"to no machine":      {zone{srv: to("xmpp-client", "gone.parlance.dev.", 5222)}, ":5222", "bad _xmpp-client._tcp leads to gone.parlance.dev. port 5222, which has no address: lookup gone.parlance.dev.: no such host"},
		"to nothing":         {zone{srv: to("xmpp-client", ".", 0)}, ":5222", "bad it says that there is no such service"},
		"TLS that is not":    {zone{srv: to("xmpps-client", "xmpp.parlance.dev.", 5223), hosts: machine}, ":5222", "warn _xmpps-client._tcp leads to xmpp.parlance.dev. port 5223, but nothing listens for it here"},
		"a DNS that is away": {zone{err: errors.New("timeout"), hosts: map[string]bool{name: true}}, ":5222", "warn the DNS could not be asked for _xmpp-client._tcp: timeout\nwarn the DNS could not be asked for _xmpps-client._tcp: timeout\nok there is no SRV record; clients try [192.0.2.1], port 5222"},
	} {
		x := &checker{Config: place(t, name), resolver: tt.z}
		x.Listen = config.Listen{C2S: []string{tt.c2s}}
		x.dns(t.Context(), 0)
		require.Equal(t, tt.want, find(t, x.findings, "DNS "+name), what)
	}
	for _, local := range []string{"localhost", "192.0.2.1", "[::1]", "chat", "montague.example", "chat.home.arpa", "printer.local", "example.org"} {
		x := &checker{Config: place(t, local), resolver: zone{}}
		x.dns(t.Context(), 0)
		require.Equal(t, OK, x.findings[0].Level, local)
	}
}
