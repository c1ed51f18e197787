package stream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What is written reads back.
func TestRoundTripSASL2(t *testing.T) {
	for _, o := range []offer2{
		{},
		{mechanisms: []string{"SCRAM-SHA-1", "PLAIN"}},
		{mechanisms: []string{"X"}, sm: true},
		{bind: true},
		{bind: true, inBind: []string{nsSM, nsCSI}, tokens: []string{sasl.HTSHA256Expr, sasl.HTSHA256None}, sm: true},
	} {
		w := stanza.NewWriter(nil)
		o.write(w)
		b, err := w.Bytes()
		require.NoError(t, err)
		e, err := stanza.ParseElement(b)
		require.NoError(t, err)
		require.Equal(t, o, readOffer2(e), "%s", b)
	}
	for _, a := range []UserAgent{{}, {ID: agentID}, {Software: "<a>", Device: "b&c"}, {ID: agentID, Software: "x", Device: "y"}} {
		w := stanza.NewWriter(nil)
		w.Start(nsSASL2, "authenticate")
		a.write(w)
		w.Payload(answers2("<bound xmlns='urn:xmpp:bind:0'/><failed xmlns='urn:xmpp:sm:3'/>"))
		w.End()
		b, err := w.Bytes()
		require.NoError(t, err)
		e, err := stanza.ParseElement(b)
		require.NoError(t, err)
		require.Equal(t, a, readUserAgent(e), "%s", b)
		require.False(t, e.Child(nsBind2, "bound").IsZero())
		require.False(t, e.Child(nsSM, "failed").IsZero())
	}
	for id, valid := range map[string]bool{
		agentID: true, strings.ToUpper(agentID): true, "": false, "x": false,
		"d4565fa7-4d72-1749-b3d3-740edbf87770": false, // version 1
		"d4565fa7-4d72-4749-73d3-740edbf87770": false, // variant
		"d4565fa7x4d72-4749-b3d3-740edbf87770": false,
		"g4565fa7-4d72-4749-b3d3-740edbf87770": false,
	} {
		require.Equal(t, valid, UserAgent{ID: id}.valid(), id)
	}
}

// Whatever a peer says of itself is read without harm.
func FuzzSASL2(f *testing.F) {
	f.Add("<authentication xmlns='urn:xmpp:sasl:2'><mechanism>X</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='a'/></inline></bind>" +
		"<sm xmlns='urn:xmpp:sm:3'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>")
	f.Add("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='X'><initial-response>=</initial-response><user-agent id='" + agentID + "'><software>a</software></user-agent></authenticate>")
	f.Add("<success xmlns='urn:xmpp:sasl:2'><additional-data>eA==</additional-data><token xmlns='urn:xmpp:fast:0' token='x' expiry='2020-03-12T14:36:15Z'/></success>")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := stanza.ParseElement([]byte(s))
		if err != nil {
			return
		}
		o := readOffer2(e)
		w := stanza.NewWriter(nil)
		o.write(w)
		if b, err := w.Bytes(); err == nil {
			again, err := stanza.ParseElement(b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			require.Equal(t, o, readOffer2(again))
		}
		a := readUserAgent(e)
		if a.ID != "" && !a.valid() || len(a.Software) > maxName || len(a.Device) > maxName {
			t.Errorf("believed %q", a)
		}
		if token, ok := readToken(e, "M"); ok && (token.Secret == "" || len(token.Secret) > maxToken || token.Expiry.IsZero() && token.Mechanism != "M") {
			t.Errorf("believed a token of %d bytes", len(token.Secret))
		}
		_, _ = readData2(e.Child(nsSASL2, "additional-data"))
		_ = redacted([]byte(s))
	})
}
