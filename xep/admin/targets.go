package admin

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
)

// targets are the accounts that a form names, each of which is of the domain that was asked.
func targets(r *command.Request, name string) ([]jid.JID, error) {
	field, _ := r.Form.Lookup(name)
	all, err := field.JIDs()
	if err != nil {
		return nil, err
	}
	for _, j := range all {
		switch {
		case j.Localpart() == "":
			return nil, refused(stanza.NotAcceptable, j.String()+" is not the address of an account")
		case j.Domain() != r.To.Domain():
			return nil, refused(stanza.Forbidden, j.String()+" belongs to another domain")
		}
	}
	return all, nil
}

// known are the accounts that a form names, all of which exist.
func (s *server) known(ctx context.Context, r *command.Request, name string) ([]module.Account, error) {
	addrs, err := targets(r, name)
	if err != nil {
		return nil, err
	}
	all := make([]module.Account, 0, len(addrs))
	for _, j := range addrs {
		if !j.IsBare() {
			return nil, refused(stanza.NotAcceptable, j.String()+" is not the address of an account")
		}
		a, err := s.host.Lookup(ctx, j)
		if err != nil {
			return nil, translated(err, j)
		}
		all = append(all, a)
	}
	return all, nil
}

// single returns the one account that a form names.
func (s *server) single(ctx context.Context, r *command.Request, name string) (module.Account, error) {
	all, err := s.known(ctx, r, name)
	switch {
	case err != nil:
		return module.Account{}, err
	case len(all) != 1:
		return module.Account{}, refused(stanza.NotAcceptable, "one account at a time")
	}
	return all[0], nil
}

// translated is an error of the server as an admin is told it.
func translated(err error, about jid.JID) error {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return refused(stanza.ItemNotFound, "there is no account "+about.String())
	case errors.Is(err, storage.ErrExists):
		return refused(stanza.Conflict, "there is an account "+about.String()+" already")
	}
	return err
}

// refused is an error with words for people.
func refused(c stanza.Condition, text string) error {
	return &stanza.Error{Condition: c, Text: text, Lang: "en"}
}
