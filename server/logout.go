package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stream"
)

// LogOut ends all sessions of an account with a not-authorized stream error, and the tokens by which its clients come back without
// a password (XEP-0484). Who still has a password, or another way to log in, can do so at once: with [Users],
// disable the user in the table first. [storage.ErrNotFound] when there is no such account.
func (s *Server) LogOut(ctx context.Context, addr jid.JID) error {
	a, err := s.directory.hold(ctx, addr)
	if err == nil {
		defer s.directory.release(a)
		err = s.logOut(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("server: log out %s: %w", addr, err)
	}
	return nil
}

func (s *Server) logOut(ctx context.Context, a *account) error {
	if err := s.opts.Storage.Tokens.DeleteAll(ctx, a.id); err != nil {
		return err
	}
	s.directory.remove(a)
	s.expelElsewhere(ctx, a)
	a.close(loggedOut())
	return a.left(ctx)
}

// loggedOut is what the sessions of an account are told that was logged out.
func loggedOut() *stream.Error {
	return &stream.Error{Condition: stream.NotAuthorized, Text: "the account was logged out", Lang: "en"}
}

// RemoveUser tells the server that one of its [Users] is not in the table any more: the user with that id, at that
// address. It is [Server.DeleteAccount] where the program deletes: sessions end, contacts are told, and
// what the server kept for the user is deleted. It is an error if the table still has the user.
func (s *Server) RemoveUser(ctx context.Context, addr jid.JID, id string) error {
	if err := s.removeUser(ctx, addr, id); err != nil {
		return fmt.Errorf("server: remove user %s: %w", addr, err)
	}
	return nil
}

func (s *Server) removeUser(ctx context.Context, addr jid.JID, id string) error {
	if err := s.checkAccount(addr); err != nil {
		return err
	}
	switch {
	case s.users == nil:
		return errors.New("there are no Users: see DeleteAccount")
	case id == "":
		return errors.New("what is kept of a user is kept under the id, which is empty")
	}
	switch user, err := s.users.find(ctx, addr); {
	case err == nil && user.ID == id:
		return errors.New("the table still has the user")
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return err
	}
	a := s.directory.departed(addr, storage.AccountID(id))
	defer s.directory.release(a)
	return s.discard(ctx, a, nil)
}

// departed holds the account of an id that is stored no more: the one that the server is dealing with, or one
// that nobody else gets to see.
func (d *directory) departed(addr jid.JID, id storage.AccountID) *account {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.accounts[addr]
	if a == nil || a.id != id {
		a = d.newAccount(storage.Account{Addr: addr, ID: id})
	}
	a.holds++
	return a
}
