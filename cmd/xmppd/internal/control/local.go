package control

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/house"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/xep/invite"
)

// A Local does to a house of the own process what there is to do.
type Local struct {
	House *house.House
	// Process tells what the process adds to a status: nil if it serves nobody.
	Process func() Status
	// Again reads the file again.
	Again func(context.Context) (notes []string, err error)
	// Stopping is closed when the server stops.
	Stopping <-chan struct{}
}

var _ Live = (*Local)(nil)

// account checks the address of an account that is to be.
func (l *Local) account(addr jid.JID) error {
	switch {
	case !addr.IsBare() || addr.Localpart() == "":
		return Invalid("%s is not the address of an account, such as juliet@capulet.example", addr)
	case l.House.Config().Host(addr.Domain()) == nil:
		return Invalid("%s is not served here; add a [[host]] for it", addr.Domain())
	}
	return nil
}

// failed makes an error one for people.
func failed(addr jid.JID, err error) error {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return tell(storage.ErrNotFound, "there is no account %s", addr)
	case errors.Is(err, storage.ErrExists):
		return tell(storage.ErrExists, "there is an account %s already", addr)
	}
	return err
}

// AddUser implements [Operations].
func (l *Local) AddUser(ctx context.Context, addr jid.JID, password string) error {
	if err := l.account(addr); err != nil {
		return err
	}
	return failed(addr, l.House.Server.CreateAccount(ctx, addr, password))
}

// SetPassword implements [Operations].
func (l *Local) SetPassword(ctx context.Context, addr jid.JID, password string) error {
	if err := l.account(addr); err != nil {
		return err
	}
	return failed(addr, l.House.Server.SetPassword(ctx, addr, password))
}

// SetDisabled implements [Operations].
func (l *Local) SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error {
	if err := l.account(addr); err != nil {
		return err
	}
	return failed(addr, l.House.Server.SetDisabled(ctx, addr, disabled))
}

// DeleteUser implements [Operations].
func (l *Local) DeleteUser(ctx context.Context, addr jid.JID) error {
	if err := l.account(addr); err != nil {
		return err
	}
	return failed(addr, l.House.Server.DeleteAccount(ctx, addr))
}

// domains are those that are meant.
func (l *Local) domains(domain jid.JID) ([]jid.JID, error) {
	if domain.IsZero() {
		return l.House.Server.Domains(), nil
	}
	if domain != domain.Domain() || l.House.Config().Host(domain) == nil {
		return nil, Invalid("%s is not served here", domain)
	}
	return []jid.JID{domain}, nil
}

// page is how many accounts are read at a time.
const page = 100

// Users implements [Operations].
func (l *Local) Users(ctx context.Context, domain jid.JID) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		domains, err := l.domains(domain)
		if err != nil {
			yield(User{}, err)
			return
		}
		for _, d := range domains {
			for after := (jid.JID{}); ; {
				some, err := l.House.Stores.Accounts.List(ctx, d.Domainpart(), after, page)
				if err != nil {
					yield(User{}, err)
					return
				}
				for _, a := range some {
					if !yield(User{a.Addr, a.Created, a.Disabled, len(a.Secrets) > 0}, nil) {
						return
					}
					after = a.Addr
				}
				if len(some) < page {
					break
				}
			}
		}
	}
}

// Invite implements [Operations].
func (l *Local) Invite(ctx context.Context, r InviteRequest) (Invitation, error) {
	if r.Account.IsZero() {
		r.Account = l.House.Server.Domains()[0]
	}
	h := l.House.Config().Host(r.Account.Domain())
	switch {
	case h == nil:
		return Invitation{}, Invalid("%s is not served here; add a [[host]] for it", r.Account.Domain())
	case h.Registration == config.Closed:
		return Invitation{}, Invalid("nobody makes an account at %s by himself; write registration = \"invite\" for that host", h.Domain)
	case r.Uses < 0 || r.Valid < 0 || r.Account.Resourcepart() != "" || r.Account.Localpart() != "" && r.Uses > 1:
		return Invitation{}, Invalid("an account can be made once, and a link is good for some time and some uses")
	}
	made, err := l.House.Invites.Create(ctx, invite.Request{Account: r.Account, Uses: r.Uses, Lifetime: r.Valid})
	if errors.Is(err, storage.ErrExists) {
		err = tell(storage.ErrExists, "there is an account %s already, or somebody else is invited to make it", r.Account)
	}
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{URI: made.URI.String(), Expires: made.Expires}, nil
}

// Export implements [Operations].
func (l *Local) Export(ctx context.Context, w io.Writer, domain jid.JID) error {
	domains, err := l.domains(domain)
	if err != nil {
		return err
	}
	return portable.Export(ctx, w, l.House.Stores, domains)
}

// Import implements [Operations].
func (l *Local) Import(ctx context.Context, pieces []portable.Piece) (*portable.Report, error) {
	i := &portable.Importer{Stores: l.House.Stores, Serves: func(d jid.JID) bool { return l.House.Config().Host(d) != nil }}
	return i.Apply(ctx, pieces)
}

// sessions are those of an address.
func (l *Local) sessions(addr jid.JID) (all []module.Session) {
	for s := range l.House.Server.Sessions() {
		if addr.IsZero() || s.Addr() == addr || s.Addr().Bare() == addr {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b module.Session) int {
		return cmp.Or(a.Addr().Bare().Compare(b.Addr().Bare()), a.Since().Compare(b.Since()))
	})
	return all
}

// Sessions implements [Live].
func (l *Local) Sessions(_ context.Context, addr jid.JID) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for _, s := range l.sessions(addr) {
			v := Session{
				Addr: s.Addr(), TLS: s.Secure(), Since: s.Since(), Active: s.LastActive(),
				Suspended: s.Suspended(), Available: s.Presence() != nil,
			}
			if ip := s.Remote(); ip.IsValid() {
				v.Remote = ip.String()
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// CloseSessions implements [Live].
func (l *Local) CloseSessions(_ context.Context, addr jid.JID, text string) (int, error) {
	if addr.Localpart() == "" {
		return 0, Invalid("%s is not the address of an account or of a session", addr)
	}
	all := l.sessions(addr)
	if len(all) == 0 {
		return 0, tell(storage.ErrNotFound, "there is no session of %s", addr)
	}
	for _, s := range all {
		s.Close(text)
	}
	return len(all), nil
}

// Watch implements [Live].
func (l *Local) Watch(ctx context.Context, addr jid.JID, content bool, show func(watch.Line) error) error {
	if addr.Localpart() == "" {
		return Invalid("%s is not the address of an account or of a session", addr)
	}
	w := l.House.Board.Watch(addr, content)
	defer w.Close()
	if err := show(watch.Line{Time: time.Now(), Addr: addr, Way: "event", Text: fmt.Sprintf("watching; %d sessions are there", len(l.sessions(addr)))}); err != nil {
		return err
	}
	for {
		select {
		case line := <-w.Lines():
			if err := show(line); err != nil {
				return err
			}
		case <-l.Stopping:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// Status implements [Live].
func (l *Local) Status(context.Context) (Status, error) {
	s, c, limits := l.Process(), l.House.Config(), l.House.Server.Limits()
	s.File, s.Storage, s.Stats = c.File, c.Storage.String(), l.House.Server.Stats()
	s.Limits = Limits{limits.AfterAuth.Bytes, limits.SessionsPerAccount, limits.SessionRate}
	select {
	case <-l.Stopping:
		s.Stopping = true
	default:
	}
	for _, h := range c.Hosts {
		host := Host{Domain: h.Domain, Registration: string(h.Registration), Admins: l.House.Admins(h.Domain)}
		if cert := l.House.Certificates().Of(h.Domain); cert != nil {
			print := sha256.Sum256(cert.Raw)
			host.Certificate = Certificate{cert.NotAfter, hex.EncodeToString(print[:])}
		}
		s.Hosts = append(s.Hosts, host)
	}
	return s, nil
}

// Reload implements [Live].
func (l *Local) Reload(ctx context.Context) ([]string, error) { return l.Again(ctx) }
