package session

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var errNoStanza = errors.New("xmpp: nil is no stanza")

// Send implements [xmpp.Session].
func (s *Session) Send(ctx context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	st, h, err := s.prepare(ctx, st)
	if err != nil {
		return xmpp.Receipt{}, &xmpp.UnsentError{Err: err}
	}
	return s.conn.Send(ctx, st, h)
}

// prepare returns what is to be sent for st, and the header to send it with.
func (s *Session) prepare(ctx context.Context, st stanza.Stanza) (stanza.Stanza, stanza.Header, error) {
	if s.outgoing != nil && st != nil {
		var err error
		if st, err = s.outgoing.OutgoingStanza(ctx, withID(st)); err != nil {
			return nil, stanza.Header{}, err
		}
	}
	if st == nil {
		return nil, stanza.Header{}, errNoStanza
	}
	h := st.Header()
	if h.ID == "" && wantsID(&h) {
		h.ID = stanza.NewID()
	}
	return st, h, nil
}

// wantsID reports whether a stanza without an id gets one. An answer never does:
// its id is that of the request, even if that had none (RFC 6120 §8.2.3).
func wantsID(h *stanza.Header) bool {
	switch h.Kind {
	case stanza.KindMessage:
		return true
	case stanza.KindIQ:
		return stanza.IQType(h.Type).IsRequest()
	}
	return false
}

// withID returns st with the id it is sent with, for those who look on.
func withID(st stanza.Stanza) stanza.Stanza {
	if h := st.Header(); h.ID != "" || !wantsID(&h) {
		return st
	}
	switch v := st.(type) {
	case stanza.Message:
		v.ID = stanza.NewID()
		return v
	case stanza.IQ:
		v.ID = stanza.NewID()
		return v
	}
	return st
}
