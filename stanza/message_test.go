package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var (
	juliet = jid.MustParse("juliet@example.com/balcony")
	romeo  = jid.MustParse("romeo@example.net/orchard")
)

// parse reads a stanza that must be good.
func parse(t *testing.T, s string) *stanza.Raw {
	t.Helper()
	raw, err := stanza.Parse([]byte(s))
	require.NoError(t, err, "%s", s)
	return raw
}

// written returns s as XML.
func written(t *testing.T, s stanza.Stanza) string {
	t.Helper()
	b, err := s.AppendXML(nil)
	require.NoError(t, err)
	return string(b)
}

// TestI5_2_Message: each part of a message has its place in the struct and on
// the wire.
func TestI5_2_Message(t *testing.T) {
	for _, tt := range []struct {
		name string
		xml  string
		want stanza.Message
	}{
		{"empty", `<message/>`, stanza.Message{}},
		{"chat", `<message type='chat' id='ktx72v49' to='juliet@example.com/balcony' from='romeo@example.net/orchard' xml:lang='en'><body>Art thou not Romeo?</body></message>`,
			stanza.Message{To: juliet, From: romeo, ID: "ktx72v49", Type: stanza.MessageChat, Lang: "en", Body: stanza.Plain("Art thou not Romeo?")}},
		{"languages", `<message><subject>I implore you!</subject><subject xml:lang='cs'>Úpěnlivě prosím!</subject><body>Wherefore?</body><body xml:lang='cs'>Pročež?</body></message>`,
			stanza.Message{
				Subject: stanza.Text{{Value: "I implore you!"}, {Lang: "cs", Value: "Úpěnlivě prosím!"}},
				Body:    stanza.Text{{Value: "Wherefore?"}, {Lang: "cs", Value: "Pročež?"}},
			}},
		{"thread", `<message><thread parent='e0ff'>0e37</thread></message>`,
			stanza.Message{Thread: stanza.Thread{ID: "0e37", Parent: "e0ff"}}},
		{"markup in text", `<message><body>&lt;/body&gt;&lt;x&gt; &amp; 'y' "z"</body></message>`,
			stanza.Message{Body: stanza.Plain(`</body><x> & 'y' "z"`)}},
		{"empty body", `<message><body/></message>`, stanza.Message{Body: stanza.Plain("")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.xml).Message()
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.xml, written(t, got))
		})
	}
}

// TestI5_2_2_MessageType: an unknown type is taken for normal.
func TestI5_2_2_MessageType(t *testing.T) {
	for wire, want := range map[string]stanza.MessageType{
		"":                   stanza.MessageNormal,
		" type='normal'":     stanza.MessageNormal,
		" type='chat'":       stanza.MessageChat,
		" type='groupchat'":  stanza.MessageGroupchat,
		" type='headline'":   stanza.MessageHeadline,
		" type='whispering'": stanza.MessageNormal,
	} {
		m, err := parse(t, "<message"+wire+"/>").Message()
		require.NoError(t, err)
		require.Equal(t, want, m.Type, wire)
	}
}

// TestC8_4_UnknownPayloads: what the library does not know is kept as it came,
// through decoding and encoding.
func TestC8_4_UnknownPayloads(t *testing.T) {
	const xml = `<message type='chat'><body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/>` +
		`<x xmlns='urn:example:a' b='1'>text<y xmlns='urn:example:b'><z/></y>tail</x><odd/></message>`
	m, err := parse(t, xml).Message()
	require.NoError(t, err)
	require.Len(t, m.Payloads, 3)
	require.Equal(t, xml, written(t, m))

	e, ok := m.Payloads.Element("urn:example:a", "x")
	require.True(t, ok)
	require.Equal(t, "texttail", e.Text())
	require.Equal(t, "1", e.Attr("b"))
}

// TestSec_InnerStanza: a stanza inside a stanza cannot change the outer one.
func TestSec_InnerStanza(t *testing.T) {
	m, err := parse(t, `<message from='romeo@example.net/orchard'><x xmlns='urn:example:wrap'><body>not mine</body>`+
		`<message xmlns='jabber:client' from='juliet@example.com/balcony'><body>spoofed</body></message></x></message>`).Message()
	require.NoError(t, err)
	require.Nil(t, m.Body)
	require.Equal(t, romeo, m.From)
	require.Len(t, m.Payloads, 1)
}

// TestSec_Forgery: no value can become markup.
func TestSec_Forgery(t *testing.T) {
	evil := `'/><message from="admin@example.com"><body>&pwned;</body></message><x a='`
	m := stanza.Message{
		ID: evil, Lang: evil, Type: stanza.MessageType(evil),
		Subject: stanza.Plain(evil), Body: stanza.Text{{Lang: evil, Value: evil}},
		Thread: stanza.Thread{ID: evil, Parent: evil},
		Error:  &stanza.Error{Condition: stanza.Gone, Text: evil, Address: evil, Lang: evil, Type: stanza.ErrorType(evil)},
	}
	got, err := parse(t, written(t, m)).Message()
	require.NoError(t, err)
	require.Equal(t, evil, got.ID)
	require.Equal(t, m.Body, got.Body)
	require.Equal(t, m.Subject, got.Subject)
	require.Equal(t, m.Thread, got.Thread)
	require.Equal(t, evil, got.Error.Text)
	require.Equal(t, evil, got.Error.Address)
}

// TestC11_ForbiddenCharacters: what XML cannot carry is refused, and nothing is
// written.
func TestC11_ForbiddenCharacters(t *testing.T) {
	before := []byte("before")
	for _, bad := range []string{"\x00", "\x1b[31m", "\xff", "\uffff", "\xed\xa0\x80"} {
		for _, m := range []stanza.Message{
			{Body: stanza.Plain(bad)}, {ID: bad}, {Lang: bad}, {Thread: stanza.Thread{ID: bad}},
		} {
			got, err := m.AppendXML(before)
			require.ErrorIs(t, err, stanza.ErrCharacter, "%q", bad)
			require.Equal(t, "before", string(got))
		}
	}
}

// TestI5_2_3_OneBodyPerLanguage: two bodies in one language are not sent, and
// of those received the first counts.
func TestI5_2_3_OneBodyPerLanguage(t *testing.T) {
	_, err := stanza.Message{Body: stanza.Text{{Lang: "de", Value: "a"}, {Lang: "DE", Value: "b"}}}.AppendXML(nil)
	require.Error(t, err)

	m, err := parse(t, `<message><body>first</body><body>second</body></message>`).Message()
	require.NoError(t, err)
	require.Equal(t, stanza.Plain("first"), m.Body)
}

func TestReply(t *testing.T) {
	thread := stanza.Thread{ID: "t"}
	body := stanza.Plain("yes")
	for _, tt := range []struct {
		name string
		in   stanza.Message
		want stanza.Message
	}{
		{"chat", stanza.Message{From: romeo, To: juliet, ID: "1", Type: stanza.MessageChat, Lang: "en", Thread: thread},
			stanza.Message{To: romeo, Type: stanza.MessageChat, Lang: "en", Thread: thread, Body: body}},
		{"room", stanza.Message{From: romeo, Type: stanza.MessageGroupchat},
			stanza.Message{To: romeo.Bare(), Type: stanza.MessageGroupchat, Body: body}},
		{"error", stanza.Message{From: romeo, Type: stanza.MessageError},
			stanza.Message{To: romeo, Body: body}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.in.Reply(body)) })
	}
}

func TestTextIn(t *testing.T) {
	text := stanza.Text{{Lang: "en", Value: "hello"}, {Lang: "de", Value: "hallo"}, {Lang: "zh-Hant", Value: "你好"}}
	for _, tt := range []struct {
		prefer []string
		want   string
	}{
		{[]string{"de"}, "hallo"},
		{[]string{"DE-ch-1996"}, "hallo"},
		{[]string{"fr", "de"}, "hallo"},
		{[]string{"zh-Hant-x-private"}, "你好"}, // RFC 4647 §3.4: x goes with what follows it
		{[]string{"fr"}, "hello"},
		{nil, "hello"},
	} {
		if got := text.In(tt.prefer...); got != tt.want {
			t.Errorf("In(%q) = %q; want %q", tt.prefer, got, tt.want)
		}
	}
	if got := (stanza.Text{{Lang: "en", Value: "hello"}, {Value: "ahoj"}}).String(); got != "ahoj" {
		t.Errorf("String = %q; want the value in the stanza's own language", got)
	}
}
