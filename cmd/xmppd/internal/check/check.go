// Package check looks for what would keep a server from starting, or clients from reaching it, before somebody else finds out. Whatever it
// finds it says what to do about. It changes nothing.
package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
)

// A Level says how bad a finding is.
type Level int

// The levels.
const (
	OK   Level = iota
	Warn       // it works, but not for everybody, or not for long
	Bad
)

// String is a word of four letters at most.
func (l Level) String() string { return [...]string{"ok", "warn", "bad"}[l] }

// A Finding is something that was looked at.
type Finding struct {
	Level   Level
	Subject string // a key of the file, a file, a domain
	Text    string
	Remedy  string // what to do; empty if nothing
}

// A Resolver asks the DNS, as a net.Resolver does.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// patience bounds each question to somebody else.
const patience = 10 * time.Second

// A checker collects findings.
type checker struct {
	*config.Config
	resolver Resolver
	now      time.Time
	running  *control.Status // nil if no server runs
	findings []Finding
}

// Run looks at everything.
func Run(ctx context.Context, c *config.Config, r Resolver, now time.Time) []Finding {
	x := &checker{Config: c, resolver: r, now: now}
	x.file()
	usable := x.data()
	if usable { // else nothing in it can be looked at
		x.server(ctx)
		x.storage(ctx)
	}
	for i, h := range c.Hosts {
		if usable || h.Cert != "" {
			x.certificate(i)
		}
	}
	x.ports()
	for i := range c.Hosts {
		x.admins(i)
		x.dns(ctx, i)
	}
	return x.findings
}

func (x *checker) ok(subject, text string, args ...any) {
	x.findings = append(x.findings, Finding{OK, subject, fmt.Sprintf(text, args...), ""})
}

func (x *checker) warn(subject, remedy, text string, args ...any) {
	x.findings = append(x.findings, Finding{Warn, subject, fmt.Sprintf(text, args...), remedy})
}

func (x *checker) bad(subject, remedy, text string, args ...any) {
	x.findings = append(x.findings, Finding{Bad, subject, fmt.Sprintf(text, args...), remedy})
}

// file looks at the file itself, which was read already.
func (x *checker) file() {
	if x.File == "" {
		x.ok("file", "there is none; localhost is served, for this machine only")
		return
	}
	info, err := os.Stat(x.File)
	if err != nil {
		x.bad(x.File, "see that it stays there", "%v", err)
		return
	}
	if u, err := url.Parse(x.Storage.Database); err == nil && info.Mode().Perm()&0o007 != 0 {
		if _, secret := u.User.Password(); secret {
			x.warn(x.File, "chmod 640 "+x.File+", or keep the password in ~/.pgpass", "everybody on the machine can read the password of the database in it")
			return
		}
	}
	x.ok(x.File, "it makes sense; hosts: %d", len(x.Hosts))
}

// data looks at the folder, and reports whether it can be used.
func (x *checker) data() bool {
	info, err := os.Stat(x.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.ok(x.Data, "it is made at the first start")
	case err != nil:
		x.bad(x.Data, "let the user that runs xmppd use the folder, or write another one for data", "%v", err)
	case !info.IsDir():
		x.bad(x.Data, "write another folder for data", "it is no folder")
	default:
		f, err := os.CreateTemp(x.Data, ".check-*")
		if err != nil {
			remedy := "run this as the user that runs xmppd, or let that user write there"
			if errors.Is(err, syscall.ENOSPC) {
				remedy = "make room on its disk"
			}
			x.bad(x.Data, remedy, "%v", err)
			return !errors.Is(err, fs.ErrPermission)
		}
		f.Close()
		os.Remove(f.Name())
		x.onlyOurs(x.Data, info, "700", "the folder for data")
		return true
	}
	return errors.Is(err, fs.ErrNotExist)
}

// onlyOurs looks whether others can use what they should not.
func (x *checker) onlyOurs(name string, info fs.FileInfo, mode, what string) {
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		x.warn(name, "chmod "+mode+" "+name, "other users of the machine can use %s (mode %o)", what, perm)
		return
	}
	x.ok(name, "only its owner can use %s", what)
}

// server looks whether one runs.
func (x *checker) server(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := control.Dial(ctx, x.Config)
	if errors.Is(err, control.ErrNotRunning) {
		x.ok("server", "none runs on this folder")
		return
	}
	if err == nil {
		defer c.Close()
		var s control.Status
		if s, err = c.Status(ctx); err == nil {
			x.running = &s
			x.ok("server", "it runs, as process %d, version %s, with %d sessions", s.PID, s.Version, s.Stats.Sessions)
			return
		}
	}
	x.bad("server", "look at its log, or restart it", "something runs on this folder and does not answer: %v", err)
}

// storage looks at what is kept.
func (x *checker) storage(ctx context.Context) {
	subject := "storage " + x.Storage.String()
	if x.Storage.Kind == config.Memory {
		x.warn(subject, `write storage = "sqlite" to keep accounts and messages`, "all is gone when the server stops")
		return
	}
	if x.running == nil && !x.unlocked(subject) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, needed, err := store.Version(ctx, x.Config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.ok(subject, "it is made at the first start")
		return
	case err != nil && x.Storage.Kind == config.Postgres:
		x.bad(subject, "see that PostgreSQL runs, that the database is there with the encoding UTF8, and that the user may use it with that password", "%v", err)
		return
	case err != nil:
		x.bad(subject, "restore "+store.DatabaseFile(x.Config)+" from a backup if it is broken", "%v", err)
		return
	case now > needed:
		x.bad(subject, "use the xmppd that was used last, or a newer one", "its schema is of version %d, and this program knows %d", now, needed)
	case now < needed:
		x.warn(subject, "make a backup before you start the server", "its schema is of version %d, and becomes %d at the next start", now, needed)
	default:
		x.ok(subject, "it opens; schema version %d", now)
	}
	if info, err := os.Stat(store.DatabaseFile(x.Config)); err == nil && x.Storage.Kind == config.SQLite {
		x.onlyOurs(store.DatabaseFile(x.Config), info, "600", "the database")
	}
}

// unlocked looks whether another process has the folder.
func (x *checker) unlocked(subject string) bool {
	if _, err := os.Stat(x.Data); err != nil {
		return true
	}
	if err := store.Probe(x.Config); err != nil {
		x.bad(subject, "wait until the other process ends, or look for it: fuser "+x.Path("lock"), "%v", err)
		return false
	}
	return true
}

// admins looks whether administrators can log in.
func (x *checker) admins(i int) {
	for _, a := range x.Hosts[i].Admins {
		if x.Host(a.Domain()) == nil {
			x.warn(fmt.Sprintf("host[%d].admins", i), "write an account of a domain that is served here", "%s cannot log in here", a)
		}
	}
}
