package stanza_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// lend reads a stanza as a stream lends it. To call overwrite is to read on.
func lend(t *testing.T, xml string) (r *stanza.Raw, overwrite func()) {
	t.Helper()
	rd := xmlwire.NewReader(strings.NewReader("<stream xmlns='jabber:client' xmlns:c='jabber:client'>"+xml), xmlwire.Limits{})
	_, err := rd.Header()
	require.NoError(t, err)
	e, err := rd.Next()
	require.NoError(t, err)
	r = new(stanza.Raw)
	require.NoError(t, r.Reset(stanza.Lend(e), new(jid.Cache).ParseLenient))
	return r, func() {
		for _, part := range [][]byte{e.Raw, e.Head.To, e.Head.From, e.Head.ID, e.Head.Type, e.Head.Lang} {
			for i := range part {
				part[i] = '#'
			}
		}
	}
}

// What is decoded of a lent stanza, or cloned, is as if the stanza had been its own
// from the beginning, whatever becomes of the bytes.
func TestLentStanzasLeaveNothingLent(t *testing.T) {
	for _, xml := range []string{
		"<message from='a@example.com/r' to='b@example.com' id='m1' type='chat' xml:lang='de'><subject>S</subject><body>Hallo</body><body xml:lang='en'>Hello &amp; &lt;you&gt;</body><thread parent='p'>t</thread><x xmlns='u' a='1'><y>z</y></x><w xmlns='v'/></message>",
		"<message id='a&apos;b' type='odd' xml:lang='x-&quot;'/>",
		"<message type='error' id='e'><error type='cancel' by='example.com'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:c@d</gone><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>moved</text><app xmlns='u'>x</app></error></message>",
		"<message><a xmlns='1'/><a xmlns='2'/><a xmlns='3'/><a xmlns='4'/><a xmlns='5'/><body>five others</body></message>",
		"<c:message id='c'><c:body><![CDATA[rewritten]]></c:body></c:message>",
		"<presence id='p'><show>away</show><status>S</status><priority>-3</priority><c xmlns='http://jabber.org/protocol/caps' ver='v'/></presence>",
		"<iq id='q' type='get'><query xmlns='jabber:iq:version'/></iq>",
		"<iq id='q' type='error'><query xmlns='jabber:iq:version'/><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
		"<iq id='q' type='result'/>",
	} {
		decode := func(r *stanza.Raw) (v any, err error) {
			switch r.Header().Kind {
			case stanza.KindMessage:
				v, err = r.Message()
			case stanza.KindPresence:
				v, err = r.Presence()
			default:
				v, err = r.IQ()
			}
			return v, err
		}
		lent, overwrite := lend(t, xml)
		text := lent.String()
		owned, err := stanza.Parse([]byte(text))
		require.NoError(t, err)
		want, err := decode(owned)
		require.NoError(t, err, xml)

		got, err := decode(lent)
		require.NoError(t, err, xml)
		clone := lent.Clone()
		again := clone.Clone()
		overwrite()
		require.Equal(t, asXML(t, want), asXML(t, got), xml)
		for _, c := range []*stanza.Raw{clone, again} {
			require.Equal(t, text, c.String())
			require.Equal(t, owned.Header(), c.Header())
			v, err := decode(c)
			require.NoError(t, err)
			require.Equal(t, asXML(t, want), asXML(t, v))
		}
		require.NotContains(t, text, "#")
		require.Contains(t, lent.String(), "#", "the test shows nothing")
	}
}

// asXML is a stanza as XML.
func asXML(t *testing.T, v any) string {
	t.Helper()
	b, err := v.(stanza.Stanza).AppendXML(nil)
	require.NoError(t, err)
	return string(b)
}

// Elements of a lent stanza are lent too, and their strings are not.
func TestLentElements(t *testing.T) {
	lent, overwrite := lend(t, "<message><x xmlns='u' a='1'>text<y>z</y></x></message>")
	x := lent.Element().Child("u", "x")
	attr, text, clone := x.Attr("a"), x.Text(), x.Clone()
	child := x.First().Clone()
	var tagged struct {
		A string `xml:"a,attr"`
		Y string `xml:"y"`
	}
	require.NoError(t, x.Decode(&tagged))
	overwrite()
	require.Equal(t, []string{"1", "text", "1", "z"}, []string{attr, text, tagged.A, tagged.Y})
	require.Equal(t, "<x xmlns='u' a='1'>text<y>z</y></x>", clone.String())
	require.Equal(t, "z", child.Text())
}

// An address that cannot be read does not keep the rest from being answered.
func TestResetWithABadAddress(t *testing.T) {
	e, err := stanza.ParseElement([]byte("<message to='@' from='a@b' id='1'/>"))
	require.NoError(t, err)
	var r stanza.Raw
	err = r.Reset(e, jid.Parse)
	require.ErrorIs(t, err, stanza.JIDMalformed)
	require.Equal(t, "1", r.Header().ID)
	require.Equal(t, "a@b", r.Header().From.String())
	require.True(t, r.Header().To.IsZero())

	no, err := stanza.ParseElement([]byte("<features/>"))
	require.NoError(t, err)
	require.Error(t, r.Reset(no, jid.Parse))
	require.Zero(t, r.Header().Kind)
}
