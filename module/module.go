package module

import (
	"context"
	"encoding/xml"
	"iter"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Module extends a server.
type Module interface {
	// Install registers what the module does. It is called once, by the function that makes the
	// server, which fails with the error.
	Install(h Host) error
}

// A Func is a function as a [Module].
type Func func(h Host) error

// Install calls f.
func (f Func) Install(h Host) error { return f(h) }

// An Audience is who may ask something of an account.
type Audience uint8

// The audiences, each one a part of the next.
const (
	Owner       Audience = iota // the account's own sessions
	Subscribers                 // and those who may see its presence
	Anyone
)

// An Account is an account of the server.
type Account struct {
	ID   storage.AccountID
	Addr jid.JID // bare
}

// A Host is a server as its modules see it. Its methods may be called from any goroutine, those that
// register something during Install only.
type Host interface {
	// Domains are the domains that the server serves now: some may be added later, or removed.
	Domains() []jid.JID
	// Stores are what the server keeps things in. A store that a program does not bring is one in memory.
	Stores() storage.Stores

	// Domain answers for the domains.
	Domain() *muxer.Mux
	// Account answers for accounts: what their sessions ask of them, or of nobody in particular,
	// and what others may ask of their bare JIDs. A handler finds who asks in the request, and the
	// session, if it is one of the account's own, by [FromContext].
	Account() *muxer.Mux
	// Stranger answers clients that have not logged in, over TLS. A handler finds the connection by [StrangerFrom].
	Stranger() *muxer.Mux
	// Open lets more than the owner ask accounts for a payload of that name: [stanza.IQGet] or [stanza.IQSet],
	// or [muxer.AnyIQ].
	Open(to Audience, t stanza.IQType, name xml.Name)
	// Hook adds hooks. Those of the modules that were installed first are called first.
	Hook(h Hooks)
	// Feature adds something to the features of streams, for clients that have logged in or for those that have not. Of the latter, a
	// [DomainFeature] is added only where it is offered.
	Feature(authenticated bool, p stanza.Payload)
	// BindInline adds a feature that a client may ask for while it binds (XEP-0386). Its payload, of that name, is given to f
	// before the client knows its address. Each is listed by its namespace.
	BindInline(name xml.Name, f func(ctx context.Context, s Session, e stanza.Element))

	// Accounts changes accounts.
	Accounts
	// SetOwnPassword and DeleteOwnAccount are for what the owner of an account asks: they do nothing to an account that
	// somebody else has at the same address by then, and return [storage.ErrNotFound]. Once the account is gone, and before
	// its sessions end, DeleteOwnAccount calls gone, if that is not nil: the answer still reaches who asked. It waits for those sessions: a handler
	// of one has to call it by Go.
	SetOwnPassword(ctx context.Context, a Account, password string) error
	DeleteOwnAccount(ctx context.Context, a Account, gone func()) error
	// Go runs f on a goroutine that the server waits for when it shuts down. ctx ends when it waits no more. Go is false, and f
	// does not run, if the server has shut down. f bounds itself how many of its kind run.
	Go(f func(ctx context.Context)) bool
	// Lookup returns the account at a bare JID, [storage.ErrNotFound] if there is none.
	Lookup(ctx context.Context, addr jid.JID) (Account, error)
	// Sessions are those of an account that are bound, oldest first; where servers act as one, behind them those of other nodes.
	Sessions(account jid.JID) []Session
	// All yields the sessions of this server, in no order, suspended ones included. Those that come or go meanwhile may be missing.
	All() iter.Seq[Session]
	// MaySee reports whether who may see the presence of an account.
	MaySee(ctx context.Context, a Account, who jid.JID) bool
	// Contacts are what an account's roster holds, listed or not.
	Contacts(ctx context.Context, a Account) ([]storage.Contact, error)
	// Subscribe asks a contact of the account for a subscription as one of its clients would, unless it has one. It waits for the account's turn:
	// a hook calls it by Go.
	Subscribe(ctx context.Context, a Account, contact jid.JID) error
	// Hide tells a contact of the account that each of its sessions is unavailable, if the contact may see their presence or
	// got it directly; Show tells it of those that are available, if it may see them. A full JID is only that session of a
	// contact, and for Hide a domain is all that have an address there. [Hooks.Permit] is asked by Show and not by Hide.
	Hide(ctx context.Context, a Account, contact jid.JID) error
	Show(ctx context.Context, a Account, contact jid.JID) error
	// Announce broadcasts once more what each available session of an account has broadcast last, as change makes it, in the account's turn:
	// nothing comes between. Only sessions of this server are asked for, and those for which change returns false stay as they are. Whom a session
	// has sent directed presence gets no other, and hooks but [Hooks.Permit] are not asked.
	Announce(ctx context.Context, a Account, change func(s Session, t *Transit) (bool, error)) error
	// Changed has [Hooks.Changed] called by the other servers of a cluster that have sessions of an account, and returns when they have done
	// so. What does not answer is logged.
	Changed(ctx context.Context, a Account, ns string)
	// Probe tells the sessions of an account of the presence of a contact, if it may see that.
	Probe(ctx context.Context, a Account, contact jid.JID) error

	// Session speaks for a domain; Send routes a stanza from any address of the server's own domains. What is sent to an account
	// is placed like any other stanza.
	Session(domain jid.JID) (xmpp.Session, error)
	Send(ctx context.Context, st stanza.Stanza) error
}

// A DomainFeature is something for [Host.Feature] that not every domain offers, or not always.
type DomainFeature interface {
	stanza.Payload
	// OfferedBy reports whether a domain offers it now. It is called for each stream.
	OfferedBy(domain jid.JID) bool
}

// Accounts changes the accounts of a server. The errors are those of the server's methods of the same names.
type Accounts interface {
	CreateAccount(ctx context.Context, addr jid.JID, password string) error
	SetPassword(ctx context.Context, addr jid.JID, password string) error
	SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error
	DeleteAccount(ctx context.Context, addr jid.JID) error
	AddContact(ctx context.Context, account, contact jid.JID) error
}
