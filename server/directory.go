package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A directory has the accounts that the server is dealing with: all that have a
// session, and those to which something is being done.
type directory struct {
	stored storage.Accounts
	rate   func() int // of each account

	mu       sync.RWMutex // guards the fields below, and holds of accounts
	accounts map[jid.JID]*account
	removals int // of accounts, ever
}

func newDirectory(stored storage.Accounts) *directory {
	return &directory{stored: stored, rate: func() int { return 0 }, accounts: make(map[jid.JID]*account)}
}

// online returns the account at a bare JID if the server is dealing with it, else nil.
// That is so for every account with a session.
func (d *directory) online(addr jid.JID) *account {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.accounts[addr]
}

// all returns the accounts that the server is dealing with.
func (d *directory) all() []*account {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Collect(maps.Values(d.accounts))
}

// id returns the id of the account at a bare JID, or [storage.ErrNotFound].
func (d *directory) id(ctx context.Context, addr jid.JID) (storage.AccountID, error) {
	if a := d.online(addr); a != nil {
		return a.id, nil
	}
	a, err := d.stored.Get(ctx, addr)
	return a.ID, err
}

// hold returns the account at a bare JID, which stays in the directory until it
// is released. The error is [storage.ErrNotFound] when there is none.
func (d *directory) hold(ctx context.Context, addr jid.JID) (*account, error) {
	for {
		a, removals := d.take(addr)
		if a != nil {
			return a, nil
		}
		stored, err := d.stored.Get(ctx, addr)
		if err != nil {
			return nil, err
		}
		if a := d.add(stored, removals); a != nil {
			return a, nil
		}
	}
}

// take holds an account that is there already.
func (d *directory) take(addr jid.JID) (a *account, removals int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a = d.accounts[addr]; a != nil {
		a.holds++
	}
	return a, d.removals
}

// add holds an account as it was stored before the given removals; nil if what
// was read may be outdated.
func (d *directory) add(stored storage.Account, removals int) *account {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.removals != removals {
		return nil
	}
	a := d.accounts[stored.Addr]
	if a == nil {
		a = d.newAccount(stored)
		d.accounts[stored.Addr] = a
	}
	a.holds++
	return a
}

// newAccount makes what the server holds of an account.
func (d *directory) newAccount(stored storage.Account) *account {
	return &account{
		addr: stored.Addr, id: stored.ID, disabled: stored.Disabled, turns: make(chan struct{}, 1), spooling: make(chan struct{}, 1),
		rate: newBucket(d.rate(), time.Now()),
	}
}

// release undoes hold.
func (d *directory) release(a *account) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.holds--; a.holds == 0 && d.accounts[a.addr] == a {
		delete(d.accounts, a.addr)
	}
}

// remove takes out an account that is not as it was stored any more, though others hold it. Whoever asks for the
// address from now on gets what is stored then: another account, or none.
func (d *directory) remove(a *account) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removals++
	if d.accounts[a.addr] == a {
		delete(d.accounts, a.addr)
	}
}
