package stanza_test

import (
	"encoding/xml"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestHeader(t *testing.T) {
	raw := parse(t, `<iq type='set' id='1' to='juliet@example.com/balcony' from='romeo@example.net/orchard' xml:lang='de'><query xmlns='jabber:iq:roster'/></iq>`)
	require.Equal(t, stanza.Header{
		Kind: stanza.KindIQ, Type: "set", ID: "1", To: juliet, From: romeo, Lang: "de",
		Children: []xml.Name{{Space: "jabber:iq:roster", Local: "query"}},
	}, raw.Header())
	h := raw.Header()
	require.True(t, h.Has("jabber:iq:roster", "query"))
	require.False(t, h.Has("jabber:iq:roster", "item"))
}

func TestNotAStanza(t *testing.T) {
	for _, xml := range []string{`<body/>`, `<message xmlns='urn:example'/>`, `<r xmlns='urn:xmpp:sm:3'/>`} {
		_, err := stanza.Parse([]byte(xml))
		require.Error(t, err, xml)
	}
}

// TestC8_3_3_8_JIDMalformed: a bad address is an error that can be answered;
// an address only PRECIS would refuse is kept when others sent it.
func TestC8_3_3_8_JIDMalformed(t *testing.T) {
	e, err := stanza.ParseElement([]byte(`<iq type='get' id='1' from='romeo@example.net/orchard' to='@'><x xmlns='urn:a'/></iq>`))
	require.NoError(t, err)
	raw, err := stanza.NewRaw(e, jid.Parse)
	require.ErrorIs(t, err, stanza.JIDMalformed)
	require.True(t, raw.Header().To.IsZero())
	require.Equal(t, romeo, raw.Header().From)

	odd := parse(t, "<presence from='room@chat.example.org/nick\u2028name'/>")
	require.Equal(t, "nick\u2028name", odd.Header().From.Resourcepart())
}

// TestAppendWith: a server changes the start tag and nothing else.
func TestAppendWith(t *testing.T) {
	raw := parse(t, `<message type="chat" id='1' to='juliet@example.com' custom='a&amp;b' xml:lang='en'><body>x &lt; y</body><a xmlns='urn:a'><b/></a></message>`)
	h := raw.Header()
	h.From = romeo
	got, err := stanza.AppendWith(nil, raw, h)
	require.NoError(t, err)
	require.Equal(t, `<message type='chat' id='1' to='juliet@example.com' from='romeo@example.net/orchard' xml:lang='en' custom='a&amp;b'>`+
		`<body>x &lt; y</body><a xmlns='urn:a'><b/></a></message>`, string(got))
}

// TestForeignAttributes: an attribute in another namespace survives a change of
// the start tag.
func TestForeignAttributes(t *testing.T) {
	raw := parse(t, `<message xmlns:p='urn:p' p:level='9'/>`)
	h := raw.Header()
	h.From = romeo
	b, err := stanza.AppendWith(nil, raw, h)
	require.NoError(t, err)
	v, ok := parse(t, string(b)).Element().LookupAttr("urn:p", "level")
	require.True(t, ok)
	require.Equal(t, "9", v)
}

// TestTokens: stanzas speak mellium.im/xmlstream in both directions.
func TestTokens(t *testing.T) {
	m := stanza.Message{To: juliet, ID: "1", Body: stanza.Plain("a & b"), Payloads: stanza.Payloads{
		stanza.FromMarshaler(marshaler{}),
	}}
	want := written(t, m)
	require.Contains(t, want, `<a xmlns='urn:a'>x &lt; y</a>`)

	e, err := stanza.FromTokens(m.TokenReader())
	require.NoError(t, err)
	require.Equal(t, want, e.String())

	var out strings.Builder
	enc := xml.NewEncoder(&out)
	_, err = m.WriteXML(enc)
	require.NoError(t, err)
	require.NoError(t, enc.Flush())
	require.Contains(t, out.String(), "a &amp; b")

	r := stanza.Message{Body: stanza.Plain("\x00")}.TokenReader()
	_, err = r.Token()
	require.ErrorIs(t, err, stanza.ErrCharacter)
	require.NotErrorIs(t, err, io.EOF)
}

// marshaler is a payload in the manner of mellium.im/xmlstream.
type marshaler struct{}

func (marshaler) TokenReader() xml.TokenReader {
	return xmlstream.Wrap(xmlstream.Token(xml.CharData("x < y")), xml.StartElement{Name: xml.Name{Space: "urn:a", Local: "a"}})
}

// TestNoTokens: no element is not an element.
func TestNoTokens(t *testing.T) {
	_, err := stanza.FromTokens(xmlstream.ReaderFunc(func() (xml.Token, error) { return nil, io.EOF }))
	require.Error(t, err)
	_, err = stanza.FromTokens(xmlstream.Token(xml.CharData("text")))
	require.Error(t, err)
}

// FuzzRaw: whatever is accepted can be decoded without a panic, and what is
// written from the struct reads back as the same struct.
func FuzzRaw(f *testing.F) {
	for _, s := range []string{
		`<message type='chat' to='a@b/c'><body xml:lang='x'>hi</body><thread>1</thread><x xmlns='urn:x'/></message>`,
		`<presence><show>away</show><priority>-1</priority></presence>`,
		`<iq type='error' id='1'><error type='wait'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>x</gone></error></iq>`,
		`<iq type='get' id='1'><q:query xmlns:q='jabber:iq:roster' q:a='1'/></iq>`,
		`<message xmlns:p='urn:p' p:a='1'><![CDATA[x]]><p:b/></message>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, err := stanza.Parse(b)
		if err != nil {
			return
		}
		raw.Failure()
		if m, err := raw.Message(); err == nil {
			again, err := parse(t, written(t, m)).Message()
			require.NoError(t, err)
			require.Equal(t, written(t, m), written(t, again))
			require.Equal(t, m.Body, again.Body)
		}
		if p, err := raw.Presence(); err == nil {
			again, err := parse(t, written(t, p)).Presence()
			require.NoError(t, err)
			require.Equal(t, written(t, p), written(t, again))
		}
		if iq, err := raw.IQ(); err == nil {
			again, err := parse(t, written(t, iq)).IQ()
			require.NoError(t, err)
			require.Equal(t, written(t, iq), written(t, again))
		}
		h := raw.Header()
		h.From = romeo
		out, err := stanza.AppendWith(nil, raw, h)
		require.NoError(t, err)
		again := parse(t, string(out))
		require.Equal(t, romeo, again.Header().From)
		require.Equal(t, raw.Header().Children, again.Header().Children)
		require.Equal(t, otherAttrs(raw), otherAttrs(again))
		require.Equal(t, slices.Collect(raw.Element().Children()), slices.Collect(again.Element().Children()))
		require.Equal(t, raw.Element().Text(), again.Element().Text())
	})
}

// otherAttrs are the attributes that a header has no place for.
func otherAttrs(r *stanza.Raw) map[xml.Name]string {
	all := maps.Collect(r.Element().Attrs())
	for _, name := range []xml.Name{{Local: "type"}, {Local: "id"}, {Local: "to"}, {Local: "from"}, {Space: "http://www.w3.org/XML/1998/namespace", Local: "lang"}} {
		delete(all, name)
	}
	return all
}
