package server

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// A query from client to client goes there and comes back.
func TestI8_5_3_1_ClientToClient(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.login("juliet", "balcony") // connected is enough
	romeo := h.login("romeo", "orchard")
	for _, answer := range []string{"<iq type='result' id='v1' to='romeo@capulet.example/orchard'><version xmlns='urn:example:v'>1</version></iq>",
		"<iq type='result' id='v1' to='romeo@capulet.example/orchard'/>",
		"<iq type='error' id='v1' to='romeo@capulet.example/orchard'><version xmlns='urn:example:v'/>" + stanzaError("cancel", "feature-not-implemented") + "</iq>"} {
		romeo.send("<iq type='get' id='v1' to='juliet@capulet.example/balcony'><version xmlns='urn:example:v'/></iq>")
		romeo.expect()
		juliet.expect("<iq type='get' id='v1' xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example/balcony'><version xmlns='urn:example:v'/></iq>")
		juliet.send(answer)
		juliet.expect()
		got := romeo.all()
		require.Len(t, got, 1)
		require.Equal(t, "juliet@capulet.example/balcony", got[0].Attr("from"))
		require.Equal(t, "v1", got[0].Attr("id"))
	}
}

// A request from somebody who may not know that the session is there is answered
// as if it were not (§8.5.3.1, §8.5.3.2.3, §8.5.1; RFC 6120 §13.10.2).
func TestI8_5_3_1_NoPresenceLeak(t *testing.T) {
	h := newHouse(t, []string{"juliet", "tybalt"})
	juliet := h.online("juliet", "balcony", "")
	tybalt := h.login("tybalt", "street")
	ask := func() {
		for _, to := range []string{"juliet@capulet.example/balcony", "juliet@capulet.example/nowhere", "juliet@capulet.example", "nobody@capulet.example", "nobody@capulet.example/x"} {
			tybalt.send("<iq type='get' id='1' to='" + to + "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
			tybalt.expect(iqError(tybalt, "1", to, unavailable))
		}
	}
	ask()
	juliet.expect()

	juliet.send("<presence to='tybalt@capulet.example/street'/>") // directed presence opens the door
	juliet.sync()
	tybalt.all()
	tybalt.send("<iq type='get' id='2' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>")
	tybalt.sync()
	juliet.expect("<iq type='get' id='2' xml:lang='en' from='tybalt@capulet.example/street' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>")

	juliet.send("<presence type='unavailable' to='tybalt@capulet.example/street'/>") // and closes it
	juliet.sync()
	tybalt.all()
	ask()
	juliet.expect()
}

// The sessions of one account may always ask each other.
func TestI8_5_3_1_OwnSessions(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	balcony, chamber := h.login("juliet", "balcony"), h.login("juliet", "chamber")
	chamber.send("<iq type='set' id='1' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>")
	chamber.sync()
	balcony.expect("<iq type='set' id='1' xml:lang='en' from='juliet@capulet.example/chamber' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>")
}

// The server answers for a bare JID; no session ever sees the request.
func TestI8_5_2_1_3_BareJID(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<iq type='get' id='1' to='juliet@capulet.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		"<iq type='get' id='2' to='juliet@capulet.example'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
		"<iq type='set' id='3' to='juliet@capulet.example'><x xmlns='urn:example:x'/></iq>",
		"<iq type='result' id='4' to='juliet@capulet.example'/>")
	got := romeo.all()
	require.Len(t, got, 3)
	require.Contains(t, got[0].String(), "<identity category='account' type='registered'/>") // XEP-0030 §3.1
	require.Equal(t, "juliet@capulet.example", got[0].Attr("from"))
	require.Contains(t, got[1].String(), "<item jid='juliet@capulet.example/balcony'/>")
	romeo.compare(got[2:], []string{iqError(romeo, "3", "juliet@capulet.example", unavailable)})
	juliet.expect()
}

// Whatever breaks the rules is answered with bad-request, once, and never when it is an
// answer itself.
func TestC8_2_3_BadIQ(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.login("juliet", "balcony")
	romeo := h.login("romeo", "orchard")
	for _, to := range []string{"", "to='capulet.example'", "to='juliet@capulet.example'", "to='juliet@capulet.example/balcony'"} {
		for _, bad := range []string{
			"<iq type='get' " + to + "><ping xmlns='urn:xmpp:ping'/></iq>",
			"<iq id='1' " + to + "><ping xmlns='urn:xmpp:ping'/></iq>",
			"<iq id='1' type='ask' " + to + "><ping xmlns='urn:xmpp:ping'/></iq>",
			"<iq id='1' type='get' " + to + "/>",
			"<iq id='1' type='set' " + to + "><a xmlns='urn:example:x'/><b xmlns='urn:example:x'/></iq>",
		} {
			romeo.send(bad)
			got := romeo.all()
			if len(got) != 1 || got[0].Attr("type") != "error" || got[0].Child(stanza.NS, "error").Child(stanza.NSErrors, "bad-request").IsZero() {
				t.Errorf("%s: got %v, want bad-request", bad, got)
				continue
			}
			if got[0].Attr("id") != parse(t, bad).Attr("id") {
				t.Errorf("%s: got %s, want the same id", bad, got[0])
			}
		}
		romeo.send("<iq id='1' type='result' " + to + "><a xmlns='urn:example:x'/><b xmlns='urn:example:x'/></iq>")
		romeo.expect()
	}
	juliet.expect()
}

// Every kind of request is answered exactly once, with its id (§8.2.3).
func TestC8_2_3_AnsweredOnce(t *testing.T) {
	mux := defaultMux()
	mux.IQ(stanza.IQGet, "urn:example:panic", "x", func(context.Context, *stanza.IQ) (stanza.Payload, error) { panic("oops") })
	mux.IQ(stanza.IQGet, "urn:example:fail", "x", func(context.Context, *stanza.IQ) (stanza.Payload, error) { return nil, errors.New("secret") })
	mux.IQ(stanza.IQGet, "urn:example:refuse", "x", func(context.Context, *stanza.IQ) (stanza.Payload, error) { return nil, stanza.Conflict })
	mux.IQ(stanza.IQGet, "urn:example:unwritable", "x", func(context.Context, *stanza.IQ) (stanza.Payload, error) { return unwritable{}, nil })
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Mux = mux })
	juliet := h.login("juliet", "balcony")
	for _, tt := range []struct{ what, want string }{
		{"panic", stanzaError("cancel", "internal-server-error")},
		{"fail", stanzaError("cancel", "internal-server-error")},
		{"refuse", stanzaError("cancel", "conflict")},
		{"unwritable", stanzaError("cancel", "internal-server-error")},
		{"unknown", unavailable},
	} {
		juliet.send("<iq type='get' id='" + tt.what + "' to='capulet.example'><x xmlns='urn:example:" + tt.what + "'/></iq>")
		_, e, ok := juliet.take(func(stanza.Element) bool { return true })
		require.True(t, ok)
		juliet.compare([]stanza.Element{e}, []string{iqError(juliet, tt.what, "capulet.example", tt.want)})
		juliet.expect()
	}
}

type unwritable struct{}

func (unwritable) AppendXML(dst []byte) ([]byte, error) { return dst, errors.New("no") }

// What a domain is asked by a full JID of its own, or by the bare one.
func TestC10_5_1_Domain(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	for _, to := range []string{"capulet.example", "montague.example", "capulet.example/anything"} {
		juliet.send("<iq type='get' id='1' to='" + to + "'><ping xmlns='urn:xmpp:ping'/></iq>")
		_, e, ok := juliet.take(func(stanza.Element) bool { return true })
		require.True(t, ok)
		juliet.compare([]stanza.Element{e}, []string{"<iq type='result' id='1' from='" + to + "' to='juliet@capulet.example/balcony'/>"})
	}
	juliet.send("<message to='capulet.example'><body>x</body></message>", "<presence to='capulet.example'/>", "<presence type='subscribe' to='capulet.example'/>")
	juliet.expect()
}

// A service queries a client, from a handler that this very client has called, and
// hears nobody else's answer.
func TestXEP0199_ServiceQueries(t *testing.T) {
	mux := muxer.New()
	mux.IQ(stanza.IQGet, "urn:example:ask", "x", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		_, err := xmpp.SessionFrom(ctx).Query(ctx, stanza.IQ{To: iq.From, ID: "known", Type: stanza.IQGet, Payload: ping.Ping{}})
		return nil, err
	})
	h := newHouse(t, []string{"juliet", "tybalt"}, func(o *Options) { o.Mux = mux })
	juliet, tybalt := h.login("juliet", "balcony"), h.login("tybalt", "street")
	juliet.send("<iq type='get' id='1' to='capulet.example'><x xmlns='urn:example:ask'/></iq>")
	_, q, ok := juliet.take(func(e stanza.Element) bool { return e.Attr("id") == "known" })
	require.True(t, ok)
	juliet.compare([]stanza.Element{q}, []string{"<iq type='get' id='known' from='capulet.example' to='juliet@capulet.example/balcony'><ping xmlns='urn:xmpp:ping'/></iq>"})
	tybalt.send("<iq type='result' id='known' to='capulet.example'/>", "<iq type='result' id='known' to='montague.example'/>")
	tybalt.sync()
	juliet.expect()
	juliet.send("<iq type='error' id='known' to='capulet.example'>" + stanzaError("cancel", "not-allowed") + "</iq>")
	_, a, ok := juliet.take(func(e stanza.Element) bool { return e.Attr("id") == "1" })
	require.True(t, ok)
	juliet.compare([]stanza.Element{a}, []string{iqError(juliet, "1", "capulet.example", stanzaError("cancel", "not-allowed"))})
}

// A service as a session: it sends, asks accounts, and gets what comes back.
func TestC8_1_2_1_Service(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.online("juliet", "balcony", "")
	s, err := h.srv.Session(jid.MustParse("capulet.example"))
	require.NoError(t, err)
	require.Equal(t, "capulet.example", s.LocalAddr().String())

	receipt, err := s.Send(t.Context(), stanza.Message{To: h.addr("juliet"), ID: "m", Body: stanza.Plain("Good morrow")})
	require.NoError(t, err)
	stage, err := receipt.Await(t.Context(), xmpp.Sent)
	require.NoError(t, err)
	require.Equal(t, xmpp.Sent, stage)
	juliet.expect("<message id='m' from='capulet.example' to='juliet@capulet.example'><body>Good morrow</body></message>")

	_, err = s.Send(t.Context(), stanza.Message{To: h.addr("juliet"), From: jid.MustParse("montague.example")})
	require.True(t, xmpp.SafeToRetry(err), "got %v", err)
	_, err = s.Query(t.Context(), stanza.IQ{To: jid.MustParse("nobody@capulet.example/x"), Type: stanza.IQGet, Payload: ping.Ping{}})
	require.ErrorIs(t, err, stanza.ServiceUnavailable)
	_, err = s.Query(t.Context(), stanza.IQ{To: jid.MustParse("elsewhere.example"), Type: stanza.IQGet, Payload: ping.Ping{}})
	require.ErrorIs(t, err, stanza.RemoteServerNotFound)
	_, err = s.Query(t.Context(), stanza.IQ{To: h.addr("juliet"), Type: stanza.IQGet, Payload: ping.Ping{}})
	require.NoError(t, err)

	claim := s.Claim(func(h stanza.Header) bool { return h.Kind == stanza.KindMessage })
	defer claim.Close()
	juliet.send("<message to='capulet.example' id='claimed'/>")
	raw, err := claim.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "claimed", raw.Header().ID)
	require.Equal(t, juliet.addr, raw.Header().From)

	_, err = h.srv.Session(jid.MustParse("elsewhere.example"))
	require.Error(t, err)
}
