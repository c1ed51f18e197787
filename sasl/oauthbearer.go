package sasl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A TokenError says why a bearer token was refused and which one would do (RFC
// 7628 §3.2.2). A [Client] returns it from Next: abort the exchange, get a token,
// try again. A [TokenVerifier] returns it to say the same. It wraps
// [ErrNotAuthorized].
type TokenError struct {
	Status              string `json:"status"`                         // such as "invalid_token" or "insufficient_scope" (RFC 6750 §3.1)
	Scope               string `json:"scope,omitempty"`                // the scope that a token needs
	OpenIDConfiguration string `json:"openid-configuration,omitempty"` // where to learn how to get one: an https URL
}

func (e *TokenError) Error() string { return fmt.Sprintf("sasl: token refused: %.60q", e.Status) }

// Unwrap returns [ErrNotAuthorized].
func (e *TokenError) Unwrap() error { return ErrNotAuthorized }

// kvsep ends the fields of a message and the message itself (§3.1).
const kvsep = "\x01"

// oauthClient is OAUTHBEARER (RFC 7628) from the client's side.
type oauthClient struct {
	creds Credentials
}

func (*oauthClient) name() string { return OAuthBearer }

func (c *oauthClient) start() ([]byte, error) {
	if !isToken(c.creds.Token) {
		return nil, errors.New("sasl: OAUTHBEARER: not a token: those are letters, digits and -._~+/, with = at the end (RFC 6750 §2.1)")
	}
	header, err := gs2Header("n", c.creds.Authzid)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(header + kvsep)
	if c.creds.Host != "" {
		if strings.ContainsFunc(c.creds.Host, notInHost) {
			return nil, errors.New("sasl: OAUTHBEARER: host is not printable ASCII")
		}
		b.WriteString("host=" + c.creds.Host + kvsep)
	}
	if c.creds.Port > 0 {
		b.WriteString("port=" + strconv.Itoa(c.creds.Port) + kvsep)
	}
	b.WriteString("auth=Bearer " + c.creds.Token + kvsep + kvsep)
	return []byte(b.String()), nil
}

// next takes the only challenge there is, the explanation of a failure.
// Reporting it makes the caller abort, which §3.2.3 allows in place of the dummy
// response.
func (*oauthClient) next(challenge []byte) ([]byte, error) {
	var refused TokenError
	if err := json.Unmarshal(challenge, &refused); err != nil || refused.Status == "" {
		return nil, fail(ErrMalformed, "OAUTHBEARER: challenge is not an error result")
	}
	return nil, &refused
}

func (*oauthClient) finish(additional []byte) error { return oneMessage{}.finish(additional) }

// oauthServer is OAUTHBEARER from the server's side.
type oauthServer struct {
	auth    *Authenticator
	refused error // the token was: the client knows why, its dummy response is due
}

func (*oauthServer) name() string { return OAuthBearer }

func (s *oauthServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	if s.refused != nil {
		return nil, nil, s.refused // whatever the client answered (§3.2.3)
	}
	msg, err := parseOAuth(string(response))
	if err != nil {
		return nil, nil, err
	}
	if s.auth.opts.Host != "" && msg.host != "" && !strings.EqualFold(msg.host, s.auth.opts.Host) {
		return nil, nil, fail(ErrNotAuthorized, "OAUTHBEARER: meant for host %.60q", msg.host) // §3.2
	}
	username, err := s.verify(ctx, msg.auth)
	if errors.Is(err, ErrNotAuthorized) {
		s.refused = err
		return s.explain(err), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	id, err := s.auth.authorize(ctx, Identity{Username: username, Authzid: msg.authzid})
	return nil, id, err
}

// verify checks the value of an HTTP Authorization header. An empty one is how a
// client asks what token it needs (§4.3).
func (s *oauthServer) verify(ctx context.Context, auth string) (username string, err error) {
	scheme, token, _ := strings.Cut(auth, " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || !isToken(token) {
		return "", fail(ErrNotAuthorized, "OAUTHBEARER: no bearer token")
	}
	username, err = s.auth.tokens.VerifyToken(ctx, token)
	if err != nil {
		return "", storeError(err)
	}
	if username == "" {
		return "", fail(ErrNotAuthorized, "OAUTHBEARER: token without an account")
	}
	return username, nil
}

// explain encodes the error result (§3.2.2).
func (s *oauthServer) explain(err error) []byte {
	result := s.auth.opts.TokenError
	if e, ok := errors.AsType[*TokenError](err); ok {
		result = *e
	}
	if result.Status == "" {
		result.Status = s.auth.opts.TokenError.Status
	}
	b, _ := json.Marshal(result) // three strings: cannot fail
	return b
}

// oauthMessage is an initial client response.
type oauthMessage struct {
	authzid, host, auth string
}

// parseOAuth parses an initial client response (§3.1).
func parseOAuth(msg string) (oauthMessage, error) {
	header, rest, err := cutGS2(msg)
	if err != nil {
		return oauthMessage{}, err
	}
	if header.flag == 'p' {
		return oauthMessage{}, fail(ErrMalformed, "OAUTHBEARER: channel binding")
	}
	rest, opened := strings.CutPrefix(rest, kvsep)
	rest, closed := strings.CutSuffix(rest, kvsep)
	if !opened || !closed {
		return oauthMessage{}, fail(ErrMalformed, "OAUTHBEARER: message is not delimited")
	}
	fields := make(map[string]string)
	for rest != "" {
		var field string
		field, rest, closed = strings.Cut(rest, kvsep)
		key, value, ok := strings.Cut(field, "=")
		_, twice := fields[key]
		if !closed || !ok || twice || key == "" || strings.ContainsFunc(key, notAlpha) || strings.ContainsFunc(value, notInValue) {
			return oauthMessage{}, fail(ErrMalformed, "OAUTHBEARER: field is malformed or comes twice")
		}
		fields[key] = value
	}
	auth, ok := fields["auth"]
	if !ok {
		return oauthMessage{}, fail(ErrMalformed, "OAUTHBEARER: no auth field")
	}
	return oauthMessage{authzid: header.authzid, host: fields["host"], auth: auth}, nil
}

func notAlpha(r rune) bool  { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
func notInHost(r rune) bool { return r <= ' ' || r > '~' }

func notInValue(r rune) bool {
	return (r < ' ' || r > '~') && r != '\t' && r != '\r' && r != '\n'
}

// isToken reports whether s is a b64token (RFC 6750 §2.1).
func isToken(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return notAlpha(r) && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/", r)
	})
}
