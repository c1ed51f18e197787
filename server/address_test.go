package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// Whatever a client writes into from, it is the full JID of its session.
func TestC8_1_2_1_FromIsStamped(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	for _, from := range []string{"", "from='juliet@capulet.example'", "from='capulet.example'", "from='romeo@capulet.example'", "from='@'", "from=''"} {
		romeo.send("<message "+from+" to='juliet@capulet.example/balcony'><body>x</body></message>", "<presence "+from+" to='juliet@capulet.example'/>")
		romeo.expect()
		juliet.expect("<message xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example/balcony'><body>x</body></message>",
			"<presence xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'/>")
	}
}

// Answers of the own account have no from, or the bare JID.
func TestC8_1_2_1_OwnAccountAnswers(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", "<iq type='get' id='2'><unknown xmlns='urn:example:unknown'/></iq>",
		"<iq type='set' id='3'><query xmlns='jabber:iq:roster'><item jid='nurse@capulet.example'/></query></iq>")
	for _, e := range juliet.all() {
		if from, ok := e.LookupAttr("", "from"); ok && from != "juliet@capulet.example" {
			t.Errorf("got %s", e)
		}
	}
}

// xml:lang is added from the stream, and never changed (§8.1.5, §4.7.4).
func TestC8_1_5_Lang(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example' xml:lang='de-CH'><body xml:lang='it'>x</body></message>", "<message to='juliet@capulet.example'><body>x</body></message>")
	romeo.sync()
	juliet.expect("<message xml:lang='de-CH' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body xml:lang='it'>x</body></message>",
		"<message xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>x</body></message>")
}

// A message without to is for the own bare JID.
func TestC10_3_1_MessageWithoutTo(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	balcony := h.online("juliet", "balcony", "")
	chamber := h.login("juliet", "chamber")
	chamber.send("<message type='chat'><body>note to self</body></message>")
	chamber.expect()
	balcony.expect("<message type='chat' xml:lang='en' from='juliet@capulet.example/chamber' to='juliet@capulet.example'><body>note to self</body></message>")
}

// An IQ without to that nobody understands; answers to nothing are ignored.
func TestC10_3_3_IQWithoutTo(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='1'><query xmlns='urn:example:unknown'/></iq>", "<iq type='result' id='2'/>", "<iq type='error' id='3'><error type='cancel'/></iq>")
	juliet.expect(iqError(juliet, "1", "", unavailable))
}

// Addresses that are none.
func TestC8_3_3_8_MalformedAddress(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	for _, kind := range []string{"message", "presence"} {
		for _, to := range []string{"", "@", "@capulet.example", "juliet@", "juliet@capulet.example/", "a b@capulet.example", "juliet@capulet example"} {
			juliet.send("<" + kind + " id='1' to='" + to + "'/>")
			got := juliet.all()
			if len(got) != 1 || got[0].Attr("id") != "1" || got[0].Attr("from") != "" || got[0].Child(stanza.NS, "error").Child(stanza.NSErrors, "jid-malformed").IsZero() {
				t.Errorf("%s to %q: got %v, want jid-malformed", kind, to, got)
			}
		}
	}
	juliet.send("<iq type='get' id='2' to='@'><ping xmlns='urn:xmpp:ping'/></iq>", "<message type='error' to='@'/>", "<iq type='result' id='3' to='@'/>")
	got := juliet.all()
	require.Len(t, got, 1)
	require.False(t, got[0].Child(stanza.NS, "error").Child(stanza.NSErrors, "jid-malformed").IsZero())
}

// There is no federation: other domains cannot be reached.
func TestC10_4_3_RemoteDomain(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	notFound := stanzaError("cancel", "remote-server-not-found")
	for _, to := range []string{"romeo@elsewhere.example/orchard", "elsewhere.example", "sub.capulet.example"} {
		juliet.send("<message id='1' to='"+to+"'><body>x</body></message>", "<presence id='2' to='"+to+"'/>", "<iq type='get' id='3' to='"+to+"'><ping xmlns='urn:xmpp:ping'/></iq>",
			"<message type='error' to='"+to+"'/>", "<iq type='result' id='4' to='"+to+"'/>", "<presence type='error' to='"+to+"'/>")
		from := " type='error' from='" + to + "' to='juliet@capulet.example/balcony'>" + notFound
		juliet.expect("<message id='1'"+from+"</message>", "<presence id='2'"+from+"</presence>", "<iq id='3'"+from+"</iq>")
	}
}

// All domains of the server are one: stanzas between them never leave it.
func TestC10_5_LocalDomains(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo@montague.example"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.online("romeo@montague.example", "orchard", "")
	juliet.send("<message to='romeo@MONTAGUE.example'><body>x</body></message>")
	juliet.expect()
	romeo.expect("<message xml:lang='en' from='juliet@capulet.example/balcony' to='romeo@montague.example'><body>x</body></message>")
	romeo.send("<message to='juliet@montague.example'><body>x</body></message>") // there is none there
	romeo.expect()
	juliet.expect()
}

// In order, whether to the bare or the full JID (§10.1).
func TestC10_1_Order(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.online("juliet", "balcony", "")
	romeo := h.online("romeo", "orchard", "")
	juliet.all()
	var want []string
	for n := range 300 {
		id := stanza.NewID()
		want = append(want, id)
		switch n % 4 {
		case 0:
			romeo.send("<message id='" + id + "' to='juliet@capulet.example'/>")
		case 1:
			romeo.send("<message id='" + id + "' to='juliet@capulet.example/balcony'/>")
		case 2:
			romeo.send("<presence id='" + id + "' to='juliet@capulet.example/balcony'/>")
		case 3:
			romeo.send("<iq type='get' id='" + id + "' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>")
		}
	}
	romeo.sync()
	var got []string
	for _, e := range juliet.all() {
		got = append(got, e.Attr("id"))
	}
	require.Equal(t, want, got)
}

// What the server does not know it passes on as it is (§8.4).
func TestC8_4_UnknownContent(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	content := "<a xmlns='urn:example:a' b='1' xmlns:p='urn:example:p' p:c='&lt;&quot;&apos;'><b/>text &amp; <p:d>more</p:d><message xmlns='jabber:client' from='a@b'><body>inner</body></message></a><body>x</body><body xml:lang='it'>y</body>"
	romeo.send("<message xmlns:q='urn:example:q' q:extra='kept' to='juliet@capulet.example'>" + content + "</message>")
	romeo.expect()
	juliet.expect("<message xmlns:q='urn:example:q' q:extra='kept' xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'>" + content + "</message>")
}

// A prefix that only the header of the stream declares survives or is refused,
// but never goes on undeclared (§4.8.5, §8.4).
func TestC4_8_5_PrefixOfTheStream(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.connect()
	romeo.open("capulet.example")
	romeo.authenticate(h.addr("romeo"), "SCRAM-SHA-1")
	romeo.raw("<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:example:p'>")
	_, err := romeo.r.Header()
	require.NoError(t, err)
	romeo.next()
	romeo.bind("orchard")
	romeo.send("<message to='juliet@capulet.example'><p:x p:a='1'/></message>")
	romeo.sync()
	juliet.expect("<message from='romeo@capulet.example/orchard' to='juliet@capulet.example'><x xmlns='urn:example:p' xmlns:q='urn:example:p' q:a='1'/></message>")
}
