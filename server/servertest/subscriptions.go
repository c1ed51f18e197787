package servertest

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
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// The names that RFC 6121 Appendix A gives to states and tables.
var (
	stateNames = []string{
		"None", "None + Pending Out", "None + Pending In", "None + Pending Out+In",
		"To", "To + Pending In", "From", "From + Pending Out", "Both",
	}
	eventNames = []string{
		"outbound subscribe", "outbound unsubscribe", "outbound subscribed", "outbound unsubscribed",
		"inbound subscribe", "inbound unsubscribe", "inbound subscribed", "inbound unsubscribed",
	}
)

// appendixA is tables 2 to 9, row by row: what the RFC says of routing or
// delivery, and the new state. A reply is what its notes ask for.
var appendixA = []string{
	`None                  | MUST       | None + Pending Out
	 None + Pending Out    | MUST       | -
	 None + Pending In     | MUST       | None + Pending Out+In
	 None + Pending Out+In | MUST       | -
	 To                    | MUST       | -
	 To + Pending In       | MUST       | -
	 From                  | MUST       | From + Pending Out
	 From + Pending Out    | MUST       | -
	 Both                  | MUST       | -`,
	`None                  | MUST       | -
	 None + Pending Out    | MUST       | None
	 None + Pending In     | MUST       | -
	 None + Pending Out+In | MUST       | None + Pending In
	 To                    | MUST       | None
	 To + Pending In       | MUST       | None + Pending In
	 From                  | MUST       | -
	 From + Pending Out    | MUST       | From
	 Both                  | MUST       | From`,
	`None                  | M.N.       | pre-approval
	 None + Pending Out    | M.N.       | pre-approval
	 None + Pending In     | MUST       | From
	 None + Pending Out+In | MUST       | From + Pending Out
	 To                    | M.N.       | pre-approval
	 To + Pending In       | MUST       | Both
	 From                  | M.N.       | -
	 From + Pending Out    | M.N.       | -
	 Both                  | M.N.       | -`,
	`None                  | S.N.       | -
	 None + Pending Out    | S.N.       | -
	 None + Pending In     | MUST       | None
	 None + Pending Out+In | MUST       | None + Pending Out
	 To                    | S.N.       | -
	 To + Pending In       | MUST       | To
	 From                  | MUST       | None
	 From + Pending Out    | MUST       | None + Pending Out
	 Both                  | MUST       | To`,
	`None                  | MUST       | None + Pending In
	 None + Pending Out    | MUST       | None + Pending Out+In
	 None + Pending In     | S.N.       | -
	 None + Pending Out+In | S.N.       | -
	 To                    | MUST       | To + Pending In
	 To + Pending In       | S.N.       | -
	 From                  | S.N. reply | -
	 From + Pending Out    | S.N. reply | -
	 Both                  | S.N. reply | -`,
	`None                  | S.N.       | -
	 None + Pending Out    | S.N.       | -
	 None + Pending In     | MUST reply | None
	 None + Pending Out+In | MUST reply | None + Pending Out
	 To                    | S.N.       | -
	 To + Pending In       | MUST reply | To
	 From                  | MUST reply | None
	 From + Pending Out    | MUST reply | None + Pending Out
	 Both                  | MUST reply | To`,
	`None                  | S.N.       | -
	 None + Pending Out    | MUST       | To
	 None + Pending In     | S.N.       | -
	 None + Pending Out+In | MUST       | To + Pending In
	 To                    | S.N.       | -
	 To + Pending In       | S.N.       | -
	 From                  | S.N.       | -
	 From + Pending Out    | MUST       | Both
	 Both                  | S.N.       | -`,
	`None                  | S.N.       | -
	 None + Pending Out    | MUST       | None
	 None + Pending In     | S.N.       | -
	 None + Pending Out+In | MUST       | None + Pending In
	 To                    | MUST       | None
	 To + Pending In       | MUST       | None + Pending In
	 From                  | S.N.       | -
	 From + Pending Out    | MUST       | From
	 Both                  | MUST       | From`,
}

// flags are the states as they are stored.
var flags = []storage.Subscription{
	0, storage.PendingOut, storage.PendingIn, storage.PendingOut | storage.PendingIn,
	storage.To, storage.To | storage.PendingIn, storage.From, storage.From | storage.PendingOut, storage.To | storage.From,
}

// A cell is one row of a table of Appendix A, by the indices of its names.
type cell struct {
	event, now, next   int
	pass, reply, apply bool // routed or delivered; answered; kept as a pre-approval
}

// incoming reports whether the event is a stanza of the contact's.
func (c cell) incoming() bool { return strings.HasPrefix(eventNames[c.event], "inbound") }

// cells are all 72.
func cells(t *testing.T) []cell {
	t.Helper()
	var all []cell
	for e, table := range appendixA {
		for line := range strings.SplitSeq(table, "\n") {
			f := strings.Split(line, "|")
			c := cell{event: e, now: slices.Index(stateNames, strings.TrimSpace(f[0]))}
			c.pass, c.reply = strings.Contains(f[1], "MUST"), strings.Contains(f[1], "reply")
			switch next := strings.TrimSpace(f[2]); next {
			case "-":
				c.next = c.now
			case "pre-approval":
				c.next, c.apply = c.now, true
			default:
				c.next = slices.Index(stateNames, next)
			}
			all = append(all, c)
		}
	}
	require.Len(t, all, 72)
	return all
}

func (c cell) String() string { return fmt.Sprintf("%s in %s", eventNames[c.event], stateNames[c.now]) }

// A recorder is a mux that keeps the presences that a service gets.
type recorder struct {
	mu  sync.Mutex // guards the field below
	got []string
}

func (r *recorder) mux() *muxer.Mux {
	mux := muxer.New()
	mux.Identity("server", "im", "")
	ping.Register(mux)
	mux.Presence(muxer.AnyPresence, func(_ context.Context, p *stanza.Presence) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, fmt.Sprintf("%s from %s", p.Type, p.From))
		return nil
	})
	return mux
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// Subscriptions shows that every cell of Appendix A of RFC 6121 holds on a server over empty stores. The contact is a domain, whose
// handler sees what is routed to it.
func Subscriptions(t *testing.T, stores storage.Stores) {
	var r recorder
	s := start(t, stores, func(o *server.Options) { o.Mux = r.mux() })
	service, err := s.Session(jid.MustParse(contact))
	require.NoError(t, err)
	juliet := login(t, s, "juliet", "balcony")
	_, err = roster.Get(t.Context(), juliet)
	require.NoError(t, err)
	w := &witness{t: t, stores: stores, service: service, recorder: &r, person: juliet, id: idOf(t, stores, juliet.LocalAddr().Bare())}
	for _, c := range cells(t) {
		t.Run(strings.ReplaceAll(c.String(), " ", "_"), func(t *testing.T) { w.check(t, c) })
	}
}

// A witness sees what becomes of subscription stanzas.
type witness struct {
	*person
	t        *testing.T
	stores   storage.Stores
	service  xmpp.Session
	recorder *recorder
	id       storage.AccountID
}

// seen is what was seen of a cell.
type seen struct {
	delivered, pushed bool
	routed            []string
}

// check puts the account into the state of a cell, has its event happen, and compares.
func (w *witness) check(t *testing.T, c cell) {
	before := storage.Contact{JID: jid.MustParse(contact), Subscription: flags[c.now], Listed: true}
	// Not available until the state is set, so that nothing is told of it.
	_, err := w.stores.Rosters.Update(t.Context(), w.id, before.JID, storage.RosterLimits{}, func(storage.Contact) (storage.Contact, error) { return before, nil })
	require.NoError(t, err)
	w.send("<presence xmlns='jabber:client'/>")
	w.all()
	w.settle()
	w.recorder.take()

	got := w.event(t, c)
	after, err := w.stores.Rosters.Get(t.Context(), w.id, before.JID)
	require.NoError(t, err)
	if after.Subscription != flags[c.next] || after.Approved != c.apply {
		t.Errorf("stored %+v, want %s, pre-approved %v", after, stateNames[c.next], c.apply)
	}
	if c.incoming() && got.delivered != c.pass {
		t.Errorf("delivered %v, want %v", got.delivered, c.pass)
	}
	own, typ := w.LocalAddr().Bare().String(), strings.Fields(eventNames[c.event])[1]
	stamped := typ + " from " + own // always the bare JID (§3.1.2)
	if has := slices.Contains(got.routed, stamped); !c.incoming() && has != c.pass {
		t.Errorf("routed %q, want %v", got.routed, c.pass)
	}
	answer := map[string]string{"subscribe": "subscribed", "unsubscribe": "unsubscribed"}[typ]
	if has := answer != "" && slices.Contains(got.routed, answer+" from "+own); c.incoming() && has != c.reply {
		t.Errorf("answered %v with %q, want %v", has, got.routed, c.reply)
	}
	visible := eventNames[c.event] == "outbound subscribe" || c.apply || seenAs(before) != seenAs(after)
	if got.pushed != visible {
		t.Errorf("pushed %v, want %v", got.pushed, visible)
	}
	saw, sees := flags[c.now].Has(storage.From), flags[c.next].Has(storage.From)
	if hidden := slices.Contains(got.routed, "unavailable from "+w.LocalAddr().String()); hidden != (saw && !sees) {
		t.Errorf("unavailable to the contact %v with %q", hidden, got.routed)
	}
	w.send("<presence xmlns='jabber:client' type='unavailable'/>")
	w.all()
}

// event has the event of a cell happen.
func (w *witness) event(t *testing.T, c cell) (got seen) {
	typ := strings.Fields(eventNames[c.event])[1]
	if c.incoming() {
		_, err := w.service.Send(t.Context(), stanza.Presence{To: w.LocalAddr().Bare(), Type: stanza.PresenceType(typ)})
		require.NoError(t, err)
	} else {
		w.send("<presence xmlns='jabber:client' type='" + typ + "' to='" + contact + "'/>")
	}
	for _, st := range w.all() {
		switch h := st.Header(); {
		case h.Kind == stanza.KindPresence && h.Type == typ && h.From.String() == contact:
			got.delivered = true
			if got.pushed {
				t.Error("delivered behind the roster push that it explains")
			}
		case h.Kind == stanza.KindIQ && h.Type == string(stanza.IQSet):
			got.pushed = true
		default:
			t.Errorf("got %s", st)
		}
	}
	w.settle()
	got.routed = w.recorder.take()
	return got
}

// settle makes sure that the contact has handled what was broadcast to it.
func (w *witness) settle() {
	w.t.Helper()
	require.NoError(w.t, ping.Send(w.t.Context(), w.service, w.service.LocalAddr()))
}

// seenAs is a contact as its owner sees it.
func seenAs(c storage.Contact) string {
	return fmt.Sprint(c.Subscription&(storage.To|storage.From|storage.PendingOut), c.Approved, c.Listed)
}
