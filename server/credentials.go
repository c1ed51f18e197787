package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// hashes are the hash functions that accounts have secrets for.
var hashes = []sasl.Hash{sasl.SHA512, sasl.SHA256, sasl.SHA1}

// credentials is the accounts of one domain as package sasl sees them, a
// [sasl.SCRAMStore].
type credentials struct {
	accounts storage.Accounts
	domain   jid.JID
}

// newAuthenticator returns the server's side of SASL for the accounts of a domain.
func newAuthenticator(o *Options, domain jid.JID, mechanisms []string) (*sasl.Authenticator, error) {
	c := credentials{o.Storage.Accounts, domain}
	var store any = c
	if users := usersOf(o.Storage); users != nil {
		store = userCredentials{c, users}
	}
	return sasl.NewAuthenticator(store, &sasl.Options{
		Mechanisms:      mechanisms,
		AllowPlain:      true, // but never in the clear
		PrepareUsername: c.prepare,
		Authorize:       c.authorize,
		FakeKey:         o.FakeKey,
		FakeIterations:  o.Iterations,
	})
}

// prepare brings a username into the form of a localpart.
func (c credentials) prepare(username string) (string, error) {
	addr, err := c.domain.WithLocal(username)
	if err != nil {
		return "", err
	}
	if addr.Localpart() == "" {
		return "", errors.New("server: empty username")
	}
	return addr.Localpart(), nil
}

// SCRAMHashes implements [sasl.SCRAMStore].
func (c credentials) SCRAMHashes() []sasl.Hash { return hashes }

// SCRAMSecrets implements [sasl.SCRAMStore].
func (c credentials) SCRAMSecrets(ctx context.Context, username string, h sasl.Hash) (sasl.Secrets, error) {
	addr, err := c.domain.WithLocal(username)
	if err != nil || addr.Localpart() == "" {
		return sasl.Secrets{}, sasl.ErrNotAuthorized
	}
	a, err := c.accounts.Get(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) {
		return sasl.Secrets{}, sasl.ErrNotAuthorized
	}
	if err != nil {
		return sasl.Secrets{}, err
	}
	for _, s := range a.Secrets {
		if s.Hash == h {
			claimsOf(ctx).note(a)
			if a.Disabled {
				return s, sasl.ErrAccountDisabled // which is told to those only who know the password
			}
			return s, nil
		}
	}
	return sasl.Secrets{}, sasl.ErrNotAuthorized
}

// claims notes, for one connection, which account a client was asked to prove
// to be. An address may change hands between the proof and binding; the id does not.
// It is used by the goroutine that negotiates only.
type claims struct {
	addr  jid.JID
	id    storage.AccountID
	stamp string // see [User.stamp]; empty where accounts are not the program's users, or by a certificate

	certified []storage.Account // that the certificate of the client is for
}

func (c *claims) note(a storage.Account) {
	if c != nil {
		c.addr, c.id, c.stamp = a.Addr, a.ID, ""
	}
}

type claimsKey struct{}

func withClaims(ctx context.Context, c *claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}

// claimsOf returns the claims of a connection, nil outside of one.
func claimsOf(ctx context.Context) *claims {
	c, _ := ctx.Value(claimsKey{}).(*claims)
	return c
}

// secretsOf makes the secrets of a password for all hash functions.
func secretsOf(password string, iterations int) ([]sasl.Secrets, error) {
	var all []sasl.Secrets
	for _, h := range hashes {
		secrets, err := sasl.NewSecrets(h, password, iterations)
		if err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
		all = append(all, secrets)
	}
	return all, nil
}
