package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Mode says who may make an account.
type Mode uint8

// The modes.
const (
	Closed  Mode = iota // nobody: only the program makes accounts
	Invited             // who has an invite
	Open                // anybody, within the limits
)

// ServerOptions adjusts [Server]. Nil and the zero value are ready to use and secure: nobody makes an account.
type ServerOptions struct {
	Mode Mode
	// ModeAt, if it is not nil, says the mode of each domain in place of Mode. It is asked each time, so that its answer may
	// change, and may be called concurrently.
	ModeAt func(domain jid.JID) Mode
	// Invites knows who is invited: package invite has one. [Invited] needs it. In mode [Open] an invite still makes a contact of who
	// gave it, and the names of invites are kept for those who have them.
	Invites Inviter
	// Instructions are for people who want an account. Empty means a sentence in English.
	Instructions string
	// Require is what somebody who wants an account has to tell beside a name and a password, such as "email": names of §14.1.
	// Check sees it.
	Require []string
	// Check has the last word on an account, when everything else allows it. Its error goes to who wants it, if it is a
	// [*stanza.Error] or [stanza.Condition]. It may be called concurrently.
	Check func(ctx context.Context, r Request) error

	// Reserved are localparts that only an invite for just that name can get. Nil means [ReservedNames].
	Reserved []string
	// MinPassword is how many characters a password has at least. Zero means 8.
	MinPassword int
	// Limits bounds how many accounts are made.
	Limits Limits

	// KeepPasswords and KeepAccounts do not let the owner of an account change the password, or delete it.
	KeepPasswords, KeepAccounts bool
	// InsecurePlaintext lets passwords come without TLS, if the server itself does. It is for tests, and for connections
	// that never leave the machine.
	InsecurePlaintext bool
	// Logger gets what nobody can be told. Nil means [slog.Default].
	Logger *slog.Logger
}

// A Request is somebody's wish for an account.
type Request struct {
	Addr   jid.JID
	Remote netip.Addr // where it came from; zero if that is not known
	Query  Query
}

// An Inviter knows who is invited.
type Inviter interface {
	// Announce is called once, when the server that makes accounts is made: strangers can then show their invites.
	Announce(h module.Host) error
	// Invited returns which account the stranger may make, by the invite it has shown: of any name if that is a domain. It is zero
	// for a stranger without one.
	Invited(s *module.Stranger) jid.JID
	// Redeem takes the invite of a stranger, who may have none, and makes the account by create. If create fails, the invite is good
	// again, and the error is that of create. [stanza.Conflict] when somebody else is invited to have that address.
	Redeem(ctx context.Context, s *module.Stranger, addr jid.JID, create func(context.Context) error) error
}

// ReservedNames are the localparts that nobody gets by default: those by which people ask for whoever runs a server (RFC 2142), and some
// that look like it.
func ReservedNames() []string {
	return []string{
		"abuse", "admin", "administrator", "contact", "help", "hostmaster", "info", "moderator", "noc", "noreply", "operator",
		"owner", "postmaster", "register", "registration", "root", "sales", "security", "server", "staff", "support", "sysadmin", "system",
		"webmaster", "xmpp",
	}
}

// Server is the server's half. Clients that have logged in change the password of their account, over TLS, and delete it. Those that have not
// make accounts, if the mode lets them. It is told to strangers in the features of the stream only then.
//
// Who is not allowed to make an account is told so before anybody looks whether the name is taken.
func Server(o *ServerOptions) module.Module {
	s := new(server)
	if o != nil {
		s.o = *o
	}
	return s
}

// A server is an installed module.
type server struct {
	o        ServerOptions
	host     module.Host
	reserved map[string]bool

	perAddress, perNetwork, total, attempts *limiter[netip.Prefix]
	changes                                 *limiter[storage.AccountID]
}

// Install implements [module.Module].
func (s *server) Install(h module.Host) error {
	if err := s.complete(); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	s.host = h
	for _, mux := range []interface {
		IQ(stanza.IQType, string, string, func(context.Context, *stanza.IQ) (stanza.Payload, error))
	}{h.Account(), h.Domain()} {
		mux.IQ(stanza.IQGet, NS, "query", s.tell)
		mux.IQ(stanza.IQSet, NS, "query", s.change)
	}
	if s.o.Mode == Closed && s.o.ModeAt == nil {
		return nil
	}
	h = whereOpen{h, s}
	h.Feature(false, offer{})
	h.Stranger().IQ(stanza.IQGet, NS, "query", s.ask)
	h.Stranger().IQ(stanza.IQSet, NS, "query", s.register)
	if s.o.Invites != nil {
		return s.o.Invites.Announce(h)
	}
	return nil
}

// mode is that of a domain.
func (s *server) mode(domain jid.JID) Mode {
	if s.o.ModeAt == nil {
		return s.o.Mode
	}
	mode := s.o.ModeAt(domain)
	if mode == Invited && s.o.Invites == nil {
		return Closed
	}
	return mode
}

// whereOpen is a host whose features are those of domains that make accounts.
type whereOpen struct {
	module.Host
	s *server
}

// Feature implements [module.Host].
func (h whereOpen) Feature(authenticated bool, p stanza.Payload) {
	h.Host.Feature(authenticated, openOffer{p, h.s})
}

// An openOffer is a feature of domains that make accounts.
type openOffer struct {
	stanza.Payload
	s *server
}

// OfferedBy implements [module.DomainFeature].
func (o openOffer) OfferedBy(domain jid.JID) bool { return o.s.mode(domain) != Closed }

// complete sets every default.
func (s *server) complete() error {
	o := &s.o
	switch {
	case o.Mode > Open:
		return fmt.Errorf("no mode %d", o.Mode)
	case o.Mode == Invited && o.Invites == nil:
		return errors.New("who is invited? ServerOptions has no Invites")
	}
	o.Require = slices.Clone(o.Require)
	for _, name := range o.Require {
		if !slices.Contains(names, name) || slices.Contains(credentials, name) {
			return fmt.Errorf("the field %q cannot be required", name)
		}
	}
	o.Instructions = cmp.Or(o.Instructions, "Choose a name and a password.")
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.MinPassword = cmp.Or(o.MinPassword, 8)
	if o.Reserved == nil {
		o.Reserved = ReservedNames()
	}
	s.reserved = make(map[string]bool)
	for _, name := range o.Reserved {
		addr, err := anywhere.WithLocal(name)
		if err != nil {
			return fmt.Errorf("the reserved name %q: %w", name, err)
		}
		s.reserved[addr.Localpart()] = true
	}
	l := o.Limits.withDefaults()
	s.perAddress, s.perNetwork = newLimiter[netip.Prefix](l.PerAddress), newLimiter[netip.Prefix](l.PerNetwork)
	s.total, s.attempts = newLimiter[netip.Prefix](l.Total), newLimiter[netip.Prefix](l.Attempts)
	s.changes = newLimiter[storage.AccountID](l.Changes)
	return nil
}

// credentials are what everybody who wants an account has to tell.
var credentials = []string{"username", "password"}

// anywhere is a domain to bring localparts into their form.
var anywhere = jid.MustParse("example.org")

// refused is an error with words for people.
func refused(c stanza.Condition, text string) error {
	return &stanza.Error{Condition: c, Text: text, Lang: "en"}
}

// tooMany is the error of who has to wait.
func tooMany(text string) error {
	return &stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint, Text: text, Lang: "en"}
}
