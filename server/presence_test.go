package server

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Initial presence goes to subscribers and to all own resources, itself included.
func TestI4_2_2_InitialPresence(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "nurse", "tybalt"})
	h.befriend("juliet", "romeo")
	h.subscription("juliet", "nurse", storage.From) // nurse sees juliet
	h.subscription("nurse", "juliet", storage.To)
	h.subscription("juliet", "tybalt", storage.To) // juliet would see tybalt
	romeo, nurse, tybalt := h.online("romeo", "orchard", ""), h.online("nurse", "kitchen", ""), h.online("tybalt", "street", "")
	asleep := h.login("romeo", "asleep")
	chamber := h.online("juliet", "chamber", "")
	for _, c := range []*client{romeo, nurse} {
		c.expect("<presence xml:lang='en' from='juliet@capulet.example/chamber' to='" + c.addr.Bare().String() + "'/>")
	}

	balcony := h.login("juliet", "balcony")
	balcony.send("<presence id='p1'><show>away</show><status>moonlit</status><x xmlns='urn:example:x'>&lt;</x></presence>")
	content := "<show>away</show><status>moonlit</status><x xmlns='urn:example:x'>&lt;</x></presence>"
	balcony.expect(
		"<presence id='p1' xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'>"+content,
		"<presence xml:lang='en' from='juliet@capulet.example/chamber' to='juliet@capulet.example'/>",
		"<presence xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'/>",
	)
	chamber.expect("<presence id='p1' xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'>" + content)
	romeo.expect("<presence id='p1' xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'>" + content)
	nurse.expect("<presence id='p1' xml:lang='en' from='juliet@capulet.example/balcony' to='nurse@capulet.example'>" + content)
	tybalt.expect()
	asleep.expect()
}

// A subsequent presence goes to the same, and nothing is probed again.
func TestI4_4_2_SubsequentPresence(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	juliet := h.online("juliet", "balcony", "")
	romeo.all()
	juliet.send("<presence><show>dnd</show></presence>")
	juliet.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'><show>dnd</show></presence>")
	romeo.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'><show>dnd</show></presence>")
}

// However a session ends, everybody who saw it is told, once.
func TestI4_5_2_UnavailableOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*client)
		want string // of what subscribers get
	}{
		{"unavailable presence, then the end", func(c *client) {
			c.send("<presence type='unavailable'><status>bye</status><show>away</show><priority>3</priority></presence>")
			c.close()
		}, "xml:lang='en'><status>bye</status></presence>"}, // §4.5.1: no show, no priority
		{"closing tag", (*client).close, "/>"},
		{"connection reset", (*client).hangUp, "/>"},
		{"stream error", func(c *client) { c.raw("<!-- -->"); <-c.done }, "/>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet", "romeo", "tybalt"})
			h.befriend("juliet", "romeo")
			romeo, tybalt := h.online("romeo", "orchard", ""), h.online("tybalt", "street", "")
			chamber := h.online("juliet", "chamber", "")
			balcony := h.online("juliet", "balcony", "")
			// Directed presence to one who is told anyway, and to one who is not.
			balcony.send("<presence to='romeo@capulet.example'/>", "<presence to='romeo@capulet.example/orchard'/>", "<presence to='tybalt@capulet.example/street'/>")
			balcony.sync()
			romeo.all()
			tybalt.all()
			chamber.all()

			tt.end(balcony)
			gone := "<presence type='unavailable' from='juliet@capulet.example/balcony' to="
			romeo.expect(gone + "'romeo@capulet.example' " + tt.want)
			tybalt.expect(gone + "'tybalt@capulet.example/street' " + tt.want)
			chamber.expect(gone + "'juliet@capulet.example' " + tt.want)
		})
	}
}

// The resource that becomes unavailable is told too, and can become available again.
func TestI4_5_2_UnavailableEcho(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	juliet := h.online("juliet", "balcony", "")
	romeo.all()
	juliet.send("<presence type='unavailable'/>", "<presence type='unavailable'/>")
	juliet.expect("<presence type='unavailable' xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
	romeo.expect("<presence type='unavailable' xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
	juliet.send("<presence/>") // §4.5.2: as good as initial
	juliet.expect(
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>",
		"<presence xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'/>",
	)
	romeo.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")
}

// A session that was never available leaves without a word.
func TestI4_5_2_NeverAvailable(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	h.login("juliet", "balcony").close()
	h.login("juliet", "balcony").hangUp()
	romeo.expect()
}

// Presence to a bare JID goes to all available resources, to a full JID to that
// one, and to nobody if it is not there.
func TestI8_5_2_1_2_DirectedDelivery(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	balcony, chamber := h.online("juliet", "balcony", ""), h.online("juliet", "chamber", "<priority>-1</priority>")
	balcony.all()
	hall := h.login("juliet", "hall") // not available
	romeo := h.login("romeo", "orchard")
	romeo.send("<presence id='1' to='juliet@capulet.example'/>", "<presence id='2' to='juliet@capulet.example/hall'/>",
		"<presence id='3' to='juliet@capulet.example/nowhere'/>", "<presence id='4' to='nobody@capulet.example'/>",
		"<presence id='5' type='unavailable' to='juliet@capulet.example/chamber'/>")
	romeo.expect()
	from := " xml:lang='en' from='romeo@capulet.example/orchard' "
	balcony.expect("<presence id='1'" + from + "to='juliet@capulet.example'/>")
	chamber.expect("<presence id='1'"+from+"to='juliet@capulet.example'/>", "<presence id='5' type='unavailable'"+from+"to='juliet@capulet.example/chamber'/>")
	hall.expect("<presence id='2'" + from + "to='juliet@capulet.example/hall'/>")
}

// Directed presence adds nobody to broadcasts, and who was told unavailable is not
// told again.
func TestI4_6_3_DirectedPresence(t *testing.T) {
	h := newHouse(t, []string{"juliet", "tybalt", "paris"})
	tybalt, paris := h.online("tybalt", "street", ""), h.online("paris", "hall", "")
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<presence to='tybalt@capulet.example/street'/>", "<presence to='paris@capulet.example'/>")
	juliet.sync()
	tybalt.all()
	paris.all()

	juliet.send("<presence><show>away</show></presence>", "<presence type='unavailable' to='paris@capulet.example'/>")
	juliet.sync()
	tybalt.expect()
	paris.expect("<presence type='unavailable' xml:lang='en' from='juliet@capulet.example/balcony' to='paris@capulet.example'/>")

	juliet.hangUp()
	tybalt.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='tybalt@capulet.example/street'/>")
	paris.expect()
}

// Who has said unavailable need not be told (§4.6.1).
func TestI4_6_1_TargetLeftFirst(t *testing.T) {
	h := newHouse(t, []string{"juliet", "tybalt"})
	tybalt := h.login("tybalt", "street")
	juliet := h.login("juliet", "balcony")
	juliet.send("<presence to='tybalt@capulet.example/street'/>")
	juliet.sync()
	tybalt.send("<presence type='unavailable' to='juliet@capulet.example/balcony'/>")
	tybalt.all()
	juliet.hangUp()
	tybalt.expect()
}

// A session that sent directed presence without ever being available.
func TestI4_6_3_DirectedOnly(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "tybalt"})
	h.befriend("juliet", "romeo")
	romeo, tybalt := h.online("romeo", "orchard", ""), h.online("tybalt", "street", "")
	juliet := h.login("juliet", "balcony")
	juliet.send("<presence to='tybalt@capulet.example/street'/>")
	juliet.close()
	romeo.expect()
	tybalt.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='tybalt@capulet.example/street'/>",
		"<presence type='unavailable' from='juliet@capulet.example/balcony' to='tybalt@capulet.example/street'/>")
}

// The entities to which directed presence was sent are bounded.
func TestI4_6_1_DirectedBound(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.DirectedPresence = 2 })
	juliet := h.login("juliet", "balcony")
	juliet.send("<presence to='a@capulet.example'/>", "<presence to='b@capulet.example'/>", "<presence to='b@capulet.example'/>", "<presence id='3' to='c@capulet.example'/>")
	juliet.expect("<presence type='error' id='3' from='c@capulet.example' to='juliet@capulet.example/balcony'>" + stanzaError("wait", "resource-constraint") + "</presence>")
	juliet.send("<presence type='unavailable' to='a@capulet.example'/>", "<presence to='c@capulet.example'/>")
	juliet.expect()
}

// Presence that RFC 6121 does not define.
func TestI4_7_1_BadPresence(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	juliet := h.login("juliet", "balcony")
	for _, bad := range []string{
		"<presence type='available'/>",
		"<presence type='invisible'/>",
		"<presence><priority>128</priority></presence>", // §4.7.2.3
		"<presence><priority>-129</priority></presence>",
		"<presence><priority>high</priority></presence>",
		"<presence><priority/></presence>",
		"<presence type='subscribe'/>",
	} {
		juliet.send(bad)
		got := juliet.all()
		if len(got) != 1 || got[0].Attr("type") != "error" || got[0].Child(stanza.NS, "error").Child(stanza.NSErrors, "bad-request").IsZero() {
			t.Errorf("%s: got %v, want bad-request", bad, got)
		}
	}
	juliet.send("<presence type='probe'/>", "<presence type='error'/>") // no cause for an answer
	juliet.expect()
	romeo.expect()
}

// subscription makes the roster of an account hold a contact in a state.
func (h *house) subscription(account, contact string, s storage.Subscription) {
	h.t.Helper()
	id, err := h.srv.directory.id(h.t.Context(), h.addr(account))
	if err == nil {
		_, err = h.srv.opts.Storage.Rosters.Update(h.t.Context(), id, h.addr(contact), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			c.Listed, c.Subscription = true, s
			return c, nil
		})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}
