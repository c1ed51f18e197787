package storagetest

import (
	"context"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A Call is a call of a method that is about to be made.
type Call struct {
	Store, Method string // such as Offline and Add
}

// A Fault is what becomes of a call. The zero Fault is none.
type Fault struct {
	// Delay passes first, unless the context of the call ends before.
	Delay time.Duration
	// Err is returned, if it is not nil, and the call is not made.
	Err error
	// Lost says that the call is made all the same, and only its result is lost: what it writes is there, and the caller
	// does not know.
	Lost bool
}

// Faults returns stores that do what others do, with the faults that plan returns for each call. Plan is called from any goroutine.
//
//	stores := storagetest.Faults(memory.New(), func(c storagetest.Call) storagetest.Fault {
//		if c == (storagetest.Call{Store: "Offline", Method: "Add"}) {
//			return storagetest.Fault{Err: errDisk}
//		}
//		return storagetest.Fault{}
//	})
func Faults(s storage.Stores, plan func(Call) Fault) storage.Stores {
	var out storage.Stores // what is nil stays nil
	if s.Accounts != nil {
		out.Accounts = faultyAccounts{s.Accounts, faulty{"Accounts", plan}}
	}
	if s.Rosters != nil {
		out.Rosters = faultyRosters{s.Rosters, faulty{"Rosters", plan}}
	}
	if s.Offline != nil {
		out.Offline = faultyOffline{s.Offline, faulty{"Offline", plan}}
	}
	if s.Tokens != nil {
		out.Tokens = faultyTokens{s.Tokens, faulty{"Tokens", plan}}
	}
	if s.Documents != nil {
		out.Documents = faultyDocuments{s.Documents, faulty{"Documents", plan}}
	}
	if s.Blocklists != nil {
		out.Blocklists = faultyBlocklists{s.Blocklists, faulty{"Blocklists", plan}}
	}
	if s.Invites != nil {
		out.Invites = faultyInvites{s.Invites, faulty{"Invites", plan}}
	}
	return out
}

// faulty is a store whose calls may fail.
type faulty struct {
	store string
	plan  func(Call) Fault
}

// try makes a call, or does with it what is planned.
func try[T any](ctx context.Context, f faulty, method string, call func() (T, error)) (result T, err error) {
	fault := f.plan(Call{f.store, method})
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return result, ctx.Err()
		}
	}
	if fault.Err == nil {
		return call()
	}
	if fault.Lost {
		_, _ = call()
	}
	return result, fault.Err
}

// do is try for a call that returns nothing else.
func (f faulty) do(ctx context.Context, method string, call func() error) error {
	_, err := try(ctx, f, method, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

type faultyAccounts struct {
	s storage.Accounts
	faulty
}

func (f faultyAccounts) Create(ctx context.Context, a storage.Account) error {
	return f.do(ctx, "Create", func() error { return f.s.Create(ctx, a) })
}

func (f faultyAccounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	return try(ctx, f.faulty, "Get", func() (storage.Account, error) { return f.s.Get(ctx, addr) })
}

func (f faultyAccounts) SetSecrets(ctx context.Context, id storage.AccountID, secrets []sasl.Secrets) error {
	return f.do(ctx, "SetSecrets", func() error { return f.s.SetSecrets(ctx, id, secrets) })
}

func (f faultyAccounts) SetDisabled(ctx context.Context, id storage.AccountID, disabled bool) error {
	return f.do(ctx, "SetDisabled", func() error { return f.s.SetDisabled(ctx, id, disabled) })
}

func (f faultyAccounts) Delete(ctx context.Context, id storage.AccountID) error {
	return f.do(ctx, "Delete", func() error { return f.s.Delete(ctx, id) })
}

func (f faultyAccounts) List(ctx context.Context, domain string, after jid.JID, limit int) ([]storage.Account, error) {
	return try(ctx, f.faulty, "List", func() ([]storage.Account, error) { return f.s.List(ctx, domain, after, limit) })
}

type faultyRosters struct {
	s storage.Rosters
	faulty
}

func (f faultyRosters) Get(ctx context.Context, owner storage.AccountID, contact jid.JID) (storage.Contact, error) {
	return try(ctx, f.faulty, "Get", func() (storage.Contact, error) { return f.s.Get(ctx, owner, contact) })
}

func (f faultyRosters) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) ([]storage.Contact, error) {
	return try(ctx, f.faulty, "List", func() ([]storage.Contact, error) { return f.s.List(ctx, owner, after, limit) })
}

func (f faultyRosters) Update(ctx context.Context, owner storage.AccountID, contact jid.JID, limits storage.RosterLimits, change func(storage.Contact) (storage.Contact, error)) (storage.Contact, error) {
	return try(ctx, f.faulty, "Update", func() (storage.Contact, error) { return f.s.Update(ctx, owner, contact, limits, change) })
}

func (f faultyRosters) Version(ctx context.Context, owner storage.AccountID) (uint64, error) {
	return try(ctx, f.faulty, "Version", func() (uint64, error) { return f.s.Version(ctx, owner) })
}

func (f faultyRosters) Changes(ctx context.Context, owner storage.AccountID, since uint64, limit int) ([]storage.Contact, error) {
	return try(ctx, f.faulty, "Changes", func() ([]storage.Contact, error) { return f.s.Changes(ctx, owner, since, limit) })
}

func (f faultyRosters) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, owner) })
}

type faultyOffline struct {
	s storage.Offline
	faulty
}

func (f faultyOffline) Add(ctx context.Context, owner storage.AccountID, limits storage.OfflineLimits, messages ...storage.OfflineMessage) (added int, err error) {
	return try(ctx, f.faulty, "Add", func() (int, error) { return f.s.Add(ctx, owner, limits, messages...) })
}

func (f faultyOffline) List(ctx context.Context, owner storage.AccountID, after uint64, limit int) ([]storage.OfflineMessage, error) {
	return try(ctx, f.faulty, "List", func() ([]storage.OfflineMessage, error) { return f.s.List(ctx, owner, after, limit) })
}

func (f faultyOffline) Delete(ctx context.Context, owner storage.AccountID, ids ...uint64) error {
	return f.do(ctx, "Delete", func() error { return f.s.Delete(ctx, owner, ids...) })
}

func (f faultyOffline) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, owner) })
}

type faultyTokens struct {
	s storage.Tokens
	faulty
}

func (f faultyTokens) Get(ctx context.Context, owner storage.AccountID, client string) ([]sasl.Token, error) {
	return try(ctx, f.faulty, "Get", func() ([]sasl.Token, error) { return f.s.Get(ctx, owner, client) })
}

func (f faultyTokens) Set(ctx context.Context, owner storage.AccountID, client string, tokens []sasl.Token, clients int) error {
	return f.do(ctx, "Set", func() error { return f.s.Set(ctx, owner, client, tokens, clients) })
}

func (f faultyTokens) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, owner) })
}

type faultyDocuments struct {
	s storage.Documents
	faulty
}

func (f faultyDocuments) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	return try(ctx, f.faulty, "Get", func() ([]byte, error) { return f.s.Get(ctx, owner, kind, name) })
}

func (f faultyDocuments) Set(ctx context.Context, owner storage.AccountID, kind, name string, data []byte, limits storage.DocumentLimits) error {
	return f.do(ctx, "Set", func() error { return f.s.Set(ctx, owner, kind, name, data, limits) })
}

func (f faultyDocuments) List(ctx context.Context, owner storage.AccountID, kind, after string, limit int) ([]string, error) {
	return try(ctx, f.faulty, "List", func() ([]string, error) { return f.s.List(ctx, owner, kind, after, limit) })
}

func (f faultyDocuments) Owners(ctx context.Context, kind string, after storage.AccountID, limit int) ([]storage.AccountID, error) {
	return try(ctx, f.faulty, "Owners", func() ([]storage.AccountID, error) { return f.s.Owners(ctx, kind, after, limit) })
}

func (f faultyDocuments) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, owner) })
}

type faultyBlocklists struct {
	s storage.Blocklists
	faulty
}

func (f faultyBlocklists) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) ([]jid.JID, error) {
	return try(ctx, f.faulty, "List", func() ([]jid.JID, error) { return f.s.List(ctx, owner, after, limit) })
}

func (f faultyBlocklists) Add(ctx context.Context, owner storage.AccountID, limit int, entries ...jid.JID) error {
	return f.do(ctx, "Add", func() error { return f.s.Add(ctx, owner, limit, entries...) })
}

func (f faultyBlocklists) Remove(ctx context.Context, owner storage.AccountID, entries ...jid.JID) error {
	return f.do(ctx, "Remove", func() error { return f.s.Remove(ctx, owner, entries...) })
}

func (f faultyBlocklists) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, owner) })
}

type faultyInvites struct {
	s storage.Invites
	faulty
}

func (f faultyInvites) Create(ctx context.Context, i storage.Invite, limit int) error {
	return f.do(ctx, "Create", func() error { return f.s.Create(ctx, i, limit) })
}

func (f faultyInvites) Get(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	return try(ctx, f.faulty, "Get", func() (storage.Invite, error) { return f.s.Get(ctx, id, now) })
}

func (f faultyInvites) Use(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	return try(ctx, f.faulty, "Use", func() (storage.Invite, error) { return f.s.Use(ctx, id, now) })
}

func (f faultyInvites) Restore(ctx context.Context, id string) error {
	return f.do(ctx, "Restore", func() error { return f.s.Restore(ctx, id) })
}

func (f faultyInvites) List(ctx context.Context, inviter storage.AccountID, after string, limit int) ([]storage.Invite, error) {
	return try(ctx, f.faulty, "List", func() ([]storage.Invite, error) { return f.s.List(ctx, inviter, after, limit) })
}

func (f faultyInvites) Delete(ctx context.Context, id string) error {
	return f.do(ctx, "Delete", func() error { return f.s.Delete(ctx, id) })
}

func (f faultyInvites) DeleteAll(ctx context.Context, inviter storage.AccountID) error {
	return f.do(ctx, "DeleteAll", func() error { return f.s.DeleteAll(ctx, inviter) })
}

func (f faultyInvites) Expire(ctx context.Context, now time.Time) error {
	return f.do(ctx, "Expire", func() error { return f.s.Expire(ctx, now) })
}
