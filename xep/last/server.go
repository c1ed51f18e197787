package last

import (
	"context"
	"encoding/xml"
	"errors"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Server is the server's half. A domain answers with the time for which the server has run. An account
// answers its owner and those who have subscribed to its presence: 0 while a session of it is available, or else the time since the last one
// was, with what was said then, at most 1 KiB of it. Sessions that never were available leave no trace.
//
// All others get the answer that they would get if there were no such account, service-unavailable. XEP-0012 §3 has
// forbidden, which would say that there is one (RFC 6120 §13.10.2, RFC 6121 §8.5.1).
//
// Needs [storage.Documents].
func Server() module.Module { return module.Func(install) }

// kind is that of the documents: for each account one without a name.
const kind = "last"

// statusBytes bounds the status that is kept.
const statusBytes = 1024

var limits = storage.DocumentLimits{Count: 1, Bytes: statusBytes + 64}

func install(h module.Host) error {
	a := answerer{host: h, rosters: h.Stores().Rosters, store: h.Stores().Documents, started: time.Now()}
	if a.store == nil {
		return errors.New("last: no store for documents")
	}
	h.Domain().IQ(stanza.IQGet, NS, "query", func(context.Context, *stanza.IQ) (stanza.Payload, error) {
		return Activity{Ago: time.Since(a.started)}, nil
	})
	h.Account().IQ(stanza.IQGet, NS, "query", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		return a.account(ctx, iq)
	})
	h.Open(module.Subscribers, stanza.IQGet, xml.Name{Space: NS, Local: "query"})
	h.Hook(module.Hooks{Outbound: a.outbound, Presence: a.presence})
	return nil
}

// An answerer answers for domains and accounts.
type answerer struct {
	host    module.Host
	rosters storage.Rosters
	store   storage.Documents
	started time.Time
}

// account answers for an account.
func (a answerer) account(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	account, err := a.host.Lookup(ctx, iq.To)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, stanza.ServiceUnavailable // deleted just now
	}
	if err != nil {
		return nil, err
	}
	if err := a.permit(ctx, account, iq.From); err != nil {
		return nil, err
	}
	for _, s := range a.host.Sessions(account.Addr) {
		if s.Presence() != nil {
			return Activity{}, nil
		}
	}
	seen, status, err := Seen(ctx, a.host, account)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, stanza.ItemNotFound
	}
	return Activity{Ago: max(time.Since(seen), 0), Status: status}, err
}

// Seen tells other modules of a server until when a session of an account was available, whatever it has now, and what was said then.
// [storage.ErrNotFound] when [Server] has kept nothing.
func Seen(ctx context.Context, h module.Host, a module.Account) (at time.Time, status string, err error) {
	data, err := h.Stores().Documents.Get(ctx, a.ID, kind, "")
	if err != nil {
		return time.Time{}, "", err
	}
	return parse(data)
}

// permit lets the owner and subscribers pass. Who got directed presence may see that, and not when the account was
// online before (§8).
func (a answerer) permit(ctx context.Context, account module.Account, who jid.JID) error {
	if who.Bare() == account.Addr {
		return nil
	}
	c, err := a.rosters.Get(ctx, account.ID, who.Bare())
	switch {
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return err
	case err != nil || !c.Subscription.Has(storage.From):
		return stanza.ServiceUnavailable
	}
	return nil
}

// said is the key under which a session notes the status of an unavailable presence that is on its way.
type said struct{}

// outbound notes what a client says as it leaves. The presence itself is gone when [answerer.presence] hears of it.
func (a answerer) outbound(_ context.Context, s module.Session, t *module.Transit) error {
	h := t.Header()
	if h.Kind != stanza.KindPresence || h.Type != string(stanza.PresenceUnavailable) || !h.To.IsZero() {
		return nil
	}
	s.SetValue(said{}, nil)
	if !h.Has(stanza.NS, "status") {
		return nil
	}
	raw, err := t.Raw()
	if err != nil {
		return err
	}
	p, err := raw.Presence()
	if err != nil {
		return err
	}
	s.SetValue(said{}, p.Status.String())
	return nil
}

// presence keeps when a session was available for the last time.
func (a answerer) presence(ctx context.Context, s module.Session, p *stanza.Raw) {
	status, _ := s.Value(said{}).(string)
	s.SetValue(said{}, nil)
	if p != nil {
		return
	}
	account := s.Account()
	if err := a.store.Set(ctx, account.ID, kind, "", format(time.Now(), status), limits); err != nil {
		slog.Default().ErrorContext(ctx, "last: the activity of an account was not kept", "peer", account.Addr, "err", err)
	}
}

// format writes a document: the time, and behind a line break the status.
func format(at time.Time, status string) []byte {
	if len(status) > statusBytes {
		end := statusBytes
		for !utf8.RuneStart(status[end]) {
			end--
		}
		status = status[:end]
	}
	return append(at.UTC().AppendFormat(nil, time.RFC3339), "\n"+status...)
}

// parse reads a document.
func parse(data []byte) (at time.Time, status string, err error) {
	stamp, status, _ := strings.Cut(string(data), "\n")
	at, err = time.Parse(time.RFC3339, stamp)
	return at, status, err
}
