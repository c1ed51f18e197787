package entitytime_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/entitytime"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

const open = "<time xmlns='urn:xmpp:time'>"

// chicago is the zone of example 2.
var chicago = time.FixedZone("", -6*60*60)

func TestXEP0202_2_Time(t *testing.T) {
	example := time.Date(2006, 12, 19, 17, 58, 35, 0, time.UTC)
	for _, tt := range []struct {
		name, in string
		want     time.Time
		again    string // empty means as in
		bad      bool
	}{
		{name: "example 1", in: "<time xmlns='urn:xmpp:time'/>"},
		{name: "example 2", in: open + "<tzo>-06:00</tzo><utc>2006-12-19T17:58:35Z</utc></time>", want: example.In(chicago)},
		{name: "in UTC", in: open + "<tzo>Z</tzo><utc>2006-12-19T17:58:35Z</utc></time>", want: example},
		{name: "in UTC, by number", in: open + "<tzo>+00:00</tzo><utc>2006-12-19T17:58:35Z</utc></time>", want: example,
			again: open + "<tzo>Z</tzo><utc>2006-12-19T17:58:35Z</utc></time>"},
		{name: "with a fraction", in: open + "<tzo>+05:45</tzo><utc>2006-12-19T17:58:35.25Z</utc></time>",
			want: example.Add(250 * time.Millisecond).In(time.FixedZone("", 345*60))},
		{name: "not said in UTC", in: open + "<tzo>-06:00</tzo><utc>2006-12-19T11:58:35-06:00</utc></time>", want: example.In(chicago),
			again: open + "<tzo>-06:00</tzo><utc>2006-12-19T17:58:35Z</utc></time>"},
		{name: "no zone", in: open + "<utc>2006-12-19T17:58:35Z</utc></time>", bad: true},
		{name: "no time", in: open + "<tzo>-06:00</tzo></time>", bad: true},
		{name: "a zone by name", in: open + "<tzo>CST</tzo><utc>2006-12-19T17:58:35Z</utc></time>", bad: true},
		{name: "a zone not of this earth", in: open + "<tzo>+14:01</tzo><utc>2006-12-19T17:58:35Z</utc></time>", bad: true},
		{name: "a time of XEP-0090", in: open + "<tzo>-06:00</tzo><utc>20061219T17:58:35</utc></time>", bad: true},
		{name: "a thirteenth month", in: open + "<tzo>-06:00</tzo><utc>2006-13-19T17:58:35Z</utc></time>", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			var got entitytime.Time
			if err := e.Decode(&got); tt.bad {
				require.Error(t, err)
				return
			} else {
				require.NoError(t, err)
			}
			require.True(t, got.Equal(tt.want), "%s; want %s", got, tt.want)
			require.Equal(t, tt.want.Format(time.RFC3339), got.Format(time.RFC3339), "the zone")
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			if tt.again == "" {
				tt.again = tt.in
			}
			require.Equal(t, tt.again, string(out))
		})
	}
}

// FuzzTime: whatever is read as a time writes itself and reads back as the same, to the millisecond.
func FuzzTime(f *testing.F) {
	f.Add("-06:00", "2006-12-19T17:58:35Z")
	f.Add("Z", "9999-12-31T23:59:59.9999Z")
	f.Add("+14:00", "0000-01-01T00:00:00+23:59")
	f.Fuzz(func(t *testing.T, tzo, utc string) {
		w := stanza.NewWriter(nil)
		w.Start(entitytime.NS, "time")
		w.Element("", "tzo", tzo)
		w.Element("", "utc", utc)
		w.End()
		in, err := w.Bytes()
		if err != nil {
			return
		}
		var got, again entitytime.Time
		if got.ParseXML(stanza.NewElement(in)) != nil {
			return
		}
		got.Time = got.Truncate(time.Millisecond)
		out, err := got.AppendXML(nil)
		if err != nil {
			return // a year before 0, or after 9999, in UTC
		}
		e, err := stanza.ParseElement(out)
		require.NoError(t, err)
		require.NoError(t, e.Decode(&again))
		require.True(t, again.Equal(got.Time), "%s reads back as %s", got, again)
	})
}

func TestYear(t *testing.T) {
	out, err := entitytime.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}.AppendXML([]byte("x"))
	require.Error(t, err)
	require.Equal(t, "x", string(out))
}

// session is a client's, whose queries are answered by a function.
type session struct {
	xmpp.Session
	answer func(stanza.IQ) (stanza.IQ, error)
}

func (s session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) { return s.answer(iq) }

func TestGet(t *testing.T) {
	at := time.Date(2006, 12, 19, 11, 58, 35, 0, chicago)
	for _, tt := range []struct {
		name string
		iq   stanza.IQ
		err  error
		ok   bool
	}{
		{name: "an answer", iq: stanza.IQ{Payload: entitytime.Time{Time: at}}, ok: true},
		{name: "a refusal", err: stanza.ServiceUnavailable},
		{name: "an empty result"},
		{name: "an answer that says nothing", iq: stanza.IQ{Payload: entitytime.Time{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{answer: func(asked stanza.IQ) (stanza.IQ, error) {
				require.Equal(t, stanza.IQ{Type: stanza.IQGet, To: jid.MustParse("juliet@capulet.com/balcony"), Payload: entitytime.Time{}}, asked)
				return tt.iq, tt.err
			}}
			got, err := entitytime.Get(t.Context(), s, jid.MustParse("juliet@capulet.com/balcony"))
			if !tt.ok {
				require.Error(t, err)
				require.True(t, tt.err == nil || errors.Is(err, tt.err), "%v", err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, at.Format(time.RFC3339), got.Format(time.RFC3339))
		})
	}
}

// A client says its time as its program wants, a server in UTC; both say that they do.
func TestXEP0202_4_Answers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{entitytime.Server(nil)}})
		require.NoError(t, err)
		defer srv.Stop()
		mux := muxer.New()
		entitytime.Register(mux, func() time.Time { return time.Now().In(chicago) })
		c := srv.Dial(t, "romeo", mux)
		now := time.Now()
		for to, want := range map[jid.JID]time.Time{c.LocalAddr(): now.In(chicago), c.RemoteAddr(): now.UTC()} {
			got, err := entitytime.Get(t.Context(), c, to)
			require.NoError(t, err)
			require.Equal(t, want.Format(time.RFC3339), got.Format(time.RFC3339))
			info, err := disco.GetInfo(t.Context(), c, to, "")
			require.NoError(t, err)
			require.True(t, info.Has(entitytime.NS))
		}
		require.NoError(t, c.Close(t.Context()))
		_ = c.Wait(t.Context())
	})
}

func ExampleGet() {
	// In a program, s is a client.
	s := session{answer: func(stanza.IQ) (stanza.IQ, error) {
		at := time.Date(2006, 12, 19, 11, 58, 35, 0, time.FixedZone("", -6*60*60))
		return stanza.IQ{Type: stanza.IQResult, Payload: entitytime.Time{Time: at}}, nil
	}}
	t, err := entitytime.Get(context.Background(), s, jid.MustParse("juliet@capulet.com/balcony"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("it is", t.Format(time.Kitchen), "there")
	// Output: it is 11:58AM there
}
