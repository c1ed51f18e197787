package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// invites is a [storage.Invites].
type invites struct{ s *Store }

const inviteColumns = "id, inviter, addr, account, created, expires, uses"

// scanInvite reads a row of inviteColumns.
func scanInvite(scan func(...any) error) (i storage.Invite, err error) {
	var (
		inviter, addr, account string
		created, expires       int64
	)
	if err := scan(&i.ID, &inviter, &addr, &account, &created, &expires, &i.Uses); err != nil {
		return i, err
	}
	i.Inviter, i.Created, i.Expires = storage.AccountID(inviter), fromMicros(created), fromMicros(expires)
	if i.Addr, err = jid.ParseLenient(addr); err != nil || account == "" {
		return i, err
	}
	i.Account, err = jid.ParseLenient(account)
	return i, err
}

// Create implements [storage.Invites].
func (v invites) Create(ctx context.Context, i storage.Invite, limit int) error {
	return v.s.write(ctx, "create an invite", string(i.Inviter), func(t *tx) error {
		var taken, have int
		if err := t.row("SELECT COUNT(*) FROM invites WHERE id = ?", i.ID).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return refuse(storage.ErrExists)
		}
		if err := t.row("SELECT COUNT(*) FROM invites WHERE inviter = ? AND uses > 0 AND expires > ?", string(i.Inviter), micros(i.Created)).Scan(&have); err != nil {
			return err
		}
		if limit > 0 && have >= limit {
			return refuse(storage.ErrFull)
		}
		_, err := t.exec("INSERT INTO invites ("+inviteColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
			i.ID, string(i.Inviter), i.Addr.String(), i.Account.String(), micros(i.Created), micros(i.Expires), i.Uses)
		return err
	})
}

const goodInvite = "SELECT " + inviteColumns + " FROM invites WHERE id = ? AND uses > 0 AND expires > ?"

// Get implements [storage.Invites].
func (v invites) Get(ctx context.Context, id string, now time.Time) (i storage.Invite, err error) {
	err = v.s.get(ctx, "get an invite", func(scan func(...any) error) (err error) {
		i, err = scanInvite(scan)
		return err
	}, goodInvite, id, micros(now))
	return i, err
}

// Use implements [storage.Invites].
func (v invites) Use(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	var used storage.Invite
	err := v.s.write(ctx, "use an invite", id, func(t *tx) (err error) {
		used, err = scanInvite(t.row(goodInvite, id, micros(now)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return refuse(storage.ErrNotFound)
		}
		if err != nil {
			return err
		}
		_, err = t.exec("UPDATE invites SET uses = uses - 1 WHERE id = ?", id)
		return err
	})
	if err != nil {
		return storage.Invite{}, err
	}
	return used, nil
}

// Restore implements [storage.Invites].
func (v invites) Restore(ctx context.Context, id string) error {
	return v.change(ctx, "restore an invite", id, "UPDATE invites SET uses = uses + 1 WHERE id = ?", id)
}

// List implements [storage.Invites].
func (v invites) List(ctx context.Context, inviter storage.AccountID, after string, limit int) (page []storage.Invite, err error) {
	err = v.s.list(ctx, "list invites", func(rows *sql.Rows) error {
		i, err := scanInvite(rows.Scan)
		page = append(page, i)
		return err
	}, "SELECT "+inviteColumns+" FROM invites WHERE inviter = ? AND id > ? AND uses > 0 ORDER BY id LIMIT ?", string(inviter), after, max(limit, 0))
	return page, err
}

// Delete implements [storage.Invites].
func (v invites) Delete(ctx context.Context, id string) error {
	return v.change(ctx, "delete an invite", id, "DELETE FROM invites WHERE id = ?", id)
}

// DeleteAll implements [storage.Invites].
func (v invites) DeleteAll(ctx context.Context, inviter storage.AccountID) error {
	return v.change(ctx, "delete invites", string(inviter), "DELETE FROM invites WHERE inviter = ?", string(inviter))
}

// Expire implements [storage.Invites].
func (v invites) Expire(ctx context.Context, now time.Time) error {
	return v.change(ctx, "expire invites", "", "DELETE FROM invites WHERE expires <= ?", micros(now))
}

func (v invites) change(ctx context.Context, what, key, q string, args ...any) error {
	return v.s.write(ctx, what, key, func(t *tx) error {
		_, err := t.exec(q, args...)
		return err
	})
}
