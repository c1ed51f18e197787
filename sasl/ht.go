package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// The mechanisms that prove a token which the server has given out before, in one
// journey there and back (draft-schmaus-kitten-sasl-ht, XEP-0484). What follows the hash
// function is how they bind to the channel.
const (
	HTSHA256Expr = "HT-SHA-256-EXPR" // tls-exporter
	HTSHA256Endp = "HT-SHA-256-ENDP" // tls-server-end-point
	HTSHA256None = "HT-SHA-256-NONE" // not at all
)

// TokenMechanisms returns the mechanisms for tokens that a channel allows, best first. A nil
// channel allows none: whoever could read along could not use what is said, but could change
// everything behind it.
func TokenMechanisms(channel *Channel) []string {
	if !channel.hasTLS() {
		return nil
	}
	all := []string{HTSHA256Expr, HTSHA256Endp, HTSHA256None}
	return slices.DeleteFunc(all, func(name string) bool {
		_, err := htBinding(name, channel)
		return err != nil
	})
}

// htBinding returns the channel binding data of a mechanism.
func htBinding(mechanism string, channel *Channel) ([]byte, error) {
	switch mechanism {
	case HTSHA256Expr:
		return channel.Binding(TLSExporter)
	case HTSHA256Endp:
		return channel.Binding(TLSServerEndPoint)
	case HTSHA256None:
		return nil, nil
	}
	return nil, fail(ErrInvalidMechanism, "mechanism %.40q is not supported", mechanism)
}

// htProof is what one side says to prove that it knows the token.
func htProof(token, role string, binding []byte) []byte {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(role))
	mac.Write(binding)
	return mac.Sum(nil)
}

const (
	htInitiator = "Initiator"
	htResponder = "Responder"
)

// A Token is what a server has given out for logging in again. It is as good as a
// password for the client it was given to. Printing or logging a value shows nothing of
// it.
type Token struct {
	Secret    string
	Mechanism string // the only one that it is good for
	Expiry    time.Time
}

// Format prints a placeholder, whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("sasl.Token{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Token) LogValue() slog.Value { return slog.StringValue("sasl.Token{...}") }

// NewTokenClient begins an exchange by which an account proves a token, with the token's
// mechanism. The error is [ErrNoMechanism] when the channel does not allow that.
func NewTokenClient(username string, token Token, channel *Channel) (Client, error) {
	if !slices.Contains(TokenMechanisms(channel), token.Mechanism) {
		return nil, fmt.Errorf("%w: %.40q on this channel", ErrNoMechanism, token.Mechanism)
	}
	if username == "" || strings.ContainsRune(username, 0) || token.Secret == "" {
		return nil, fmt.Errorf("%w: no username and token", ErrNoMechanism)
	}
	binding, err := htBinding(token.Mechanism, channel)
	if err != nil {
		return nil, err
	}
	return &clientExchange{mech: &htClient{username: username, token: token, binding: binding}}, nil
}

type htClient struct {
	username string
	token    Token
	binding  []byte
}

func (c *htClient) name() string { return c.token.Mechanism }

func (c *htClient) start() ([]byte, error) {
	return append([]byte(c.username+"\x00"), htProof(c.token.Secret, htInitiator, c.binding)...), nil
}

func (c *htClient) next([]byte) ([]byte, error) { return oneMessage{}.next(nil) }

// finish checks that the server knows the token too.
func (c *htClient) finish(additional []byte) error {
	if subtle.ConstantTimeCompare(additional, htProof(c.token.Secret, htResponder, c.binding)) != 1 {
		return fail(ErrServerNotProven, "%s: the server has not proven that it knows the token", c.name())
	}
	return nil
}

// StartToken begins the server's side of an exchange with a token. Tokens returns those
// that the account has for the client, of which expired ones do not count; used is told which one of
// them was proven. Both may fail as a store does.
func (a *Authenticator) StartToken(mechanism string, channel *Channel,
	tokens func(ctx context.Context, username string) ([]Token, error),
	used func(ctx context.Context, username string, i int) error,
) (Server, error) {
	if !slices.Contains(TokenMechanisms(channel), mechanism) {
		return nil, fail(ErrInvalidMechanism, "mechanism %.40q is not supported here", mechanism)
	}
	binding, err := htBinding(mechanism, channel)
	if err != nil {
		return nil, err
	}
	return &serverExchange{mech: &htServer{auth: a, mechanism: mechanism, binding: binding, tokens: tokens, used: used}}, nil
}

type htServer struct {
	auth      *Authenticator
	mechanism string
	binding   []byte
	tokens    func(ctx context.Context, username string) ([]Token, error)
	used      func(ctx context.Context, username string, i int) error
}

func (s *htServer) name() string { return s.mechanism }

func (s *htServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	name, proof, ok := strings.Cut(string(response), "\x00")
	if !ok || name == "" || len(proof) != sha256.Size {
		return nil, nil, fail(ErrMalformed, "%s: not a name and a proof", s.mechanism)
	}
	username, err := s.auth.prepareUsername(name)
	if err != nil {
		return nil, nil, err
	}
	tokens, err := s.tokens(ctx, username)
	if err != nil {
		return nil, nil, storeError(err)
	}
	match := -1
	for i, t := range tokens {
		same := subtle.ConstantTimeCompare([]byte(proof), htProof(t.Secret, htInitiator, s.binding)) == 1
		if same && t.Mechanism == s.mechanism && t.Secret != "" {
			match = i
		}
	}
	switch {
	case match < 0:
		return nil, nil, fail(ErrNotAuthorized, "%s: no such token", s.mechanism)
	case !time.Now().Before(tokens[match].Expiry):
		return nil, nil, fail(ErrCredentialsExpired, "%s: the token has expired", s.mechanism)
	}
	id, err := s.auth.authorize(ctx, Identity{Username: username})
	if err != nil {
		return nil, nil, err
	}
	if err := s.used(ctx, username, match); err != nil {
		return nil, nil, storeError(err)
	}
	return htProof(tokens[match].Secret, htResponder, s.binding), id, nil
}
