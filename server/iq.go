package server

import (
	"context"
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// routeIQ brings a request or an answer to its recipient. Every request is
// answered, by the recipient or here (RFC 6120 §8.2.3).
func (s *Server) routeIQ(ctx context.Context, o origin, raw *stanza.Raw, h stanza.Header) {
	iq, err := raw.IQ()
	if err != nil {
		refuseTo(ctx, o, h, err)
		return
	}
	switch {
	case h.To.IsZero() || h.To == h.From.Bare() && h.From.Localpart() != "":
		if client, ok := o.(*session); ok && iq.Type.IsRequest() {
			client.serveOwn(ctx, raw, h, &iq)
		}
	case !s.hosts(h.To):
		refuseTo(ctx, o, h, stanza.RemoteServerNotFound)
	case h.To.Localpart() == "":
		s.service(h.To.Domain()).receive(ctx, o, raw, h)
	case h.To.IsBare():
		if iq.Type.IsRequest() {
			s.serveOther(ctx, o, raw, h)
		}
	default:
		s.deliverIQ(ctx, o, raw, h, iq.Type)
	}
}

// serveOwn answers a request that a session makes of its own account (RFC 6120
// §10.3.3).
func (s *session) serveOwn(ctx context.Context, raw *stanza.Raw, h stanza.Header, iq *stanza.IQ) {
	iq.From = h.From
	if name := h.Children[0]; name.Space == roster.NS && name.Local == "query" {
		s.serveRoster(ctx, h, iq)
		return
	}
	s.srv.serveAccount(ctx, s, raw, h)
}

// serveOther answers a request to the bare JID of an account, for the account
// (RFC 6121 §8.5.2.1.3). Who may not see its presence is answered as if there
// were no such account (§8.5.1).
func (s *Server) serveOther(ctx context.Context, o origin, raw *stanza.Raw, h stanza.Header) {
	if h.Children[0].Space == roster.NS {
		// Whether or not there is such an account, its roster is nobody else's (§2.3.3).
		refuseTo(ctx, o, h, stanza.Forbidden)
		return
	}
	may := false
	switch s.ext.audience(stanza.IQType(h.Type), h.Children[0]) {
	case module.Anyone:
		may = true
	case module.Subscribers:
		may = s.entitled(ctx, o, h.To, h.From)
	}
	if !may {
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
		return
	}
	id, err := s.accountID(ctx, h.To)
	if err == nil {
		err = s.permit(ctx, module.Account{ID: id, Addr: h.To}, h.From, module.In, h)
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
	case err != nil:
		s.turnAway(ctx, o, h, err)
	default:
		s.serveAccount(ctx, o, raw, h)
	}
}

// serveAccount answers a request for an account with what every account can.
func (s *Server) serveAccount(ctx context.Context, o origin, raw *stanza.Raw, h stanza.Header) {
	whole := h
	if whole.To.IsZero() {
		whole.To = h.From.Bare()
	}
	request, err := withHeader(raw, whole)
	if err != nil {
		s.failed(ctx, o, h, "read a request", err)
		return
	}
	if client, ok := o.(*session); ok && client.account.addr == whole.To {
		ctx = module.WithSession(ctx, client)
	}
	payload, err := s.askAccount(ctx, request)
	if err != nil {
		s.turnAway(ctx, o, h, err)
		return
	}
	o.answer(ctx, stanza.IQ{To: h.From, From: h.To, ID: h.ID, Type: stanza.IQResult, Payload: payload})
}

// askAccount has the handler of a request answer it.
func (s *Server) askAccount(ctx context.Context, request *stanza.Raw) (payload stanza.Payload, err error) {
	defer recovered(&err)
	return s.accounts.HandleStanza(ctx, request)
}

// deliverIQ delivers a request or an answer to the session it is for (RFC 6121
// §8.5.3). A request from somebody who may not know that the session is there is
// answered as if it were not, and nobody can ask one about a roster: only its
// account can, and the account has no full JID.
func (s *Server) deliverIQ(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header, t stanza.IQType) {
	target := s.reach(ctx, h.To)
	if target == nil && s.queryElsewhere(ctx, o, st, h) {
		return
	}
	s.deliverIQTo(ctx, o, target, st, h, t)
}

// deliverIQTo is deliverIQ once the session is found; nil if it is not there.
func (s *Server) deliverIQTo(ctx context.Context, o origin, target *session, st stanza.Stanza, h stanza.Header, t stanza.IQType) {
	if target != nil {
		if err := s.permit(ctx, target.account.identity(), h.From, module.In, h); err != nil {
			s.turnAway(ctx, o, h, err) // an answer is not answered
			return
		}
	}
	if !t.IsRequest() {
		if target != nil {
			target.hand(ctx, st, h)
		}
		return
	}
	if h.Children[0].Space == roster.NS || !s.entitled(ctx, o, h.To, h.From) || target == nil {
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
		return
	}
	switch target.hand(ctx, st, h) {
	case missed:
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
	case crowded:
		refuseTo(ctx, o, h, stanza.ResourceConstraint)
	}
}

// defaultMux is what answers for a domain unless the program brings its own.
func defaultMux() *muxer.Mux {
	mux := muxer.New()
	mux.Identity("server", "im", "")
	mux.Feature(featureOffline)
	ping.Register(mux)
	return mux
}

// accountMux is what answers for an account: who it is (XEP-0030 §3.1), which
// of its sessions are available, and that the server is there.
func (s *Server) accountMux() *muxer.Mux {
	mux := muxer.New()
	mux.Identity("account", "registered", "")
	ping.Register(mux)
	mux.Items(func(_ context.Context, iq *stanza.IQ, node string) ([]disco.Item, error) {
		if node != "" {
			return nil, stanza.ItemNotFound
		}
		return s.resources(iq.To), nil
	})
	return mux
}

// accountsAnswer says who may ask accounts for what they can do by themselves.
func accountsAnswer() map[request]module.Audience {
	return map[request]module.Audience{
		{stanza.IQGet, xml.Name{Space: disco.NSInfo, Local: "query"}}:  module.Subscribers,
		{stanza.IQGet, xml.Name{Space: disco.NSItems, Local: "query"}}: module.Subscribers,
		{stanza.IQGet, xml.Name{Space: ping.NS, Local: "ping"}}:        module.Subscribers,
	}
}

// resources lists the available sessions of an account.
func (s *Server) resources(account jid.JID) []disco.Item {
	var items []disco.Item
	if a := s.directory.online(account); a != nil {
		for _, t := range a.all(isAvailable) {
			items = append(items, disco.Item{JID: t.addr})
		}
	}
	for _, e := range s.cluster.Elsewhere(account) {
		if e.Available {
			items = append(items, disco.Item{JID: e.Addr})
		}
	}
	return items
}
