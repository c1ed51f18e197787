package stanza_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestC8_2_3_IQ: what an IQ must have.
func TestC8_2_3_IQ(t *testing.T) {
	for _, tt := range []struct {
		name, xml string
		ok        bool
	}{
		{"get", `<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>`, true},
		{"set", `<iq type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>`, true},
		{"empty result", `<iq type='result' id='1'/>`, true},
		{"result", `<iq type='result' id='1'><query xmlns='jabber:iq:roster'/></iq>`, true},
		{"error", `<iq type='error' id='1'><error type='cancel'/></iq>`, true},
		{"error with the request", `<iq type='error' id='1'><query xmlns='jabber:iq:roster'/><error type='cancel'/></iq>`, true},
		{"no id", `<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`, false},
		{"no type", `<iq id='1'><query xmlns='jabber:iq:roster'/></iq>`, false},
		{"unknown type", `<iq type='put' id='1'><query xmlns='jabber:iq:roster'/></iq>`, false},
		{"empty get", `<iq type='get' id='1'/>`, false},
		{"text only", `<iq type='get' id='1'>what?</iq>`, false},
		{"two requests", `<iq type='get' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>`, false},
		{"two results", `<iq type='result' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			iq, err := parse(t, tt.xml).IQ()
			if !tt.ok {
				require.ErrorIs(t, err, stanza.BadRequest)
				return
			}
			require.NoError(t, err)
			again, err := parse(t, written(t, iq)).IQ()
			require.NoError(t, err)
			require.Equal(t, written(t, iq), written(t, again))
		})
	}
}

func TestIQAnswers(t *testing.T) {
	iq, err := parse(t, `<iq type='get' id='7' from='romeo@example.net/orchard' to='juliet@example.com/balcony'><time xmlns='urn:xmpp:time'/></iq>`).IQ()
	require.NoError(t, err)
	require.Equal(t, `<iq type='result' id='7' to='romeo@example.net/orchard' from='juliet@example.com/balcony'/>`, written(t, iq.Result(nil)))
	require.Equal(t, `<iq type='error' id='7' to='romeo@example.net/orchard' from='juliet@example.com/balcony'><error type='auth'>`+
		`<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`, written(t, iq.Fail(&stanza.Error{Condition: stanza.Forbidden})))
}

// TestC8_3_1_Request: an answer repeats what its error says of the request, before the error, and only where it is the answer to a request.
func TestC8_3_1_Request(t *testing.T) {
	request := parse(t, `<iq type='set' id='7' from='romeo@example.net/orchard'><x xmlns='urn:a'><secret/></x></iq>`)
	iq, err := request.IQ()
	require.NoError(t, err)
	e := &stanza.Error{Condition: stanza.Forbidden, Request: stanza.NewElement([]byte(`<x xmlns='urn:a'/>`))}
	const want = `<iq type='error' id='7' to='romeo@example.net/orchard'><x xmlns='urn:a'/><error type='auth'>` +
		`<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
	require.Equal(t, want, written(t, iq.Fail(e)))
	require.Equal(t, want, written(t, stanza.Bounce(request.Header(), e)))
	require.NotContains(t, written(t, stanza.Bounce(parse(t, `<message id='1'/>`).Header(), e)), "urn:a")

	got, err := parse(t, want).IQ()
	require.NoError(t, err)
	require.Equal(t, want, written(t, got))
	require.Nil(t, got.Error.Request)
}

func TestRequestNeedsPayload(t *testing.T) {
	_, err := stanza.IQ{Type: stanza.IQGet, ID: "1"}.AppendXML(nil)
	require.Error(t, err)
}

// version is a payload by encoding/xml's tags.
type version struct {
	XMLName xml.Name `xml:"jabber:iq:version query"`
	Name    string   `xml:"name"`
	OS      *struct {
		Text string `xml:",chardata"`
	} `xml:"os"`
}

func TestStructTags(t *testing.T) {
	sent := stanza.IQ{Type: stanza.IQResult, ID: "1", Payload: stanza.Marshal(version{Name: "a < b & c"})}
	iq, err := parse(t, written(t, sent)).IQ()
	require.NoError(t, err)
	var got version
	require.NoError(t, iq.Decode(&got))
	require.Equal(t, "a < b & c", got.Name)
	require.Nil(t, got.OS)
}
