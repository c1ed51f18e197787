package carbons

import (
	"context"
	"encoding/xml"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/forward"
)

// Server is the server's half: clients may enable copies, also while they bind (XEP-0386).
//
// Copied is what belongs to a conversation (§6.1): chats, messages with a body, receipts, chat states and markers, and invitations
// to rooms; not what is said in rooms, what a room's people whisper (the room copies that itself), errors, and what its sender
// calls private. A client that has no room for a copy at once does not get it.
func Server() module.Module { return module.Func(install) }

func install(h module.Host) error {
	h.Domain().Feature(NS)
	for local, on := range map[string]bool{"enable": true, "disable": false} {
		h.Account().IQ(stanza.IQSet, NS, local, func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
			s := module.FromContext(ctx)
			if s == nil {
				return nil, stanza.NotAllowed
			}
			s.Mark(NS, on) // it wants copies
			return nil, nil
		})
	}
	h.BindInline(xml.Name{Space: NS, Local: "enable"}, func(_ context.Context, s module.Session, _ stanza.Element) {
		s.Mark(NS, true)
	})
	c := copier{h}
	h.Hook(module.Hooks{Sent: c.sent, Placed: c.placed})
	return nil
}

// A copier makes copies.
type copier struct{ host module.Host }

// sent copies what a client has sent to the account's other clients. What it has sent to its own account is copied
// when it is placed.
func (c copier) sent(_ context.Context, s module.Session, t *module.Transit) {
	h := t.Header()
	if h.To.Bare() == s.Account().Addr || !eligible(t, true) {
		return
	}
	c.copy(s.Account().Addr, t, true, func(o module.Session) bool { return o.Addr() == s.Addr() })
}

// placed copies what an account has got to those of its clients that did not get it.
func (c copier) placed(_ context.Context, a module.Account, t *module.Transit, to []module.Session, kept bool) {
	if len(to) == 0 && !kept || !eligible(t, false) {
		return
	}
	from := t.Header().From
	c.copy(a.Addr, t, false, func(s module.Session) bool {
		return s.Addr() == from || slices.ContainsFunc(to, func(o module.Session) bool { return o.Addr() == s.Addr() })
	})
}

// copy sends copies to the clients of an account that want them, but for some.
func (c copier) copy(account jid.JID, t *module.Transit, sent bool, except func(module.Session) bool) {
	var (
		payload stanza.Element
		made    bool
	)
	for _, s := range c.host.Sessions(account) {
		if !s.Marked(NS) || except(s) {
			continue
		}
		if !made {
			raw, err := t.Raw()
			if err != nil {
				return
			}
			if payload, err = stanza.ElementOf(Copy{Sent: sent, Forwarded: forward.Forwarded{Stanza: raw}}); err != nil {
				return
			}
			made = true
		}
		s.Send(stanza.Message{From: account, To: s.Addr(), ID: stanza.NewID(), Type: stanza.MessageType(t.Header().Type), Payloads: stanza.Payloads{payload}})
	}
}

// The namespaces of what is part of a conversation, whatever the type of the message (§6.1).
const (
	nsReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	nsChatStates = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	nsInvitation = "jabber:x:conference"                   // XEP-0249
	nsMUCUser    = "http://jabber.org/protocol/muc#user"   // XEP-0045
)

// eligible reports whether a message is to be copied (§6.1).
func eligible(t *module.Transit, sent bool) bool {
	h := t.Header()
	if h.Has(NS, "private") || h.Has(nsHints, "no-copy") || h.Has(NS, "sent") || h.Has(NS, "received") {
		return false
	}
	switch stanza.MessageType(h.Type) {
	case stanza.MessageGroupchat, stanza.MessageError, stanza.MessageHeadline:
		return false
	}
	if h.Has(nsMUCUser, "x") {
		return sent || isInvitation(t)
	}
	if stanza.MessageType(h.Type) == stanza.MessageChat || h.Has(stanza.NS, "body") || h.Has(nsInvitation, "x") {
		return true
	}
	return slices.ContainsFunc(h.Children, func(c xml.Name) bool {
		return c.Space == nsReceipts || c.Space == nsChatStates || c.Space == nsMarkers
	})
}

// isInvitation reports whether a message from a room brings somebody's invitation (XEP-0045 §7.8.2).
func isInvitation(t *module.Transit) bool {
	raw, err := t.Raw()
	if err != nil {
		return false
	}
	return !raw.Element().Child(nsMUCUser, "x").Child(nsMUCUser, "invite").IsZero()
}
