package storage

import (
	"context"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A Subscription is the state of a contact (RFC 6121 Appendix A.1), a set of
// flags. Zero is None. Nine of the sixteen combinations exist, see
// [Subscription.Valid]. The values are fit for a database column.
type Subscription uint8

// The flags, from the point of view of the roster's owner.
const (
	To         Subscription = 1 << iota // the owner sees the contact's presence
	From                                // the contact sees the owner's presence
	PendingOut                          // the owner has asked to
	PendingIn                           // the contact has asked to
)

// Has reports whether s has all the flags of f.
func (s Subscription) Has(f Subscription) bool { return s&f == f }

// Valid reports whether s is one of the nine states: nobody is subscribed and
// asks for it at the same time.
func (s Subscription) Valid() bool {
	return s < 16 && !s.Has(To|PendingOut) && !s.Has(From|PendingIn)
}

// A Contact is what the roster of an account holds about one address.
type Contact struct {
	JID          jid.JID
	Name         string
	Groups       []string
	Subscription Subscription
	// Approved notes that a request by the contact is to be granted (RFC 6121 §3.4).
	Approved bool
	// Listed says that the owner sees the contact in the roster. It is false
	// for one who has merely asked for a subscription (RFC 6121 §3.1.3).
	Listed bool
	// Request is the stanza by which the contact asked, empty unless PendingIn.
	Request []byte
	// Version is that of the roster since the owner last saw the contact change. The
	// store gives it; what callers say does not matter.
	Version uint64
}

// IsEmpty reports whether there is nothing to keep about the contact.
func (c Contact) IsEmpty() bool { return !c.Listed && !c.Subscription.Has(PendingIn) }

// Clone returns a copy that shares nothing but the bytes of the request.
func (c Contact) Clone() Contact {
	c.Groups = slices.Clone(c.Groups)
	return c
}

// RosterLimits bounds one roster. Zero means no bound.
type RosterLimits struct {
	Listed   int // contacts that the owner sees
	Requests int // contacts that the owner does not see, who have asked
	Removed  int // contacts that the owner no longer sees, of which [Rosters.Changes] tells
}

// Rosters keeps the contacts of accounts. A roster exists as soon as somebody
// writes to it.
//
// A roster has a version, which grows with everything that its owner sees change (RFC 6121
// §2.6): a contact that is listed before or after. It is zero before the first.
type Rosters interface {
	// Get returns one contact. [ErrNotFound] when nothing is known about it.
	Get(ctx context.Context, owner AccountID, contact jid.JID) (Contact, error)
	// List returns contacts, listed or not, in the order of [jid.JID.Compare],
	// those behind after; the zero JID is before all.
	List(ctx context.Context, owner AccountID, after jid.JID, limit int) ([]Contact, error)
	// Update changes one contact as a single step. It calls change with what is
	// known, which is just the JID if that is nothing, and keeps what change
	// returns, or nothing if that is empty ([Contact.IsEmpty]). An error of
	// change is returned as it is, and leaves things as they were. Change is called in the
	// goroutine of the caller, with nothing locked that others need. It may
	// be called again, when somebody else was faster; it must not use the store.
	//
	// The result is what was kept. Its Version is a new one, greater than any
	// before, if the contact was listed before or is now; else it is what it was.
	// [ErrFull] when a contact would be added where there are as many as limits
	// allow. What is there already may always be changed.
	Update(ctx context.Context, owner AccountID, contact jid.JID, limits RosterLimits, change func(Contact) (Contact, error)) (Contact, error)
	// Version returns the version of a roster.
	Version(ctx context.Context, owner AccountID) (uint64, error)
	// Changes returns the contacts that have changed since the roster had a version, in
	// the order of theirs, those of a version greater than since. One that the owner no longer sees
	// has Listed false, and nothing else but its JID and Version is sure. Of those only the
	// last so many are remembered, see [RosterLimits]. [ErrNotFound] when something
	// after since is no longer known, or when the roster has not come as far as that.
	Changes(ctx context.Context, owner AccountID, since uint64, limit int) ([]Contact, error)
	// DeleteAll removes the whole roster. It is no error if there is none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
