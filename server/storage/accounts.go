package storage

import (
	"context"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// An AccountID identifies an account for as long as it exists and never
// another one, even of the same address. It is opaque, and fit for a database key.
type AccountID string

// An Account is somebody who can log in. No password is kept, only what it
// takes to verify one.
type Account struct {
	ID      AccountID
	Addr    jid.JID        // the bare JID
	Secrets []sasl.Secrets // at most one for each hash function
	Created time.Time
	// Disabled accounts are kept, and nobody logs in to them.
	Disabled bool
}

// Accounts keeps accounts.
type Accounts interface {
	// Create adds an account. [ErrExists] when the address or the id is taken.
	Create(ctx context.Context, a Account) error
	// Get returns the account at an address, a bare JID. [ErrNotFound] when
	// there is none.
	Get(ctx context.Context, addr jid.JID) (Account, error)
	// SetSecrets replaces the secrets of an account. [ErrNotFound] when there
	// is none of that id.
	SetSecrets(ctx context.Context, id AccountID, secrets []sasl.Secrets) error
	// SetDisabled disables an account, or enables it. [ErrNotFound] when there is none of that id.
	SetDisabled(ctx context.Context, id AccountID, disabled bool) error
	// Delete removes an account. [ErrNotFound] when there is none of that id.
	Delete(ctx context.Context, id AccountID) error
	// List returns accounts whose address has that domainpart, in the order of
	// [jid.JID.Compare], those behind after; the zero JID is before all.
	List(ctx context.Context, domain string, after jid.JID, limit int) ([]Account, error)
}
