package server

import (
	"context"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// announceAgain broadcasts what sessions of an account have broadcast last as a module changes it. It is called in a turn of the account.
func (s *Server) announceAgain(ctx context.Context, a *account, change func(module.Session, *module.Transit) (bool, error)) error {
	var contacts []storage.Contact
	for _, t := range a.every() {
		next, err := t.altered(change)
		if err != nil {
			return err
		}
		if next == nil {
			continue
		}
		if contacts == nil {
			if contacts, err = s.contacts(ctx, a.id); err != nil {
				return err
			}
		}
		if t.replace(next) {
			t.rebroadcast(ctx, next, contacts)
		}
	}
	return nil
}

// altered returns what the session has broadcast as a module changes it, nil if that leaves it.
func (s *session) altered(change func(module.Session, *module.Transit) (bool, error)) (next *announcement, err error) {
	shown := s.announced()
	if shown == nil {
		return nil, nil
	}
	defer recovered(&err)
	transit(shown.st, shown.header, func(t *module.Transit) {
		var is bool
		if is, err = change(s, t); is && err == nil {
			next = &announcement{t.Stanza(), t.Header()}
		}
	})
	return next, err
}

// replace has the session show something else, if it is still available.
func (s *session) replace(next *announcement) bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if s.shown == nil {
		return false
	}
	s.shown = next
	return true
}

// rebroadcast is broadcast for what a client of the account has caused, perhaps another one.
func (s *session) rebroadcast(ctx context.Context, next *announcement, contacts []storage.Contact) {
	told := make(map[jid.JID]bool)
	s.broadcast(ctx, next.st, next.header, contacts, told)
	if by, ok := module.FromContext(ctx).(*session); ok && by != s {
		by.charge(len(told) * sizeOf(next.st))
	}
}
