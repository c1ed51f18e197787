// Package sqlstore keeps what a server stores in an SQL database: all that the drivers for SQLite and
// PostgreSQL have in common, which is nearly everything. A [Dialect] says the rest.
//
// # Writes
//
// A write is done when it is committed, not before. Each is an operation in the queue of a writer, which takes all that
// have come meanwhile, does them in one transaction, commits, and then tells every caller: however many wait, the disk is
// asked once. SQLite has one writer; PostgreSQL has several, among which owners are shared out, so that the order of one
// owner's writes is kept.
//
// An operation looks first and writes then, so that one that is refused has written nothing and leaves the others alone. When
// the database itself fails, the whole transaction is undone and each operation gets one of its own. When it fails in committing,
// nobody knows what it has done: callers are told so, and nothing is tried again.
//
// Only code of this package runs in a transaction. What a caller brings, the change of a contact, runs in the caller's goroutine
// before; the operation then looks whether it was made of what is still there.
package sqlstore
