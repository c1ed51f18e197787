package roster_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// FuzzAppend: a query that is written reads back as it was. By design a version
// that is there has HasVer, and "none" is the zero subscription.
func FuzzAppend(f *testing.F) {
	f.Add("ver", true, "a@b", "name", "group", "", "both", true, false)
	f.Add("", true, "a@b/<'&\">", "'/><item jid='", "]]>", "\r\n", "none", false, true)
	f.Add("\x00", false, "", "\xff", "\uFFFE", "x", "made-up", true, true)
	f.Fuzz(func(t *testing.T, ver string, hasVer bool, address, name, group1, group2, subscription string, ask, approved bool) {
		j, _ := jid.ParseLenient(address)
		q := roster.Query{Ver: ver, HasVer: hasVer, Items: []roster.Item{
			{JID: j, Name: name, Groups: []string{group1, group2}, Subscription: roster.Subscription(subscription), Ask: ask, Approved: approved},
			{JID: jid.MustParse("c@d")},
		}}
		out, err := q.AppendXML([]byte("before"))
		switch q.Items[0].Subscription {
		case roster.None, roster.To, roster.From, roster.Both, roster.Remove:
		case "none":
			q.Items[0].Subscription = roster.None
		default:
			require.Error(t, err)
		}
		if j.IsZero() || !expressible(ver, name, group1, group2) {
			require.Error(t, err)
		}
		if err != nil {
			require.Equal(t, "before", string(out))
			require.False(t, !j.IsZero() && expressible(ver, name, group1, group2, subscription) && strings.HasPrefix(err.Error(), "stanza: "))
			return
		}
		e, err := stanza.ParseElement(out[len("before"):])
		require.NoError(t, err, "%s", out)
		var again roster.Query
		require.NoError(t, e.Decode(&again))
		q.HasVer = q.HasVer || q.Ver != ""
		require.Equal(t, q, again, "%s", out)
	})
}

// expressible reports whether XML can carry all of these.
func expressible(all ...string) bool {
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
		}) {
			return false
		}
	}
	return true
}

// A roster costs its bytes and nothing else.
func TestAppendAllocs(t *testing.T) {
	q := roster.Query{Ver: "7", Items: []roster.Item{
		{JID: jid.MustParse("romeo@example.net"), Name: "Romeo", Groups: []string{"Friends", "Montagues"}, Subscription: roster.Both, Ask: true, Approved: true},
		{JID: jid.MustParse("nurse@example.com")},
	}}
	buf := make([]byte, 0, 4096)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := q.AppendXML(buf); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
