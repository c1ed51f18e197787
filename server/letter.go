package server

import (
	"context"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

// A letter is a message that is to be kept for an account until somebody is there to get it (XEP-0160).
type letter struct {
	message storage.OfflineMessage
	raw     *stanza.Raw // as it came
	origin  origin
	cost    int    // bytes, as long as it is pending
	done    func() // has it acknowledged; nil if nobody waits for that
	known   bool   // whether its sender may see the account's presence; once it was asked
	err     error  // why it is not kept
}

// newLetter makes a letter of a message for an account, nil if it is not worth one.
func (s *Server) newLetter(o origin, account jid.JID, st stanza.Stanza, h stanza.Header) (*letter, error) {
	raw, err := withHeader(st, h)
	if err != nil || isFleeting(raw) {
		return nil, err
	}
	now := time.Now()
	delayed, err := raw.Edit(s.ours, delay.Delay{From: account.Domain(), Stamp: now})
	if err != nil {
		return nil, err
	}
	b, err := delayed.AppendXML(nil)
	if err != nil {
		return nil, err
	}
	return &letter{
		message: storage.OfflineMessage{Stored: now, Stanza: b},
		raw:     raw, origin: o, cost: raw.Len() + len(b) + overhead,
	}, nil
}

// isFleeting reports whether a chat message tells nothing but what its sender
// is doing at the moment (XEP-0085 §5.5), which is not worth keeping (XEP-0160 §3).
func isFleeting(raw *stanza.Raw) bool {
	h := raw.Header()
	if classOf(h.Type) != chat {
		return false
	}
	states := false
	for _, name := range h.Children {
		switch {
		case name.Space == nsChatStates:
			states = true
		case name.Space == stanza.NS && name.Local == "thread":
		default:
			return false
		}
	}
	return states
}

// hurried is an origin that gets its answers from somebody who must not wait for it.
type hurried struct{ origin }

func (o hurried) answer(ctx context.Context, st stanza.Stanza) {
	switch from := o.origin.(type) {
	case *session:
		from.deliver(st, st.Header())
	case *service:
		from.offer(st, st.Header())
	default:
		from.answer(ctx, st)
	}
}
