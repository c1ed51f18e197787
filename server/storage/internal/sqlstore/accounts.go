package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// accounts is a [storage.Accounts].
type accounts struct{ s *Store }

// Create implements [storage.Accounts].
func (a accounts) Create(ctx context.Context, account storage.Account) error {
	domain, local := account.Addr.Domainpart(), account.Addr.Localpart()
	account.Secrets = cloneSecrets(account.Secrets)
	return a.s.write(ctx, "create an account", account.Addr.String(), func(t *tx) error {
		var taken int
		if err := t.row("SELECT COUNT(*) FROM accounts WHERE id = ? OR domain = ? AND local = ?", string(account.ID), domain, local).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return refuse(storage.ErrExists)
		}
		if _, err := t.exec("INSERT INTO accounts (id, domain, local, created, disabled) VALUES (?, ?, ?, ?, ?)",
			string(account.ID), domain, local, micros(account.Created), one(account.Disabled)); err != nil {
			return err
		}
		return t.addSecrets(account.ID, account.Secrets)
	})
}

func (t *tx) addSecrets(id storage.AccountID, all []sasl.Secrets) error {
	for slot, s := range all {
		if _, err := t.exec("INSERT INTO secrets (account, slot, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?, ?)",
			string(id), slot, string(s.Hash), blob(s.Salt), s.Iterations, blob(s.StoredKey), blob(s.ServerKey)); err != nil {
			return err
		}
	}
	return nil
}

func cloneSecrets(all []sasl.Secrets) []sasl.Secrets {
	all = slices.Clone(all)
	for i, s := range all {
		all[i].Salt, all[i].StoredKey, all[i].ServerKey = bytes.Clone(s.Salt), bytes.Clone(s.StoredKey), bytes.Clone(s.ServerKey)
	}
	return all
}

// blob is b as a database takes it: nil is no NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Get implements [storage.Accounts].
func (a accounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	var (
		id      string
		created int64
		off     int
	)
	account := storage.Account{Addr: addr}
	err := a.s.get(ctx, "get an account", into(&id, &created, &off), "SELECT id, created, disabled FROM accounts WHERE domain = ? AND local = ?", addr.Domainpart(), addr.Localpart())
	if err != nil {
		return storage.Account{}, err
	}
	account.ID, account.Created, account.Disabled = storage.AccountID(id), fromMicros(created), off != 0
	account.Secrets, err = a.secrets(ctx, account.ID)
	return account, err
}

// secrets returns those of an account.
func (a accounts) secrets(ctx context.Context, id storage.AccountID) (all []sasl.Secrets, err error) {
	err = a.s.list(ctx, "get secrets", func(rows *sql.Rows) error {
		var s sasl.Secrets
		var hash string
		if err := rows.Scan(&hash, &s.Salt, &s.Iterations, &s.StoredKey, &s.ServerKey); err != nil {
			return err
		}
		s.Hash = sasl.Hash(hash)
		all = append(all, s)
		return nil
	}, "SELECT hash, salt, iterations, stored_key, server_key FROM secrets WHERE account = ? ORDER BY slot", string(id))
	return all, err
}

// SetSecrets implements [storage.Accounts].
func (a accounts) SetSecrets(ctx context.Context, id storage.AccountID, secrets []sasl.Secrets) error {
	secrets = cloneSecrets(secrets)
	return a.s.write(ctx, "set secrets", string(id), func(t *tx) error {
		if err := t.mustExist(id); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM secrets WHERE account = ?", string(id)); err != nil {
			return err
		}
		return t.addSecrets(id, secrets)
	})
}

// SetDisabled implements [storage.Accounts].
func (a accounts) SetDisabled(ctx context.Context, id storage.AccountID, disabled bool) error {
	return a.s.write(ctx, "disable an account", string(id), func(t *tx) error {
		if err := t.mustExist(id); err != nil {
			return err
		}
		_, err := t.exec("UPDATE accounts SET disabled = ? WHERE id = ?", one(disabled), string(id))
		return err
	})
}

// mustExist refuses an id that no account has.
func (t *tx) mustExist(id storage.AccountID) error {
	var one int
	err := t.row("SELECT 1 FROM accounts WHERE id = ?", string(id)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return refuse(storage.ErrNotFound)
	}
	return err
}

// Delete implements [storage.Accounts].
func (a accounts) Delete(ctx context.Context, id storage.AccountID) error {
	return a.s.write(ctx, "delete an account", string(id), func(t *tx) error {
		if err := t.mustExist(id); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM secrets WHERE account = ?", string(id)); err != nil {
			return err
		}
		_, err := t.exec("DELETE FROM accounts WHERE id = ?", string(id))
		return err
	})
}

// List implements [storage.Accounts].
func (a accounts) List(ctx context.Context, domain string, after jid.JID, limit int) ([]storage.Account, error) {
	from := ""
	switch {
	case after.Domainpart() > domain:
		return nil, ctx.Err()
	case after.Domainpart() == domain:
		from = after.Localpart()
	}
	var page []storage.Account
	err := a.s.list(ctx, "list accounts", func(rows *sql.Rows) error {
		var id, local string
		var created int64
		var off int
		if err := rows.Scan(&id, &local, &created, &off); err != nil {
			return err
		}
		addr, err := join(domain, local)
		page = append(page, storage.Account{ID: storage.AccountID(id), Addr: addr, Created: fromMicros(created), Disabled: off != 0})
		return err
	}, "SELECT id, local, created, disabled FROM accounts WHERE domain = ? AND local > ? ORDER BY local LIMIT ?", domain, from, max(limit, 0))
	for i := range page {
		if err == nil {
			page[i].Secrets, err = a.secrets(ctx, page[i].ID)
		}
	}
	return page, err
}

// join returns the address of these parts, which were one before.
func join(domain, local string) (jid.JID, error) {
	if local == "" {
		return jid.ParseLenient(domain)
	}
	return jid.ParseLenient(local + "@" + domain)
}
