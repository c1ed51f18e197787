package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// userCredentials is the users of a program at one domain as package sasl sees them. It is a [sasl.SCRAMStore], a
// [sasl.PasswordVerifier], and a [sasl.TokenVerifier] that is used where OAUTHBEARER is offered.
type userCredentials struct {
	credentials
	users *userAccounts
}

// claim notes which user a client is about to prove to be.
func (c userCredentials) claim(ctx context.Context, addr jid.JID, user User) {
	if noted := claimsOf(ctx); noted != nil {
		noted.addr, noted.id, noted.stamp = addr, storage.AccountID(user.ID), user.stamp()
	}
}

// find returns the user of that name: [sasl.ErrNotAuthorized] if there is none.
func (c userCredentials) find(ctx context.Context, username string) (addr jid.JID, user User, err error) {
	if addr, err = c.domain.WithLocal(username); err != nil {
		return addr, User{}, sasl.ErrNotAuthorized
	}
	user, err = c.users.find(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) {
		err = sasl.ErrNotAuthorized
	}
	return addr, user, err
}

// SCRAMSecrets implements [sasl.SCRAMStore].
func (c userCredentials) SCRAMSecrets(ctx context.Context, username string, h sasl.Hash) (sasl.Secrets, error) {
	addr, user, err := c.find(ctx, username)
	if err != nil {
		return sasl.Secrets{}, err
	}
	all, err := c.users.secrets(ctx, user)
	if err != nil {
		return sasl.Secrets{}, err
	}
	i := slices.IndexFunc(all, func(s sasl.Secrets) bool { return s.Hash == h })
	if i < 0 {
		return sasl.Secrets{}, sasl.ErrNotAuthorized
	}
	c.claim(ctx, addr, user)
	if user.Disabled {
		return all[i], sasl.ErrAccountDisabled
	}
	return all[i], nil
}

// VerifyPassword implements [sasl.PasswordVerifier].
func (c userCredentials) VerifyPassword(ctx context.Context, username, password string) error {
	addr, user, err := c.find(ctx, username)
	if err != nil && err != sasl.ErrNotAuthorized {
		return err
	}
	ok, checkErr := c.users.verify(ctx, user, password)
	switch {
	case ctx.Err() != nil: // whether there is such a user or not
		return fmt.Errorf("%w: %w", sasl.ErrTemporary, context.Cause(ctx))
	case err != nil: // there is no such user
		return err
	case checkErr != nil:
		c.complain(ctx, "a password could not be checked", addr, checkErr)
		return checkErr
	case !ok:
		return sasl.ErrNotAuthorized
	case user.Disabled:
		return sasl.ErrAccountDisabled
	}
	c.claim(ctx, addr, user)
	if noted := claimsOf(ctx); noted != nil && user.timeless() {
		noted.stamp = "" // no token to come back with, as nothing would end it
	}
	if err := c.users.learn(ctx, user, password); err != nil {
		c.users.log.Warn("a password could not be prepared for stronger mechanisms", "peer", addr, "err", err)
	}
	return nil
}

// VerifyToken implements [sasl.TokenVerifier]. The token names a user, and the table has the last word on whether
// there still is that one.
func (c userCredentials) VerifyToken(ctx context.Context, token string) (username string, err error) {
	named, err := asking(c.users.log, func() (User, error) { return c.users.tokens.VerifyToken(ctx, token) })
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "", sasl.ErrNotAuthorized
	case err != nil:
		c.complain(ctx, "a token could not be checked", c.domain, err)
		return "", err
	}
	addr, err := c.domain.WithLocal(named.Name)
	if err != nil || named.ID == "" || named.Name == "" {
		c.users.log.Error("VerifyToken has returned a user without an ID, or with a Name that is no localpart: see jid.EscapeLocalpart", "user", named, "err", err)
		return "", sasl.ErrTemporary
	}
	addr, user, err := c.find(ctx, addr.Localpart())
	switch {
	case err != nil:
		return "", err
	case user.ID != named.ID: // the name is somebody else's by now
		return "", sasl.ErrNotAuthorized
	case user.Disabled:
		return "", sasl.ErrAccountDisabled
	}
	c.claim(ctx, addr, user)
	return addr.Localpart(), nil
}

// complain logs what a method of the program's could not do, unless it was interrupted. A condition is an answer, and not logged.
func (c userCredentials) complain(ctx context.Context, what string, peer jid.JID, err error) {
	if _, answered := errors.AsType[sasl.Condition](err); !answered && ctx.Err() == nil {
		c.users.log.Error(what, "peer", peer, "err", err)
	}
}

// CheckPassword checks the password of one of the [Users], as a login by password does, so that a login page and the server agree.
// Afterwards the server can do without seeing it: call it when a password is set, too. The error is
// [sasl.ErrNotAuthorized] for a wrong password or an unknown user, [sasl.ErrAccountDisabled] for a disabled one with the right password; any other
// means that it could not be checked.
func (s *Server) CheckPassword(ctx context.Context, addr jid.JID, password string) error {
	if s.users == nil {
		return errors.New("server: check password: there are no Users")
	}
	if !addr.IsBare() || !s.hosts(addr) {
		return fmt.Errorf("server: check password: %w", sasl.ErrNotAuthorized)
	}
	c := userCredentials{credentials{s.users, addr.Domain()}, s.users}
	if err := c.VerifyPassword(ctx, addr.Localpart(), password); err != nil {
		return fmt.Errorf("server: check password: %w", err)
	}
	return nil
}

// authenticatorFor returns the authenticator that a connection is served by, as a function of the account that its
// client says it is: until the password of that was seen, only mechanisms that show it, or do without. Options.Mechanisms
// has the last word.
func (s *Server) authenticatorFor(ctx context.Context) func(domain, account jid.JID) *sasl.Authenticator {
	usual := func(domain, _ jid.JID) *sasl.Authenticator { return s.hosting.Load().auth[domain] }
	if s.users == nil || !s.users.tailored {
		return usual
	}
	type who struct{ domain, account jid.JID }
	made := make(map[who]*sasl.Authenticator) // few: a client opens few streams before it logs in
	return func(domain, account jid.JID) *sasl.Authenticator {
		auth, known := made[who{domain, account}]
		if known {
			return auth
		}
		auth = usual(domain, account)
		if auth != nil && !s.users.stronger(ctx, account) {
			withoutSCRAM := slices.DeleteFunc(slices.Clone(s.opts.Mechanisms), func(m string) bool { return strings.HasPrefix(m, "SCRAM-") })
			auth, _ = newAuthenticator(&s.opts, domain, withoutSCRAM) // PLAIN is left, so it cannot fail
		}
		made[who{domain, account}] = auth
		return auth
	}
}
