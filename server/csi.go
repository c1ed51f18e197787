package server

import (
	"context"
	"encoding/xml"
	"sync"
	"sync/atomic"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

const nsCSI = "urn:xmpp:csi:0" // XEP-0352

// maxHeld is how many contacts' presence is held back from a client.
const maxHeld = 256

// clientState is whether somebody is looking at a client (XEP-0352). As long as nobody is, of the
// presence of each contact only the latest waits; it goes before whatever else the client gets.
type clientState struct {
	inactive atomic.Bool // changed with mu held, and looked at before it: most clients never say so

	mu    sync.Mutex              // guards the fields below; taken before that of a stream's queue
	held  map[jid.JID]*stanza.Raw // by sender
	order []jid.JID               // of the first of each
}

// hold keeps back a presence, and reports whether it did. Before all else it lets go what it held, by send.
func (c *clientState) hold(self jid.JID, st stanza.Stanza, h stanza.Header, send func(*stanza.Raw)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.inactive.Load() {
		return false
	}
	shown := h.Type == string(stanza.PresenceAvailable) || h.Type == string(stanza.PresenceUnavailable)
	if h.Kind != stanza.KindPresence || !shown || h.From == self || len(c.held) >= maxHeld {
		c.release(send)
		return false
	}
	raw, err := withHeader(st, h)
	if err != nil {
		return false
	}
	if c.held == nil {
		c.held = make(map[jid.JID]*stanza.Raw)
	}
	if _, had := c.held[h.From]; !had {
		c.order = append(c.order, h.From)
	}
	c.held[h.From] = raw
	return true
}

// release lets go what is held. It is called with mu held.
func (c *clientState) release(send func(*stanza.Raw)) {
	for _, from := range c.order {
		send(c.held[from])
	}
	c.held, c.order = nil, nil
}

// set takes in what the client says, and lets go what was held for one that is looked at again.
func (c *clientState) set(inactive bool, send func(*stanza.Raw)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inactive.Store(inactive)
	if !inactive {
		c.release(send)
	}
}

// holds keeps back a stanza that the client need not have now.
func (s *session) holds(st stanza.Stanza, h stanza.Header) bool {
	return s.looked.inactive.Load() && s.looked.hold(s.addr, st, h, s.sendHeld)
}

// look notes whether somebody is looking at the client.
func (s *session) look(active bool) { s.looked.set(!active, s.sendHeld) }

func (s *session) sendHeld(raw *stanza.Raw) {
	h := raw.Header()
	_ = s.outcome(s.conn.Load().SendNow(raw, h), h)
}

// stateIndication is the [stream.Feature] by which a client says whether somebody is looking.
type stateIndication struct{ of **session }

// Name implements [stream.Feature].
func (stateIndication) Name() xml.Name { return xml.Name{Space: nsCSI, Local: "csi"} }

// Possible implements [stream.Feature].
func (stateIndication) Possible(s stream.State) bool { return s.Has(stream.Authenticated) }

// Offer implements [stream.Feature].
func (stateIndication) Offer(_ *stream.Negotiation, w *stanza.Writer) { w.Element(nsCSI, "csi", "") }

// Wants implements [stream.Feature].
func (stateIndication) Wants(e stanza.Element) bool {
	return e.Is(nsCSI, "active") || e.Is(nsCSI, "inactive")
}

// Serve implements [stream.Feature].
func (f stateIndication) Serve(_ context.Context, _ *stream.Negotiation, e stanza.Element) error {
	if t := *f.of; t != nil && t.conn.Load() != nil {
		t.look(e.Is(nsCSI, "active"))
	}
	return nil
}

// Standing implements [stream.Standing].
func (stateIndication) Standing() {}

// Use implements [stream.Feature].
func (stateIndication) Use(context.Context, *stream.Negotiation, stanza.Element) error { return nil }
