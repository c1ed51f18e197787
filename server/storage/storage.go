// Package storage says what a server needs kept, one small interface for each
// concern: [Accounts], [Rosters], [Offline], [Tokens], [Documents], [Blocklists],
// [Invites]. A driver implements them; package
// memory is the simplest one, and package storagetest proves any other.
//
// # Writing a driver
//
// Methods may be called from any number of goroutines. They end early when
// their context does. When one returns nil, what it wrote is there to stay: the
// server acknowledges to its clients what the driver has acknowledged to it.
//
// Everything is kept under an [AccountID], not under an address. An address
// can be deleted and registered anew by somebody else, who must not inherit a
// roster or messages; an id never comes back.
//
// Lists come in pages: in the order stated, those behind the given position,
// at most as many as asked for. A page with fewer, or none, is the last. Between two pages
// others may write; what was there all along is then still seen exactly once.
//
// What is passed in belongs to the caller again on return. What is returned is
// the caller's, except that the bytes of stanzas are shared and must not be
// modified.
//
// # Errors
//
// The kinds a server decides on are [ErrNotFound], [ErrExists] and [ErrFull]; wrap
// them so that errors.Is finds them. Any other error means that the store
// could not be asked.
package storage

import "errors"

// The kinds of errors.
var (
	ErrNotFound = errors.New("storage: not found")
	ErrExists   = errors.New("storage: exists already")
	ErrFull     = errors.New("storage: limit reached")
)

// Stores is a store for each concern. They may come from different drivers.
type Stores struct {
	Accounts   Accounts
	Rosters    Rosters
	Offline    Offline
	Tokens     Tokens
	Documents  Documents
	Blocklists Blocklists
	Invites    Invites
}
