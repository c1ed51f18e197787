package storage

import (
	"context"
	"time"
)

// An OfflineMessage waits for its recipient to come online.
type OfflineMessage struct {
	// ID is given by the store. It grows with each message added for an
	// account and is never given twice.
	ID     uint64
	Stored time.Time
	Stanza []byte // the message as XML, as it will be delivered
}

// OfflineLimits bounds what waits for one account. Zero means no bound.
type OfflineLimits struct {
	Messages int
	Bytes    int // of all stanzas together
}

// Offline keeps messages for accounts that are offline (XEP-0160).
type Offline interface {
	// Add adds a message behind all others, whatever its ID says. [ErrFull] when
	// that would exceed the limits.
	Add(ctx context.Context, owner AccountID, m OfflineMessage, limits OfflineLimits) error
	// List returns messages, oldest first, those whose ID is greater than after.
	List(ctx context.Context, owner AccountID, after uint64, limit int) ([]OfflineMessage, error)
	// Delete removes messages. It is no error if one is not there.
	Delete(ctx context.Context, owner AccountID, ids ...uint64) error
	// DeleteAll removes all messages of an account. It is no error if there are none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
