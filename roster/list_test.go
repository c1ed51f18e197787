package roster_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
)

func jidOf(s string) jid.JID { return lenient(s) }

// held describes a list in a few words: "a@x:both b@x:none ver=7".
func held(l *roster.List) string {
	var b strings.Builder
	for i := range l.All() {
		fmt.Fprintf(&b, "%s:%s ", i.JID, i.Subscription)
	}
	return b.String() + "ver=" + l.Roster().Ver
}

// A new session loads the list again, if it was loaded.
func TestListOfANewSession(t *testing.T) {
	mux, list, asked := muxer.New(), roster.NewList(nil), 0
	list.Register(mux)
	s := session{server: func(string) string {
		asked++
		return result(fmt.Sprintf(`<query xmlns='jabber:iq:roster'><item jid='a%d@x'/></query>`, asked))
	}}
	event := func(status xmpp.Status) {
		mux.HandleEvent(xmpp.WithSession(t.Context(), s), xmpp.Event{Status: status})
	}
	event(xmpp.Online)
	require.Zero(t, asked, "nobody has wanted it")
	require.NoError(t, list.Load(t.Context(), s))
	for _, status := range []xmpp.Status{xmpp.Suspended, xmpp.Resumed, xmpp.Offline} {
		event(status)
	}
	require.Equal(t, 1, asked)
	event(xmpp.Online)
	require.Equal(t, "a2@x:none ver=", held(list))
}

// The answer to Load and the pushes around it come out right in every order
// in which two goroutines may handle them.
func TestLoadAndPushesDoNotRace(t *testing.T) {
	answer := result(`<query xmlns='jabber:iq:roster' ver='5'><item jid='a@x' subscription='to'/><item jid='b@x'/></query>`)
	both := `<query xmlns='jabber:iq:roster' ver='6'><item jid='a@x' subscription='both'/></query>`
	gone := `<query xmlns='jabber:iq:roster' ver='7'><item jid='b@x' subscription='remove'/></query>`
	added := `<query xmlns='jabber:iq:roster' ver='8'><item jid='c@x'/></query>`
	old := `<query xmlns='jabber:iq:roster' ver='4'><item jid='a@x'/></query>`
	old2 := `<query xmlns='jabber:iq:roster' ver='5'><item jid='a@x' subscription='to'/></query>`

	for _, tt := range []struct {
		name          string
		during, after []string // handled before, and after, Load takes up the answer
		want          string
	}{
		{"no pushes", nil, nil, "a@x:to b@x:none ver=5"},
		{"sent after the answer, handled before it", []string{both, gone, added}, nil, "a@x:both c@x:none ver=8"},
		{"some before, some after", []string{both}, []string{gone, added}, "a@x:both c@x:none ver=8"},
		{"all after", nil, []string{both, gone, added}, "a@x:both c@x:none ver=8"},
		{"sent and handled before the answer", []string{old, old2}, nil, "a@x:to b@x:none ver=5"},
		{"sent before the answer, handled after it", nil, []string{old, old2}, "a@x:to b@x:none ver=5"},
		{"around it", []string{old}, []string{old2, both}, "a@x:both b@x:none ver=6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux := muxer.New()
			list := roster.NewList(nil)
			list.Register(mux)
			err := list.Load(t.Context(), session{server: func(string) string {
				for _, p := range tt.during {
					require.NoError(t, push(t, mux, "", p))
				}
				return answer
			}})
			require.NoError(t, err)
			for _, p := range tt.after {
				require.NoError(t, push(t, mux, "", p))
			}
			if got := held(list); got != tt.want {
				t.Errorf("list holds %q; want %q", got, tt.want)
			}
		})
	}
}

// TestI2_6_3_LoadSince: versions across streams.
func TestI2_6_3_LoadSince(t *testing.T) {
	mux := muxer.New()
	list := roster.NewList(&roster.ListOptions{Known: roster.Roster{Ver: "3", Items: []roster.Item{{JID: jidOf("a@x")}}}})
	list.Register(mux)
	var asked string
	require.NoError(t, list.LoadSince(t.Context(), session{server: func(q string) string {
		asked = q
		return result(``)
	}}))
	require.Contains(t, asked, "ver='3'")
	require.Equal(t, "a@x:none ver=3", held(list))

	// The version of the last push, not of the result, is where to go on from.
	require.NoError(t, push(t, mux, "", `<query xmlns='jabber:iq:roster' ver='4'><item jid='b@x'/></query>`))
	require.NoError(t, push(t, mux, "", query(`<item jid='c@x'/>`))) // without a version: the last one stands
	require.NoError(t, list.LoadSince(t.Context(), session{server: func(q string) string {
		asked = q
		require.NoError(t, push(t, mux, "", `<query xmlns='jabber:iq:roster' ver='5'><item jid='a@x' subscription='remove'/></query>`))
		return result(``)
	}}))
	require.Contains(t, asked, "ver='4'")
	require.Equal(t, "b@x:none c@x:none ver=5", held(list))

	// A failure leaves everything as it is.
	require.Error(t, list.LoadSince(t.Context(), session{server: func(string) string { return failure("internal-server-error") }}))
	require.Equal(t, "b@x:none c@x:none ver=5", held(list))
}

func TestChanged(t *testing.T) {
	mux := muxer.New()
	var got []string
	var list *roster.List
	list = roster.NewList(&roster.ListOptions{Changed: func(_ context.Context, contact jid.JID) {
		item, ok := list.Lookup(contact) // may be called from here
		got = append(got, fmt.Sprintf("%s:%s:%t", contact, item.Subscription, ok))
	}})
	list.Register(mux)
	load := func(items string) {
		got = nil
		require.NoError(t, list.Load(t.Context(), session{server: func(string) string { return result(query(items)) }}))
	}
	load(`<item jid='b@x'/><item jid='a@x'/>`)
	require.Equal(t, []string{"a@x:none:true", "b@x:none:true"}, got)
	load(`<item jid='a@x'/><item jid='b@x'/>`)
	require.Empty(t, got, "nothing has changed")
	load(`<item jid='a@x' subscription='to'/><item jid='c@x'/>`)
	require.Equal(t, []string{"a@x:to:true", "b@x:none:false", "c@x:none:true"}, got)

	got = nil
	for _, p := range []string{
		`<item jid='a@x' subscription='both'/>`, `<item jid='a@x' subscription='both'/>`,
		`<item jid='a@x' subscription='remove'/>`, `<item jid='a@x' subscription='remove'/>`,
	} {
		require.NoError(t, push(t, mux, "", query(p)))
	}
	require.Equal(t, []string{"a@x:both:true", "a@x:none:false"}, got)
}

func TestLookup(t *testing.T) {
	list := roster.NewList(&roster.ListOptions{Known: roster.Roster{Items: []roster.Item{
		{JID: jidOf("romeo@example.net"), Name: "Romeo"},
		{JID: jidOf("romeo@example.net/orchard"), Name: "Romeo outside"},
		{JID: jidOf("gateway.example"), Name: "Gateway"},
	}}})
	for in, want := range map[string]string{
		"romeo@example.net": "Romeo", "romeo@example.net/home": "Romeo", "romeo@example.net/orchard": "Romeo outside",
		"gateway.example/x": "Gateway", "example.net": "", "juliet@example.com": "",
	} {
		item, ok := list.Lookup(jidOf(in))
		if item.Name != want || ok != (want != "") || list.Contains(jidOf(in)) != ok {
			t.Errorf("Lookup(%s) = %q, %t; want %q", in, item.Name, ok, want)
		}
	}
	if list.Len() != 3 {
		t.Errorf("Len = %d; want 3", list.Len())
	}
	for range list.All() {
		break // leaves nothing behind
	}
}

// For the race detector.
func TestListConcurrently(t *testing.T) {
	mux := muxer.New()
	var list *roster.List
	list = roster.NewList(&roster.ListOptions{Changed: func(_ context.Context, j jid.JID) { list.Contains(j) }})
	list.Register(mux)
	s := session{server: func(string) string { return result(query(`<item jid='a@x'/><item jid='b@x'/>`)) }}
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for range 50 {
				if err := list.Load(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for n := range 50 {
				_ = push(t, mux, "", query(fmt.Sprintf(`<item jid='p%d@x' name='%d'/>`, i, n)))
				for range list.All() {
					list.Len()
				}
			}
		})
	}
	wg.Wait()
	// After the dust has settled, one more Load tells the truth.
	require.NoError(t, list.Load(t.Context(), s))
	require.Equal(t, "a@x:none b@x:none ver=", held(list))
	require.True(t, slices.IsSortedFunc(list.Roster().Items, func(a, b roster.Item) int { return a.JID.Compare(b.JID) }))
}
