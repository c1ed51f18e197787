package server

import (
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

// The namespaces of what only a server may say, or a service.
const (
	nsStanzaID   = "urn:xmpp:sid:0"         // XEP-0359
	nsCarbons    = "urn:xmpp:carbons:2"     // XEP-0280
	nsArchive    = "urn:xmpp:mam:2"         // XEP-0313
	nsOccupantID = "urn:xmpp:occupant-id:0" // XEP-0421
)

// scrub removes from what a client has sent all that would let it speak for somebody else: copies of
// messages that nobody has sent (XEP-0280 §11), pages of an archive (XEP-0313 §11), ids of rooms and of their people (XEP-0359
// §4, XEP-0421 §4), and delays and ids that claim to be given here (XEP-0203 §5). It is the only place where that
// is done.
func (s *Server) scrub(raw *stanza.Raw, h stanza.Header) *stanza.Raw {
	if h.Kind == stanza.KindIQ || !suspect(&h) {
		return raw
	}
	edited, err := raw.Edit(func(e stanza.Element) bool { return s.ours(e) || s.forged(e) })
	if err != nil {
		return raw // it has been read, so it can be written
	}
	return edited
}

// suspect reports whether a stanza has a child that may have to be removed.
func suspect(h *stanza.Header) bool {
	for _, c := range h.Children {
		switch c.Space {
		case delay.NS, nsStanzaID, nsCarbons, nsArchive, nsOccupantID:
			return true
		}
	}
	return false
}

// forged reports whether an element is something that no client may say.
func (s *Server) forged(e stanza.Element) bool {
	switch {
	case e.Is(nsCarbons, "received"), e.Is(nsCarbons, "sent"), e.Is(nsArchive, "result"), e.Is(nsOccupantID, "occupant-id"):
		return true
	case e.Is(nsStanzaID, "stanza-id"):
		by, err := jid.ParseLenient(e.Attr("by"))
		return err == nil && s.hosts(by)
	}
	return false
}
