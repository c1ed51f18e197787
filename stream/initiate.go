package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// initiate is the initiating entity's negotiation: the flow chart of RFC 6120
// §4.3.7.
func (n *Negotiation) initiate(ctx context.Context) error {
	for {
		n.restart, n.opened = false, false
		if err := n.open(ctx); err != nil {
			return err
		}
		if err := n.readFeatures(ctx); err != nil {
			return err
		}
		if done, err := n.useFeatures(ctx); err != nil || done {
			return err
		}
	}
}

// open exchanges headers.
func (n *Negotiation) open(ctx context.Context) error {
	h := header{to: n.c.domain, lang: n.cfg.Lang, version: ours}
	if n.c.state.Has(Secure) { // before, everybody could read it (§4.7.1)
		h.from = n.c.account.Bare()
	}
	out, err := n.early(h.append(nil))
	if err != nil {
		return err
	}
	if err := n.send(out); err != nil {
		return err
	}
	n.opened = true
	reply, err := n.readHeader(ctx)
	if err != nil {
		return err
	}
	if err := judge(reply); err != nil {
		return err
	}
	n.c.id, _ = reply.Attr("", "id")
	return n.checkReply(ctx, reply)
}

// early appends what a feature says before it knows what is offered.
func (n *Negotiation) early(out []byte) ([]byte, error) {
	for _, f := range n.cfg.Features {
		if f, ok := f.(interface {
			early(n *Negotiation) ([]byte, error)
		}); ok && !n.c.state.Has(Authenticated) {
			b, err := f.early(n)
			return append(out, b...), err
		}
	}
	return out, nil
}

// checkReply looks at what only the header of a receiving entity has. One that
// ends the stream at once is believed in that first.
func (n *Negotiation) checkReply(ctx context.Context, h xmlwire.Header) error {
	v := old
	if s, ok := h.Attr("", "version"); ok {
		v, _ = parseVersion(s)
	}
	if v.major < ours.major { // it has neither features nor SASL (§4.7.5)
		return n.orReported(ctx, &Error{Condition: UnsupportedVersion})
	}
	from, ok := h.Attr("", "from")
	if !ok || !n.c.state.Has(Secure) {
		return nil // it means nothing yet (§4.3.6), or the server follows RFC 3920
	}
	if addr, err := jid.ParseLenient(from); err != nil || addr != n.c.domain { // §13.7.2
		return n.orReported(ctx, &Error{Condition: InvalidFrom})
	}
	return nil
}

// reportTimeout is how long the header of a peer may come before the stream error
// that explains it.
const reportTimeout = time.Second

// orReported returns the stream error that the peer reports, if that is what
// comes next and soon, and else e.
func (n *Negotiation) orReported(ctx context.Context, e *Error) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	_, err := n.Read(ctx)
	if reported, ok := errors.AsType[*Error](err); ok && reported.Received {
		return err
	}
	return e
}

// errNoMore is the error of a server that had SASL2 when it gave out a ticket.
var errNoMore = errors.New("stream: the server does not offer any more what it did")

// readFeatures reads what is offered (§4.3.2).
func (n *Negotiation) readFeatures(ctx context.Context) error {
	e, err := n.Read(ctx)
	if err != nil {
		return err
	}
	if !e.Is(xmlwire.NSStreams, "features") {
		return &Error{Condition: UnsupportedStanzaType, Text: "no stream features", Lang: "en"}
	}
	n.c.offered = e
	if n.begun != nil && !n.c.state.Has(Authenticated) && e.Child(nsSASL2, "authentication").IsZero() {
		n.begun.f.keep(nil)
		return errNoMore
	}
	if n.c.state.Has(Authenticated) {
		n.limits = e.Child(nsLimits, "limits")
	}
	return nil
}

// useFeatures uses what is offered and wanted. It is done when all that had to
// be agreed has been; otherwise the stream has to be opened again.
func (n *Negotiation) useFeatures(ctx context.Context) (done bool, err error) {
	used := make([]bool, len(n.cfg.Features))
	for {
		i, offer := n.choose(used)
		if i < 0 {
			break
		}
		used[i] = true
		if err := n.cfg.Features[i].Use(ctx, n, offer); err != nil || n.restart {
			return false, err
		}
	}
	if n.c.state.Has(n.cfg.Until) {
		return true, nil
	}
	return false, n.missing()
}

// choose returns the first feature that was offered and not used, or -1. One without a name needs no offer.
func (n *Negotiation) choose(used []bool) (i int, offer stanza.Element) {
	for i, f := range n.cfg.Features {
		if used[i] || !n.usable(f) {
			continue
		}
		name := f.Name()
		if name.Local == "" {
			return i, stanza.Element{}
		}
		if offer := n.c.offered.Child(name.Space, name.Local); !offer.IsZero() {
			return i, offer
		}
	}
	return -1, stanza.Element{}
}

// missing says why negotiation cannot go on.
func (n *Negotiation) missing() error {
	if !n.c.state.Has(Secure) && !n.cfg.InsecurePlaintext {
		return ErrNoTLS
	}
	what := "TLS"
	switch missing := n.cfg.Until &^ n.c.state; {
	case missing.Has(Secure):
	case missing.Has(Authenticated):
		what = "authentication"
	case missing.Has(Bound):
		what = "resource binding"
	default:
		what = fmt.Sprintf("state %#x", uint8(missing))
	}
	return &Error{Condition: UnsupportedFeature, Text: "no usable offer of " + what, Lang: "en"} // §4.9.3.23
}
