package vcard

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/accounts"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// kind is that of the document in the store.
const kind = "vcard"

// patience bounds a set that must not stop halfway when the client that asked for it leaves.
const patience = 30 * time.Second

// ServerOptions adjusts [Server]. Nil and the zero value are ready to use.
type ServerOptions struct {
	// Bytes is how large a vCard may be, with the picture, which is a third larger there. Zero means 256 KiB. Clients
	// are bounded by the size of a stanza as well.
	Bytes int
	// Logger gets what nobody can be told. Nil means [slog.Default].
	Logger *slog.Logger
}

// Server is the server's half. It keeps the vCard of an account in [storage.Documents], as its client sends it, and gives it to
// everybody who asks. Who has none is not told from who does not exist (XEP-0054 §3.3). To set the vCard of somebody else is
// answered like that too: forbidden would tell.
//
// To available presence that says nothing of pictures, or not yet, it adds what the vCard holds (XEP-0153, XEP-0398 §5), so that contacts see those
// of people whose clients do not announce them. When that changes, what such a client has broadcast last is broadcast again; who got
// directed presence learns of it by the next one (XEP-0398 §6.1).
func Server(opts *ServerOptions) module.Module {
	var o ServerOptions
	if opts != nil {
		o = *opts
	}
	return &keeper{limits: storage.DocumentLimits{Bytes: cmp.Or(o.Bytes, 256<<10)}, log: cmp.Or(o.Logger, slog.Default())}
}

// A keeper is the module.
type keeper struct {
	limits   storage.DocumentLimits
	log      *slog.Logger
	host     module.Host
	store    storage.Documents
	pictures *accounts.Cache[Update] // what vCards hold
}

// Install implements [module.Module].
func (k *keeper) Install(h module.Host) error {
	if k.limits.Bytes < 0 {
		return fmt.Errorf("vcard: %d bytes", k.limits.Bytes)
	}
	k.host, k.store, k.pictures = h, h.Stores().Documents, accounts.New(k.picture)
	k.pictures.Follow(h)
	h.Domain().Feature(NS)
	h.Account().IQ(stanza.IQGet, NS, "vCard", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		return k.get(ctx, iq.To)
	})
	h.Open(module.Anyone, stanza.IQGet, xml.Name{Space: NS, Local: "vCard"})
	h.Account().IQ(stanza.IQSet, NS, "vCard", k.set)
	h.Hook(module.Hooks{Outbound: k.complete, Presence: k.presence, Changed: k.changed})
	return nil
}

// get answers with the vCard of an account.
func (k *keeper) get(ctx context.Context, owner jid.JID) (stanza.Payload, error) {
	none := stanza.ServiceUnavailable // as if there were no account
	a := module.Account{}
	if s := module.FromContext(ctx); s != nil {
		none, a = stanza.ItemNotFound, s.Account() // §3.1
	} else {
		var err error
		if a, err = k.host.Lookup(ctx, owner); err != nil {
			return nil, orNone(err, none)
		}
	}
	data, err := k.store.Get(ctx, a.ID, kind, "")
	if err != nil {
		return nil, orNone(err, none)
	}
	return stanza.ParseElement(data)
}

func orNone(err error, none stanza.Condition) error {
	if errors.Is(err, storage.ErrNotFound) {
		return none
	}
	return err
}

// set replaces the own vCard; an empty one removes it.
func (k *keeper) set(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	s := module.FromContext(ctx)
	if s == nil {
		return nil, stanza.ServiceUnavailable
	}
	e, err := stanza.ElementOf(iq.Payload)
	if err != nil {
		return nil, err
	}
	var v VCard
	if err := e.Decode(&v); err != nil {
		return nil, err
	}
	var data []byte
	if !v.IsEmpty() {
		if data, err = e.AppendXML(nil); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	a := s.Account()
	err = k.store.Set(ctx, a.ID, kind, "", data, k.limits)
	if errors.Is(err, storage.ErrFull) {
		return nil, &stanza.Error{Condition: stanza.PolicyViolation, Text: "the vCard is too large", Lang: "en"}
	}
	k.changed(ctx, a, NS) // two that set it at once come in an order that only the store knows
	k.host.Changed(ctx, a, NS)
	return nil, err
}

// picture reads what the vCard of an account holds.
func (k *keeper) picture(ctx context.Context, id storage.AccountID) (Update, error) {
	data, err := k.store.Get(ctx, id, kind, "")
	if errors.Is(err, storage.ErrNotFound) {
		return Update{Known: true}, nil
	}
	if err != nil {
		return Update{}, err
	}
	e, err := stanza.ParseElement(data)
	if err != nil {
		return Update{}, err
	}
	var v VCard
	if err := e.Decode(&v); err != nil {
		return Update{}, err
	}
	return Update{Known: true, Hash: v.Photo.Hash()}, nil
}
