package forward_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
	"github.com/parlance-xmpp/xmpp/xep/forward"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestXEP0297_3_Parse(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		kind     stanza.Kind
		delayed  bool
		bad      bool
	}{
		{name: "a message with a delay (example 2)", kind: stanza.KindMessage, delayed: true,
			in: "<delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/><message from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony' type='chat' xmlns='jabber:client'><body>Yet I should kill thee with much cherishing.</body></message>"},
		{name: "a presence", in: "<presence xmlns='jabber:client'/>", kind: stanza.KindPresence},
		{name: "a delay that is none", in: "<delay xmlns='urn:xmpp:delay'/><iq type='result' id='1' xmlns='jabber:client'/>", kind: stanza.KindIQ},
		{name: "nothing", bad: true},
		{name: "no stanza", in: "<x xmlns='jabber:client'/>", bad: true},
		{name: "a stanza of no namespace that streams know", in: "<message xmlns='urn:x'/>", bad: true},
		{name: "two", in: "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte("<forwarded xmlns='urn:xmpp:forward:0'>" + tt.in + "</forwarded>"))
			require.NoError(t, err)
			var f forward.Forwarded
			err = f.ParseXML(e)
			require.Equal(t, tt.bad, err != nil, "%v", err)
			if !tt.bad {
				require.Equal(t, tt.kind, f.Raw().Header().Kind)
				require.Equal(t, tt.delayed, f.Delay != nil)
			}
		})
	}
}

// What is forwarded keeps its addresses, language and unknown content.
func TestForwarded_RoundTrip(t *testing.T) {
	inner := "<message xmlns='jabber:client' from='a@b/c' to='d@e' type='chat' id='1' xml:lang='de'><body>&lt;&amp;</body><x xmlns='urn:x' a='1'><y/></x></message>"
	raw, err := stanza.Parse([]byte(inner))
	require.NoError(t, err)
	f := forward.Forwarded{Delay: &delay.Delay{From: jid.MustParse("b"), Stamp: time.Unix(1e9, 0).UTC()}, Stanza: raw}
	out, err := f.AppendXML(nil)
	require.NoError(t, err)
	e, err := stanza.ParseElement(out)
	require.NoError(t, err)
	var again forward.Forwarded
	require.NoError(t, e.Decode(&again))
	require.Equal(t, f.Delay, again.Delay)
	require.Equal(t, raw.Header().From, again.Raw().Header().From)
	want, got := raw.String(), again.Raw().String()
	require.Equal(t, want, got)
	_, err = forward.Forwarded{}.AppendXML(nil)
	require.Error(t, err)
}

// FuzzParse: what is read writes itself, and reads back.
func FuzzParse(f *testing.F) {
	f.Add("<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/><message from='a@b' xmlns='jabber:client'/></forwarded>")
	f.Add("<forwarded xmlns='urn:xmpp:forward:0'><c:presence xmlns:c='jabber:client' to='@'/></forwarded>")
	f.Fuzz(func(t *testing.T, in string) {
		read, again := xmpptest.RoundTrip[forward.Forwarded](t, in)
		if read == nil || read.Delay != nil && (read.Delay.Stamp.Year() > 9999 || read.Delay.Stamp.Year() < 0) {
			return
		}
		require.NotNil(t, again)
		require.Equal(t, read.Raw().Header().From, again.Raw().Header().From)
	})
}
