package storage

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
)

// Blocklists keeps whom accounts want to have nothing to do with (XEP-0191). An entry is any JID: a
// domain, a bare or a full one.
type Blocklists interface {
	// List returns entries in the order of [jid.JID.Compare], those behind after; the zero JID is before all.
	List(ctx context.Context, owner AccountID, after jid.JID, limit int) ([]jid.JID, error)
	// Add adds entries, all or none. What is there already may be added again. [ErrFull] when there would be more
	// than limit; zero means no bound.
	Add(ctx context.Context, owner AccountID, limit int, entries ...jid.JID) error
	// Remove removes entries, all or none. It is no error if one is not there.
	Remove(ctx context.Context, owner AccountID, entries ...jid.JID) error
	// DeleteAll removes all entries of an account. It is no error if there are none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
