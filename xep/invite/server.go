package invite

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Options adjusts [New]. Nil and the zero value are ready to use and secure.
type Options struct {
	// Pending is how many invites of one inviter may be good at a time; one for an account of a certain name counts twice. Those of the
	// server's own are not bounded. Zero means 10, negative no bound.
	Pending int
	// Lifetime is how long an invite is good if nobody says otherwise. Zero means [Week].
	Lifetime time.Duration
	// Logger gets what nobody can be told. Nil means [slog.Default].
	Logger *slog.Logger
}

// A Service gives out invites in a server, and keeps what they promise: it grants requests for a subscription that show a token, and
// it is the register.Inviter of those who want an account. Make one with [New]. It is a module; its methods may be called from any goroutine
// once the server is made.
type Service struct {
	o        Options
	host     module.Host
	invites  storage.Invites
	accounts bool // they can be made by invites
}

var _ module.Module = (*Service)(nil)

// New returns a service.
func New(opts *Options) *Service {
	s := new(Service)
	if opts != nil {
		s.o = *opts
	}
	s.o.Pending = cmp.Or(s.o.Pending, 10)
	s.o.Lifetime = cmp.Or(max(s.o.Lifetime, 0), Week)
	s.o.Logger = cmp.Or(s.o.Logger, slog.Default())
	return s
}

// Install implements [module.Module].
func (s *Service) Install(h module.Host) error {
	s.use(h)
	h.Hook(module.Hooks{Requested: s.requested})
	return nil
}

func (s *Service) use(h module.Host) { s.host, s.invites = h, h.Stores().Invites }

// The kinds of errors of [Service.Create], beside those of package storage.
var (
	// ErrNoAccounts: the server makes no accounts by invites. The module of package register does, if it is told who is invited.
	ErrNoAccounts = errors.New("invite: the server makes no accounts by invites")
	errRequest    = errors.New("invite: the request makes no sense")
)

// A Request says what an invite is to be for.
type Request struct {
	// Inviter is who becomes a contact of who is invited, both ways; zero for an invite of the server's own, by which nobody does.
	Inviter jid.JID
	// Account is the account that may be made: of any name, if it is a domain, and if it has a name only of that, which nobody
	// else can take until the invite expires. Zero makes no account.
	Account jid.JID
	// Name is a name for the inviter, for the link.
	Name string
	// Uses is how often it is good. Zero means once; an account of a certain name can only be made once.
	Uses int
	// Lifetime is how long it is good. Zero means that of the service.
	Lifetime time.Duration
}

// An Invitation is an invite that was made. Its token is kept nowhere else.
type Invitation struct {
	URI     URI
	ID      string // by which it can be revoked
	Expires time.Time
}

// Create makes an invite. [storage.ErrFull] when too many of the inviter are good already; [storage.ErrNotFound] when there is no such
// inviter; [storage.ErrExists] when the account exists, or somebody else is invited to make it; [ErrNoAccounts].
func (s *Service) Create(ctx context.Context, r Request) (Invitation, error) {
	made, err := s.create(ctx, r)
	if err != nil {
		return Invitation{}, fmt.Errorf("invite: create: %w", err)
	}
	return made, nil
}

func (s *Service) create(ctx context.Context, r Request) (Invitation, error) {
	now := time.Now()
	i := storage.Invite{
		Account: r.Account, Created: now, Expires: now.Add(cmp.Or(r.Lifetime, s.o.Lifetime)), Uses: cmp.Or(r.Uses, 1),
	}
	if err := s.check(r, i); err != nil {
		return Invitation{}, err
	}
	if r.Inviter.IsZero() {
		i.Addr = r.Account.Domain()
	} else {
		a, err := s.host.Lookup(ctx, r.Inviter)
		if err != nil {
			return Invitation{}, err
		}
		i.Inviter, i.Addr = a.ID, a.Addr
	}
	if err := s.invites.Expire(ctx, now.Add(-grace)); err != nil {
		return Invitation{}, err
	}
	if err := s.reserve(ctx, i); err != nil {
		return Invitation{}, err
	}
	token := rand.Text() // 130 bits (XEP-0379 §5.1)
	i.ID = idOf(token)
	if err := s.invites.Create(ctx, i, s.limit(i)); err != nil {
		return Invitation{}, errors.Join(err, s.unreserve(context.WithoutCancel(ctx), i))
	}
	return Invitation{URI: link(r, i, token), ID: i.ID, Expires: i.Expires}, nil
}

// check reports what an invite cannot be for.
func (s *Service) check(r Request, i storage.Invite) error {
	named := r.Account.Localpart() != ""
	switch {
	case s.host == nil:
		return errors.New("invite: the service is not installed")
	case i.Uses < 1 || !i.Expires.After(i.Created), r.Inviter.IsZero() && r.Account.IsZero(), r.Account.IsFull(), named && i.Uses > 1:
		return errRequest
	case !r.Inviter.IsZero() && (!r.Inviter.IsBare() || r.Inviter.Localpart() == ""):
		return errRequest
	case r.Account.IsZero():
		return nil
	case !s.accounts:
		return ErrNoAccounts
	case !slices.Contains(s.host.Domains(), r.Account.Domain()):
		return fmt.Errorf("%w: %s is not served here", errRequest, r.Account.Domain())
	case !r.Inviter.IsZero() && !named && r.Account != r.Inviter.Domain(): // the link names the inviter only
		return fmt.Errorf("%w: the account is not at the domain of the inviter", errRequest)
	}
	return nil
}

// limit bounds the invites of an inviter.
func (s *Service) limit(i storage.Invite) int {
	if i.Inviter == "" {
		return 0
	}
	return max(s.o.Pending, 0)
}

// link returns the link of an invite (XEP-0401 §5).
func link(r Request, i storage.Invite, token string) URI {
	if i.Inviter != "" && i.Account.Localpart() == "" {
		return URI{Addr: i.Addr, Action: Roster, Token: token, Name: r.Name, Accounts: !i.Account.IsZero()}
	}
	return URI{Addr: i.Account, Action: Register, Token: token, Name: r.Name}
}

// reservation is the id of an invite that stands for a name: of no token, as no token has such a character.
func reservation(addr jid.JID) string { return idOf("account\x00" + addr.String()) }

// reserve keeps the name of the account for who is invited to make it (XEP-0445 §5).
func (s *Service) reserve(ctx context.Context, i storage.Invite) error {
	if i.Account.Localpart() == "" {
		return nil
	}
	i.ID = reservation(i.Account)
	if err := s.invites.Create(ctx, i, s.limit(i)); err != nil {
		return err
	}
	_, err := s.host.Lookup(ctx, i.Account)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = storage.ErrExists
	}
	return errors.Join(err, s.unreserve(context.WithoutCancel(ctx), i))
}

func (s *Service) unreserve(ctx context.Context, i storage.Invite) error {
	if i.Account.Localpart() == "" {
		return nil
	}
	return s.invites.Delete(ctx, reservation(i.Account))
}

// List returns the invites of an account that are neither used up nor forgotten, in no order that means anything; those of the server's own for the zero
// address.
func (s *Service) List(ctx context.Context, inviter jid.JID) ([]storage.Invite, error) {
	all, err := s.list(ctx, inviter)
	if err != nil {
		return nil, fmt.Errorf("invite: list those of %s: %w", inviter, err)
	}
	return all, nil
}

// page is how many invites are read at once.
const page = 100

func (s *Service) list(ctx context.Context, inviter jid.JID) (all []storage.Invite, err error) {
	var id storage.AccountID
	if !inviter.IsZero() {
		a, err := s.host.Lookup(ctx, inviter)
		if err != nil {
			return nil, err
		}
		id = a.ID
	}
	for after := ""; ; {
		some, err := s.invites.List(ctx, id, after, page)
		if err != nil {
			return nil, err
		}
		for _, i := range some {
			if i.ID != reservation(i.Account) {
				all = append(all, i)
			}
			after = i.ID
		}
		if len(some) < page {
			return all, nil
		}
	}
}

// Revoke makes an invite good for nothing, whoever has it. It is no error if it is not there.
func (s *Service) Revoke(ctx context.Context, id string) error {
	i, err := s.invites.Get(ctx, id, time.Time{})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err == nil:
		err = errors.Join(s.invites.Delete(ctx, id), s.unreserve(ctx, i))
	}
	if err != nil {
		return fmt.Errorf("invite: revoke: %w", err)
	}
	return nil
}

// announce shows strangers that the server takes invites (XEP-0445 §3).
func (s *Service) announce(h module.Host) {
	h.Feature(false, offer{})
	h.Stranger().IQ(stanza.IQSet, NS, "preauth", s.show)
}
