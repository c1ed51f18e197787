package servertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A row of RFC 6121 §8.5.4: for a condition of the account and a form of address, what may become of messages of the types normal,
// chat, groupchat, headline and error, and what becomes of them here. The rows of a full JID that matches where no resource
// is available, and the column for errors, are from §8.5.2.1.1 to §8.5.3.2.1.
type row struct {
	condition, form string
	allowed, here   string
}

// rows are the whole table. Lower-case e is an error for those who may see the account's presence, and silence for others (§8.1).
var rows = []row{
	{"no account", "bare", "S/E S/E E S S", "S S E S S"},
	{"no account", "other", "S/E S/E S/E S/E S", "S S S S S"},
	{"no resource", "bare", "O/E O/E E S S", "O O E S S"},
	{"no resource", "match", "D D D D D", "D D D D D"},
	{"no resource", "other", "S/E O/E S/E S/E S", "e O e e S"},
	{"only negative", "bare", "O/E O/E E S S", "O O E S S"},
	{"only negative", "match", "D D D D D", "D D D D D"},
	{"only negative", "other", "S/E O/E S/E S/E S", "e O e e S"},
	{"one non-negative", "bare", "D D E D S", "D D E D S"},
	{"one non-negative", "match", "D D D D D", "D D D D D"},
	{"one non-negative", "other", "S/E D S/E S/E S", "e D e e S"},
	{"several non-negative", "bare", "M/A M/A E A S", "M M E A S"},
	{"several non-negative", "match", "D D/A D D D", "D D D D D"},
	{"several non-negative", "other", "S/E M/A S/E S/E S", "e M e e S"},
}

var types = []string{"normal", "chat", "groupchat", "headline", "error"}

// resources are those of an account in a condition, with their presence, the named one first; nil is no account.
var resources = map[string][][2]string{
	"no account":       nil,
	"no resource":      {{"match", ""}},
	"only negative":    {{"match", "<presence xmlns='jabber:client'><priority>-1</priority></presence>"}},
	"one non-negative": {{"match", "<presence xmlns='jabber:client'/>"}, {"negative", "<presence xmlns='jabber:client'><priority>-5</priority></presence>"}},
	"several non-negative": {
		{"match", "<presence xmlns='jabber:client'><priority>1</priority></presence>"}, {"best", "<presence xmlns='jabber:client'><priority>5</priority></presence>"},
		{"equal", "<presence xmlns='jabber:client'><priority>5</priority></presence>"}, {"negative", "<presence xmlns='jabber:client'><priority>-5</priority></presence>"},
	},
}

// recipients are the resources that get a message, by the letter of the cell.
var recipients = map[string][]string{"D": {"match"}, "M": {"best", "equal"}, "A": {"match", "best", "equal"}}

// Deliveries shows that every cell of RFC 6121 §8.5.4 holds on a server, for a sender who is subscribed to the recipient and for
// one who is not. open returns empty stores; it is called once for each condition of the account.
func Deliveries(t *testing.T, open func(t *testing.T) storage.Stores) {
	deliveries(t, func(t *testing.T) *house { return start(t, open(t)) })
}

func deliveries(t *testing.T, open func(t *testing.T) *house) {
	for condition, present := range resources {
		t.Run(strings.ReplaceAll(condition, " ", "_"), func(t *testing.T) {
			s := open(t)
			d := delivery{stores: s.stores}
			friend, stranger := login(t, s, "romeo", "orchard"), login(t, s, "tybalt", "street")
			if present != nil {
				addr, err := s.Account("juliet")
				require.NoError(t, err)
				require.NoError(t, s.AddContact(t.Context(), addr, friend.LocalAddr().Bare()))
			}
			for _, r := range present {
				p := login(t, s, "juliet", r[0])
				if r[1] != "" {
					p.send(r[1])
				}
				d.present = append(d.present, p)
			}
			for range 2 { // the second time all know of it
				for _, p := range d.present {
					p.all()
				}
			}
			for _, r := range rows {
				if r.condition != condition {
					continue
				}
				for i := range types {
					t.Run(fmt.Sprintf("%s/%s/subscribed", r.form, types[i]), func(t *testing.T) { d.check(t, friend, r, i) })
					t.Run(fmt.Sprintf("%s/%s/stranger", r.form, types[i]), func(t *testing.T) { d.check(t, stranger, r, i) })
				}
			}
		})
	}
}

// A delivery is the setting of one condition.
type delivery struct {
	stores  storage.Stores
	present []*person
}

// check sends a message and checks what becomes of it.
func (d *delivery) check(t *testing.T, from *person, r row, i int) {
	from.t = t
	want := strings.Fields(r.here)[i]
	if want == "e" {
		want = map[string]string{"romeo": "E", "tybalt": "S"}[from.LocalAddr().Localpart()]
	}
	if allowed := strings.Split(strings.Fields(r.allowed)[i], "/"); !slices.Contains(allowed, want) {
		t.Errorf("%s is not among what RFC 6121 §8.5.4 allows: %s", want, allowed)
	}
	to := "juliet@" + domain + map[string]string{"bare": "", "match": "/match", "other": "/other"}[r.form]
	got, who := d.send(t, from, to, types[i])
	expect := recipients[want]
	if expect != nil {
		want = "D" // D, M and A differ in who gets it
	}
	if got != want || !slices.Equal(who, expect) {
		t.Errorf("got %s %v, want %s %v", got, who, want, expect)
	}
}

// send sends a message and returns what became of it, D for whatever was delivered, and to whom.
func (d *delivery) send(t *testing.T, from *person, to, typ string) (became string, who []string) {
	t.Helper()
	id := stanza.NewID()
	from.send("<message xmlns='jabber:client' id='" + id + "' to='" + to + "' type='" + typ + "'><body>hi</body></message>")
	var all []string
	for _, st := range from.all() {
		if h := st.Header(); h.ID == id {
			e := st.Failure()
			if e == nil || e.Condition != stanza.ServiceUnavailable || h.From.String() != to {
				t.Errorf("the sender got %s", st)
			}
			all = append(all, "E")
		}
	}
	for _, p := range d.present {
		p.t = t
		for _, st := range p.all() {
			if h := st.Header(); h.ID == id {
				who = append(who, p.LocalAddr().Resourcepart())
				if h.To.String() != to { // §8.5.2.1.1: it must not be rewritten
					t.Errorf("%s got %s, want to='%s'", p.LocalAddr(), st, to)
				}
			}
		}
	}
	if who != nil {
		all = append(all, "D")
	}
	if d.takeOffline(t, id) {
		all = append(all, "O")
	}
	if len(all) > 1 {
		t.Errorf("several things became of it: %v", all)
	}
	return strings.Join(append(all, "S")[:1], ""), who
}

// takeOffline removes what is stored for the account, and reports whether that was just the message with that id.
func (d *delivery) takeOffline(t *testing.T, id string) bool {
	t.Helper()
	if len(d.present) == 0 {
		return false
	}
	owner := idOf(t, d.stores, d.present[0].LocalAddr().Bare())
	page, err := d.stores.Offline.List(t.Context(), owner, 0, 10)
	require.NoError(t, err)
	if len(page) == 0 {
		return false
	}
	require.Len(t, page, 1)
	raw, err := stanza.Parse(page[0].Stanza)
	require.NoError(t, err)
	require.Equal(t, id, raw.Header().ID)
	require.NoError(t, d.stores.Offline.Delete(t.Context(), owner, page[0].ID))
	return true
}
