package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A stanza costs its bytes in the buffer that was given, and nothing else.
func TestAppendAllocs(t *testing.T) {
	buf := make([]byte, 0, 4096)
	for _, tt := range encodings {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := tt.p.AppendXML(buf); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations, want 0", tt.name, got)
		}
	}
	// Without a detour through an interface it is the same.
	m, in := chatMessage(english, active, receipt), stanza.Text{{Value: "hello"}, {Lang: "de", Value: "hallo"}, {Lang: "ja", Value: "こんにちは"}}
	m.Subject, m.Body, m.Thread = in, in, stanza.Thread{ID: "e0ffe42b28561960c6b12b944a092794b9683a38", Parent: "x"}
	if got := testing.AllocsPerRun(100, func() {
		if _, err := m.AppendXML(buf); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("several languages: %v allocations, want 0", got)
	}
	raw, h := forwarded(t)
	for name, s := range map[string]stanza.Stanza{"raw": raw, "message": m, "presence": stanza.Presence{Priority: 1}, "iq": stanza.IQ{Type: stanza.IQResult}} {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := stanza.AppendWith(buf, s, h); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("AppendWith of a %s: %v allocations, want 0", name, got)
		}
	}
	wrapper := func(w *stanza.Writer) {
		w.Start("urn:xmpp:forward:0", "forwarded")
		w.Payload(receipt)
		w.Payload(&stanza.Error{Condition: stanza.Gone}) // to which a declaration is added
		w.End()
	}
	if got := testing.AllocsPerRun(100, func() {
		w := stanza.NewWriter(buf)
		wrapper(w)
		if _, err := w.Bytes(); err != nil {
			t.Fatal(err)
		}
	}); got > 2 { // the writer, which goes to an unknown function, and the error
		t.Errorf("within another element: %v allocations, want at most 2", got)
	}
}

// AppendWith writes the same for a stanza however it is held.
func TestAppendWith_AnyHolder(t *testing.T) {
	m := chatMessage(english, active)
	p := stanza.Presence{Show: stanza.ShowAway, Priority: -128}
	iq := stanza.IQ{Type: stanza.IQGet, Payload: active}
	raw := parse(t, `<message custom='1'><body>x</body></message>`)
	h := stanza.Header{ID: "1", To: juliet, From: romeo, Type: "t", Lang: "en"}
	const head = ` type='t' id='1' to='juliet@example.com/balcony' from='romeo@example.net/orchard' xml:lang='en'`
	for _, tt := range []struct {
		want string
		held []stanza.Stanza
	}{
		{`<message` + head + `><body>` + english + `</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
			[]stanza.Stanza{m, &m, struct{ stanza.Message }{m}, struct{ *stanza.Message }{&m}, struct{ stanza.Stanza }{m}}},
		{`<presence` + head + `><show>away</show><priority>-128</priority></presence>`, []stanza.Stanza{p, &p, struct{ stanza.Presence }{p}}},
		{`<iq` + head + `><active xmlns='http://jabber.org/protocol/chatstates'/></iq>`, []stanza.Stanza{iq, &iq, struct{ stanza.IQ }{iq}}},
		{`<message` + head + ` custom='1'><body>x</body></message>`, []stanza.Stanza{raw, struct{ *stanza.Raw }{raw}}},
	} {
		for _, s := range tt.held {
			got, err := stanza.AppendWith([]byte("before"), s, h)
			require.NoError(t, err)
			require.Equal(t, "before"+tt.want, string(got), "%T", s)
		}
	}
}

// A type that overrides the header of the stanza it embeds can take from it what makes it
// one.
func TestAppendWith_NoKind(t *testing.T) {
	got, err := stanza.AppendWith([]byte("before"), kindless{}, stanza.Header{Kind: stanza.KindIQ})
	require.Error(t, err)
	require.Equal(t, "before", string(got))
}

type kindless struct{ stanza.Message }

func (kindless) Header() stanza.Header { return stanza.Header{Kind: 77} }

// What is forwarded keeps the attributes that nobody here knows, whatever they
// hold, and the prefixes that something inside may refer to.
func TestAppendWith_OtherAttributes(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`<message xmlns='jabber:client' other="it's"/>`, `<message from='romeo@example.net/orchard' other='it&apos;s'/>`},
		{`<message a="&quot;'&lt;"/>`, `<message from='romeo@example.net/orchard' a='"&apos;&lt;'/>`},
		{`<message a='&quot;&apos;&#10;' xml:space='preserve'/>`, `<message from='romeo@example.net/orchard' a='&quot;&apos;&#10;' xml:space='preserve'/>`},
		{`<message xmlns:p='urn:p' p:to='x' xmlns:xs='urn:xs'><a xmlns='urn:a' type='xs:string'/></message>`,
			`<message from='romeo@example.net/orchard' xmlns:p='urn:p' p:to='x' xmlns:xs='urn:xs'><a xmlns='urn:a' type='xs:string'/></message>`},
	} {
		raw := parse(t, tt.in)
		h := raw.Header()
		h.From = romeo
		got, err := stanza.AppendWith(nil, raw, h)
		require.NoError(t, err)
		require.Equal(t, tt.want, string(got))
		again := parse(t, string(got)).Element()
		for name, value := range raw.Element().Attrs() {
			v, ok := again.LookupAttr(name.Space, name.Local)
			require.True(t, ok)
			require.Equal(t, value, v)
		}
	}
}

// A resource may hold what XML does not allow in an attribute.
func TestAppend_Address(t *testing.T) {
	odd, err := jid.MustParse("a@b").WithResource(`<'&"> ü`)
	require.NoError(t, err)
	m, err := parse(t, written(t, stanza.Message{To: odd, From: odd})).Message()
	require.NoError(t, err)
	require.Equal(t, odd, m.To)
	require.Equal(t, odd, m.From)
}
