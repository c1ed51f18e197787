package server

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Sessions yields the sessions that are bound at this server, in no order, suspended ones included. Those
// that come or go meanwhile may be missing.
func (s *Server) Sessions() iter.Seq[module.Session] {
	return func(yield func(module.Session) bool) {
		for _, a := range s.directory.all() {
			for _, t := range a.every() {
				if t.conn.Load() != nil && !yield(t) {
					return
				}
			}
		}
	}
}

// CloseSession ends the session with a full JID, as [module.Session].Close does, and reports whether there is one.
func (s *Server) CloseSession(full jid.JID, text string) bool {
	a := s.directory.online(full.Bare())
	if a == nil {
		return false
	}
	t := a.find(full)
	if t != nil {
		t.Close(text)
	}
	return t != nil
}

// SetDisabled disables an account or enables it again. The sessions of one that is disabled end with a
// not-authorized stream error, and nobody logs in: who knows the password is told account-disabled (RFC 6120 §6.5.1), and
// others what they are always told. Its contacts and what is sent to it are kept. [storage.ErrNotFound] when there is no such
// account.
func (s *Server) SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error {
	a, err := s.directory.hold(ctx, addr)
	if err == nil {
		defer s.directory.release(a)
		err = s.setDisabled(ctx, a, disabled)
	}
	if err != nil {
		return fmt.Errorf("server: disable or enable %s: %w", addr, err)
	}
	return nil
}

func (s *Server) setDisabled(ctx context.Context, a *account, disabled bool) error {
	if err := s.opts.Storage.Accounts.SetDisabled(ctx, a.id, disabled); err != nil {
		return err
	}
	s.directory.remove(a) // from now on it is as it is stored
	if !disabled {
		return nil
	}
	s.expelElsewhere(ctx, a)
	a.close(accountDisabled())
	return a.left(ctx)
}

// accountDisabled is what the sessions of a disabled account are told.
func accountDisabled() *stream.Error {
	return &stream.Error{Condition: stream.NotAuthorized, Text: "the account is disabled", Lang: "en"}
}

// close ends all sessions of an account, and lets no more begin. It does not wait.
func (a *account) close(e *stream.Error) {
	a.mu.Lock()
	a.closed = true
	sessions := slices.Clone(a.sessions)
	a.mu.Unlock()
	for _, t := range sessions {
		if t.conn.Load() != nil {
			t.fail(e)
		}
	}
}

// left waits until everybody has been told that the sessions of an account are gone.
func (a *account) left(ctx context.Context) error {
	for _, t := range a.every() {
		select {
		case <-t.left:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
