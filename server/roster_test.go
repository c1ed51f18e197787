package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// set is a roster set of one item.
func set(id, attrs, content string) string {
	return "<iq type='set' id='" + id + "'><query xmlns='jabber:iq:roster'><item " + attrs + ">" + content + "</item></query></iq>"
}

func result(c *client, id string) string {
	return "<iq type='result' id='" + id + "' to='" + c.addr.String() + "'/>"
}

func iqError(c *client, id, from, err string) string {
	if from != "" {
		from = "from='" + from + "' "
	}
	return "<iq type='error' id='" + id + "' " + from + "to='" + c.addr.String() + "'>" + err + "</iq>"
}

func TestI2_1_4_EmptyRoster(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='bv1bs71f'><query xmlns='jabber:iq:roster'/></iq>")
	juliet.expect("<iq type='result' id='bv1bs71f' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'/></iq>")
}

// Sets are pushed to the interested sessions, that of the sender included, and
// answered with a result; to nobody else.
func TestI2_3_2_AddUpdateRemove(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	balcony, chamber, hall := h.interested("juliet", "balcony"), h.interested("juliet", "chamber"), h.online("juliet", "hall", "")
	push := func(c *client, attrs, content string) string {
		return "<iq type='set' id='*' to='" + c.addr.String() + "'><query xmlns='jabber:iq:roster' ver='*'><item " + attrs + ">" + content + "</item></query></iq>"
	}
	for i, tt := range []struct{ attrs, content, wantAttrs, wantContent string }{
		{"jid='nurse@capulet.example' name='Nurse'", "<group>Servants</group>", "jid='nurse@capulet.example' name='Nurse' subscription='none'", "<group>Servants</group>"},
		// What the client has no say in is ignored (§2.1.2.1, §2.1.2.2, §2.1.5).
		{"jid='nurse@capulet.example' name='&quot;&lt;&amp;' subscription='both' ask='subscribe' approved='true'", "<group>A</group><group>B</group>",
			"jid='nurse@capulet.example' name='&quot;&lt;&amp;' subscription='none'", "<group>A</group><group>B</group>"},
		{"jid='Nurse@CAPULET.example' name=''", "", "jid='nurse@capulet.example' subscription='none'", ""}, // §2.4.1
		{"jid='nurse@capulet.example' subscription='remove'", "", "jid='nurse@capulet.example' subscription='remove'", ""},
	} {
		id := fmt.Sprint("rs", i)
		balcony.send(set(id, tt.attrs, tt.content))
		balcony.expect(push(balcony, tt.wantAttrs, tt.wantContent), result(balcony, id))
		chamber.expect(push(chamber, tt.wantAttrs, tt.wantContent))
		hall.expect()
	}
	balcony.send("<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>")
	balcony.expect("<iq type='result' id='get' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'/></iq>")
}

// What clients answer to pushes does not matter (§2.1.6).
func TestI2_1_6_PushAnswers(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.interested("juliet", "balcony")
	juliet.send("<iq type='result' id='x'/>", "<iq type='error' id='y'><error type='cancel'/></iq>", "<iq type='result' id='z' to='juliet@capulet.example'/>", "<iq type='result' id='z' to='capulet.example'/>")
	juliet.expect()
}

// The roster is returned as it was set, in pages or not.
func TestI2_2_Retrieve(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.interested("juliet", "balcony")
	var want strings.Builder
	for n := range rosterPage + 7 {
		jid := fmt.Sprintf("c%04d@capulet.example", n)
		h.subscription("juliet", jid, storage.To|storage.From)
		fmt.Fprintf(&want, "<item jid='%s' subscription='both'/>", jid)
	}
	juliet.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	juliet.expect("<iq type='result' id='r' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'>" + want.String() + "</query></iq>")
}

func TestI2_3_3_Errors(t *testing.T) {
	long := strings.Repeat("x", 21)
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) {
		o.Limits.NameBytes, o.Limits.Groups, o.Limits.RosterItems = 20, 2, 1
	})
	juliet := h.interested("juliet", "balcony")
	juliet.send(set("first", "jid='nurse@capulet.example'", ""))
	juliet.all()
	for _, tt := range []struct{ what, xml, want string }{
		{"two items", "<iq type='set' id='e'><query xmlns='jabber:iq:roster'><item jid='a@b.example'/><item jid='c@d.example'/></query></iq>", stanzaError("modify", "bad-request")},
		{"no item", "<iq type='set' id='e'><query xmlns='jabber:iq:roster'/></iq>", stanzaError("modify", "bad-request")},
		{"no jid", set("e", "name='x'", ""), stanzaError("modify", "bad-request")},
		{"no valid jid", set("e", "jid='@'", ""), stanzaError("modify", "bad-request")},
		{"a jid that is kept only leniently", set("e", "jid='a b@b.example'", ""), stanzaError("modify", "jid-malformed")},
		{"duplicate groups", set("e", "jid='nurse@capulet.example'", "<group>A</group><group>A</group>"), stanzaError("modify", "bad-request")},
		{"empty group", set("e", "jid='nurse@capulet.example'", "<group/>"), stanzaError("modify", "not-acceptable")},
		{"long name", set("e", "jid='nurse@capulet.example' name='"+long+"'", ""), stanzaError("modify", "not-acceptable")},
		{"long group", set("e", "jid='nurse@capulet.example'", "<group>"+long+"</group>"), stanzaError("modify", "not-acceptable")},
		{"many groups", set("e", "jid='nurse@capulet.example'", "<group>A</group><group>B</group><group>C</group>"), stanzaError("modify", "not-acceptable")},
		{"oneself", set("e", "jid='juliet@capulet.example'", ""), stanzaError("cancel", "not-allowed")},
		{"one too many", set("e", "jid='another@capulet.example'", ""), stanzaError("wait", "resource-constraint")},
		{"remove what is not there (§2.5.3)", set("e", "jid='another@capulet.example' subscription='remove'", ""), stanzaError("cancel", "item-not-found")},
		{"items in a get (§2.1.3)", "<iq type='get' id='e'><query xmlns='jabber:iq:roster'><item jid='a@b.example'/></query></iq>", stanzaError("modify", "bad-request")},
		{"another child", "<iq type='get' id='e'><item xmlns='jabber:iq:roster'/></iq>", unavailable},
	} {
		juliet.send(tt.xml)
		got := juliet.all()
		if len(got) != 1 {
			t.Errorf("%s: got %v", tt.what, got)
			continue
		}
		e := got[0].First()
		want := parse(t, tt.want)
		if e.First().Name() != want.First().Name() || e.Attr("type") != want.Attr("type") {
			t.Errorf("%s: got %s, want %s", tt.what, got[0], tt.want)
		}
	}
}

// Whoever is removed is unsubscribed, both ways, as the state needs it.
func TestI2_5_2_RemoveEndsSubscriptions(t *testing.T) {
	for _, tt := range []struct {
		name           string
		juliet, romeo  storage.Subscription
		want           []string // what romeo gets
		romeoAfterward string
	}{
		{"mutual", storage.To | storage.From, storage.To | storage.From, []string{"unavailable", "unsubscribe", "unsubscribed"}, ""},
		{"to", storage.To, storage.From, []string{"unsubscribe"}, ""},
		{"from", storage.From, storage.To, []string{"unavailable", "unsubscribed"}, ""},
		{"asked", storage.PendingOut, storage.PendingIn, []string{"unsubscribe"}, ""},
		{"none", 0, 0, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet", "romeo"})
			h.subscription("juliet", "romeo", tt.juliet)
			h.subscription("romeo", "juliet", tt.romeo)
			romeo := h.interested("romeo", "orchard")
			romeo.send("<presence/>")
			juliet := h.interested("juliet", "balcony")
			juliet.send("<presence/>")
			juliet.all()
			romeo.all()
			juliet.send(set("rm", "jid='romeo@capulet.example' subscription='remove'", ""))
			juliet.sync()
			var got []string
			for _, e := range romeo.all() {
				if e.Name().Local == "presence" {
					got = append(got, e.Attr("type"))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("romeo got %q, want %q", got, tt.want)
			}
			id, err := h.srv.directory.id(t.Context(), h.addr("romeo"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := h.srv.opts.Storage.Rosters.Get(t.Context(), id, h.addr("juliet"))
			if err != nil || c.Subscription != 0 || !c.Listed {
				t.Errorf("romeo's side: got %+v, %v; want a contact without subscription", c, err)
			}
		})
	}
}

// Nobody but its account reads or changes a roster (§2.1.5), and nobody learns
// whether there is such an account.
func TestI2_3_3_Forbidden(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.interested("juliet", "balcony")
	romeo := h.login("romeo", "orchard")
	for _, to := range []string{"juliet@capulet.example", "nobody@capulet.example"} {
		romeo.send("<iq type='set' id='1' to='"+to+"'><query xmlns='jabber:iq:roster'><item jid='evil@capulet.example'/></query></iq>",
			"<iq type='get' id='2' to='"+to+"'><query xmlns='jabber:iq:roster'/></iq>")
		romeo.expect(iqError(romeo, "1", to, stanzaError("auth", "forbidden")), iqError(romeo, "2", to, stanzaError("auth", "forbidden")))
	}
	juliet.expect()
}

// The own bare JID is as good as no address.
func TestI2_1_5_OwnBareJID(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='1' to='juliet@capulet.example'><query xmlns='jabber:iq:roster'/></iq>")
	juliet.expect("<iq type='result' id='1' from='juliet@capulet.example' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'/></iq>")
}

// versions asks for the roster, knowing a version, and returns what then comes: the version and number of
// items of the answer, and the pushes, each as its version and its item.
func (c *client) versions(known string) (ver string, items int, vers, pushes []string) {
	c.t.Helper()
	c.send("<iq type='get' id='ver'><query xmlns='jabber:iq:roster' ver='" + known + "'/></iq>")
	all := c.all()
	require.NotEmpty(c.t, all)
	require.Equal(c.t, "result", all[0].Attr("type"))
	q := all[0].Child(roster.NS, "query")
	vers, pushes = pushesOf(all[1:])
	if q.IsZero() {
		return "", 0, vers, pushes
	}
	for range q.Children() {
		items++
	}
	return q.Attr("ver"), items, vers, pushes
}

// pushesOf returns the versions and the items of the roster pushes among some stanzas.
func pushesOf(all []stanza.Element) (vers, items []string) {
	for _, e := range all {
		q := e.Child(roster.NS, "query")
		if q.IsZero() || e.Attr("type") != "set" {
			continue
		}
		i := q.First()
		vers = append(vers, q.Attr("ver"))
		items = append(items, strings.TrimSpace(i.Attr("jid")+" "+i.Attr("name")+" "+i.Attr("subscription")))
	}
	return vers, items
}

// A client that knows a version gets what has changed since as pushes, in the order in which it
// changed, the last of each item; each has its version.
func TestI2_6_3_Versions(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.login("juliet", "balcony")
	require.False(t, juliet.feat.Child(roster.NSVersioning, "ver").IsZero())
	empty, items, _, _ := juliet.versions("")
	require.NotEmpty(t, empty)
	require.Zero(t, items)
	juliet.send(set("1", "jid='nurse@capulet.example' name='Nurse'", ""))
	first, pushed := pushesOf(juliet.all())
	require.Equal(t, []string{"nurse@capulet.example Nurse none"}, pushed)
	require.NotEqual(t, empty, first[0])

	chamber := h.login("juliet", "chamber")
	chamber.send(set("2", "jid='paris@capulet.example'", ""), set("3", "jid='nurse@capulet.example' subscription='remove'", ""),
		set("4", "jid='romeo@capulet.example'", ""), set("5", "jid='paris@capulet.example' name='Paris'", ""))
	chamber.all()
	live, pushed := pushesOf(juliet.all())
	require.Len(t, pushed, 4)

	again := h.login("juliet", "again")
	ver, _, vers, pushed := again.versions(first[0])
	require.Empty(t, ver, "the answer is empty, and pushes follow")
	require.Equal(t, []string{"nurse@capulet.example  remove", "romeo@capulet.example  none", "paris@capulet.example Paris none"}, pushed)
	require.Equal(t, live[1:], vers, "as when they were pushed first")
	_, _, _, pushed = h.login("juliet", "up to date").versions(live[3])
	require.Empty(t, pushed)
	ver, items, _, _ = h.login("juliet", "third").versions("what is that")
	require.Equal(t, live[3], ver, "a version that is not known: everything")
	require.Equal(t, 2, items)

	require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("juliet")))
	require.NoError(t, h.srv.CreateAccount(t.Context(), h.addr("juliet"), password))
	ver, items, _, _ = h.login("juliet", "new").versions(empty)
	require.NotEqual(t, empty, ver, "another account has other versions")
	require.NotEmpty(t, ver)
	require.Zero(t, items)
}

// A client that did not ask for versions is told them all the same.
func TestI2_6_3_VersionsForAll(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
	got := juliet.all()
	require.Len(t, got, 1)
	empty := got[0].First().Attr("ver")
	require.NotEmpty(t, empty)
	juliet.send(set("2", "jid='nurse@capulet.example'", ""))
	vers, _ := pushesOf(juliet.all())
	require.Len(t, vers, 1)
	require.NotEmpty(t, vers[0])
	require.NotEqual(t, empty, vers[0])
}
