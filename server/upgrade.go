package server

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stream"
)

// upgrades is how the accounts of one connection get secrets for further mechanisms, such as those that
// were imported with some only (XEP-0480).
type upgrades struct {
	srv    *Server
	before storage.Account // as it was when its owner proved the password
}

var _ stream.Upgrader = (*upgrades)(nil)

// Missing implements [stream.Upgrader].
func (u *upgrades) Missing(ctx context.Context, addr jid.JID) (missing []sasl.Hash, err error) {
	if u.srv.users != nil {
		return nil, nil // all are made when the password is seen, or none can be kept
	}
	if u.before, err = u.srv.opts.Storage.Accounts.Get(ctx, addr); err != nil {
		return nil, err
	}
	for _, h := range hashes {
		if !hasSecrets(u.before, h) && slices.Contains(u.srv.opts.Mechanisms, h.Mechanism()) {
			missing = append(missing, h)
		}
	}
	return missing, nil
}

func hasSecrets(a storage.Account, h sasl.Hash) bool {
	return slices.ContainsFunc(a.Secrets, func(s sasl.Secrets) bool { return s.Hash == h })
}

var errPasswordChanged = errors.New("server: the password has changed meanwhile")

// Add implements [stream.Upgrader].
func (u *upgrades) Add(ctx context.Context, addr jid.JID, s sasl.Secrets) error {
	u.srv.passwords.Lock()
	defer u.srv.passwords.Unlock()
	now, err := u.srv.opts.Storage.Accounts.Get(ctx, addr)
	if err != nil {
		return err
	}
	same := func(a, b sasl.Secrets) bool { return a.Hash == b.Hash && bytes.Equal(a.StoredKey, b.StoredKey) }
	if now.ID != u.before.ID || !slices.EqualFunc(now.Secrets, u.before.Secrets, same) {
		return errPasswordChanged
	}
	u.before.Secrets = append(slices.Clone(now.Secrets), s)
	return u.srv.opts.Storage.Accounts.SetSecrets(ctx, now.ID, u.before.Secrets)
}
