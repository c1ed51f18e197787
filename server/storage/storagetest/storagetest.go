// Package storagetest proves that a driver does what package storage asks for.
// A driver has one test:
//
//	func TestDriver(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Stores { return open(t, t.TempDir()) })
//	}
//
// [RunReopen] and [Crashes] are for those that keep things when a program ends, [Shared] for those that several
// programs may use at the same time. Stores that a driver does not have may be nil; nothing is tested of them.
//
// [Faults] is for tests of a server: it makes stores fail.
package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Run runs every test of the suite. open returns empty stores; it is called once
// for each test, whose end it may use to clean up.
func Run(t *testing.T, open func(t *testing.T) storage.Stores) {
	have := open(t)
	if have.Accounts != nil {
		run(t, "Accounts", accountTests, func(t *testing.T) storage.Accounts { return open(t).Accounts })
	}
	if have.Rosters != nil {
		run(t, "Rosters", rosterTests, func(t *testing.T) storage.Rosters { return open(t).Rosters })
	}
	if have.Tokens != nil {
		run(t, "Tokens", tokenTests, func(t *testing.T) storage.Tokens { return open(t).Tokens })
	}
	if have.Offline != nil {
		run(t, "Offline", offlineTests, func(t *testing.T) storage.Offline { return open(t).Offline })
	}
	if have.Documents != nil {
		run(t, "Documents", documentTests, func(t *testing.T) storage.Documents { return open(t).Documents })
	}
	if have.Blocklists != nil {
		run(t, "Blocklists", blocklistTests, func(t *testing.T) storage.Blocklists { return open(t).Blocklists })
	}
	if have.Invites != nil {
		run(t, "Invites", inviteTests, func(t *testing.T) storage.Invites { return open(t).Invites })
	}
}

// A test is one property of a store.
type test[S any] struct {
	name string
	run  func(t *testing.T, s S)
}

func run[S any](t *testing.T, concern string, tests []test[S], open func(t *testing.T) S) {
	t.Run(concern, func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
		}
	})
}

// pages calls list until a page is short, and returns everything. It fails
// when a page is longer than asked for.
func pages[E, P any](t *testing.T, limit int, position func(E) P, list func(ctx context.Context, after P, limit int) ([]E, error)) []E {
	t.Helper()
	var (
		all   []E
		after P
	)
	for {
		page, err := list(t.Context(), after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit, "a page is longer than asked for")
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		after = position(page[len(page)-1])
	}
}

// contact returns the address of the nth of many, in an order other than that
// of their numbers.
func contact(n int) jid.JID {
	return jid.MustParse(fmt.Sprintf("c%d@%c.example", n, 'c'-rune(n%3)))
}

// ended returns a context that is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// noon is a time that every store can keep.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
