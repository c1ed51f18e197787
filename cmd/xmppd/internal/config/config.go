// Package config reads the file that says what xmppd is to be. Whatever is wrong in it is found before anything changes, and told
// with its line, its key and what to write instead.
package config

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
)

// A Config is a file that makes sense. It is never changed.
type Config struct {
	File string // empty if there is none
	// Data is the folder for all that is kept, the socket of the commands included.
	Data    string
	Storage Storage
	Listen  Listen
	Hosts   []Host // at least one
	// Contact is where the people behind the server can be reached; all hosts say the same.
	Contact contactaddr.Addresses
	Limits  Limits
	// Mechanisms are the SASL mechanisms that are offered, in order; nil means all.
	Mechanisms []string
	// Drain is how long clients may take to leave when the server stops.
	Drain    time.Duration
	Log      string // "text" or "json"
	LogLevel slog.Level

	lines lines
}

// A Storage is a kind of store.
type Storage struct {
	Kind     Kind
	Database string // the address of a PostgreSQL
}

// A Kind is a kind of store.
type Kind string

// The kinds.
const (
	Memory   Kind = "memory"
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// String is the kind, and of a database its address without the password.
func (s Storage) String() string {
	if s.Kind != Postgres {
		return string(s.Kind)
	}
	u, err := url.Parse(s.Database)
	if err != nil {
		return string(s.Kind)
	}
	return u.Redacted()
}

// Listen is where to accept connections: addresses as net.Listen takes them.
type Listen struct {
	C2S     []string // of clients, with STARTTLS
	C2STLS  []string // of clients, with TLS from the first byte (XEP-0368)
	Metrics []string // of monitoring, by HTTP
}

// A Host is a domain that is served.
type Host struct {
	Domain jid.JID
	// Cert and Key are files. Empty means a certificate that is made here.
	Cert, Key    string
	Registration Registration
	Admins       []jid.JID // bare
}

// A Registration says who may make an account by himself.
type Registration string

// Who may.
const (
	Closed Registration = "closed"
	Invite Registration = "invite"
	Open   Registration = "open"
)

// Limits bound what clients can make the server hold and do. Zero means the server's own default.
type Limits struct {
	StanzaBytes        int
	SessionsPerAccount int
	RateBytesPerSecond int
}

// The defaults.
const (
	defaultData    = "data"
	defaultDrain   = 20 * time.Second
	defaultStanza  = 256 << 10
	defaultSession = 20
)

// Default is what there is without a file: localhost, for this machine only, in the folder ./data.
func Default() *Config {
	c := initial()
	c.Hosts = []Host{{Domain: jid.MustParse("localhost"), Registration: Closed}}
	return c
}

// initial has every default but hosts.
func initial() *Config {
	return &Config{
		Data:    defaultData,
		Storage: Storage{Kind: SQLite},
		Listen:  Listen{C2S: []string{"127.0.0.1:5222"}, C2STLS: []string{"127.0.0.1:5223"}},
		Limits:  Limits{StanzaBytes: defaultStanza, SessionsPerAccount: defaultSession},
		Drain:   defaultDrain,
		Log:     "text",
	}
}

// Host returns the host of a domain, nil if it is not served.
func (c *Config) Host(domain jid.JID) *Host {
	i := slices.IndexFunc(c.Hosts, func(h Host) bool { return h.Domain == domain })
	if i < 0 {
		return nil
	}
	return &c.Hosts[i]
}

// Path returns where something is kept.
func (c *Config) Path(name ...string) string {
	return filepath.Join(append([]string{c.Data}, name...)...)
}

// Restart returns the keys in which another config differs that only a restart brings into force.
func (c *Config) Restart(other *Config) (keys []string) {
	for key, differs := range map[string]bool{
		"data":           c.Data != other.Data,
		"storage":        c.Storage != other.Storage,
		"log":            c.Log != other.Log,
		"contact":        !reflect.DeepEqual(c.Contact, other.Contact),
		"mechanisms":     !slices.Equal(c.Mechanisms, other.Mechanisms),
		"listen.c2s":     !slices.Equal(c.Listen.C2S, other.Listen.C2S),
		"listen.c2s_tls": !slices.Equal(c.Listen.C2STLS, other.Listen.C2STLS),
		"listen.metrics": !slices.Equal(c.Listen.Metrics, other.Listen.Metrics),
	} {
		if differs {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Keeping returns a config that has from now what only a restart changes, and all else from c.
func (c *Config) Keeping(now *Config) *Config {
	k := *c
	k.Data, k.Storage, k.Log, k.Listen, k.Mechanisms, k.Contact = now.Data, now.Storage, now.Log, now.Listen, now.Mechanisms, now.Contact
	return &k
}
