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
	a, stamp, err := t.account(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) || a.Disabled {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch c := claimsOf(ctx); {
	case c == nil:
	case c.addr != addr: // the token is the proof
		c.note(a)
		c.stamp = stamp
	case c.id != a.ID: // the account that was proven is another one of that address
		return nil, nil
	}
	return t.srv.opts.Storage.Tokens.Get(ctx, a.ID, stamp+client)
}

// account returns the account at an address. Clients of users are known by the stamp of the password in addition: when the
// program changes it, nobody finds what was given out before.
func (t tokens) account(ctx context.Context, addr jid.JID) (a storage.Account, stamp string, err error) {
	if t.srv.users == nil {
		a, err = t.srv.opts.Storage.Accounts.Get(ctx, addr)
		return a, "", err
	}
	user, err := t.srv.users.find(ctx, addr)
	return storage.Account{ID: storage.AccountID(user.ID), Addr: addr, Disabled: user.Disabled}, user.stamp(), err
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
