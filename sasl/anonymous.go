package sasl

import (
	"context"
	"crypto/rand"
	"strings"
	"unicode/utf8"
)

// maxTrace is the length of trace information, in characters (RFC 4505 §2).
const maxTrace = 255

// anonymousClient is ANONYMOUS (RFC 4505) from the client's side. It says
// nothing of its user.
type anonymousClient struct{ oneMessage }

func (anonymousClient) name() string           { return Anonymous }
func (anonymousClient) start() ([]byte, error) { return []byte{}, nil }

// anonymousServer is ANONYMOUS from the server's side.
type anonymousServer struct{ auth *Authenticator }

func (*anonymousServer) name() string { return Anonymous }

func (s *anonymousServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	trace := string(response)
	if !utf8.ValidString(trace) || utf8.RuneCountInString(trace) > maxTrace || strings.ContainsFunc(trace, notForTrace) {
		return nil, nil, fail(ErrMalformed, "ANONYMOUS: trace information is too long or not text")
	}
	username := strings.ToLower(rand.Text())
	if s.auth.anonymous != nil {
		var err error
		if username, err = s.auth.anonymous.AnonymousUsername(ctx, trace); err != nil {
			return nil, nil, storeError(err)
		}
	}
	id, err := s.auth.authorize(ctx, Identity{Username: username})
	return nil, id, err
}

// notForTrace reports what the "trace" profile prohibits (RFC 4505 §3).
func notForTrace(r rune) bool {
	return controls.has(r) || privateUse.has(r) || isNonCharacter(r) ||
		notPlainText.has(r) || changesDisplay.has(r) || tagging.has(r)
}
