package version_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/version"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestXEP0092_2_Info(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     version.Info
		again    string // empty means as in
	}{
		{name: "example 1", in: "<query xmlns='jabber:iq:version'/>"},
		{name: "example 2", in: "<query xmlns='jabber:iq:version'><name>Exodus</name><version>0.7.0.4</version><os>Windows-XP 5.01.2600</os></query>",
			want: version.Info{Name: "Exodus", Version: "0.7.0.4", OS: "Windows-XP 5.01.2600"}},
		{name: "no operating system", in: "<query xmlns='jabber:iq:version'><name>Exodus</name><version>0.7.0.4</version></query>",
			want: version.Info{Name: "Exodus", Version: "0.7.0.4"}},
		{name: "children of others", in: "<query xmlns='jabber:iq:version'><name xmlns='urn:x'>no</name><name>Exodus</name><y/></query>",
			want: version.Info{Name: "Exodus"}, again: "<query xmlns='jabber:iq:version'><name>Exodus</name><version/></query>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			var got version.Info
			require.NoError(t, e.Decode(&got))
			require.Equal(t, tt.want, got)
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			if tt.again == "" {
				tt.again = tt.in
			}
			require.Equal(t, tt.again, string(out))
		})
	}
}

// FuzzInfo: whatever is written reads back as it was, or is refused.
func FuzzInfo(f *testing.F) {
	f.Add("Exodus", "0.7.0.4", "Windows-XP 5.01.2600")
	f.Add("<", "&amp;", "\r\n")
	f.Add("", "\x00", "")
	f.Fuzz(func(t *testing.T, name, ver, os string) {
		info := version.Info{Name: name, Version: ver, OS: os}
		out, err := info.AppendXML([]byte("x"))
		if err != nil {
			require.Equal(t, "x", string(out))
			return
		}
		e, err := stanza.ParseElement(out[1:])
		require.NoError(t, err)
		var again version.Info
		require.NoError(t, e.Decode(&again))
		require.Equal(t, info, again)
	})
}

// session is a client's, whose queries are answered by a function.
type session struct {
	xmpp.Session
	answer func(stanza.IQ) (stanza.IQ, error)
}

func (s session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) { return s.answer(iq) }

func TestGet(t *testing.T) {
	full := version.Info{Name: "Exodus", Version: "0.7.0.4"}
	for _, tt := range []struct {
		name string
		iq   stanza.IQ
		err  error
		want version.Info
		ok   bool
	}{
		{name: "an answer", iq: stanza.IQ{Payload: full}, want: full, ok: true},
		{name: "a refusal", err: stanza.ServiceUnavailable},
		{name: "an empty result"},
		{name: "an answer that says nothing", iq: stanza.IQ{Payload: version.Info{}}},
		{name: "something else", iq: stanza.IQ{Payload: disco.Info{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{answer: func(asked stanza.IQ) (stanza.IQ, error) {
				out, err := asked.Payload.AppendXML(nil)
				require.NoError(t, err)
				require.Equal(t, "<query xmlns='jabber:iq:version'/>", string(out))
				return tt.iq, tt.err
			}}
			got, err := version.Get(t.Context(), s, jid.MustParse("juliet@capulet.com/balcony"))
			require.Equal(t, tt.ok, err == nil, "%v", err)
			require.Equal(t, tt.want, got)
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
			}
		})
	}
}

// A client and the domains of a server answer, and say that they do.
func TestXEP0092_4_Answers(t *testing.T) {
	ours, theirs := version.Info{Name: "Dicebot", Version: "1"}, version.Info{Name: "Parlance", Version: "2", OS: "Plan 9"}
	srv, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{version.Server(theirs)}})
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	mux := muxer.New()
	version.Register(mux, ours)
	c := srv.Dial(t, "romeo", mux)
	for to, want := range map[jid.JID]version.Info{c.LocalAddr(): ours, c.RemoteAddr(): theirs} {
		got, err := version.Get(t.Context(), c, to)
		require.NoError(t, err)
		require.Equal(t, want, got)
		info, err := disco.GetInfo(t.Context(), c, to, "")
		require.NoError(t, err)
		require.True(t, info.Has(version.NS))
	}
	_, err = version.Get(t.Context(), c, c.LocalAddr().Bare())
	require.ErrorIs(t, err, stanza.ServiceUnavailable, "an account is no software")
}

// Who registers too little learns it at once.
func TestRegisterTooLittle(t *testing.T) {
	require.Panics(t, func() { version.Register(muxer.New(), version.Info{Name: "Dicebot"}) })
	_, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{version.Server(version.Info{Version: "1"})}})
	require.ErrorContains(t, err, "required")
}

func ExampleGet() {
	// In a program, s is a client.
	s := session{answer: func(stanza.IQ) (stanza.IQ, error) {
		return stanza.IQ{Type: stanza.IQResult, Payload: version.Info{Name: "Parlance", Version: "0.1"}}, nil
	}}
	info, err := version.Get(context.Background(), s, jid.MustParse("example.org"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name, info.Version)
	// Output: Parlance 0.1
}
