package presence_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/presence"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// tracked is a tracker on a mux, with what Changed was called with.
type tracked struct {
	*presence.Tracker
	t       testing.TB
	mux     *muxer.Mux
	session *session
	changes []string
}

func track(t testing.TB, opts presence.Options) *tracked {
	tr := &tracked{t: t, mux: muxer.New(), session: newSession()}
	opts.Changed = func(_ context.Context, contact jid.JID) {
		tr.changes = append(tr.changes, fmt.Sprintf("%s:%d", contact, len(tr.All(contact)))) // may be called from here
	}
	tr.Tracker = presence.NewTracker(&opts)
	tr.Register(tr.mux)
	return tr
}

// arrive handles presences: "from", "type", and content.
func (tr *tracked) arrive(from, typ, content string) {
	tr.t.Helper()
	if typ != "" {
		typ = ` type='` + typ + `'`
	}
	require.NoError(tr.t, arrive(tr.t, tr.mux, tr.session, `<presence from='`+from+`'`+typ+`>`+content+`</presence>`))
}

// resources lists a contact's resources, best first.
func (tr *tracked) resources(contact jid.JID) string {
	var out []string
	for _, r := range tr.All(contact) {
		out = append(out, r.JID.Resourcepart())
	}
	return strings.Join(out, " ")
}

func (tr *tracked) takeChanges() []string {
	c := tr.changes
	tr.changes = nil
	return c
}

func priority(p int) string { return fmt.Sprintf("<priority>%d</priority>", p) }

func TestOrder(t *testing.T) {
	tr := track(t, presence.Options{})
	for _, step := range []struct {
		resource string
		priority int
		want     string
		best     string
	}{
		{"a", 0, "a", "a"},
		{"b", 0, "b a", "b"}, // a tie: the latest
		{"c", 5, "c b a", "c"},
		{"d", -1, "c b a d", "c"},
		{"a", 0, "c a b d", "c"}, // a presence again: the latest
		{"c", -5, "a b d c", "a"},
		{"e", 127, "e a b d c", "e"},
		{"a", 127, "a e b d c", "a"},
		{"a", -128, "e b d c a", "e"},
	} {
		tr.arrive("romeo@example.net/"+step.resource, "", priority(step.priority))
		best, ok := tr.Best(jid.MustParse("romeo@example.net/whatever"))
		if got := tr.resources(romeo); got != step.want || !ok || best.JID.Resourcepart() != step.best {
			t.Errorf("after %s %d: %q, best %v, %t; want %q, %s", step.resource, step.priority, got, best.JID, ok, step.want, step.best)
		}
	}
}

// TestI4_7_2_3_NegativePriority: it never gets messages meant for whoever is there.
func TestI4_7_2_3_NegativePriority(t *testing.T) {
	tr := track(t, presence.Options{})
	tr.arrive("romeo@example.net/a", "", priority(-1))
	if best, ok := tr.Best(romeo); ok {
		t.Errorf("Best = %+v; want none", best)
	}
	if tr.resources(romeo) != "a" || !slices.Contains(slices.Collect(tr.Online()), romeo) {
		t.Error("a resource with negative priority is available all the same")
	}
}

func TestResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := track(t, presence.Options{})
		time.Sleep(time.Hour)
		tr.arrive("romeo@example.net/a", "", `<show>dnd</show><status>Wooing Juliet</status><status xml:lang='cs'>Dvořím se Julii</status>`+
			priority(1)+`<level xmlns='urn:example:game' n='3'/>`)
		got, ok := tr.Lookup(jid.MustParse("romeo@example.net/a"))
		require.True(t, ok)
		if got.Show != stanza.ShowDND || got.Priority != 1 || got.Status.In("cs") != "Dvořím se Julii" || !got.Arrived.Equal(time.Now()) {
			t.Errorf("resource %+v", got)
		}
		var l level
		if found, err := got.Payloads.Decode(&l); !found || err != nil || l.N != "3" {
			t.Errorf("payload %+v, %t, %v", l, found, err)
		}
		if _, ok := tr.Lookup(romeo); ok {
			t.Error("Lookup of the bare JID found a resource")
		}
	})
}

// TestI4_5_Gone: what makes a resource, or all of a contact, go.
func TestI4_5_Gone(t *testing.T) {
	gone := `<error type='modify'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:la-mer@example.com</gone></error>`
	for _, tt := range []struct{ name, from, typ, content, want string }{
		{"unavailable (§4.5.3)", "romeo@example.net/a", "unavailable", `<status>bye</status>`, "c b"},
		{"unavailable from the bare JID is for all (§4.5.4)", "romeo@example.net", "unavailable", ``, ""},
		{"one that was not there", "romeo@example.net/z", "unavailable", ``, "c b a"},
		{"error of a resource", "romeo@example.net/b", "error", `<error type='cancel'/>`, "c a"},
		{"error of the bare JID: gone (§4.3.2)", "romeo@example.net", "error", gone, ""},
		{"the subscription was cancelled (§3.2.3)", "romeo@example.net", "unsubscribed", ``, ""},
		{"a request changes nothing", "romeo@example.net", "subscribe", ``, "c b a"},
		{"another contact", "mercutio@example.net", "unavailable", ``, "c b a"},
		{"the server of the contact", "example.net", "unavailable", ``, "c b a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := track(t, presence.Options{})
			for _, r := range []string{"a", "b", "c"} {
				tr.arrive("romeo@example.net/"+r, "", "")
			}
			tr.takeChanges()
			tr.arrive(tt.from, tt.typ, tt.content)
			if got := tr.resources(romeo); got != tt.want {
				t.Errorf("left %q; want %q", got, tt.want)
			}
			var want []string
			if tt.want != "c b a" {
				want = []string{fmt.Sprintf("romeo@example.net:%d", len(strings.Fields(tt.want)))}
			}
			if got := tr.takeChanges(); !slices.Equal(got, want) {
				t.Errorf("changes %q; want %q", got, want)
			}
			if online := slices.Collect(tr.Online()); len(online) > 0 != (tt.want != "") {
				t.Errorf("online %v", online)
			}
		})
	}
}

// The own account: its other devices, not this one (which the server echoes, §4.2.2).
func TestOwnAccount(t *testing.T) {
	tr := track(t, presence.Options{Known: func(jid.JID) bool { return false }, Strangers: -1})
	tr.arrive("juliet@example.com/balcony", "", "")
	tr.arrive("juliet@example.com/chamber", "", "")
	if got := tr.resources(juliet); got != "chamber" {
		t.Errorf("own resources %q; want chamber", got)
	}
}

func TestNotTracked(t *testing.T) {
	tr := track(t, presence.Options{})
	tr.arrive("den@chat.example.net/thirdwitch", "", `<x xmlns='http://jabber.org/protocol/muc#user'/>`)
	require.NoError(t, arrive(t, tr.mux, tr.session, `<presence/>`))
	require.Empty(t, slices.Collect(tr.Online()))

	// A gateway has no resource; its bare address is one.
	tr.arrive("gateway.example.com", "", "")
	if r, ok := tr.Best(jid.MustParse("gateway.example.com")); !ok || r.JID != jid.MustParse("gateway.example.com") {
		t.Errorf("Best = %+v, %t", r, ok)
	}
	tr.arrive("gateway.example.com", "unavailable", "")
	require.Empty(t, slices.Collect(tr.Online()))
}

// TestSec_TrackerIsBounded: nobody makes it grow without limit, and strangers
// crowd out nobody who is known.
func TestSec_TrackerIsBounded(t *testing.T) {
	tr := track(t, presence.Options{
		Known:      func(j jid.JID) bool { return j.Domainpart() == "example.net" && j.IsBare() },
		Limit:      4,
		Strangers:  3,
		PerContact: 2,
	})
	online := func() string {
		var out []string
		for j := range tr.Online() {
			out = append(out, fmt.Sprintf("%s:%s", j.Localpart(), tr.resources(j)))
		}
		return strings.Join(out, " ")
	}
	for i := range 10 {
		tr.arrive(fmt.Sprintf("s%d@evil.example/r", i), "", "")
	}
	require.Equal(t, "s7:r s8:r s9:r", online(), "the latest strangers")

	for _, r := range []string{"a", "b", "c"} {
		tr.arrive("romeo@example.net/"+r, "", "")
	}
	require.Equal(t, "s7:r s8:r s9:r romeo:c b", online(), "the latest of one contact")
	tr.takeChanges()

	// The oldest arrival makes room, and its contact is told.
	tr.arrive("romeo@example.net/b", "", "")
	tr.arrive("mercutio@example.net/a", "", "")
	tr.arrive("benvolio@example.net/a", "", "")
	require.Equal(t, "s7:r s8:r s9:r benvolio:a mercutio:a romeo:b c", online())
	tr.takeChanges()
	tr.arrive("tybalt@example.net/a", "", "")
	require.Equal(t, "s7:r s8:r s9:r benvolio:a mercutio:a romeo:b tybalt:a", online())
	require.Equal(t, []string{"romeo@example.net:1", "tybalt@example.net:1"}, tr.takeChanges())

	// A flood of strangers, with many resources each.
	for i := range 1000 {
		tr.arrive(fmt.Sprintf("s@evil.example/%d", i), "", "")
		tr.arrive(fmt.Sprintf("s%d@evil.example/r", i), "", "")
	}
	require.Contains(t, online(), "benvolio:a mercutio:a romeo:b tybalt:a")
	require.Len(t, strings.Fields(online()), 7)

	// Those who go make room.
	tr.arrive("tybalt@example.net/a", "unavailable", "")
	tr.arrive("romeo@example.net/c", "", "")
	require.Contains(t, online(), "benvolio:a mercutio:a romeo:c b")
}

// A stranger who becomes known moves over, and back.
func TestKnownChanges(t *testing.T) {
	known := false
	tr := track(t, presence.Options{Known: func(jid.JID) bool { return known }, Limit: 1, Strangers: 1})
	tr.arrive("romeo@example.net/a", "", "")
	known = true
	tr.arrive("romeo@example.net/a", "", "")
	known = false
	tr.arrive("mercutio@example.net/a", "", "")
	require.Equal(t, "a", tr.resources(romeo))
	tr.arrive("romeo@example.net/a", "", "") // known no longer: one place for two
	require.Equal(t, []jid.JID{romeo}, slices.Collect(tr.Online()))
}

func TestNoStrangers(t *testing.T) {
	known := true
	tr := track(t, presence.Options{Known: func(jid.JID) bool { return known }, Strangers: -1})
	tr.arrive("romeo@example.net/a", "", "")
	known = false
	tr.arrive("mercutio@example.net/a", "", "")
	require.Equal(t, []string{"romeo@example.net:1"}, tr.takeChanges())
	tr.arrive("romeo@example.net/a", "", "")
	require.Equal(t, []string{"romeo@example.net:0"}, tr.takeChanges())
	require.Empty(t, slices.Collect(tr.Online()))
}

// TestSec_LargePresence: what is large does not stay.
func TestSec_LargePresence(t *testing.T) {
	tr := track(t, presence.Options{})
	for _, tt := range []struct {
		size int
		kept bool
	}{{1 << 10, true}, {100 << 10, false}} {
		tr.arrive("romeo@example.net/a", "", `<show>away</show><status>s</status><x xmlns='urn:x'>`+strings.Repeat("x", tt.size)+`</x>`)
		got, ok := tr.Best(romeo)
		if !ok || got.Show != stanza.ShowAway || (len(got.Payloads) > 0) != tt.kept || (len(got.Status) > 0) != tt.kept {
			t.Errorf("of %d bytes: %d payloads, %d texts, %t; kept: %t", tt.size, len(got.Payloads), len(got.Status), ok, tt.kept)
		}
	}
}

// A session that is lost leaves nobody available; one that is only suspended changes nothing.
func TestTrackerOfALostSession(t *testing.T) {
	tr := track(t, presence.Options{})
	tr.arrive("romeo@example.net/orchard", "", "")
	for _, status := range []xmpp.Status{xmpp.Suspended, xmpp.Resumed, xmpp.Online} {
		tr.mux.HandleEvent(t.Context(), xmpp.Event{Status: status})
		require.NotEmpty(t, slices.Collect(tr.Online()))
	}
	tr.mux.HandleEvent(t.Context(), xmpp.Event{Status: xmpp.Offline})
	require.Empty(t, slices.Collect(tr.Online()))
}

func TestReset(t *testing.T) {
	tr := track(t, presence.Options{})
	tr.arrive("romeo@example.net/a", "", "")
	tr.arrive("romeo@example.net/b", "", "")
	tr.arrive("mercutio@example.net/a", "", "")
	tr.takeChanges()
	tr.Reset(t.Context())
	require.Equal(t, []string{"mercutio@example.net:0", "romeo@example.net:0"}, tr.takeChanges())
	require.Empty(t, slices.Collect(tr.Online()))
	require.Empty(t, tr.All(romeo))
	tr.arrive("romeo@example.net/b", "", "") // and begins again
	require.Equal(t, "b", tr.resources(romeo))
}

// For the race detector.
func TestTrackerConcurrently(t *testing.T) {
	mux := muxer.New()
	var tr *presence.Tracker
	tr = presence.NewTracker(&presence.Options{Limit: 10, Changed: func(_ context.Context, j jid.JID) { tr.All(j) }})
	tr.Register(mux)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				typ := []string{"", " type='unavailable'"}[i%2]
				st, err := stanza.Parse(fmt.Appendf(nil, `<presence from='romeo%d@example.net/%d'%s/>`, i%7, g, typ))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = mux.HandleStanza(xmpp.WithSession(t.Context(), newSession()), st)
				for j := range tr.Online() {
					tr.Best(j)
				}
				if i%50 == 0 {
					tr.Reset(t.Context())
				}
			}
		})
	}
	wg.Wait()
	tr.Reset(t.Context())
	require.Empty(t, slices.Collect(tr.Online()))
}
