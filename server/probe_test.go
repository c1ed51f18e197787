package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A probe of a bare JID is answered with the last full presence of each
// available resource.
func TestI4_3_2_ProbeBare(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	h.online("juliet", "balcony", "")
	chamber := h.login("juliet", "chamber")
	chamber.send("<presence id='pres1'><show>dnd</show><status>busy!</status></presence>")
	chamber.sync()
	romeo := h.online("romeo", "orchard", "")
	romeo.send("<presence type='probe' id='probe1' to='juliet@capulet.example'/>")
	romeo.expect( // the id is that of the original (§4.3.2.1)
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>",
		"<presence id='pres1' xml:lang='en' from='juliet@capulet.example/chamber' to='romeo@capulet.example'><show>dnd</show><status>busy!</status></presence>",
	)
}

// Nobody is available: unavailable from the bare JID, with the id of the probe.
func TestI4_3_2_ProbeOffline(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	h.login("juliet", "connected")
	romeo := h.online("romeo", "orchard", "")
	romeo.send("<presence type='probe' id='probe2' to='juliet@capulet.example'/>")
	romeo.expect("<presence type='unavailable' id='probe2' from='juliet@capulet.example' to='romeo@capulet.example'/>")
}

// A probe of a full JID tells about that resource only, and only that it is there.
func TestI4_3_2_ProbeFull(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	h.online("juliet", "balcony", "<show>away</show><priority>3</priority>")
	h.online("juliet", "chamber", "")
	romeo := h.online("romeo", "orchard", "")
	romeo.send("<presence type='probe' to='juliet@capulet.example/balcony'/>", "<presence type='probe' id='x' to='juliet@capulet.example/attic'/>")
	romeo.expect("<presence from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>",
		"<presence type='unavailable' id='x' from='juliet@capulet.example/attic' to='romeo@capulet.example'/>")
}

// Who is not subscribed is told so from the bare JID, whether the account exists,
// is online or not; it ends a subscription that only one side knows of.
func TestI4_3_2_ProbeUnauthorized(t *testing.T) {
	h := newHouse(t, []string{"juliet", "paris", "tybalt"})
	h.online("juliet", "balcony", "")
	tybalt := h.interested("tybalt", "street")
	tybalt.send("<presence/>")
	tybalt.all()
	for _, who := range []string{"juliet", "juliet@capulet.example/balcony", "juliet@capulet.example/attic", "paris", "nobody"} {
		to := h.addr(who)
		h.subscription("tybalt", to.Bare().String(), storage.To)
		tybalt.send("<presence type='probe' id='p' to='" + to.String() + "'/>")
		tybalt.expect("<presence type='unsubscribed' id='p' from='"+to.Bare().String()+"' to='tybalt@capulet.example'/>",
			"<iq type='set' id='*' to='tybalt@capulet.example/street'><query xmlns='jabber:iq:roster' ver='*'><item jid='"+to.Bare().String()+"' subscription='none'/></query></iq>")
	}
	tybalt.send("<presence type='probe' to='juliet@capulet.example'/>") // there is no subscription left to end
	tybalt.expect()
}

// A subscription that the contact does not know of ends at login.
func TestI4_3_1_ProbeAtLogin(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.subscription("romeo", "juliet", storage.To)
	h.online("juliet", "balcony", "")
	romeo := h.interested("romeo", "orchard")
	romeo.send("<presence/>")
	romeo.expect("<presence xml:lang='en' from='romeo@capulet.example/orchard' to='romeo@capulet.example'/>",
		"<presence type='unsubscribed' from='juliet@capulet.example' to='romeo@capulet.example'/>",
		"<iq type='set' id='*' to='romeo@capulet.example/orchard'><query xmlns='jabber:iq:roster' ver='*'><item jid='juliet@capulet.example' subscription='none'/></query></iq>")
}

// Who got directed presence may ask for that full JID, and learns no more than that.
func TestI4_6_6_ProbeAfterDirected(t *testing.T) {
	h := newHouse(t, []string{"juliet", "tybalt"})
	balcony := h.online("juliet", "balcony", "<show>away</show>")
	h.online("juliet", "chamber", "")
	tybalt := h.online("tybalt", "street", "")
	balcony.send("<presence to='tybalt@capulet.example/street'><show>dnd</show></presence>")
	balcony.sync()
	tybalt.all()
	tybalt.send("<presence type='probe' to='juliet@capulet.example/balcony'/>", "<presence type='probe' to='juliet@capulet.example/chamber'/>", "<presence type='probe' to='juliet@capulet.example'/>")
	tybalt.expect("<presence from='juliet@capulet.example/balcony' to='tybalt@capulet.example/street'/>")
}

// A probe never cancels an approval ahead of the request.
func TestI4_3_2_ProbeKeepsPreApproval(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.interested("juliet", "balcony")
	juliet.send("<presence type='subscribed' to='romeo@capulet.example'/>")
	juliet.all()
	romeo := h.online("romeo", "orchard", "")
	romeo.send("<presence type='probe' to='juliet@capulet.example'/>")
	romeo.all()
	id, err := h.srv.directory.id(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	c, err := h.srv.opts.Storage.Rosters.Get(t.Context(), id, h.addr("romeo"))
	require.NoError(t, err)
	require.True(t, c.Approved)
}

// Probes of other servers and of services are no cause for an error (§4.3).
func TestI4_3_ProbeElsewhere(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<presence type='probe' to='romeo@elsewhere.example'/>", "<presence type='probe' to='montague.example'/>", "<presence type='probe' to='juliet@capulet.example'/>")
	juliet.expect("<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
}
