package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// item is a roster push to a session, of an item with these attributes.
func item(c *client, attrs string) string {
	return "<iq type='set' id='*' to='" + c.addr.String() + "'><query xmlns='jabber:iq:roster' ver='*'><item " + attrs + "/></query></iq>"
}

// The handshake of two people, as the examples of §3.1 have it.
func TestI3_1_Handshake(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo, juliet := h.interested("romeo", "orchard"), h.interested("juliet", "balcony")
	romeo.send("<presence/>")
	juliet.send("<presence/>")
	romeo.all()
	juliet.all()

	// Romeo asks, naming a full JID (§3.1.2).
	romeo.send("<presence id='xk3h1v69' to='juliet@capulet.example/balcony' type='subscribe'><status>It is I</status></presence>")
	romeo.expect(item(romeo, "jid='juliet@capulet.example' subscription='none' ask='subscribe'"))
	juliet.expect("<presence id='xk3h1v69' xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='subscribe'><status>It is I</status></presence>")

	// Juliet agrees.
	juliet.send("<presence id='h4v1c4kj' to='romeo@capulet.example' type='subscribed'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='from'"))
	romeo.expect("<presence id='h4v1c4kj' xml:lang='en' from='juliet@capulet.example' to='romeo@capulet.example' type='subscribed'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='to'"),
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>") // §3.1.5

	// And the other way round.
	juliet.send("<presence to='romeo@capulet.example' type='subscribe'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='from' ask='subscribe'"))
	romeo.expect("<presence xml:lang='en' from='juliet@capulet.example' to='romeo@capulet.example' type='subscribe'/>")
	romeo.send("<presence to='juliet@capulet.example' type='subscribed'/>")
	romeo.expect(item(romeo, "jid='juliet@capulet.example' subscription='both'"))
	juliet.expect("<presence xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='subscribed'/>",
		item(juliet, "jid='romeo@capulet.example' subscription='both'"),
		"<presence xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'/>")

	// Juliet cancels Romeo's subscription (§3.2): unavailable first.
	juliet.send("<presence to='romeo@capulet.example' type='unsubscribed'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='to'"))
	romeo.expect("<presence from='juliet@capulet.example/balcony' to='romeo@capulet.example' type='unavailable'/>",
		"<presence xml:lang='en' from='juliet@capulet.example' to='romeo@capulet.example' type='unsubscribed'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='from'"))

	// Juliet no longer wants to see Romeo (§3.3). The automatic answer changes nothing.
	juliet.send("<presence to='romeo@capulet.example' type='unsubscribe'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none'"),
		"<presence from='romeo@capulet.example/orchard' to='juliet@capulet.example' type='unavailable'/>")
	romeo.expect("<presence xml:lang='en' from='juliet@capulet.example' to='romeo@capulet.example' type='unsubscribe'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='none'"))
}

// A request is kept whole and delivered at every login until it is answered, once.
func TestI3_1_3_StoredRequest(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	romeo.send("<presence id='first' to='juliet@capulet.example' type='subscribe'><status xml:lang='it'>Sono io</status><nick xmlns='http://jabber.org/protocol/nick'>R &amp; J</nick></presence>",
		"<presence id='second' to='juliet@capulet.example' type='subscribe'/>")
	romeo.sync()
	request := "<presence id='first' xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='subscribe'><status xml:lang='it'>Sono io</status><nick xmlns='http://jabber.org/protocol/nick'>R &amp; J</nick></presence>"

	balcony := h.interested("juliet", "balcony")
	balcony.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	balcony.expect("<iq type='result' id='r' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'/></iq>") // not in the roster (§3.1.3, A.1)
	for _, resource := range []string{"chamber", "hall"} {
		c := h.login("juliet", resource)
		c.send("<presence/>")
		c.expect("<presence xml:lang='en' from='juliet@capulet.example/"+resource+"' to='juliet@capulet.example'/>", request)
		c.close()
	}
	balcony.send("<presence/>")
	balcony.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>", request)
	romeo.send("<presence id='third' to='juliet@capulet.example' type='subscribe'/>")
	romeo.sync()
	balcony.expect() // it waits already

	balcony.send("<presence to='romeo@capulet.example' type='unsubscribed'/>") // denied
	balcony.expect()
	chamber := h.login("juliet", "chamber")
	chamber.send("<presence/>")
	chamber.expect("<presence xml:lang='en' from='juliet@capulet.example/chamber' to='juliet@capulet.example'/>",
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
}

// A request goes to available resources, an approval and what follows to
// interested ones (§3.1).
func TestI3_1_WhoIsTold(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	available, interested, bound := h.online("juliet", "available", ""), h.interested("juliet", "interested"), h.login("juliet", "bound")
	romeo := h.login("romeo", "orchard")
	romeo.send("<presence to='juliet@capulet.example' type='subscribe'/>")
	romeo.sync()
	available.expect("<presence xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='subscribe'/>")
	interested.expect()
	bound.expect()
	romeo.send("<presence to='juliet@capulet.example' type='unsubscribe'/>")
	romeo.sync()
	available.expect()
	interested.expect("<presence xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='unsubscribe'/>")
	bound.expect()
}

// Who is subscribed already gets the answer from the server (§3.1.3), and the
// presence that goes with it.
func TestI3_1_3_AutoReply(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.subscription("juliet", "romeo", storage.From) // romeo's server has lost it
	juliet := h.online("juliet", "balcony", "")
	romeo := h.interested("romeo", "orchard")
	romeo.send("<presence/>")
	romeo.all()
	romeo.send("<presence id='again' to='juliet@capulet.example' type='subscribe'/>")
	romeo.expect(item(romeo, "jid='juliet@capulet.example' subscription='none' ask='subscribe'"),
		"<presence id='again' from='juliet@capulet.example' to='romeo@capulet.example' type='subscribed'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='to'"),
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
	juliet.expect()
}

// An approval ahead of the request (§3.4): noted, pushed, not routed; the request
// is then granted without being delivered.
func TestI3_4_2_PreApproval(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet, romeo := h.interested("juliet", "balcony"), h.interested("romeo", "orchard")
	require.False(t, juliet.feat.Child("urn:xmpp:features:pre-approval", "sub").IsZero(), "it must be advertised")
	juliet.send("<presence/>")
	juliet.all()
	romeo.send("<presence/>")
	romeo.all()
	juliet.send("<presence to='romeo@capulet.example' type='subscribed'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none' approved='true'"))
	romeo.expect()

	romeo.send("<presence id='s' to='juliet@capulet.example' type='subscribe'/>")
	romeo.expect(item(romeo, "jid='juliet@capulet.example' subscription='none' ask='subscribe'"),
		"<presence id='s' from='juliet@capulet.example' to='romeo@capulet.example' type='subscribed'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='to'"),
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='from' approved='true'"))

	juliet.send("<presence to='romeo@capulet.example' type='unsubscribed'/>") // takes it back for good
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none'"))
	romeo.all()
	romeo.send("<presence to='juliet@capulet.example' type='subscribe'/>")
	romeo.sync()
	juliet.expect("<presence xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example' type='subscribe'/>")
}

// A pre-approval is cancelled without a word to the contact (§3.2.2).
func TestI3_2_2_CancelPreApproval(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet, romeo := h.interested("juliet", "balcony"), h.online("romeo", "orchard", "")
	juliet.send("<presence to='romeo@capulet.example' type='subscribed'/>", "<presence to='romeo@capulet.example' type='unsubscribed'/>")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none' approved='true'"), item(juliet, "jid='romeo@capulet.example' subscription='none'"))
	romeo.expect()
}

// A cancelled subscriber sees nothing more, not even what was directed at him before.
func TestI4_6_1_CancelEndsDirected(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<presence to='romeo@capulet.example/orchard'/>")
	juliet.sync()
	romeo.all()
	juliet.send("<presence to='romeo@capulet.example' type='unsubscribed'/>")
	juliet.sync()
	got := romeo.all()
	require.Len(t, got, 1) // romeo did not ask for the roster
	require.Equal(t, "unavailable", got[0].Attr("type"))
	juliet.hangUp()
	romeo.expect()
}

// Subscription stanzas for nobody are ignored (§8.5.1); those that cannot be
// routed come back (§3.1.2) and leave no trace in the roster.
func TestI3_1_2_Unroutable(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.interested("juliet", "balcony")
	for _, typ := range []string{"subscribe", "subscribed", "unsubscribe", "unsubscribed"} {
		juliet.send("<presence id='1' to='romeo@elsewhere.example' type='" + typ + "'/>")
		juliet.expect("<presence type='error' id='1' from='romeo@elsewhere.example' to='juliet@capulet.example'>" + stanzaError("cancel", "remote-server-not-found") + "</presence>")
		juliet.send("<presence id='2' to='juliet@capulet.example' type='" + typ + "'/>")
		juliet.expect("<presence type='error' id='2' from='juliet@capulet.example' to='juliet@capulet.example'>" + stanzaError("cancel", "not-allowed") + "</presence>")
	}
	juliet.send("<presence to='nobody@capulet.example' type='subscribe'/>")
	juliet.expect(item(juliet, "jid='nobody@capulet.example' subscription='none' ask='subscribe'")) // as for anybody else
	juliet.send("<presence id='3' to='romeo@capulet.example' type='subscribe'><status>" + strings.Repeat("x", maxRequest) + "</status></presence>")
	juliet.expect("<presence type='error' id='3' from='romeo@capulet.example' to='juliet@capulet.example'>" + stanzaError("modify", "policy-violation") + "</presence>")
}

// The requests that wait for one account are bounded; the sender learns nothing.
func TestI3_1_3_RequestBound(t *testing.T) {
	h := newHouse(t, []string{"juliet", "a", "b", "c"}, func(o *Options) { o.Limits.RosterRequests = 2 })
	for _, who := range []string{"a", "b", "c"} {
		c := h.login(who, "r")
		c.send("<presence to='juliet@capulet.example' type='subscribe'/>")
		c.expect()
	}
	juliet := h.login("juliet", "balcony")
	juliet.send("<presence/>")
	require.Len(t, juliet.all(), 3, "the own presence and two requests")
}
