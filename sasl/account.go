package sasl

import (
	"context"
	"errors"
)

// account is what an exchange goes on with for a username, known or not.
type account struct {
	Secrets
	fake    bool  // made up: no proof is ever right
	refused error // what to say to who has the password; nil: welcome
}

var errWrongPassword = fail(ErrNotAuthorized, "wrong password or unknown account")

// account asks the store for secrets, and makes some up where it has none.
func (a *Authenticator) account(ctx context.Context, username string, h Hash) (account, error) {
	made := account{Secrets: a.fakeSecrets(username, h), fake: true} // always, so that it takes no longer without
	secrets, err := a.scram.SCRAMSecrets(ctx, username, h)
	var refused error
	switch {
	case errors.Is(err, ErrNotAuthorized):
		return made, nil
	case errors.Is(err, ErrAccountDisabled), errors.Is(err, ErrCredentialsExpired):
		if secrets.check() != nil {
			return made, nil
		}
		refused = err
	case err != nil:
		return account{}, storeError(err)
	}
	if err := secrets.check(); err != nil {
		return account{}, storeError(err)
	}
	if secrets.Hash != h {
		return account{}, fail(ErrTemporary, "account store: secrets for %q instead of %q", string(secrets.Hash), string(h))
	}
	return account{Secrets: secrets, refused: refused}, nil
}

// verdict is the outcome once a proof or a password was found right or wrong.
func (a account) verdict(right bool) error {
	if !right || a.fake {
		return errWrongPassword
	}
	return a.refused
}

// fakeSecrets makes up secrets for an unknown account, the same every time, so
// that asking twice does not tell it from a real one.
func (a *Authenticator) fakeSecrets(username string, h Hash) Secrets {
	derive := func(what string) []byte { return h.mac(a.opts.FakeKey, what, "\x00", username) }
	return Secrets{
		Hash:       h,
		Salt:       derive("salt")[:saltLen],
		Iterations: a.opts.FakeIterations,
		StoredKey:  derive("stored key"),
		ServerKey:  derive("server key"),
	}
}
