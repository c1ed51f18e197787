package storage

import (
	"context"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
)

// An Invite lets whoever has its token do something: make an account (XEP-0401, XEP-0445), or become a
// contact of the inviter (XEP-0379).
type Invite struct {
	// ID is the SHA-256 of the token in hexadecimal. The token itself is not kept.
	ID      string
	Inviter AccountID // empty if it is the server's own
	Addr    jid.JID   // the bare JID of the inviter, or the domain
	// Account is the address that the new account must have; a domain if it may choose.
	// Zero makes no account: the invite is for a contact.
	Account jid.JID
	Created time.Time
	Expires time.Time
	// Uses is how often it may still be used.
	Uses int
}

// Invites keeps invites.
type Invites interface {
	// Create adds an invite. [ErrExists] when the ID is taken. [ErrFull] when its inviter would have more than
	// limit; zero means no bound. Those that have expired by its Created do not count.
	Create(ctx context.Context, i Invite, limit int) error
	// Get returns an invite that has neither expired by now nor been used up, else [ErrNotFound].
	Get(ctx context.Context, id string, now time.Time) (Invite, error)
	// Use takes one use of an invite and returns it as it was before. Exactly as many succeed as it has uses.
	// [ErrNotFound] as for Get. Restore gives the use back, if the invite was not revoked meanwhile.
	Use(ctx context.Context, id string, now time.Time) (Invite, error)
	Restore(ctx context.Context, id string) error
	// List returns the invites of an inviter in the order of their IDs, those behind after, also those that have expired but not
	// those that are used up.
	List(ctx context.Context, inviter AccountID, after string, limit int) ([]Invite, error)
	// Delete revokes an invite. It is no error if it is not there.
	Delete(ctx context.Context, id string) error
	// DeleteAll removes all invites of an inviter. It is no error if there are none.
	DeleteAll(ctx context.Context, inviter AccountID) error
	// Expire removes what has expired by then.
	Expire(ctx context.Context, now time.Time) error
}
