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
	// Add adds messages behind all others, in the order given, whatever their IDs say,
	// and all in one commit: after a crash, or an error that leaves the outcome open,
	// all of those that it would have added are there, or none.
	//
	// It stops before the first message that would exceed the limits, which is [ErrFull], and
	// returns how many it has added. With any other error that is zero.
	Add(ctx context.Context, owner AccountID, limits OfflineLimits, messages ...OfflineMessage) (added int, err error)
	// List returns messages, oldest first, those whose ID is greater than after.
	List(ctx context.Context, owner AccountID, after uint64, limit int) ([]OfflineMessage, error)
	// Delete removes messages. It is no error if one is not there.
	Delete(ctx context.Context, owner AccountID, ids ...uint64) error
	// DeleteAll removes all messages of an account. It is no error if there are none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
