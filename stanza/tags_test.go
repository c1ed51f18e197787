package stanza_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// report has fields that write and read themselves.
type report struct {
	XMLName xml.Name         `xml:"urn:example:report report"`
	By      jid.JID          `xml:"by,attr"`
	Where   *Coordinates     // its name is that of its PayloadName
	Cause   *stanza.Element  `xml:"cause"`
	Rest    []stanza.Element `xml:",any"`
}

func TestTagsWithPayloads(t *testing.T) {
	const in = `<report xmlns='urn:example:report' by='juliet@example.com'><at xmlns='urn:example:geo' lat='1' lon='2'/>` +
		`<cause>a &lt; b</cause><x xmlns='urn:x'><y/></x><z/></report>`
	raw := []byte(in)
	e, err := stanza.ParseElement(raw)
	require.NoError(t, err)
	var got report
	require.NoError(t, e.Decode(&got))
	require.Equal(t, &Coordinates{1, 2}, got.Where)
	require.Equal(t, "a < b", got.Cause.Text())
	require.Len(t, got.Rest, 2)
	require.True(t, got.Rest[0].Is("urn:x", "x"))
	require.True(t, got.Rest[1].Is("urn:example:report", "z"))

	again, err := stanza.ElementOf(stanza.Marshal(got))
	require.NoError(t, err)
	var twice report
	require.NoError(t, again.Decode(&twice))
	require.Equal(t, got.By, twice.By)
	require.Equal(t, got.Where, twice.Where)
	require.Len(t, twice.Rest, 2)
	require.True(t, twice.Rest[1].Is("urn:example:report", "z"))

	e, err = stanza.ParseElement([]byte(`<report xmlns='urn:example:report' by='a@b'><at xmlns='urn:example:geo' lat='x'/></report>`))
	require.NoError(t, err)
	require.ErrorContains(t, e.Decode(&got), "stanza: decode {urn:example:report}report: stanza_test.report.Where: ")
}

// tagged is a payload by its tags, with methods around them.
type tagged struct {
	XMLName xml.Name `xml:"urn:example:tagged tagged"`
	N       int      `xml:"n,attr"`
}

func (t tagged) AppendXML(dst []byte) ([]byte, error) { return stanza.Marshal(t).AppendXML(dst) }

// TestMarshalOfPayload: a type's own AppendXML may call Marshal.
func TestMarshalOfPayload(t *testing.T) {
	b, err := stanza.IQ{Type: stanza.IQSet, ID: "1", Payload: tagged{N: 5}}.AppendXML(nil)
	require.NoError(t, err)
	require.Equal(t, `<iq type='set' id='1'><tagged xmlns='urn:example:tagged' n='5'/></iq>`, string(b))
}

func TestMarshalErrors(t *testing.T) {
	dst := []byte("kept")
	out, err := stanza.Marshal(struct {
		XMLName xml.Name `xml:"urn:x x"`
		Text    string   `xml:",chardata"`
	}{Text: "\x00"}).AppendXML(dst)
	require.ErrorIs(t, err, stanza.ErrCharacter)
	require.Equal(t, "kept", string(out))

	for _, v := range []any{nil, (*tagged)(nil), make(chan int), []tagged{{}, {}}} {
		out, err := stanza.Marshal(v).AppendXML(dst)
		require.ErrorContains(t, err, "stanza: marshal ")
		require.Equal(t, "kept", string(out))
	}
}
