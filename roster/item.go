package roster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Subscription says who of two sees whose presence (§2.1.2.5). The zero value
// is [None].
type Subscription string

// The subscriptions, named from the side of the roster's owner.
const (
	None   Subscription = ""       // neither
	To     Subscription = "to"     // the owner sees the contact
	From   Subscription = "from"   // the contact sees the owner
	Both   Subscription = "both"   // each sees the other
	Remove Subscription = "remove" // of a set or push: the item is to go, or is gone
)

// To reports whether the owner sees the contact's presence.
func (s Subscription) To() bool { return s == To || s == Both }

// From reports whether the contact sees the owner's presence.
func (s Subscription) From() bool { return s == From || s == Both }

// String returns the value as RFC 6121 names it, "none" for None.
func (s Subscription) String() string {
	if s == None {
		return "none"
	}
	return string(s)
}

// subscriptionOf maps a value of the wire. One that is not defined must be
// ignored (§2.1.2.5), which leaves the default.
func subscriptionOf(s string) Subscription {
	switch sub := Subscription(s); sub {
	case To, From, Both, Remove:
		return sub
	}
	return None
}

// An Item is one contact (§2.1.2).
type Item struct {
	JID    jid.JID // usually bare; zero only in a Query that came with an address that makes no sense
	Name   string  // what the owner calls the contact; may be empty
	Groups []string

	// The fields below are the server's: [Set] does not send them.

	Subscription Subscription
	Ask          bool // the owner has asked to see the contact, who has not answered yet (§3.1.2)
	Approved     bool // the contact may see the owner as soon as it asks to (§3.4)
}

// Equal reports whether two items are the same in every field, groups in the
// same order.
func (i Item) Equal(o Item) bool {
	return i.JID == o.JID && i.Name == o.Name && slices.Equal(i.Groups, o.Groups) &&
		i.Subscription == o.Subscription && i.Ask == o.Ask && i.Approved == o.Approved
}

// Check returns the error that a server gives to a set of the item (§2.3.3), a
// [*stanza.Error]: not-acceptable for an empty group, bad-request for a group
// that is there twice or an item without an address. What is too long is the
// server's own affair. [Set] checks before it sends.
func (i Item) Check() error {
	if i.JID.IsZero() {
		return badRequest("the item has no valid address")
	}
	groups := slices.Sorted(slices.Values(i.Groups))
	for n, g := range groups {
		if g == "" {
			return &stanza.Error{Condition: stanza.NotAcceptable, Text: "a group has no name", Lang: "en"}
		}
		if n > 0 && g == groups[n-1] {
			return badRequest("a group is there twice")
		}
	}
	return nil
}

// append writes the item. One of a set has a subscription only to say that it is to go; to all others it is said in full, though the
// attribute may be left out for "none" (§2.1.2.5): there are clients that then do not list the contact.
func (i Item) append(w *stanza.Writer, set bool) error {
	if i.JID.IsZero() {
		return errNoJID
	}
	w.Start(NS, "item")
	w.Attr("jid", i.JID.String())
	w.OptAttr("name", i.Name)
	switch i.Subscription {
	case To, From, Both, Remove, None, "none":
	default:
		return fmt.Errorf("roster: %q is not a subscription", i.Subscription)
	}
	if !set || i.Subscription == Remove {
		w.Attr("subscription", i.Subscription.String())
	}
	if i.Ask {
		w.Attr("ask", "subscribe")
	}
	if i.Approved {
		w.Attr("approved", "true")
	}
	for _, g := range i.Groups {
		w.Element(NS, "group", g)
	}
	w.End()
	return nil
}

// parseItem reads an item. Groups are kept as they came, so that a server can
// refuse what must be refused.
func parseItem(e stanza.Element) Item {
	i := Item{
		Name:         e.Attr("name"),
		Subscription: subscriptionOf(e.Attr("subscription")),
		Ask:          e.Attr("ask") == "subscribe",
		Approved:     isTrue(e.Attr("approved")),
	}
	i.JID, _ = jid.ParseLenient(e.Attr("jid")) // zero when it makes no sense: see Item.JID
	for c := range e.Children() {
		if c.Is(NS, "group") {
			i.Groups = append(i.Groups, c.Text())
		}
	}
	return i
}

// isTrue reads an xs:boolean.
func isTrue(s string) bool {
	s = strings.TrimSpace(s)
	return s == "true" || s == "1"
}
