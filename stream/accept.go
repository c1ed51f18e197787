package stream

import (
	"context"
	"crypto/rand"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// accept is the receiving entity's negotiation.
func (n *Negotiation) accept(ctx context.Context) error {
	for {
		if err := n.answer(ctx); err != nil {
			return err
		}
		for !n.restart {
			if n.c.state.Has(n.cfg.Until) {
				return nil
			}
			e, err := n.Read(ctx)
			if err != nil {
				return err
			}
			if err := n.dispatch(ctx, e); err != nil {
				return err
			}
		}
	}
}

// answer reads the peer's header and sends ours, with the features. An error is
// found before ours is sent, and is sent together with it (RFC 6120 §4.9.1.2).
func (n *Negotiation) answer(ctx context.Context) error {
	n.restart, n.opened, n.features = false, false, false
	n.c.id = rand.Text()
	n.reply = header{from: n.cfg.DefaultHost, id: n.c.id, lang: n.cfg.Lang, version: ours}
	if !n.pinned.IsZero() {
		n.reply.from = n.pinned
	}
	h, err := n.readHeader(ctx)
	if err != nil {
		return err
	}
	if err := n.read(h); err != nil {
		return err
	}
	out := n.reply.append(nil)
	if n.reply.version != old && !n.reply.version.less(ours) { // §4.3.2
		n.features = true
		if out, err = n.offer(out); err != nil {
			return err
		}
	}
	n.opened = true
	return n.send(out)
}

// read takes in the peer's header and completes ours as far as it can before it
// reports an error.
func (n *Negotiation) read(h xmlwire.Header) error {
	from, fromErr := n.readFrom(h)
	n.peer, n.reply.to = from, from.Bare() // §4.7.2
	versionErr := n.readVersion(h)
	if err := judge(h); err != nil {
		n.readTo(h)
		return err
	}
	if err := n.readTo(h); err != nil {
		return err
	}
	if fromErr != nil {
		return fromErr
	}
	if !n.pinned.IsZero() && from.Localpart() != "" && from.Bare() != n.c.account {
		return &Error{Condition: InvalidFrom, Text: "the header is from another account", Lang: "en"} // §4.7.1
	}
	return versionErr
}

// readFrom reads who the peer says it is.
func (n *Negotiation) readFrom(h xmlwire.Header) (jid.JID, error) {
	s, ok := h.Attr("", "from")
	if !ok {
		return jid.JID{}, nil
	}
	from, err := jid.ParseLenient(s)
	if err != nil {
		return jid.JID{}, &Error{Condition: ImproperAddressing}
	}
	return from, nil
}

// readVersion reads the peer's version; we answer with the lower one (§4.7.5).
// One whose major number is higher says itself that we would not understand.
func (n *Negotiation) readVersion(h xmlwire.Header) error {
	s, ok := h.Attr("", "version")
	if !ok {
		n.reply.version = old
		return nil
	}
	v, ok := parseVersion(s)
	if !ok || v.major > ours.major {
		return &Error{Condition: UnsupportedVersion}
	}
	if v.less(ours) {
		n.reply.version = v
	}
	return nil
}

// readTo reads which domain is wanted. On an authenticated stream it cannot be
// another one than before: the account belongs to it.
func (n *Negotiation) readTo(h xmlwire.Header) error {
	s, ok := h.Attr("", "to")
	if !ok {
		return n.defaultTo()
	}
	to, err := jid.Parse(s)
	switch {
	case err != nil || to != to.Domain():
		return &Error{Condition: ImproperAddressing}
	case !n.pinned.IsZero() && to != n.pinned:
		return &Error{Condition: NotAuthorized, Text: "not the domain of the authenticated account", Lang: "en"}
	case !n.cfg.serves(to):
		return &Error{Condition: HostUnknown}
	}
	n.c.domain, n.reply.from = to, to
	return nil
}

// defaultTo is for a header without a to: we are liberal if it is clear who is
// meant (§4.7.2).
func (n *Negotiation) defaultTo() error {
	switch {
	case !n.pinned.IsZero():
		n.c.domain = n.pinned
	case !n.cfg.DefaultHost.IsZero():
		n.c.domain = n.cfg.DefaultHost
	default:
		return &Error{Condition: ImproperAddressing}
	}
	return nil
}

// offer writes the features.
func (n *Negotiation) offer(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(nil)
	for _, f := range n.cfg.Features {
		if n.usable(f) {
			f.Offer(n, w)
		}
	}
	children, err := w.Bytes()
	if err != nil {
		return dst, &Error{Condition: InternalServerError}
	}
	return appendFeatures(dst, children), nil
}

// dispatch hands an element to the feature that it begins.
func (n *Negotiation) dispatch(ctx context.Context, e stanza.Element) error {
	for _, f := range n.cfg.Features {
		if !f.Wants(e) {
			continue
		}
		if n.features && n.usable(f) {
			return f.Serve(ctx, n, e)
		}
		if r, ok := f.(Refuser); ok {
			return r.Refuse(ctx, n, e)
		}
		return &Error{Condition: NotAuthorized} // §4.9.3.12
	}
	return unexpected(e)
}
