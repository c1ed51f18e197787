package disco_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// FuzzAppend: what is written reads back as it was, or is refused and nothing is
// written.
func FuzzAppend(f *testing.F) {
	f.Add("node", "client", "bot", "name", "de", "urn:xmpp:ping", "a@b/c")
	f.Add("'/>", "<", "&", "\"", "'", "]]>", "a@b/<'&\">")
	f.Add("\x00", "", "\xff", "\uFFFE", "\r\n\t", "", "")
	f.Fuzz(func(t *testing.T, node, category, typ, name, lang, feature, address string) {
		form, err := stanza.ParseElement([]byte(form))
		require.NoError(t, err)
		info := disco.Info{Node: node, Features: []string{feature, disco.NSItems}, Forms: []stanza.Element{form},
			Identities: []disco.Identity{{Category: category, Type: typ, Name: name, Lang: lang}, {Category: "a", Type: "b"}}}
		if out, err := info.AppendXML([]byte("before")); err != nil {
			require.Equal(t, "before", string(out))
		} else {
			var again disco.Info
			decode(t, out[len("before"):], &again)
			require.True(t, sameInfo(info, again), "%+v reads back as %+v", info, again)
		}

		j, _ := jid.ParseLenient(address)
		items := disco.Items{Node: node, Items: []disco.Item{{JID: j, Node: category, Name: name}, {JID: jid.MustParse("a@b")}}}
		if out, err := items.AppendXML([]byte("before")); err != nil {
			require.Equal(t, "before", string(out))
		} else {
			var again disco.Items
			decode(t, out[len("before"):], &again)
			require.Equal(t, items, again)
		}
	})
}

func decode(t *testing.T, b []byte, to stanza.Decoder) {
	t.Helper()
	e, err := stanza.ParseElement(b)
	require.NoError(t, err, "%s", b)
	require.NoError(t, e.Decode(to), "%s", b)
}

// Answers cost their bytes and nothing else.
func TestAppendAllocs(t *testing.T) {
	info := disco.Info{Node: "n", Features: []string{disco.NSInfo, disco.NSItems},
		Identities: []disco.Identity{{Category: "client", Type: "bot", Name: "Echo", Lang: "en"}}}
	items := disco.Items{Items: []disco.Item{{JID: jid.MustParse("chat.example.com"), Name: "Rooms"}}}
	buf := make([]byte, 0, 4096)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := info.AppendXML(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := items.AppendXML(buf); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
