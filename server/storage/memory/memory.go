// Package memory keeps what a server stores in memory, for tests and for programs that
// have no use for it after they end.
//
//	srv, err := server.New(&server.Options{Storage: memory.New(), …})
//
// That is also what a server does by default. Each concern is a type of its own,
// so a program that brings some stores may combine them with these:
//
//	stores := memory.New()
//	stores.Accounts = ours
//
// The zero values are ready to use. Nothing is bounded here but by the limits that a
// server passes; a store grows with its accounts.
package memory

import "github.com/parlance-xmpp/xmpp/server/storage"

// New returns empty stores for every concern.
func New() storage.Stores {
	return storage.Stores{
		Accounts: new(Accounts), Rosters: new(Rosters), Offline: new(Offline), Tokens: new(Tokens),
		Documents: new(Documents), Blocklists: new(Blocklists), Invites: new(Invites),
	}
}
