package stream

import (
	"context"
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsLimits = "urn:xmpp:stream-limits:0"

// AnnounceLimits is the [Feature] by which the receiving entity says what it takes (XEP-0478):
// Config.Limits.Bytes, and Config.IdleTimeout in whole seconds if it is set. It says so after
// authentication, when both hold.
//
// The initiating entity need not list it. It heeds what the last features after
// authentication announce: a larger stanza is [ErrTooLarge] and is not sent, and if the peer
// expects a sign of life more often than Config.IdleTimeout would give one, it gets one earlier.
type AnnounceLimits struct{}

// minIdle bounds what a peer can ask for: who wants to hear from us more often does not.
const minIdle = 10 * time.Second

// Name implements [Feature].
func (AnnounceLimits) Name() xml.Name { return xml.Name{Space: nsLimits, Local: "limits"} }

// Possible implements [Feature].
func (AnnounceLimits) Possible(s State) bool { return s.Has(Authenticated) }

// Offer implements [Feature].
func (AnnounceLimits) Offer(n *Negotiation, w *stanza.Writer) {
	w.Start(nsLimits, "limits")
	w.Element("", "max-bytes", strconv.Itoa(n.c.after.Bytes))
	if idle := n.cfg.IdleTimeout; idle > 0 {
		w.Element("", "idle-seconds", strconv.FormatInt(max(int64(idle/time.Second), 1), 10))
	}
	w.End()
}

// Wants implements [Feature].
func (AnnounceLimits) Wants(stanza.Element) bool { return false }

// Serve implements [Feature].
func (AnnounceLimits) Serve(context.Context, *Negotiation, stanza.Element) error { return nil }

// Use implements [Feature].
func (AnnounceLimits) Use(context.Context, *Negotiation, stanza.Element) error { return nil }

// heed keeps to what the receiving entity has announced. What holds before authentication
// does not after it; and a session that goes on keeps the limits it had, if no others are said.
func (n *Negotiation) heed() {
	c := n.c
	if old := n.resumed; old != nil && n.limits.IsZero() {
		c.out.bound(old.out.bounds())
		if old.idle > 0 {
			c.idle = min(c.idle, old.idle)
		}
		return
	}
	if most := announced(n.limits, "max-bytes"); most > 0 {
		c.out.bound(max(most, minBytes)) // every entity takes as much (RFC 6120 §13.12)
	}
	if s := announced(n.limits, "idle-seconds"); s > 0 {
		early := time.Duration(s) * time.Second * 3 / 4 // so as to arrive in time
		c.idle = min(c.idle, max(early, minIdle))
	}
}

// announced returns a number, and zero if there is none, or none that says anything.
func announced(limits stanza.Element, name string) int {
	n, err := strconv.ParseUint(strings.Trim(limits.Child(nsLimits, name).Text(), " \t\r\n"), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// bound refuses what is larger from now on.
func (o *outbox) bound(most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.most = most
}

func (o *outbox) bounds() (most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}
