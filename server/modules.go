package server

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"iter"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// extensions are what modules have registered, but for hooks.
type extensions struct {
	strangers *muxer.Mux
	open      map[request]module.Audience
	before    []stanza.Payload // what features say to those who have not logged in
	after     []stanza.Payload // and to those who have
	inline    []inline
}

// A request is a sort of request that an account may be asked.
type request struct {
	t    stanza.IQType
	name xml.Name
}

// An inline feature can be asked for in binding.
type inline struct {
	name  xml.Name
	asked func(context.Context, module.Session, stanza.Element)
}

// host is the server as its modules see it.
type host struct{ srv *Server }

var _ module.Host = host{}

// install installs the modules.
func (s *Server) install() error {
	for _, m := range s.opts.Modules {
		if err := m.Install(host{s}); err != nil {
			return fmt.Errorf("server: install %T: %w", m, err)
		}
	}
	return nil
}

func (h host) Domains() []jid.JID     { return h.srv.Domains() }
func (h host) Stores() storage.Stores { return h.srv.opts.Storage }
func (h host) Domain() *muxer.Mux     { return h.srv.opts.Mux }
func (h host) Account() *muxer.Mux    { return h.srv.accounts }
func (h host) Stranger() *muxer.Mux   { return h.srv.ext.strangers }
func (h host) Hook(k module.Hooks)    { h.srv.hooks.add(k) }

func (h host) Open(to module.Audience, t stanza.IQType, name xml.Name) {
	h.srv.ext.open[request{t, name}] = to
}

func (h host) Feature(authenticated bool, p stanza.Payload) {
	if authenticated {
		h.srv.ext.after = append(h.srv.ext.after, p)
		return
	}
	h.srv.ext.before = append(h.srv.ext.before, p)
}

func (h host) BindInline(name xml.Name, f func(context.Context, module.Session, stanza.Element)) {
	h.srv.ext.inline = append(h.srv.ext.inline, inline{name, f})
}

func (h host) CreateAccount(ctx context.Context, addr jid.JID, password string) error {
	return h.srv.CreateAccount(ctx, addr, password)
}

func (h host) SetPassword(ctx context.Context, addr jid.JID, password string) error {
	return h.srv.SetPassword(ctx, addr, password)
}

func (h host) SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error {
	return h.srv.SetDisabled(ctx, addr, disabled)
}

func (h host) All() iter.Seq[module.Session] { return h.srv.Sessions() }

func (h host) DeleteAccount(ctx context.Context, addr jid.JID) error {
	return h.srv.DeleteAccount(ctx, addr)
}

func (h host) SetOwnPassword(ctx context.Context, a module.Account, password string) error {
	return h.srv.setPassword(ctx, a.Addr, password, func(context.Context) (storage.AccountID, error) { return a.ID, nil })
}

func (h host) DeleteOwnAccount(ctx context.Context, a module.Account, gone func()) error {
	return h.srv.deleteAccount(ctx, a.Addr, a.ID, gone)
}

func (h host) Go(f func(context.Context)) bool {
	if !h.srv.begin() {
		return false
	}
	go func() {
		defer h.srv.end()
		h.srv.guard("Go", func() { f(lifetime{h.srv.aborted}) })
	}()
	return true
}

func (h host) AddContact(ctx context.Context, account, contact jid.JID) error {
	return h.srv.AddContact(ctx, account, contact)
}

func (h host) Lookup(ctx context.Context, addr jid.JID) (module.Account, error) {
	id, err := h.srv.directory.id(ctx, addr)
	return module.Account{ID: id, Addr: addr}, err
}

func (h host) Sessions(account jid.JID) []module.Session {
	var all []module.Session
	if a := h.srv.directory.online(account); a != nil {
		for _, t := range a.all(func(*session) bool { return true }) {
			all = append(all, t)
		}
	}
	return h.srv.addAway(all, account, h.srv.cluster.Elsewhere(account))
}

func (h host) MaySee(ctx context.Context, a module.Account, who jid.JID) bool {
	return h.srv.entitled(ctx, absent{h.srv, who}, a.Addr, who)
}

func (h host) Contacts(ctx context.Context, a module.Account) ([]storage.Contact, error) {
	return h.srv.contacts(ctx, a.ID)
}

func (h host) Subscribe(ctx context.Context, a module.Account, contact jid.JID) error {
	p := stanza.Presence{From: a.Addr, To: contact.Bare(), ID: stanza.NewID(), Type: stanza.PresenceSubscribe}
	switch {
	case p.To.IsZero() || p.To == a.Addr:
		return errors.New("server: a subscription needs a contact")
	case !h.srv.hosts(p.To):
		return stanza.RemoteServerNotFound
	}
	held, err := h.srv.directory.hold(ctx, a.Addr)
	if err != nil {
		return err
	}
	defer h.srv.directory.release(held)
	if held.id != a.ID {
		return storage.ErrNotFound
	}
	if err := h.srv.permit(ctx, a, p.To, module.Out, p.Header()); err != nil {
		return err
	}
	c, err := h.srv.contact(ctx, a.ID, p.To)
	if err != nil || c.Subscription.Has(storage.To) {
		return err
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	tasks, err := h.srv.outbound(ctx, held, p, p.Header())
	follow(ctx, tasks...)
	return err
}

func (h host) Hide(ctx context.Context, a module.Account, contact jid.JID) error {
	held, err := h.srv.directory.hold(ctx, a.Addr)
	if err != nil {
		return err
	}
	defer h.srv.directory.release(held)
	end, err := held.turn(ctx)
	if err != nil {
		return err
	}
	defer end()
	subscribers, err := h.srv.subscribers(ctx, a.ID, contact)
	if err != nil {
		return err
	}
	h.srv.spread(a.Addr, cluster.Parcel{Way: cluster.HideBelow, With: contact, List: subscribers})
	h.srv.hideFromAll(held, subscribers, held.strangersBelow(contact))
	return nil
}

// strangersBelow likes the addresses that one covers and that are not the account's own.
func (a *account) strangersBelow(above jid.JID) func(jid.JID) bool {
	return func(addr jid.JID) bool { return addr.Bare() != a.addr && covers(above, addr) }
}

// covers reports whether an address is another one or lies below it: a session of an account, anything at a domain.
func covers(above, addr jid.JID) bool {
	return addr == above || addr.Bare() == above || addr.Domain() == above
}

// subscribers are the addresses, among those that an address covers, that may see the presence of an account.
func (s *Server) subscribers(ctx context.Context, owner storage.AccountID, above jid.JID) (all []jid.JID, err error) {
	if above != above.Domain() {
		c, err := s.contact(ctx, owner, above.Bare())
		if err == nil && c.Subscription.Has(storage.From) {
			all = append(all, above)
		}
		return all, err
	}
	contacts, err := s.contacts(ctx, owner)
	for _, c := range contacts {
		if covers(above, c.JID) && c.Subscription.Has(storage.From) {
			all = append(all, c.JID)
		}
	}
	return all, err
}

func (h host) Show(ctx context.Context, a module.Account, contact jid.JID) error {
	follow(ctx, h.srv.showTo(a.Addr, contact))
	return ctx.Err()
}

func (h host) Changed(ctx context.Context, a module.Account, ns string) {
	h.srv.changedElsewhere(ctx, a, ns)
}

func (h host) Announce(ctx context.Context, a module.Account, change func(module.Session, *module.Transit) (bool, error)) error {
	held := h.srv.directory.online(a.Addr)
	if held == nil || held.id != a.ID {
		return nil
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	end, err := held.turn(ctx)
	if err != nil {
		return err
	}
	defer end()
	return h.srv.announceAgain(ctx, held, change)
}

func (h host) Probe(ctx context.Context, a module.Account, contact jid.JID) error {
	c, err := h.srv.contact(ctx, a.ID, contact.Bare())
	if err != nil || !c.Subscription.Has(storage.To) || !h.srv.hosts(contact) {
		return err
	}
	probe := stanza.Header{Kind: stanza.KindPresence, Type: string(stanza.PresenceProbe), From: a.Addr, To: contact}
	follow(ctx, func(ctx context.Context) []task { return h.srv.answerProbe(ctx, probe, jid.JID{}) })
	return ctx.Err()
}

func (h host) Session(domain jid.JID) (xmpp.Session, error) { return h.srv.Session(domain) }

func (h host) Send(ctx context.Context, st stanza.Stanza) error {
	head := st.Header()
	sv := h.srv.service(head.From.Domain())
	switch {
	case sv == nil:
		return fmt.Errorf("server: %w: %s", errNotOurs, head.From)
	case head.To.IsZero():
		return errNoRecipient
	}
	if head.ID == "" && head.Kind != stanza.KindPresence {
		head.ID = stanza.NewID()
	}
	return sv.route(ctx, st, head)
}

// identity is the account as modules see it.
func (a *account) identity() module.Account { return module.Account{ID: a.id, Addr: a.addr} }

// audience returns who may ask accounts for something.
func (e *extensions) audience(t stanza.IQType, name xml.Name) module.Audience {
	if to, ok := e.open[request{t, name}]; ok {
		return to
	}
	return e.open[request{muxer.AnyIQ, name}]
}

// features are those of streams that modules have added.
func (s *Server) features(c *connection, t **session) (features []stream.Feature, binds []stream.BindFeature) {
	for _, p := range s.ext.after {
		features = append(features, stream.Announce{Payload: p, When: stream.Authenticated})
	}
	if len(s.ext.before) > 0 {
		stranger := &module.Stranger{Remote: c.from.ip}
		features = append(features, requests{stream.Requests{
			Offers: s.ext.before,
			Takes:  s.ext.strangers.Handles,
			Answer: func(ctx context.Context, n *stream.Negotiation, iq *stanza.IQ) (payload stanza.Payload, err error) {
				defer recovered(&err)
				defer func() {
					if _, decided := stanza.AsError(err); err != nil && !decided {
						s.log.Error("a handler failed", "id", iq.ID, "err", err)
					}
				}()
				stranger.Domain, stranger.Secure = n.Domain(), n.State().Has(stream.Secure)
				return s.ext.strangers.AnswerIQ(module.WithStranger(ctx, stranger), iq)
			},
		}})
	}
	for _, i := range s.ext.inline {
		binds = append(binds, stream.BindFeature{Name: i.name, Asked: func(ctx context.Context, e stanza.Element) {
			if *t != nil {
				s.guard("BindInline", func() { i.asked(ctx, *t, e) })
			}
		}})
	}
	return features, binds
}

// requests are what strangers may ask for, announced where it is offered.
type requests struct{ stream.Requests }

// Offer implements [stream.Feature].
func (f requests) Offer(n *stream.Negotiation, w *stanza.Writer) {
	for _, p := range f.Offers {
		if l, ok := p.(module.DomainFeature); !ok || l.OfferedBy(n.Domain()) {
			w.Payload(p)
		}
	}
}
