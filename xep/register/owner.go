package register

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// owner returns the session of an account that asks about its own registration, with its server; nil if somebody
// else asks.
func owner(ctx context.Context, iq *stanza.IQ) module.Session {
	s := module.FromContext(ctx)
	if s == nil || s.Account().Addr.Domain() != iq.To.Domain() {
		return nil
	}
	return s
}

// tell answers the owner of an account who asks what is known of it (§3.1).
func (s *server) tell(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	own := owner(ctx, iq)
	if own == nil {
		return nil, stanza.ServiceUnavailable
	}
	return Query{
		Registered:   true,
		Instructions: "To change the password, tell your name and a new one.",
		Fields:       []Field{{"username", own.Account().Addr.Localpart()}, {"password", ""}},
	}, nil
}

// change does what the owner of an account asks for.
func (s *server) change(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	own := owner(ctx, iq)
	if own == nil {
		return nil, stanza.RegistrationRequired
	}
	var q Query
	if err := decode(iq, &q); err != nil {
		return nil, err
	}
	if q.Remove {
		return nil, s.remove(own, iq)
	}
	return nil, s.changePassword(ctx, own, &q)
}

// changePassword changes the password (§3.3).
func (s *server) changePassword(ctx context.Context, own module.Session, q *Query) error {
	name, password := q.Value("username"), q.Value("password")
	account := own.Account()
	switch {
	case s.o.KeepPasswords:
		return stanza.NotAllowed
	case name == "" || password == "":
		return stanza.BadRequest
	case !own.Secure() && !s.o.InsecurePlaintext:
		return refused(stanza.NotAuthorized, "this needs TLS")
	}
	if addr, err := account.Addr.Domain().WithLocal(name); name != account.Addr.String() && (err != nil || addr != account.Addr) {
		return stanza.NotAllowed
	}
	if err := s.acceptable(password); err != nil {
		return err
	}
	if !s.changes.take(account.ID) {
		return tooMany("the password was changed too often")
	}
	return s.host.SetOwnPassword(ctx, account, password)
}

// removingKey is the key under which a session notes that it is about to be removed with its account.
type removingKey struct{}

// remove deletes the account (§3.2). It answers when the account is gone, and before the sessions end, of which the one that
// asks is one: that takes a goroutine of its own.
func (s *server) remove(own module.Session, iq *stanza.IQ) error {
	if s.o.KeepAccounts {
		return stanza.NotAllowed
	}
	if own.Value(removingKey{}) != nil {
		return stanza.UnexpectedRequest
	}
	own.SetValue(removingKey{}, true)
	answer := iq.Result(nil)
	remove := func(ctx context.Context) {
		gone := false
		err := s.host.DeleteOwnAccount(ctx, own.Account(), func() {
			gone = true
			own.Send(answer)
		})
		switch {
		case errors.Is(err, storage.ErrNotFound):
			err = stanza.RegistrationRequired
		case err != nil:
			s.o.Logger.Error("an account could not be removed", "peer", own.Account().Addr, "err", err)
		}
		if gone { // if something of it remains, it is of no use to ask again
			return
		}
		own.SetValue(removingKey{}, nil)
		own.Send(refusal(answer, err))
	}
	if !s.host.Go(remove) {
		own.SetValue(removingKey{}, nil)
		return &stanza.Error{Type: stanza.Wait, Condition: stanza.ServiceUnavailable}
	}
	return module.ErrDrop
}

// refusal is the answer with an error in place of a result.
func refusal(answer stanza.IQ, err error) stanza.IQ {
	e, ok := stanza.AsError(err)
	if !ok {
		e = &stanza.Error{Condition: stanza.InternalServerError}
	}
	answer.Type, answer.Payload, answer.Error = stanza.IQError, nil, e
	return answer
}
