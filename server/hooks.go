package server

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// hooks are what modules have registered, each sort in the order of the modules.
type hooks struct {
	outbound  []func(context.Context, module.Session, *module.Transit) error
	permit    []func(context.Context, module.Account, jid.JID, module.Direction, stanza.Header) error
	inbound   []func(context.Context, module.Account, *module.Transit) error
	requested []func(context.Context, module.Account, *module.Transit) (bool, error)
	sent      []func(context.Context, module.Session, *module.Transit)
	placed    []func(context.Context, module.Account, *module.Transit, []module.Session, bool)
	opened    []func(context.Context, module.Session)
	closed    []func(context.Context, module.Session)
	presence  []func(context.Context, module.Session, *stanza.Raw)
	changed   []func(context.Context, module.Account, string)
	deleted   []func(context.Context, module.Account)
}

// add adds the hooks of a module.
func (k *hooks) add(h module.Hooks) {
	put(&k.outbound, h.Outbound, h.Outbound != nil)
	put(&k.permit, h.Permit, h.Permit != nil)
	put(&k.inbound, h.Inbound, h.Inbound != nil)
	put(&k.requested, h.Requested, h.Requested != nil)
	put(&k.sent, h.Sent, h.Sent != nil)
	put(&k.placed, h.Placed, h.Placed != nil)
	put(&k.opened, h.Opened, h.Opened != nil)
	put(&k.closed, h.Closed, h.Closed != nil)
	put(&k.presence, h.Presence, h.Presence != nil)
	put(&k.changed, h.Changed, h.Changed != nil)
	put(&k.deleted, h.Deleted, h.Deleted != nil)
}

func put[F any](all *[]F, f F, given bool) {
	if given {
		*all = append(*all, f)
	}
}

// seesMessages reports whether a hook sees messages that arrive.
func (k *hooks) seesMessages() bool {
	return len(k.permit)+len(k.inbound)+len(k.placed) > 0
}

// transits are lent to hooks.
var transits = sync.Pool{New: func() any { return new(module.Transit) }}

// transit lends a stanza to f.
func transit(st stanza.Stanza, h stanza.Header, f func(*module.Transit)) {
	t := transits.Get().(*module.Transit)
	t.Reset(st, h)
	f(t)
	t.Reset(nil, stanza.Header{})
	transits.Put(t)
}

// recovered makes an error of a panic in code of others.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}

// guard calls a hook that decides nothing.
func (s *Server) guard(what string, f func()) {
	err := func() (err error) {
		defer recovered(&err)
		f()
		return nil
	}()
	if err != nil {
		s.log.Error("a hook failed", "hook", what, "err", err)
	}
}

// outbound lets hooks see what the client has sent, and returns what goes on.
func (s *session) outbound(ctx context.Context, raw *stanza.Raw, h stanza.Header) (out *stanza.Raw, head stanza.Header, err error) {
	out, head = raw, h
	defer recovered(&err)
	transit(raw, h, func(t *module.Transit) {
		for _, hook := range s.srv.hooks.outbound {
			if err = hook(ctx, s, t); err != nil {
				return
			}
		}
		out, head = t.Stanza().(*stanza.Raw), t.Header() // an edited one is raw, too
	})
	return out, head, err
}

// permit asks whether a stanza may pass between an account and somebody else.
func (s *Server) permit(ctx context.Context, a module.Account, with jid.JID, dir module.Direction, h stanza.Header) (err error) {
	if len(s.hooks.permit) == 0 || with.IsZero() || with.Bare() == a.Addr {
		return nil
	}
	defer recovered(&err)
	for _, hook := range s.hooks.permit {
		if err := hook(ctx, a, with, dir, h); err != nil {
			return err
		}
	}
	return nil
}

// permits is permit for what cannot be answered. It is asked in turns, also when whoever caused it has gone, and
// waits for a store no longer than those do.
func (s *Server) permits(ctx context.Context, a *account, with jid.JID, dir module.Direction, h stanza.Header) bool {
	if len(s.hooks.permit) == 0 || with.Bare() == a.addr {
		return true
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	err := s.permit(ctx, a.identity(), with, dir, h)
	if err != nil {
		s.logRefusal(h, err)
	}
	return err == nil
}

// inboundMessage lets hooks see a message for an account, and returns what goes on.
func (s *Server) inboundMessage(ctx context.Context, a module.Account, st stanza.Stanza, h stanza.Header) (out stanza.Stanza, head stanza.Header, err error) {
	out, head = st, h
	if err := s.permit(ctx, a, h.From, module.In, h); err != nil {
		return out, head, err
	}
	if len(s.hooks.inbound) == 0 {
		return out, head, nil
	}
	defer recovered(&err)
	transit(st, h, func(t *module.Transit) {
		for _, hook := range s.hooks.inbound {
			if err = hook(ctx, a, t); err != nil {
				return
			}
		}
		out, head = t.Stanza(), t.Header()
	})
	return out, head, err
}

// requested asks whether a request for a subscription is granted at once. Nobody is asked about one that would be
// anyway.
func (s *Server) requested(ctx context.Context, a *account, st stanza.Stanza, h stanza.Header) (granted bool, err error) {
	if len(s.hooks.requested) == 0 {
		return false, nil
	}
	if c, err := s.contact(ctx, a.id, h.From); err != nil || c.Approved || c.Subscription.Has(storage.From) {
		return false, err
	}
	defer recovered(&err)
	transit(st, h, func(t *module.Transit) {
		for _, hook := range s.hooks.requested {
			if granted, err = hook(ctx, a.identity(), t); granted || err != nil {
				return
			}
		}
	})
	return granted, err
}

// tellSent tells hooks of a message that the client has sent.
func (s *session) tellSent(ctx context.Context, st stanza.Stanza, h stanza.Header) {
	if len(s.srv.hooks.sent) == 0 {
		return
	}
	s.srv.guard("Sent", func() {
		transit(st, h, func(t *module.Transit) {
			for _, hook := range s.srv.hooks.sent {
				hook(ctx, s, t)
			}
		})
	})
}

// placed tells hooks where a message has gone.
func (s *Server) placed(ctx context.Context, a module.Account, st stanza.Stanza, h stanza.Header, to []module.Session, kept bool) {
	if len(s.hooks.placed) == 0 {
		return
	}
	s.guard("Placed", func() {
		transit(st, h, func(t *module.Transit) {
			for _, hook := range s.hooks.placed {
				hook(ctx, a, t, to, kept)
			}
		})
	})
}

// tellHooks calls the hooks that only see a session.
func (s *session) tellHooks(ctx context.Context, what string, all []func(context.Context, module.Session)) {
	for _, hook := range all {
		s.srv.guard(what, func() { hook(ctx, s) })
	}
}

// tellPresence tells hooks what the session has broadcast; nil when it is no longer available.
func (s *session) tellPresence(ctx context.Context, p *stanza.Raw) {
	for _, hook := range s.srv.hooks.presence {
		s.srv.guard("Presence", func() { hook(ctx, s, p) })
	}
}

// tellChanged tells hooks that another node has changed what is kept of an account.
func (s *Server) tellChanged(ctx context.Context, a module.Account, ns string) {
	for _, hook := range s.hooks.changed {
		s.guard("Changed", func() { hook(ctx, a, ns) })
	}
}

// turnAway does what the error of a hook asks for.
func (s *Server) turnAway(ctx context.Context, o origin, h stanza.Header, err error) {
	if err == module.ErrDrop {
		return
	}
	s.logRefusal(h, err)
	refuseTo(ctx, o, h, err)
}

// logRefusal logs the error of a hook when it is a fault, and no decision.
func (s *Server) logRefusal(h stanza.Header, err error) {
	if _, decided := stanza.AsError(err); !decided && err != module.ErrDrop {
		s.log.Error("a hook failed", "peer", h.From, "id", h.ID, "err", err)
	}
}
