package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What a client sets is what every client gets, to the letter.
func TestI2_2_Unmodified(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	const items = "<item jid='capulet.example' subscription='none'><group>Servers</group></item><item jid='a@capulet.example' name='  Ünïcode &lt;&amp;&quot;&apos; 🌹 ' subscription='none'><group>Z </group><group>A</group><group>a</group><group>/::\\</group></item>" +
		"<item jid='b@capulet.example/with resource' name='x' subscription='none'/>"
	for e := range parse(t, "<query xmlns='jabber:iq:roster'>"+items+"</query>").Children() {
		juliet.send("<iq type='set' id='s'><query xmlns='jabber:iq:roster'>" + e.String() + "</query></iq>")
	}
	juliet.expect(result(juliet, "s"), result(juliet, "s"), result(juliet, "s"))
	for _, c := range []*client{juliet, h.login("juliet", "chamber")} {
		c.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
		c.expect("<iq type='result' id='g' to='" + c.addr.String() + "'><query xmlns='jabber:iq:roster' ver='*'>" + items + "</query></iq>")
	}
}

// A contact is named before or after it is asked for a subscription, as the client likes.
func TestI3_1_1_EitherOrder(t *testing.T) {
	for name, sends := range map[string][]string{
		"set first":     {set("s", "jid='romeo@capulet.example' name='Romeo'", "<group>Montagues</group>"), "<presence type='subscribe' to='romeo@capulet.example'/>"},
		"request first": {"<presence type='subscribe' to='romeo@capulet.example'/>", set("s", "jid='romeo@capulet.example' name='Romeo'", "<group>Montagues</group>")},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet", "romeo"})
			juliet := h.login("juliet", "balcony")
			juliet.send(sends...)
			juliet.expect(result(juliet, "s"))
			juliet.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
			juliet.expect("<iq type='result' id='g' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'>" +
				"<item jid='romeo@capulet.example' name='Romeo' subscription='none' ask='subscribe'><group>Montagues</group></item></query></iq>")
		})
	}
}

// Who is approved sees every available resource, by every available resource, and no other; who is cancelled loses them all.
func TestI3_1_5_EveryResource(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.subscription("romeo", "juliet", storage.PendingOut)
	h.subscription("juliet", "romeo", storage.PendingIn)
	balcony, chamber := h.online("juliet", "balcony", "<show>away</show>"), h.online("juliet", "chamber", "<priority>-3</priority>")
	h.login("juliet", "connected")
	orchard, street := h.online("romeo", "orchard", ""), h.online("romeo", "street", "<priority>-1</priority>")
	connected := h.login("romeo", "connected")
	balcony.all()
	orchard.all()

	balcony.send("<presence type='subscribed' to='romeo@capulet.example'/>")
	balcony.sync()
	for _, c := range []*client{orchard, street} {
		c.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'><show>away</show></presence>",
			"<presence xml:lang='en' from='juliet@capulet.example/chamber' to='romeo@capulet.example'><priority>-3</priority></presence>")
	}
	connected.expect()

	chamber.send("<presence type='unsubscribed' to='romeo@capulet.example'/>")
	chamber.sync()
	for _, c := range []*client{orchard, street} {
		c.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>",
			"<presence type='unavailable' from='juliet@capulet.example/chamber' to='romeo@capulet.example'/>")
	}
	connected.expect()
}

// Somebody who has asked, is not in the roster, and has thought better of it is not heard of again.
func TestI3_3_3_TakesBackRequest(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	romeo.send("<presence type='subscribe' to='juliet@capulet.example'/>", "<presence type='unsubscribe' to='juliet@capulet.example'/>")
	romeo.sync()
	juliet := h.interested("juliet", "balcony")
	juliet.send("<presence/>")
	juliet.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
	juliet.send("<presence type='subscribed' to='romeo@capulet.example'/>") // which is now ahead of a request
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='none' approved='true'"))
	romeo.expect()
}

// The presence of a contact, first, changed and last, comes whole to all available resources, whatever their priority, and to no others.
func TestI4_2_3_AllResources(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	orchard, street := h.online("romeo", "orchard", ""), h.online("romeo", "street", "<priority>-1</priority>")
	connected := h.login("romeo", "connected")
	orchard.all()
	balcony, chamber := h.login("juliet", "balcony"), h.online("juliet", "chamber", "")
	orchard.all()
	street.all()
	for _, said := range []struct{ head, content string }{
		{"<presence id='1'", "<status>here</status><x xmlns='urn:example:x'>&lt;</x></presence>"},
		{"<presence id='2'", "<show>dnd</show><x xmlns='urn:example:x'>&gt;</x></presence>"},
		{"<presence id='3' type='unavailable'", "<status>gone</status><x xmlns='urn:example:x'>&amp;</x></presence>"},
	} {
		to := func(who string) string {
			return said.head + " xml:lang='en' from='juliet@capulet.example/balcony' to='" + who + "'>" + said.content
		}
		balcony.send(said.head + ">" + said.content)
		_, own, ok := balcony.take(func(e stanza.Element) bool { return e.Attr("from") == "juliet@capulet.example/balcony" })
		require.True(t, ok)
		balcony.compare([]stanza.Element{own}, []string{to("juliet@capulet.example")})
		balcony.all()
		orchard.expect(to("romeo@capulet.example"))
		street.expect(to("romeo@capulet.example"))
		chamber.expect(to("juliet@capulet.example"))
		connected.expect()
	}
}

// Somebody who got directed presence and then a subscription is a subscriber like any other, and told once of the end.
func TestI4_6_1_SubscriptionCountsMore(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.online("romeo", "orchard", "")
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<presence to='romeo@capulet.example'/>", "<presence to='romeo@capulet.example/orchard'/>")
	juliet.sync()
	romeo.send("<presence type='subscribe' to='juliet@capulet.example'/>")
	romeo.sync()
	juliet.send("<presence type='subscribed' to='romeo@capulet.example'/>")
	juliet.sync()
	romeo.all()
	juliet.send("<presence><show>away</show></presence>")
	juliet.sync()
	romeo.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'><show>away</show></presence>")
	juliet.hangUp()
	romeo.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
}

// Directed presence comes whole, to a subscriber and to somebody else; the subscriber goes on to get what is broadcast, and the other does not.
func TestI4_6_3_DirectedToSubscriber(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "tybalt"})
	h.befriend("juliet", "romeo")
	romeo, tybalt := h.online("romeo", "orchard", ""), h.online("tybalt", "street", "")
	juliet := h.online("juliet", "balcony", "")
	romeo.all()
	from := " xml:lang='en' from='juliet@capulet.example/balcony' to='"
	const content = "<show>chat</show><status>for you</status><x xmlns='urn:example:x'>&lt;</x></presence>"
	for _, head := range []string{"<presence id='1'", "<presence id='2' type='unavailable'"} {
		for _, c := range []*client{romeo, tybalt} {
			juliet.send(head + " to='" + c.addr.String() + "'>" + content)
			juliet.sync()
			c.expect(head + from + c.addr.String() + "'>" + content)
		}
		juliet.send("<presence><show>dnd</show></presence>")
		juliet.sync()
		romeo.expect("<presence" + from + "romeo@capulet.example'><show>dnd</show></presence>")
		tybalt.expect()
	}
	juliet.hangUp()
	romeo.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
	tybalt.expect()
}

// Presence for somebody who is offline is neither kept nor answered.
func TestI8_5_2_2_2_PresenceIsNotKept(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	juliet := h.login("juliet", "balcony") // connected, and not available
	romeo.send("<presence id='1' to='juliet@capulet.example'/>", "<presence id='2' type='unavailable' to='juliet@capulet.example'/>")
	romeo.expect()
	juliet.send("<presence/>")
	juliet.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
	require.Empty(t, h.offline("juliet"))
}

// For somebody who is offline the server answers what it would answer otherwise.
func TestI8_5_2_2_3_RequestWhileOffline(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.login("romeo", "orchard")
	romeo.send("<iq type='get' id='1' to='juliet@capulet.example'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
		"<iq type='get' id='2' to='juliet@capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='set' id='3' to='juliet@capulet.example'><x xmlns='urn:example:x'/></iq>")
	romeo.expect("<iq type='result' id='1' from='juliet@capulet.example' to='romeo@capulet.example/orchard'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
		"<iq type='result' id='2' from='juliet@capulet.example' to='romeo@capulet.example/orchard'/>",
		iqError(romeo, "3", "juliet@capulet.example", unavailable))
}

// A request for a subscription that names a resource, one that is there or not, is for the account.
func TestI8_5_3_2_2_Subscriptions(t *testing.T) {
	for _, resource := range []string{"balcony", "nowhere"} {
		h := newHouse(t, []string{"juliet", "romeo"})
		balcony, chamber := h.online("juliet", "balcony", ""), h.online("juliet", "chamber", "")
		balcony.all()
		romeo := h.interested("romeo", "orchard")
		romeo.send("<presence type='subscribe' to='juliet@capulet.example/" + resource + "'/>")
		romeo.expect(item(romeo, "jid='juliet@capulet.example' subscription='none' ask='subscribe'"))
		for _, c := range []*client{balcony, chamber} {
			c.expect("<presence type='subscribe' xml:lang='en' from='romeo@capulet.example' to='juliet@capulet.example'/>")
		}
	}
}

// A request for a resource that is not there is for nobody else, and answered as that, even to a friend.
func TestI8_5_3_2_3_NoSuchResource(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<iq type='get' id='1' to='juliet@capulet.example/nowhere'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq type='result' id='2' to='juliet@capulet.example/nowhere'/>")
	romeo.expect(iqError(romeo, "1", "juliet@capulet.example/nowhere", unavailable))
	juliet.expect()
}
