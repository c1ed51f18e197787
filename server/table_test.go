package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// table854 is the summary of RFC 6121 §8.5.4: for each condition and form of
// address what may become of normal, chat, groupchat and headline. The rows of a
// full JID that matches where no resource is available, and the column for
// errors, are from §8.5.2.1.1 to §8.5.3.2.1.
var table854 = [conditions][forms]string{
	noAccount:    {"S/E S/E E S S", "", "S/E S/E S/E S/E S"},
	noResource:   {"O/E O/E E S S", "D D D D D", "S/E O/E S/E S/E S"},
	onlyNegative: {"O/E O/E E S S", "D D D D D", "S/E O/E S/E S/E S"},
	oneResource:  {"D D E D S", "D D D D D", "S/E D S/E S/E S"},
	manyResource: {"M/A M/A E A S", "D D/A D D D", "S/E M/A S/E S/E S"},
}

var (
	conditionNames = [conditions]string{"no account", "no active resource", "only negative", "one non-negative", "several non-negative"}
	formNames      = [forms]string{"bare", "full match", "full no match"}
	classNames     = [classes]string{"normal", "chat", "groupchat", "headline", "error"}
)

// An outcome is what was seen to become of a message, in the letters of the table.
type outcome struct {
	letter string
	who    []string // the resources that got it
}

// Every cell of §8.5.4 holds on a server, for a sender who is subscribed to the
// recipient and for one who is not.
func TestI8_5_4_DeliveryTable(t *testing.T) {
	for cond := range condition(conditions) {
		h := newHouse(t, []string{"juliet", "romeo", "tybalt"})
		h.befriend("juliet", "romeo")
		sessions := setUp(h, cond)
		for _, sender := range []string{"romeo", "tybalt"} {
			c := h.login(sender, "orchard")
			for f := range form(forms) {
				if table854[cond][f] == "" {
					continue
				}
				for cl := range class(classes) {
					name := fmt.Sprintf("%s/%s/%s/from %s", conditionNames[cond], formNames[f], classNames[cl], sender)
					t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
						checkCell(t, h, c, sessions, cond, f, cl)
					})
				}
			}
		}
	}
}

// setUp puts juliet into a condition and returns her sessions.
func setUp(h *house, cond condition) []*client {
	switch cond {
	case noAccount:
		require.NoError(h.t, h.srv.DeleteAccount(h.t.Context(), h.addr("juliet")))
		return nil
	case noResource:
		return []*client{h.login("juliet", "match")} // connected, but not available
	case onlyNegative:
		return []*client{h.online("juliet", "match", "<priority>-1</priority>")}
	case oneResource:
		return []*client{h.online("juliet", "match", ""), h.online("juliet", "negative", "<priority>-5</priority>")}
	}
	return []*client{
		h.online("juliet", "match", "<priority>1</priority>"),
		h.online("juliet", "best", "<priority>5</priority>"),
		h.online("juliet", "equal", "<priority>5</priority>"),
		h.online("juliet", "negative", "<priority>-5</priority>"),
	}
}

// checkCell sends a message and checks what becomes of it.
func checkCell(t *testing.T, h *house, from *client, sessions []*client, cond condition, f form, cl class) {
	to := h.addr("juliet").String() + map[form]string{bareJID: "", fullMatch: "/match", fullOther: "/other"}[f]
	got := send(t, h, from, sessions, to, cl)
	allowed := strings.Split(strings.Fields(table854[cond][f])[cl], "/")
	var want outcome
	switch placements[cond][f][cl] {
	case silent:
		want.letter = "S"
	case refuse:
		want.letter = "E"
	case discern: // only who may know of the account's presence is told (§8.1)
		want.letter = "S"
		if from.addr.Localpart() == "romeo" && cond != noAccount {
			want.letter = "E"
		}
	case keep:
		want.letter = "O"
	case exactly:
		want = outcome{"D", []string{"match"}}
	case best:
		want = outcome{"D", []string{"match"}}
		if cond == manyResource {
			want = outcome{"M", []string{"best", "equal"}}
		}
	case every:
		want = outcome{"D", []string{"match"}}
		if cond == manyResource {
			want = outcome{"A", []string{"match", "best", "equal"}}
		}
	}
	if got.letter != "S" && got.letter != "E" && got.letter != "O" && slices.Equal(got.who, want.who) {
		got.letter = want.letter // D, M and A differ in who gets it only
	}
	if got.letter != want.letter || !slices.Equal(got.who, want.who) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !slices.Contains(allowed, want.letter) {
		t.Errorf("%s is not among what RFC 6121 §8.5.4 allows: %s", want.letter, allowed)
	}
}

// send sends a message and sees what becomes of it.
func send(t *testing.T, h *house, from *client, sessions []*client, to string, cl class) outcome {
	t.Helper()
	id := stanza.NewID()
	typ := map[class]string{normal: "", chat: " type='chat'", groupchat: " type='groupchat'", headline: " type='headline'", failure: " type='error'"}[cl]
	from.send("<message id='" + id + "' to='" + to + "'" + typ + "><body>hi</body></message>")
	var got []outcome
	for _, e := range from.all() {
		if e.Attr("id") == id {
			if !e.Child(stanza.NS, "error").Child(stanza.NSErrors, "service-unavailable").IsZero() && e.Attr("from") == to {
				got = append(got, outcome{letter: "E"})
			} else {
				t.Errorf("the sender got %s", e)
			}
		}
	}
	var who []string
	for _, s := range sessions {
		for _, e := range s.all() {
			if e.Attr("id") == id {
				who = append(who, s.addr.Resourcepart())
				if e.Attr("to") != to { // §8.5.2.1.1: it must not be rewritten
					t.Errorf("%s got %s, want to='%s'", s.addr, e, to)
				}
			}
		}
	}
	if who != nil {
		got = append(got, outcome{"D", who})
	}
	if takeOffline(t, h, "juliet", id) {
		got = append(got, outcome{letter: "O"})
	}
	switch len(got) {
	case 0:
		return outcome{letter: "S"}
	case 1:
		return got[0]
	}
	t.Errorf("several things became of it: %v", got)
	return got[0]
}

// takeOffline removes what is stored for an account and reports whether it was
// just the message with that id.
func takeOffline(t *testing.T, h *house, account, id string) bool {
	t.Helper()
	stored := h.offline(account)
	if len(stored) == 0 {
		return false
	}
	require.Len(t, stored, 1)
	require.Equal(t, id, stored[0].Header().ID)
	owner, err := h.srv.directory.id(t.Context(), h.addr(account))
	require.NoError(t, err)
	require.NoError(t, h.srv.opts.Storage.Offline.DeleteAll(t.Context(), owner))
	return true
}

// offline returns the messages stored for an account.
func (h *house) offline(account string) []*stanza.Raw {
	h.t.Helper()
	owner, err := h.srv.directory.id(h.t.Context(), h.addr(account))
	if err != nil {
		return nil
	}
	page, err := h.srv.opts.Storage.Offline.List(h.t.Context(), owner, 0, 1000)
	require.NoError(h.t, err)
	var all []*stanza.Raw
	for _, m := range page {
		raw, err := stanza.Parse(m.Stanza)
		require.NoError(h.t, err)
		all = append(all, raw)
	}
	return all
}

// An unknown type is normal (§5.2.2), and stays what it is on the wire.
func TestI5_2_2_UnknownType(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<message type='telegram' to='juliet@capulet.example'><body>stop</body></message>")
	romeo.expect()
	juliet.expect("<message type='telegram' xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>stop</body></message>")
}

// A resource that becomes the best, or stops being it, counts at once.
func TestI8_5_2_1_1_PriorityChanges(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	balcony := h.online("juliet", "balcony", "<priority>1</priority>")
	chamber := h.online("juliet", "chamber", "<priority>2</priority>")
	romeo := h.login("romeo", "orchard")
	both := []*client{balcony, chamber}
	for _, tt := range []struct {
		presence string // of chamber
		want     []string
	}{
		{"<presence/>", []string{"balcony"}},
		{"<presence><priority>1</priority></presence>", []string{"balcony", "chamber"}},
		{"<presence><priority>127</priority></presence>", []string{"chamber"}},
		{"<presence><priority>-128</priority></presence>", []string{"balcony"}},
		{"<presence><priority> +3 </priority></presence>", []string{"chamber"}},
		{"<presence type='unavailable'/>", []string{"balcony"}},
	} {
		chamber.send(tt.presence)
		chamber.sync()
		if got := send(t, h, romeo, both, jid.MustParse("juliet@capulet.example").String(), chat); !slices.Equal(got.who, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.presence, got, tt.want)
		}
	}
}
