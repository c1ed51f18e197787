package last_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/last"
)

func TestXEP0012_2_Activity(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     last.Activity
		bad      bool
	}{
		{name: "example 2", in: "<query xmlns='jabber:iq:last' seconds='903'/>", want: last.Activity{Ago: 903 * time.Second}},
		{name: "example 5", in: "<query xmlns='jabber:iq:last' seconds='903'>Heading Home</query>", want: last.Activity{Ago: 903 * time.Second, Status: "Heading Home"}},
		{name: "now", in: "<query xmlns='jabber:iq:last' seconds='0'/>"},
		{name: "the longest", in: "<query xmlns='jabber:iq:last' seconds='9223372036'/>", want: last.Activity{Ago: 9223372036 * time.Second}},
		{name: "longer", in: "<query xmlns='jabber:iq:last' seconds='9223372037'/>", bad: true},
		{name: "longer still", in: "<query xmlns='jabber:iq:last' seconds='18446744073709551616'/>", bad: true},
		{name: "a request", in: "<query xmlns='jabber:iq:last'/>", bad: true},
		{name: "before it was", in: "<query xmlns='jabber:iq:last' seconds='-1'/>", bad: true},
		{name: "no number", in: "<query xmlns='jabber:iq:last' seconds='nil'/>", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			var got last.Activity
			err = e.Decode(&got)
			require.Equal(t, tt.bad, err != nil, "%v", err)
			require.Equal(t, tt.want, got)
			if tt.bad {
				return
			}
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			require.Equal(t, tt.in, string(out))
		})
	}
	out, err := last.Activity{Ago: -1}.AppendXML([]byte("x"))
	require.Error(t, err)
	require.Equal(t, "x", string(out))
}

// FuzzActivity: whatever is written reads back as it was, to the second, or is refused.
func FuzzActivity(f *testing.F) {
	f.Add(int64(903e9), "Heading Home")
	f.Add(int64(-1), "")
	f.Add(int64(1<<63-1), "<&>\r\n\x00")
	f.Fuzz(func(t *testing.T, ago int64, status string) {
		a := last.Activity{Ago: time.Duration(ago), Status: status}
		out, err := a.AppendXML([]byte("x"))
		if err != nil {
			require.Equal(t, "x", string(out))
			return
		}
		e, err := stanza.ParseElement(out[1:])
		require.NoError(t, err)
		var again last.Activity
		require.NoError(t, e.Decode(&again))
		a.Ago = a.Ago.Truncate(time.Second)
		require.Equal(t, a, again)
	})
}

// session is a client's, whose queries are answered by a function.
type session struct {
	xmpp.Session
	answer func(stanza.IQ) (stanza.IQ, error)
}

func (s session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) { return s.answer(iq) }

func TestGet(t *testing.T) {
	for _, tt := range []struct {
		name string
		iq   stanza.IQ
		err  error
		want last.Activity
		ok   bool
	}{
		{name: "an answer", iq: stanza.IQ{Payload: last.Activity{Ago: time.Minute, Status: "x"}}, want: last.Activity{Ago: time.Minute, Status: "x"}, ok: true},
		{name: "a refusal", err: stanza.Forbidden},
		{name: "an empty result"},
		{name: "an answer that says nothing", iq: stanza.IQ{Payload: stanza.NewElement([]byte("<query xmlns='jabber:iq:last'/>"))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{answer: func(asked stanza.IQ) (stanza.IQ, error) {
				out, err := asked.Payload.AppendXML(nil)
				require.NoError(t, err)
				require.Equal(t, "<query xmlns='jabber:iq:last'/>", string(out))
				return tt.iq, tt.err
			}}
			got, err := last.Get(t.Context(), s, jid.MustParse("juliet@capulet.com"))
			require.Equal(t, tt.ok, err == nil, "%v", err)
			require.True(t, tt.err == nil || errors.Is(err, tt.err), "%v", err)
			require.Equal(t, tt.want, got)
		})
	}
}

// §4, §8: a client tells whom it wants, and nobody else.
func TestXEP0012_4_Idle(t *testing.T) {
	mux := muxer.New()
	last.Register(mux, func(_ context.Context, from jid.JID) (time.Duration, bool) {
		return 123 * time.Second, from.Localpart() == "romeo"
	})
	require.True(t, mux.Info().Has(last.NS))
	for from, want := range map[string]error{"romeo@montague.net/orchard": nil, "room@muc.example/romeo": stanza.ServiceUnavailable} {
		st, err := stanza.Parse([]byte("<iq from='" + from + "' id='last2' to='juliet@capulet.com/balcony' type='get'><query xmlns='jabber:iq:last'/></iq>"))
		require.NoError(t, err)
		p, err := mux.HandleStanza(t.Context(), st)
		require.Equal(t, want, err)
		if err == nil {
			require.Equal(t, last.Activity{Ago: 123 * time.Second}, p)
		}
	}
}

func ExampleGet() {
	// In a program, s is a client.
	s := session{answer: func(stanza.IQ) (stanza.IQ, error) {
		return stanza.IQ{Type: stanza.IQResult, Payload: last.Activity{Ago: 903 * time.Second, Status: "Heading Home"}}, nil
	}}
	a, err := last.Get(context.Background(), s, jid.MustParse("juliet@capulet.com"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("was online", a.Ago, "ago:", a.Status)
	// Output: was online 15m3s ago: Heading Home
}
