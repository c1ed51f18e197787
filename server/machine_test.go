package server

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
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// The names that RFC 6121 Appendix A gives to states and tables.
var (
	stateNames = [states]string{
		"None", "None + Pending Out", "None + Pending In", "None + Pending Out+In",
		"To", "To + Pending In", "From", "From + Pending Out", "Both",
	}
	eventNames = [events]string{
		"outbound subscribe", "outbound unsubscribe", "outbound subscribed", "outbound unsubscribed",
		"inbound subscribe", "inbound unsubscribe", "inbound subscribed", "inbound unsubscribed",
	}
)

// appendixA is tables 2 to 9, row by row: what the RFC says of routing or
// delivery, and the new state. A reply is what its notes ask for.
var appendixA = [events]string{
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

// A cell is one row of a table of Appendix A.
type cell struct {
	event              event
	now, next          state
	pass, reply, apply bool // routed or delivered; answered; kept as a pre-approval
}

// cells are all 72.
func cells(t *testing.T) []cell {
	t.Helper()
	var all []cell
	for e, table := range appendixA {
		for line := range strings.SplitSeq(table, "\n") {
			f := strings.Split(line, "|")
			c := cell{event: event(e), now: state(slices.Index(stateNames[:], strings.TrimSpace(f[0])))}
			c.pass, c.reply = strings.Contains(f[1], "MUST"), strings.Contains(f[1], "reply")
			switch next := strings.TrimSpace(f[2]); next {
			case "-":
				c.next = c.now
			case "pre-approval":
				c.next, c.apply = c.now, true
			default:
				c.next = state(slices.Index(stateNames[:], next))
			}
			all = append(all, c)
		}
	}
	require.Len(t, all, states*events)
	return all
}

func (c cell) String() string { return fmt.Sprintf("%s in %s", eventNames[c.event], stateNames[c.now]) }

// Every cell of the tables of Appendix A is in ours.
func TestI3_AppendixA_Tables(t *testing.T) {
	for _, c := range cells(t) {
		want := step{next: c.next}
		for does, a := range map[action]bool{pass: c.pass, reply: c.reply, approve: c.apply} {
			if a {
				want.do |= does
			}
		}
		if got := machine[c.event][c.now]; got != want {
			t.Errorf("%s: got %v, want %v", c, got, want)
		}
	}
}

// A recorder is a mux that keeps the presences that a service gets.
type recorder struct {
	mu  sync.Mutex // guards the field below
	got []string
}

func (r *recorder) mux() *muxer.Mux {
	mux := defaultMux()
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

// Every cell of Appendix A holds on a server, from end to end. The contact is a
// domain, whose handler sees what is routed to it.
func TestI3_AppendixA_EndToEnd(t *testing.T) {
	var r recorder
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Mux = r.mux() })
	contact := jid.MustParse("montague.example")
	service, err := h.srv.Session(contact)
	require.NoError(t, err)
	id, err := h.srv.directory.id(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	c := h.interested("juliet", "balcony")
	rosters := h.srv.opts.Storage.Rosters
	for _, tt := range cells(t) {
		// Not available until the state is set, so that nothing is told of it.
		set := storage.Contact{JID: contact, Subscription: flags[tt.now], Listed: true}
		require.NoError(t, rosters.Update(t.Context(), id, contact, storage.RosterLimits{}, func(storage.Contact) (storage.Contact, error) { return set, nil }))
		c.send("<presence/>")
		c.all()
		settle(t, service)
		r.take()

		typ := strings.Fields(eventNames[tt.event])[1]
		incoming := tt.event >= inSubscribe
		if incoming {
			_, err := service.Send(t.Context(), stanza.Presence{To: h.addr("juliet"), Type: stanza.PresenceType(typ)})
			require.NoError(t, err)
		} else {
			c.send("<presence type='" + typ + "' to='montague.example'/>")
		}

		delivered, pushed := false, false
		for _, e := range c.all() {
			switch {
			case e.Is(stanza.NS, "presence") && e.Attr("type") == typ && e.Attr("from") == "montague.example":
				delivered = true
				if pushed {
					t.Errorf("%s: delivered behind the roster push that it explains", tt)
				}
			case e.Is(stanza.NS, "iq") && e.Attr("type") == "set":
				pushed = true
			default:
				t.Errorf("%s: got %s", tt, e)
			}
		}
		settle(t, service)
		routed := r.take()

		got, err := rosters.Get(t.Context(), id, contact)
		require.NoError(t, err)
		if got.Subscription != flags[tt.next] || got.Approved != tt.apply {
			t.Errorf("%s: stored %+v, want %s, pre-approved %v", tt, got, stateNames[tt.next], tt.apply)
		}
		if incoming && delivered != tt.pass {
			t.Errorf("%s: delivered %v, want %v", tt, delivered, tt.pass)
		}
		stamped := typ + " from juliet@capulet.example" // always the bare JID (§3.1.2)
		if has := slices.Contains(routed, stamped); !incoming && has != tt.pass {
			t.Errorf("%s: routed %q, want %v", tt, routed, tt.pass)
		}
		if answer := slices.ContainsFunc(routed, func(s string) bool {
			return s == "subscribed from juliet@capulet.example" && tt.event == inSubscribe || s == "unsubscribed from juliet@capulet.example" && tt.event == inUnsubscribe
		}); incoming && answer != tt.reply {
			t.Errorf("%s: answered %v with %q, want %v", tt, answer, routed, tt.reply)
		}
		visible := tt.event == outSubscribe || tt.apply || !itemOf(set).Equal(itemOf(got))
		if pushed != visible {
			t.Errorf("%s: pushed %v, want %v", tt, pushed, visible)
		}
		seen, sees := flags[tt.now].Has(storage.From), flags[tt.next].Has(storage.From)
		if hidden := slices.Contains(routed, "unavailable from "+c.addr.String()); hidden != (seen && !sees) {
			t.Errorf("%s: unavailable to the contact %v with %q", tt, hidden, routed)
		}
		c.send("<presence type='unavailable'/>")
		c.all()
	}
}

// settle makes sure that a service has handled what was broadcast to it.
func settle(t *testing.T, service xmpp.Session) {
	t.Helper()
	require.NoError(t, ping.Send(t.Context(), service, service.LocalAddr()))
}
