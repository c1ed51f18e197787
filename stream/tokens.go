package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A TokenStore keeps the tokens that clients log in with (XEP-0484): for each client of an account
// at most two, the one in use and one that was given out since. Clients are known by their ids,
// see [UserAgent]. Methods may run concurrently.
type TokenStore interface {
	// Tokens returns those of a client, oldest first, none if there are none. An unknown account
	// has none.
	Tokens(ctx context.Context, account jid.JID, client string) ([]sasl.Token, error)
	// SetTokens replaces them.
	SetTokens(ctx context.Context, account jid.JID, client string, tokens []sasl.Token) error
}

// There is no count of uses: it keeps what TLS sends early from being replayed, and that is
// neither offered nor taken here.

// tokenLife is how long a token is good for. Half of it later it is replaced when it is used.
const tokenLife = 21 * 24 * time.Hour

// tokenUse is the use of a token.
type tokenUse struct {
	tokens []sasl.Token
	used   int // of these; -1 before
}

// beginToken begins an exchange with a token.
func (s *served2) beginToken(auth *sasl.Authenticator, mechanism string) (sasl.Server, *tokenUse, error) {
	if s.agent.ID == "" {
		return nil, nil, sasl.ErrMalformed
	}
	use := &tokenUse{used: -1}
	server, err := auth.StartToken(mechanism, s.n.Channel(),
		func(ctx context.Context, username string) (tokens []sasl.Token, err error) {
			account, err := jid.New(username, s.n.Domain().Domainpart(), "")
			if err != nil {
				return nil, sasl.ErrNotAuthorized
			}
			use.tokens, err = s.f.Tokens.Tokens(ctx, account, s.agent.ID)
			return use.tokens, err
		},
		func(_ context.Context, _ string, i int) error {
			use.used = i
			return nil
		})
	return server, use, err
}

// tokens keeps what is still good, and gives out a token if the client asks for one, or if the one that it
// used is half spent. Nobody gets a token for an account that they merely act as.
func (s *served2) tokens(ctx context.Context, w *stanza.Writer) error {
	if s.f.Tokens == nil || s.agent.ID == "" || s.acts {
		return nil
	}
	keep, changed := s.usedToken()
	if mechanism := s.wantedToken(keep); mechanism != "" {
		token := sasl.Token{Secret: rand.Text() + rand.Text(), Mechanism: mechanism, Expiry: time.Now().Add(tokenLife)}
		err := s.addToken(ctx, keep, token)
		if err == nil {
			w.Start(nsFAST, "token")
			w.Attr("expiry", token.Expiry.UTC().Format("2006-01-02T15:04:05.000Z"))
			w.Attr("token", token.Secret)
			w.End()
			return nil
		}
		s.n.c.event("fast", "a token could not be stored")
	}
	if !changed {
		return nil
	}
	err := s.f.Tokens.SetTokens(ctx, s.n.Account(), s.agent.ID, keep)
	if err != nil && !errors.Is(err, context.Canceled) { // a token would be good that must not be
		return &Error{Condition: InternalServerError}
	}
	return err
}

// usedToken returns the tokens that are good after one was used: that one, unless it was used to end
// it, and any that was given out since. Those before it are not, and then something has changed.
func (s *served2) usedToken() (keep []sasl.Token, changed bool) {
	switch {
	case s.token == nil || s.token.used < 0:
		return nil, false
	case isTrue(s.request.Child(nsFAST, "fast").Attr("invalidate")):
		return nil, true
	}
	return s.token.tokens[s.token.used:], s.token.used > 0
}

// wantedToken returns the mechanism for which a token is to be given out, empty if none is.
func (s *served2) wantedToken(keep []sasl.Token) string {
	mechanism := s.request.Child(nsFAST, "request-token").Attr("mechanism")
	if mechanism == "" && len(keep) > 0 && time.Until(keep[0].Expiry) < tokenLife/2 {
		mechanism = keep[0].Mechanism
	}
	if !slices.Contains(sasl.TokenMechanisms(s.n.Channel()), mechanism) {
		return ""
	}
	return mechanism
}

// addToken stores a token. The one in use stays good until the client shows that it has got the new
// one; another that was given out and not used is forgotten.
func (s *served2) addToken(ctx context.Context, keep []sasl.Token, token sasl.Token) error {
	if s.token == nil {
		var err error
		if keep, err = s.f.Tokens.Tokens(ctx, s.n.Account(), s.agent.ID); err != nil {
			return err
		}
	}
	all := []sasl.Token{token}
	if len(keep) > 0 && time.Now().Before(keep[0].Expiry) {
		all = []sasl.Token{keep[0], token}
	}
	return s.f.Tokens.SetTokens(ctx, s.n.Account(), s.agent.ID, all)
}
