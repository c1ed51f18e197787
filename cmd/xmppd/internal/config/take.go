package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A taker takes over what is in a file, and collects what is wrong with it.
type taker struct {
	*Config
	errs Errors
	seen map[string]string // addresses to listen on, and the key of each
}

// take takes over what is in a file.
func (c *Config) take(f *file) Errors {
	t := &taker{Config: c, seen: map[string]string{}}
	c.Data = c.in(defaultData)
	if f.Data != nil {
		if c.Data = c.in(*f.Data); *f.Data == "" {
			t.wrong("data", "it is empty", `write a folder, such as "./data"`)
		}
	}
	t.storage(f.Storage)
	t.duration("drain", f.Drain, &c.Drain)
	t.word("log", f.Log, &c.Log, "text", "json")
	t.level(f.LogLevel)
	t.mechanisms(f.Mechanisms)
	t.addresses("listen.c2s", f.Listen.C2S, &c.Listen.C2S)
	t.addresses("listen.c2s_tls", f.Listen.C2STLS, &c.Listen.C2STLS)
	t.addresses("listen.metrics", f.Listen.Metrics, &c.Listen.Metrics)
	t.number("limits.stanza_bytes", f.Limits.StanzaBytes, &c.Limits.StanzaBytes, 10_000, 256<<20)
	t.number("limits.sessions_per_account", f.Limits.SessionsPerAccount, &c.Limits.SessionsPerAccount, 1, 1_000_000)
	t.number("limits.rate_bytes_per_second", f.Limits.RateBytesPerSecond, &c.Limits.RateBytesPerSecond, 1000, 1<<40)
	t.contact(f)
	t.hosts(f)
	return t.errs
}

func (t *taker) wrong(key, problem, remedy string) {
	t.errs = append(t.errs, t.Problem(key, problem, remedy))
}

func (t *taker) storage(s *string) {
	switch {
	case s == nil:
	case *s == string(SQLite) || *s == string(Memory):
		t.Storage = Storage{Kind: Kind(*s)}
	case strings.HasPrefix(*s, "postgres://"), strings.HasPrefix(*s, "postgresql://"):
		if u, err := url.Parse(*s); err != nil || u.Path == "" || u.Path == "/" {
			t.wrong("storage", "the address of the database makes no sense", `write "postgres://user@host/database"`)
			return
		}
		t.Storage = Storage{Kind: Postgres, Database: *s}
	default:
		t.wrong("storage", fmt.Sprintf("there is no storage %q", *s), `write "sqlite", "memory" or "postgres://user@host/database"`)
	}
}

func (t *taker) duration(key string, s *string, to *time.Duration) {
	if s == nil {
		return
	}
	d, err := time.ParseDuration(*s)
	if err != nil || d <= 0 {
		t.wrong(key, fmt.Sprintf("%q is no time", *s), `write a number with its unit, such as "20s"`)
		return
	}
	*to = d
}

// word takes one of several words.
func (t *taker) word(key string, s *string, to *string, words ...string) {
	if s == nil {
		return
	}
	for _, w := range words {
		if *s == w {
			*to = w
			return
		}
	}
	remedy := `write "` + strings.Join(words[:len(words)-1], `", "`) + `" or "` + words[len(words)-1] + `"`
	if near := nearest(*s, words); near != "" {
		remedy = fmt.Sprintf("did you mean %q? Else %s", near, remedy)
	}
	t.wrong(key, fmt.Sprintf("%q is none of the words for it", *s), remedy)
}

func (t *taker) level(s *string) {
	word := ""
	t.word("log_level", s, &word, "debug", "info", "warn", "error")
	if word != "" {
		_ = t.LogLevel.UnmarshalText([]byte(word)) // it is one of those
	}
}

// mechanisms are those that there can be for passwords.
var mechanisms = []string{
	"SCRAM-SHA-512-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN",
}

func (t *taker) mechanisms(list *[]string) {
	if list == nil {
		return
	}
	if len(*list) == 0 {
		t.wrong("mechanisms", "there is none, so that nobody could log in", "leave the key out to offer all")
	}
	for i, m := range *list {
		var one string
		t.word(fmt.Sprintf("mechanisms[%d]", i), &m, &one, mechanisms...)
	}
	t.Mechanisms = *list
}

func (t *taker) addresses(key string, list, to *[]string) {
	if list == nil { // the default counts as well
		list = to
	}
	*to = *list
	for i, a := range *list {
		at := fmt.Sprintf("%s[%d]", key, i)
		_, port, err := net.SplitHostPort(a)
		n, bad := strconv.Atoi(port)
		switch {
		case err != nil || bad != nil || n < 0 || n > 65535:
			t.wrong(at, fmt.Sprintf("%q is no address", a), `write an IP address and a port, such as "127.0.0.1:5222"; ":5222" is every address of the machine`)
		case t.seen[a] == key && n != 0:
			t.wrong(at, fmt.Sprintf("%s is there twice", a), "leave one of them out")
		case t.seen[a] != "" && n != 0:
			t.wrong(at, fmt.Sprintf("%s is in %s already", a, t.seen[a]), "write another port for one of them")
		}
		t.seen[a] = key
	}
}

// contact takes where people can be reached.
func (t *taker) contact(f *file) {
	in, to := &f.Contact, &t.Contact
	t.uris("contact.abuse", in.Abuse, &to.Abuse)
	t.uris("contact.admin", in.Admin, &to.Admin)
	t.uris("contact.feedback", in.Feedback, &to.Feedback)
	t.uris("contact.sales", in.Sales, &to.Sales)
	t.uris("contact.security", in.Security, &to.Security)
	t.uris("contact.status", in.Status, &to.Status)
	t.uris("contact.support", in.Support, &to.Support)
}

func (t *taker) uris(key string, list []string, to *[]string) {
	for i, s := range list {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || len(s) == len(u.Scheme)+1 {
			t.wrong(fmt.Sprintf("%s[%d]", key, i), fmt.Sprintf("%q is no URI", s), `write one such as "mailto:abuse@capulet.example", "xmpp:juliet@capulet.example" or "https://capulet.example/help"`)
		}
	}
	*to = list
}

// number takes a number within bounds; zero is the default.
func (t *taker) number(key string, n *int64, to *int, least, most int64) {
	switch {
	case n == nil || *n == 0:
	case *n < least || *n > most:
		t.wrong(key, fmt.Sprintf("%d is out of bounds", *n), fmt.Sprintf("write a number from %d to %d, or 0 for the default", least, most))
	default:
		*to = int(*n)
	}
}

func (t *taker) hosts(f *file) {
	if len(f.Host) == 0 {
		t.errs = append(t.errs, &Error{File: t.File, Line: 1, Key: "host", Problem: "there is none", Remedy: "add a line [[host]] and below it domain = \"capulet.example\""})
		return
	}
	first := map[jid.JID]int{}
	for i := range f.Host {
		in, at := &f.Host[i], fmt.Sprintf("host[%d].", i)
		h := Host{Registration: Closed}
		if in.Domain == nil {
			t.wrong(at+"domain", "it is missing", `write domain = "capulet.example" below [[host]]`)
			continue
		}
		d, err := jid.Parse(*in.Domain)
		if err != nil || d != d.Domain() {
			t.wrong(at+"domain", fmt.Sprintf("%q is no domain", *in.Domain), `write a name such as "capulet.example"`)
			continue
		}
		if before, twice := first[d]; twice {
			t.wrong(at+"domain", fmt.Sprintf("%s is there twice", d), fmt.Sprintf("leave this [[host]] out, or that of line %d", t.lines.of(fmt.Sprintf("host[%d]", before))))
			continue
		}
		first[d], h.Domain = i, d
		t.certificate(at, in.Cert, in.Key, &h)
		registration := string(Closed)
		t.word(at+"registration", in.Registration, &registration, string(Closed), string(Open), string(Invite))
		h.Registration = Registration(registration)
		for n, a := range in.Admins {
			j, err := jid.Parse(a)
			if err != nil || !j.IsBare() || j.Localpart() == "" {
				t.wrong(fmt.Sprintf("%sadmins[%d]", at, n), fmt.Sprintf("%q is not the address of an account", a), `write one such as "juliet@capulet.example"`)
				continue
			}
			h.Admins = append(h.Admins, j)
		}
		t.Hosts = append(t.Hosts, h)
	}
}

func (t *taker) certificate(at string, cert, key *string, h *Host) {
	remedy := "write both files, or neither: then a certificate is made and kept in data"
	switch {
	case cert != nil && key == nil:
		t.wrong(at+"cert", "it has no key beside it", remedy)
	case key != nil && cert == nil:
		t.wrong(at+"key", "it has no cert beside it", remedy)
	case cert != nil && *cert == "":
		t.wrong(at+"cert", "it is empty", remedy)
	case cert != nil && *key == "":
		t.wrong(at+"key", "it is empty", remedy)
	case cert != nil:
		h.Cert, h.Key = t.in(*cert), t.in(*key)
	}
}

// Level is the level as a value that can change.
func (c *Config) Level(v *slog.LevelVar) { v.Set(c.LogLevel) }
