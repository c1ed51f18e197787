// Package house is the server that a file describes: over its stores, with its modules and certificates, but without a door. Package daemon opens that;
// commands do without when no server runs.
package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xep/invite"
)

// A House is a server. Its methods may be called from any goroutine.
type House struct {
	Server  *server.Server
	Stores  storage.Stores
	Invites *invite.Service
	Board   *watch.Board // of those who watch sessions

	stop    func(after time.Duration)
	version string
	log     *slog.Logger
	certs   certs.Keeper
	config  atomic.Pointer[config.Config]
	lock    *store.Lock
	unstore func() error

	changing sync.Mutex // held while the config changes
}

// Options says how to open a house.
type Options struct {
	Version string
	Log     *slog.Logger
	// Serving says that clients will come. Without it no certificates are read or made.
	Serving bool
	// Shutdown is called when an administrator wants the server to stop, after some time; it returns at once.
	Shutdown func(after time.Duration)
}

// Open locks the folder, opens the stores and makes the server. [store.ErrLocked] when another process has the folder.
func Open(ctx context.Context, c *config.Config, o Options) (_ *House, err error) {
	h := &House{Invites: invite.New(&invite.Options{Logger: o.Log}), Board: new(watch.Board), stop: o.Shutdown, version: o.Version, log: o.Log}
	h.config.Store(c)
	if h.lock, err = store.Take(c); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.release())
		}
	}()
	if o.Serving {
		set, err := certs.Load(c, time.Now())
		if err != nil {
			return nil, err
		}
		h.certs.Show(set)
	}
	if h.Stores, h.unstore, err = store.Open(ctx, c); err != nil {
		return nil, c.Outside("storage", err, "run xmppd check to see what is the matter")
	}
	secret, err := store.Secret(c)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{
		TLS: h.certs.TLS(), Storage: h.Stores, KeepSessions: o.Serving, // commands leave them where they are
		Modules: h.modules(c), Limits: limits(c), Mechanisms: c.Mechanisms, FakeKey: secret, Logger: o.Log, Trace: h.Board.Trace,
	}
	for _, host := range c.Hosts {
		opts.Domains = append(opts.Domains, host.Domain.String())
	}
	h.Server, err = server.New(opts)
	return h, err
}

// shutdown does what an administrator wants by a client.
func (h *House) shutdown(_ context.Context, after time.Duration) error {
	h.log.Info("an administrator wants the server to stop", "after", after)
	h.stop(after)
	return nil
}

// Config is the one in force.
func (h *House) Config() *config.Config { return h.config.Load() }

// Certificates are those that are shown.
func (h *House) Certificates() *certs.Set { return h.certs.Shown() }

// Close shuts the server down, as [server.Server.Shutdown] does, closes the stores and gives the folder back.
func (h *House) Close(ctx context.Context) error {
	err := h.Server.Shutdown(ctx)
	return errors.Join(err, h.release())
}

func (h *House) release() (err error) {
	if h.unstore != nil {
		err = h.unstore()
	}
	return errors.Join(err, h.lock.Release())
}

// limits are those of a file as the server has them. Of the rate an account has twice and an address eight times as much, as by default.
func limits(c *config.Config) server.Limits {
	rate := c.Limits.RateBytesPerSecond
	return server.Limits{
		AfterAuth:          stream.Limits{Bytes: c.Limits.StanzaBytes},
		SessionsPerAccount: c.Limits.SessionsPerAccount,
		SessionRate:        rate, AccountRate: 2 * rate, AddressRate: 8 * rate,
	}
}

// Change puts another config in force: hosts, certificates, limits, administrators and who may make an account. Sessions stay, but for those of
// hosts that are gone. When it returns an error, all is as before.
func (h *House) Change(ctx context.Context, next *config.Config) error {
	h.changing.Lock()
	defer h.changing.Unlock()
	set, err := certs.Load(next, time.Now())
	if err != nil {
		return err
	}
	before, shown := h.config.Load(), h.certs.Shown()
	h.certs.Show(set.With(shown)) // a host needs one as long as it is served
	if err := h.Server.SetLimits(limits(next)); err != nil {
		h.certs.Show(shown)
		return fmt.Errorf("limits: %w", err)
	}
	for i, host := range next.Hosts {
		if err := h.Server.AddDomain(host.Domain.String()); err != nil {
			h.back(ctx, before, next.Hosts[:i])
			h.certs.Show(shown)
			return next.Problem(fmt.Sprintf("host[%d].domain", i), err.Error(), "write another one")
		}
	}
	h.config.Store(next)
	for _, host := range before.Hosts {
		if next.Host(host.Domain) == nil {
			if err := h.Server.RemoveDomain(ctx, host.Domain.String()); err != nil {
				h.log.Error("a host is not served any more, but its sessions have not all ended", "host", host.Domain, "err", err)
			}
		}
	}
	h.certs.Show(set)
	return nil
}

// back undoes what Change has done before it failed.
func (h *House) back(ctx context.Context, before *config.Config, added []config.Host) {
	_ = h.Server.SetLimits(limits(before)) // which were in force
	for _, host := range added {
		if before.Host(host.Domain) == nil {
			_ = h.Server.RemoveDomain(ctx, host.Domain.String()) // nobody was there
		}
	}
}

// Renew looks at the certificates again: files may have changed, and what is made here is made anew before it ends.
func (h *House) Renew() error {
	h.changing.Lock()
	defer h.changing.Unlock()
	set, err := certs.Load(h.config.Load(), time.Now())
	if err == nil {
		h.certs.Show(set)
	}
	return err
}
