package storage

import "context"

// DocumentLimits bounds the documents of one kind of one account. Zero means no bound.
type DocumentLimits struct {
	Count int
	Bytes int // of all of them together
}

// Documents keeps what extensions want kept for an account: its vCard, private
// XML, when it was last seen. A document has a kind, which is the extension's own, and a name among
// those of its kind, which may be empty. What is in it the store does not look at.
type Documents interface {
	// Get returns a document. [ErrNotFound] when there is none.
	Get(ctx context.Context, owner AccountID, kind, name string) ([]byte, error)
	// Set replaces a document, or adds it. Data that is empty removes it. [ErrFull]
	// when it would exceed the limits.
	Set(ctx context.Context, owner AccountID, kind, name string, data []byte, limits DocumentLimits) error
	// List returns the names of the documents of a kind, in the order of their bytes,
	// those behind after. The empty name is never listed.
	List(ctx context.Context, owner AccountID, kind, after string, limit int) ([]string, error)
	// Owners returns accounts that have documents of a kind, in the order of the bytes of their ids, those behind after.
	Owners(ctx context.Context, kind string, after AccountID, limit int) ([]AccountID, error)
	// DeleteAll removes all documents of an account. It is no error if there are none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
