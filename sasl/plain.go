package sasl

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// plainClient is PLAIN (RFC 4616) from the client's side.
type plainClient struct {
	oneMessage
	creds Credentials
}

func (*plainClient) name() string { return Plain }

func (c *plainClient) start() ([]byte, error) {
	for _, field := range []string{c.creds.Authzid, c.creds.Username, c.creds.Password} {
		if !isText(field) {
			return nil, errors.New("sasl: PLAIN: credentials hold NUL or are not UTF-8")
		}
	}
	// Nothing is prepared: the server knows how its store does it (§2).
	return []byte(c.creds.Authzid + "\x00" + c.creds.Username + "\x00" + c.creds.Password), nil
}

// plainServer is PLAIN from the server's side.
type plainServer struct{ auth *Authenticator }

func (*plainServer) name() string { return Plain }

func (s *plainServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	fields := strings.Split(string(response), "\x00")
	if len(fields) != 3 || fields[1] == "" || fields[2] == "" || !utf8.Valid(response) {
		return nil, nil, fail(ErrMalformed, "PLAIN: not authzid, username and password") // §2
	}
	username, err := s.auth.prepareUsername(fields[1])
	if err != nil {
		return nil, nil, err
	}
	if s.auth.passwords != nil {
		err = s.auth.passwords.VerifyPassword(ctx, username, fields[2])
		if err != nil {
			err = storeError(err)
		}
	} else {
		err = s.auth.verifyAgainstSecrets(ctx, username, fields[2])
	}
	if err != nil {
		return nil, nil, err
	}
	id, err := s.auth.authorize(ctx, Identity{Username: username, Authzid: fields[0]})
	return nil, id, err
}

// verifyAgainstSecrets checks a password against the best secrets the account
// has. An unknown account costs the same work.
func (a *Authenticator) verifyAgainstSecrets(ctx context.Context, username, password string) error {
	var acc account
	for i, h := range a.hashes {
		found, err := a.account(ctx, username, h)
		if err != nil {
			return err
		}
		if i == 0 || !found.fake {
			acc = found
		}
		if !found.fake {
			break
		}
	}
	return acc.verdict(acc.Verify(password))
}

// isText reports whether a string can be a field of PLAIN or a saslname.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
