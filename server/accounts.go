package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// CreateAccount adds an account at a bare JID of a domain that is served. Of the
// password only SCRAM secrets are kept. [storage.ErrExists] when the address is
// taken.
func (s *Server) CreateAccount(ctx context.Context, addr jid.JID, password string) error {
	if err := s.checkAccount(addr); err != nil {
		return fmt.Errorf("server: create account: %w", err)
	}
	secrets, err := secretsOf(password, s.opts.Iterations)
	if err != nil {
		return fmt.Errorf("server: create account %s: %w", addr, err)
	}
	a := storage.Account{ID: storage.AccountID(rand.Text()), Addr: addr, Secrets: secrets, Created: time.Now()}
	if err := s.opts.Storage.Accounts.Create(ctx, a); err != nil {
		return fmt.Errorf("server: create account %s: %w", addr, err)
	}
	return nil
}

// SetPassword gives an account another password. Its sessions go on, but no client can log in
// any more without it.
// [storage.ErrNotFound] when there is no such account.
func (s *Server) SetPassword(ctx context.Context, addr jid.JID, password string) error {
	return s.setPassword(ctx, addr, password, func(ctx context.Context) (storage.AccountID, error) { return s.directory.id(ctx, addr) })
}

// setPassword is SetPassword for the account of an id.
func (s *Server) setPassword(ctx context.Context, addr jid.JID, password string, of func(context.Context) (storage.AccountID, error)) error {
	secrets, err := secretsOf(password, s.opts.Iterations)
	if err != nil {
		return fmt.Errorf("server: set password of %s: %w", addr, err)
	}
	s.passwords.Lock()
	defer s.passwords.Unlock()
	id, err := of(ctx)
	if err == nil {
		err = s.opts.Storage.Accounts.SetSecrets(ctx, id, secrets)
	}
	if err == nil {
		err = s.opts.Storage.Tokens.DeleteAll(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("server: set password of %s: %w", addr, err)
	}
	return nil
}

// DeleteAccount removes an account with its roster and its offline messages. Its
// sessions end with a not-authorized stream error, and its contacts are told that
// it is gone: their subscriptions to it, and its own to them, end. An account that
// is created at the address later inherits nothing. [storage.ErrNotFound] when
// there is no such account.
//
// Once the account is gone from the store, the rest is done even if ctx ends.
func (s *Server) DeleteAccount(ctx context.Context, addr jid.JID) error {
	return s.deleteAccount(ctx, addr, "", nil)
}

// deleteAccount is DeleteAccount for the account of an id, if there is one. It calls gone, if that is not nil, when the
// account is gone and its sessions are not.
func (s *Server) deleteAccount(ctx context.Context, addr jid.JID, id storage.AccountID, gone func()) error {
	a, err := s.directory.hold(ctx, addr)
	if err != nil {
		return fmt.Errorf("server: delete account %s: %w", addr, err)
	}
	defer s.directory.release(a)
	if id != "" && a.id != id {
		return fmt.Errorf("server: delete account %s: %w", addr, storage.ErrNotFound)
	}
	if err := s.opts.Storage.Accounts.Delete(ctx, a.id); err != nil {
		return fmt.Errorf("server: delete account %s: %w", addr, err)
	}
	return s.discard(ctx, a, gone)
}

// discard does what remains to be done about an account that is not stored any more. Gone is as for deleteAccount.
func (s *Server) discard(ctx context.Context, a *account, gone func()) error {
	s.directory.remove(a)
	if gone != nil {
		s.guard("gone", gone)
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	s.expelElsewhere(ctx, a)
	a.close(accountDeleted())
	err := a.left(ctx)
	tasks, failure := s.part(ctx, a)
	follow(ctx, tasks...)
	err = errors.Join(err, failure,
		s.opts.Storage.Rosters.DeleteAll(ctx, a.id),
		s.opts.Storage.Tokens.DeleteAll(ctx, a.id),
		s.deleteOffline(ctx, a),
		s.forget(ctx, a.id))
	for _, hook := range s.hooks.deleted {
		s.guard("Deleted", func() { hook(ctx, a.identity()) })
	}
	if err != nil {
		return fmt.Errorf("server: account %s is deleted, but something of it remains: %w", a.addr, err)
	}
	return nil
}

// deleteOffline deletes the offline messages of a deleted account, for which none are added any more.
func (s *Server) deleteOffline(ctx context.Context, a *account) error {
	end, err := a.spool(ctx)
	if err != nil {
		return err
	}
	defer end()
	return s.opts.Storage.Offline.DeleteAll(ctx, a.id)
}

// forget deletes what modules keep of an account.
func (s *Server) forget(ctx context.Context, id storage.AccountID) error {
	return errors.Join(
		s.opts.Storage.Documents.DeleteAll(ctx, id),
		s.opts.Storage.Blocklists.DeleteAll(ctx, id),
		s.opts.Storage.Invites.DeleteAll(ctx, id))
}

// accountDeleted is what the sessions of a deleted account are told.
func accountDeleted() *stream.Error {
	return &stream.Error{Condition: stream.NotAuthorized, Text: "the account was deleted", Lang: "en"}
}

// part returns what tells the contacts of an account that it is gone.
func (s *Server) part(ctx context.Context, a *account) ([]task, error) {
	end, err := a.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	contacts, err := s.contacts(ctx, a.id)
	if err != nil {
		return nil, err
	}
	var tasks []task
	for _, c := range contacts {
		tasks = append(tasks, s.partings(a.addr, c)...)
	}
	return tasks, nil
}

// AddContact makes two people contacts of each other, with a subscription both
// ways, as if they had asked and agreed. Each of them that has an account here gets the
// other into the roster, and who is online is told. The account must exist, and so must
// the contact if its domain is served here; otherwise the error is
// [storage.ErrNotFound].
func (s *Server) AddContact(ctx context.Context, account, contact jid.JID) error {
	if err := s.addContact(ctx, account, contact); err != nil {
		return fmt.Errorf("server: make %s a contact of %s: %w", contact, account, err)
	}
	return nil
}

func (s *Server) addContact(ctx context.Context, account, contact jid.JID) error {
	a, err := s.holdFor(ctx, account, contact)
	if err != nil {
		return err
	}
	defer s.directory.release(a)
	if !s.hosts(contact) || contact.Localpart() == "" {
		return s.befriend(ctx, a, contact)
	}
	b, err := s.directory.hold(ctx, contact)
	if err != nil {
		return err
	}
	defer s.directory.release(b)
	if err := s.befriend(ctx, a, contact); err != nil {
		return err
	}
	if err := s.befriend(ctx, b, account); err != nil {
		return err
	}
	follow(ctx, s.showTo(account, contact), s.showTo(contact, account))
	return nil
}

// RemoveContact undoes [Server.AddContact], as if both had removed each other: neither has the other in the roster, nor
// is told when the other is online. That they were no contacts is no error; the account must exist, else it is [storage.ErrNotFound].
func (s *Server) RemoveContact(ctx context.Context, account, contact jid.JID) error {
	if err := s.removeContact(ctx, account, contact); err != nil {
		return fmt.Errorf("server: make %s no contact of %s: %w", contact, account, err)
	}
	return nil
}

func (s *Server) removeContact(ctx context.Context, account, contact jid.JID) error {
	a, err := s.holdFor(ctx, account, contact)
	if err != nil {
		return err
	}
	defer s.directory.release(a)
	tasks, err := s.unfriend(ctx, a, contact)
	if err != nil {
		return err
	}
	follow(ctx, tasks...) // who is not here, or is not here any more, is told by these
	if !s.hosts(contact) || contact.Localpart() == "" {
		return nil
	}
	b, err := s.directory.hold(ctx, contact)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.directory.release(b)
	tasks, err = s.unfriend(ctx, b, account)
	follow(ctx, tasks...)
	return err
}

// holdFor holds an account that is to have, or to lose, a contact.
func (s *Server) holdFor(ctx context.Context, addr, contact jid.JID) (*account, error) {
	if addr.Bare() == contact.Bare() || !contact.IsBare() {
		return nil, errors.New("not another bare JID")
	}
	return s.directory.hold(ctx, addr)
}

// unfriend removes a contact of an account, if it is one.
func (s *Server) unfriend(ctx context.Context, a *account, contact jid.JID) ([]task, error) {
	tasks, err := s.removeItem(ctx, a, contact)
	if errors.Is(err, stanza.ItemNotFound) {
		return nil, nil
	}
	return tasks, err
}

// befriend gives an account a contact with a subscription both ways.
func (s *Server) befriend(ctx context.Context, a *account, contact jid.JID) error {
	end, err := a.turn(ctx)
	if err != nil {
		return err
	}
	defer end()
	var before storage.Contact
	after, err := s.opts.Storage.Rosters.Update(ctx, a.id, contact, s.rosterLimits(), func(c storage.Contact) (storage.Contact, error) {
		before = c.Clone()
		c.Listed, c.Subscription, c.Request = true, storage.To|storage.From, nil
		return c, nil
	})
	if err != nil {
		return err
	}
	if !before.Listed || !itemOf(before).Equal(itemOf(after)) {
		s.push(a, itemOf(after), after.Version)
	}
	return nil
}

// SetContact gives a contact of an account a name and groups, and adds it without a
// subscription if it is new, as the account's own client could. What else the
// item says does not matter. The error may be a [*stanza.Error]; it is
// [storage.ErrNotFound] when there is no such account.
func (s *Server) SetContact(ctx context.Context, account jid.JID, item roster.Item) error {
	a, err := s.directory.hold(ctx, account)
	if err == nil {
		defer s.directory.release(a)
		err = s.setItem(ctx, a, item)
	}
	if err != nil {
		return fmt.Errorf("server: set contact %s of %s: %w", item.JID, account, err)
	}
	return nil
}

// checkAccount checks that an address can be that of an account.
func (s *Server) checkAccount(addr jid.JID) error {
	switch {
	case !addr.IsBare() || addr.Localpart() == "":
		return fmt.Errorf("%s is not the bare JID of an account", addr)
	case !s.hosts(addr):
		return fmt.Errorf("%s is not served here", addr.Domain())
	}
	if _, err := jid.Parse(addr.String()); err != nil {
		return err
	}
	return nil
}
