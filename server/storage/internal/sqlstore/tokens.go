package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// tokens is a [storage.Tokens].
type tokens struct{ s *Store }

// Get implements [storage.Tokens].
func (k tokens) Get(ctx context.Context, owner storage.AccountID, client string) (all []sasl.Token, err error) {
	err = k.s.list(ctx, "get tokens", func(rows *sql.Rows) error {
		var t sasl.Token
		var expiry int64
		if err := rows.Scan(&t.Secret, &t.Mechanism, &expiry); err != nil {
			return err
		}
		t.Expiry = fromMicros(expiry)
		all = append(all, t)
		return nil
	}, "SELECT secret, mechanism, expiry FROM tokens WHERE owner = ? AND client = ? ORDER BY slot", string(owner), client)
	return all, err
}

// Set implements [storage.Tokens].
func (k tokens) Set(ctx context.Context, owner storage.AccountID, client string, all []sasl.Token, clients int) error {
	all = slices.Clone(all)
	return k.s.write(ctx, "set tokens", string(owner), func(t *tx) error {
		if _, err := t.exec("DELETE FROM tokens WHERE owner = ? AND client = ?", string(owner), client); err != nil {
			return err
		}
		for slot, token := range all {
			if _, err := t.exec("INSERT INTO tokens (owner, client, slot, secret, mechanism, expiry) VALUES (?, ?, ?, ?, ?, ?)",
				string(owner), client, slot, token.Secret, token.Mechanism, micros(token.Expiry)); err != nil {
				return err
			}
		}
		if len(all) == 0 {
			return nil
		}
		return t.dropTokens(owner, client, max(clients, 1))
	})
}

// dropTokens drops those of the clients, but for one, whose last token expires first, as long as there are too many.
func (t *tx) dropTokens(owner storage.AccountID, except string, clients int) error {
	var have int
	if err := t.row("SELECT COUNT(DISTINCT client) FROM tokens WHERE owner = ?", string(owner)).Scan(&have); err != nil {
		return err
	}
	for ; have > clients; have-- {
		var first string
		err := t.row("SELECT client FROM tokens WHERE owner = ? AND client <> ? GROUP BY client ORDER BY MAX(expiry), client LIMIT 1", string(owner), except).Scan(&first)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM tokens WHERE owner = ? AND client = ?", string(owner), first); err != nil {
			return err
		}
	}
	return nil
}

// DeleteAll implements [storage.Tokens].
func (k tokens) DeleteAll(ctx context.Context, owner storage.AccountID) error {
	return k.s.write(ctx, "delete tokens", string(owner), func(t *tx) error {
		_, err := t.exec("DELETE FROM tokens WHERE owner = ?", string(owner))
		return err
	})
}
