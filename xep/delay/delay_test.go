package delay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

func element(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

func TestXEP0203_4_Parse(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     delay.Delay
		bad      bool
	}{
		{name: "example 1", in: "<delay xmlns='urn:xmpp:delay' from='capulet.com' stamp='2002-09-10T23:08:25Z'>Offline Storage</delay>",
			want: delay.Delay{From: jid.MustParse("capulet.com"), Stamp: time.Date(2002, 9, 10, 23, 8, 25, 0, time.UTC), Reason: "Offline Storage"}},
		{name: "a zone and a fraction", in: "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T18:08:25.5-05:00'/>",
			want: delay.Delay{Stamp: time.Date(2002, 9, 10, 23, 8, 25, 5e8, time.UTC)}},
		{name: "no address", in: "<delay xmlns='urn:xmpp:delay' from='@' stamp='2002-09-10T23:08:25Z'/>", want: delay.Delay{Stamp: time.Date(2002, 9, 10, 23, 8, 25, 0, time.UTC)}},
		{name: "no stamp", in: "<delay xmlns='urn:xmpp:delay'/>", bad: true},
		{name: "a stamp of the old form", in: "<delay xmlns='urn:xmpp:delay' stamp='20020910T23:08:25'/>", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got delay.Delay
			err := got.ParseXML(element(t, tt.in))
			require.Equal(t, tt.bad, err != nil, "%v", err)
			require.Equal(t, tt.want, got)
		})
	}
}

// FuzzParse: whatever is read as a delay writes itself and reads back as the same, to the millisecond.
func FuzzParse(f *testing.F) {
	f.Add("<delay xmlns='urn:xmpp:delay' from='a@b/c' stamp='2002-09-10T23:08:25.123456Z'>&lt;</delay>")
	f.Add("<delay xmlns='urn:xmpp:delay' stamp='9999-12-31T23:59:59.9999Z'/>")
	f.Fuzz(func(t *testing.T, in string) {
		e, err := stanza.ParseElement([]byte(in))
		if err != nil {
			return
		}
		var d, again delay.Delay
		if d.ParseXML(e) != nil || d.Stamp.Year() > 9999 || d.Stamp.Year() < 0 {
			return
		}
		d.Stamp = d.Stamp.Truncate(time.Millisecond)
		out, err := d.AppendXML(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.ParseXML(element(t, string(out))); err != nil || again != d {
			t.Fatalf("%+v reads back as %+v, %v", d, again, err)
		}
	})
}

// session is one of juliet's.
type session struct{ xmpp.Session }

func (session) LocalAddr() jid.JID { return jid.MustParse("juliet@capulet.com/balcony") }

// Only what the own server has noted is believed, whoever else writes delays.
func TestClientS3_ForgedDelay(t *testing.T) {
	at := func(from string) stanza.Payload {
		return element(t, "<delay xmlns='urn:xmpp:delay' from='"+from+"' stamp='2002-09-10T23:08:25Z'/>")
	}
	for from, believed := range map[string]bool{"capulet.com": true, "juliet@capulet.com": true, "romeo@montague.net": false, "montague.net": false, "": false, "juliet@capulet.com/x": false} {
		_, ok := delay.Of(stanza.Payloads{at("romeo@montague.net/x"), at(from)}, session{})
		require.Equal(t, believed, ok, from)
	}
}

func ExampleOf() {
	msg, err := stanza.Parse([]byte(`<message xmlns='jabber:client' from='romeo@montague.net/orchard' to='juliet@capulet.com'>
		<body>O blessed, blessed night!</body>
		<delay xmlns='urn:xmpp:delay' from='capulet.com' stamp='2002-09-10T23:08:25Z'/>
	</message>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := msg.Message()
	if err != nil {
		fmt.Println(err)
		return
	}
	if d, ok := delay.Of(m.Payloads, session{}); ok {
		fmt.Println(m.Body, "– sent at", d.Stamp)
	}
	// Output: O blessed, blessed night! – sent at 2002-09-10 23:08:25 +0000 UTC
}
