package server

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stream"
)

// tokenClients is how many clients of an account may have tokens.
const tokenClients = 64

// tokens is the tokens of clients as package stream sees them.
type tokens struct{ srv *Server }

var _ stream.TokenStore = tokens{}

// Tokens implements [stream.TokenStore].
func (t tokens) Tokens(ctx context.Context, addr jid.JID, client string) ([]sasl.Token, error) {
	if t.srv.users != nil {
		return t.ofUser(ctx, addr, client)
	}
	a, err := t.srv.opts.Storage.Accounts.Get(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) || a.Disabled {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	claimsOf(ctx).note(a)
	return t.srv.opts.Storage.Tokens.Get(ctx, a.ID, client)
}

// SetTokens implements [stream.TokenStore]. The account is the one that was proven: an address may
// change hands meanwhile.
func (t tokens) SetTokens(ctx context.Context, addr jid.JID, client string, all []sasl.Token) error {
	c := claimsOf(ctx)
	if c == nil || c.addr != addr {
		return errors.New("server: tokens for an account that was not proven")
	}
	if t.srv.users != nil && c.stamp == "" {
		return errors.New("server: tokens for a user with a certificate, which a change of password would not end")
	}
	return t.srv.opts.Storage.Tokens.Set(ctx, c.id, c.stamp+client, all, tokenClients)
}

// ofUser is Tokens for one of the program's users. Clients are known by the stamp of the password in addition: when the
// program changes it, nobody finds what was given out before.
func (t tokens) ofUser(ctx context.Context, addr jid.JID, client string) ([]sasl.Token, error) {
	user, err := t.srv.users.find(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) || user.Disabled {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := userCredentials{users: t.srv.users}
	c.claim(ctx, addr, user)
	return t.srv.opts.Storage.Tokens.Get(ctx, storage.AccountID(user.ID), user.stamp()+client)
}
