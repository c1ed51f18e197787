package storage

import (
	"context"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// Tokens keeps what clients log in with without a password (XEP-0484), at most two tokens for each
// client of an account. A client is known by an id that it has chosen, a UUID.
type Tokens interface {
	// Get returns the tokens of a client, none if there are none.
	Get(ctx context.Context, owner AccountID, client string) ([]sasl.Token, error)
	// Set replaces them; none deletes the client. Of an account only so many clients have tokens: where
	// there would be more, those whose last token expires first lose theirs.
	Set(ctx context.Context, owner AccountID, client string, tokens []sasl.Token, clients int) error
	// DeleteAll removes all tokens of an account, as when its password has changed. It is no error if there
	// are none.
	DeleteAll(ctx context.Context, owner AccountID) error
}
