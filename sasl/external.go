package sasl

import (
	"context"
	"errors"
)

// externalClient is EXTERNAL (RFC 4422 Appendix A) from the client's side.
type externalClient struct {
	oneMessage
	authzid string
}

func (*externalClient) name() string { return External }

func (c *externalClient) start() ([]byte, error) {
	if !isText(c.authzid) {
		return nil, errors.New("sasl: EXTERNAL: authzid holds NUL or is not UTF-8")
	}
	return []byte(c.authzid), nil
}

// externalServer is EXTERNAL from the server's side: the certificate of the
// client, which has ended the TLS handshake, names its accounts.
type externalServer struct {
	auth    *Authenticator
	channel *Channel
}

func (*externalServer) name() string { return External }

func (s *externalServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	authzid := string(response)
	if !isText(authzid) {
		return nil, nil, fail(ErrMalformed, "EXTERNAL: authzid holds NUL or is not UTF-8")
	}
	usernames, err := s.auth.certificate.CertificateUsernames(ctx, s.channel.TLS)
	switch {
	case err != nil:
		return nil, nil, storeError(err)
	case len(usernames) == 0:
		return nil, nil, fail(ErrNotAuthorized, "EXTERNAL: the certificate belongs to no account")
	case len(usernames) > 1 && authzid == "":
		return nil, nil, fail(ErrInvalidAuthzid, "EXTERNAL: the certificate belongs to %d accounts and none was asked for", len(usernames))
	}
	// The first account that may act as the identity asked for is it. Another
	// failure than that it may not ends the search.
	for _, username := range usernames {
		var id *Identity
		id, err = s.auth.authorize(ctx, Identity{Username: username, Authzid: authzid})
		if err == nil || !errors.Is(err, ErrInvalidAuthzid) {
			return nil, id, err
		}
	}
	return nil, nil, err
}
