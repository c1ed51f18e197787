package register

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// madeKey is the key under which a stranger notes that it has made an account.
type madeKey struct{}

// invited returns which account a stranger is invited to make; zero if it is not.
func (s *server) invited(st *module.Stranger) jid.JID {
	if s.o.Invites == nil {
		return jid.JID{}
	}
	return s.o.Invites.Invited(st)
}

// ask answers a stranger that asks what an account takes (§3.1).
func (s *server) ask(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	st := module.StrangerFrom(ctx)
	invited, mode := s.invited(st), s.mode(st.Domain)
	if mode == Closed {
		return nil, stanza.ServiceUnavailable
	}
	if mode == Invited && invited.IsZero() {
		return Query{Instructions: "Accounts are for those who have been invited."}, nil
	}
	return s.asked(invited.Localpart()), nil
}

// asked is what an account takes: as fields and, for those who know them, as a form (§4). A name that is given is filled in.
func (s *server) asked(name string) Query {
	q := Query{Instructions: s.o.Instructions}
	f := form.New(form.TypeForm, NS)
	f.Instructions = []string{s.o.Instructions}
	username := form.Field{Var: "username", Type: form.TextSingle, Label: "Name", Required: true}
	if name != "" {
		username.Values = []string{name}
	}
	f.Fields = append(f.Fields, username, form.Field{Var: "password", Type: form.TextPrivate, Label: "Password", Required: true})
	q.Fields = []Field{{Name: "username"}, {Name: "password"}}
	for _, more := range s.o.Require {
		f.Fields = append(f.Fields, form.Field{Var: more, Type: form.TextSingle, Label: more, Required: true})
		q.Fields = append(q.Fields, Field{Name: more})
	}
	q.Form = &f
	return q
}

// register answers a stranger that wants an account. Whether it may have one is looked at first.
func (s *server) register(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	st := module.StrangerFrom(ctx)
	var q Query
	if err := decode(iq, &q); err != nil {
		return nil, err
	}
	invited, mode := s.invited(st), s.mode(st.Domain)
	switch {
	case mode == Closed:
		return nil, stanza.ServiceUnavailable
	case q.Remove:
		return nil, stanza.UnexpectedRequest // there is nothing to remove (§3.2)
	case !st.Secure && !s.o.InsecurePlaintext:
		return nil, refused(stanza.NotAuthorized, "this needs TLS")
	case st.Value(madeKey{}) != nil:
		return nil, refused(stanza.NotAcceptable, "one account is enough") // §3.1.1
	case !s.attempts.take(address(st.Remote)):
		return nil, tooMany("too many attempts")
	case mode == Invited && invited.IsZero():
		return nil, refused(stanza.Forbidden, "accounts are for those who have been invited")
	}
	addr, err := s.wanted(&q, st.Domain, invited)
	if err != nil {
		return nil, err
	}
	if err := s.create(ctx, st, addr, invited, q); err != nil {
		return nil, err
	}
	st.SetValue(madeKey{}, true)
	return nil, nil
}

// wanted returns the address that somebody wants, if everything that was asked for is there and will do.
func (s *server) wanted(q *Query, domain, invited jid.JID) (jid.JID, error) {
	for _, names := range [][]string{credentials, s.o.Require} {
		for _, name := range names {
			if strings.TrimSpace(q.Value(name)) == "" {
				return jid.JID{}, refused(stanza.NotAcceptable, name+" is missing")
			}
		}
	}
	addr, err := domain.WithLocal(q.Value("username"))
	named := invited.Localpart() != ""
	switch {
	case err != nil || addr.Localpart() == "":
		return addr, refused(stanza.NotAcceptable, "nobody can have that name")
	case named && addr != invited:
		return addr, refused(stanza.NotAcceptable, "the invite is for another name")
	case !named && s.reserved[addr.Localpart()]:
		return addr, refused(stanza.NotAcceptable, "nobody can have that name")
	}
	return addr, s.acceptable(q.Value("password"))
}

// acceptable reports a password that will not do.
func (s *server) acceptable(password string) error {
	if utf8.RuneCountInString(password) < s.o.MinPassword {
		return refused(stanza.NotAcceptable, "the password is too short")
	}
	if _, err := sasl.NewSecrets(sasl.SHA1, password, sasl.MinIterations); err != nil {
		return refused(stanza.NotAcceptable, "the password has characters that cannot be used")
	}
	return nil
}

// create makes an account. Those who are invited are not counted: their invites were.
func (s *server) create(ctx context.Context, st *module.Stranger, addr, invited jid.JID, q Query) (err error) {
	if invited.IsZero() {
		giveBack := s.grant(st.Remote)
		if giveBack == nil {
			return tooMany("too many accounts")
		}
		defer func() {
			if err != nil {
				giveBack()
			}
		}()
	}
	switch _, err := s.host.Lookup(ctx, addr); { // before the work that a password takes
	case err == nil:
		return stanza.Conflict
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	if s.o.Check != nil {
		if err := s.o.Check(ctx, Request{Addr: addr, Remote: st.Remote, Query: q}); err != nil {
			return err
		}
	}
	create := func(ctx context.Context) error {
		err := s.host.CreateAccount(ctx, addr, q.Value("password"))
		if errors.Is(err, storage.ErrExists) {
			return stanza.Conflict
		}
		return err
	}
	if s.o.Invites == nil {
		return create(ctx)
	}
	return s.o.Invites.Redeem(ctx, st, addr, create)
}

// decode reads a query that is an answer: either fields or a form, filled in, and never both (§4).
func decode(iq *stanza.IQ, q *Query) error {
	if err := iq.Decode(q); err != nil {
		return stanza.BadRequest
	}
	if q.Form != nil && (q.Form.Type != form.TypeSubmit || len(q.Fields) > 0) {
		return stanza.BadRequest
	}
	return nil
}
