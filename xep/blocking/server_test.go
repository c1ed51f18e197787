package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// start starts a server of example.org and example.net, with the module.
func start(t *testing.T, opts *blocking.ServerOptions, change ...func(*server.Options)) *xmpptest.Server {
	t.Helper()
	o := &server.Options{Domains: []string{"example.org", "example.net"}, InsecurePlaintext: true, Modules: []module.Module{blocking.Server(opts)}, Storage: memory.New(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(o)
	}
	return xmpptest.StartFor(t, o)
}

// A device is a client that notes what it gets.
type device struct {
	*client.Client
	t   *testing.T
	got chan string
}

// dial logs in a device of a new or known account, named by its localpart or its bare JID. It is available.
func dial(t *testing.T, s *xmpptest.Server, account, resource string) *device {
	t.Helper()
	d := &device{t: t, got: make(chan string, 1000)}
	if !strings.Contains(account, "@") {
		account += "@example.org"
	}
	addr := jid.MustParse(account)
	const password = "b4lc0ny"
	if err := s.CreateAccount(t.Context(), addr, password); err != nil {
		require.ErrorIs(t, err, storage.ErrExists)
	}
	opts := s.Options(addr)
	opts.Password, opts.Handler = password, xmpp.HandlerFunc(d.note)
	full, err := addr.WithResource(resource)
	require.NoError(t, err)
	d.Client, err = client.Dial(t.Context(), full, opts)
	require.NoError(t, err)
	t.Cleanup(d.close)
	d.send(stanza.Presence{})
	return d
}

func (d *device) close() {
	_ = d.Close(context.Background())
	_ = d.Wait(context.Background())
}

// note notes what does not come from the account itself, in short.
func (d *device) note(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
	h := st.Header()
	what := h.Kind.String()
	if h.Type != "" {
		what += " " + h.Type
	}
	if e := st.Failure(); e != nil {
		what += " " + string(e.Condition)
		if blocking.IsBlocked(e) {
			what += " blocked"
		}
	}
	switch {
	case h.Kind == stanza.KindPresence && h.From.Bare() == d.bare():
		return nil, nil
	case h.Kind == stanza.KindIQ && h.From.IsZero():
		what += " " + st.Element().First().String()
	default:
		what += " from " + h.From.String()
	}
	if h.ID == "end" {
		what = "end"
	}
	d.got <- what
	return nil, nil
}

func (d *device) bare() jid.JID { return d.LocalAddr().Bare() }

// send sends stanzas and waits until the server has done what follows.
func (d *device) send(all ...stanza.Stanza) {
	d.t.Helper()
	for _, st := range all {
		_, err := d.Send(d.t.Context(), st)
		require.NoError(d.t, err)
	}
	require.NoError(d.t, ping.Send(d.t.Context(), d, jid.JID{}))
}

// heard returns what the device has got since it was asked last. Behind a message to itself nothing is under way any more.
func (d *device) heard() (all []string) {
	d.t.Helper()
	_, err := d.Send(d.t.Context(), stanza.Message{To: d.LocalAddr(), ID: "end", Type: stanza.MessageHeadline})
	require.NoError(d.t, err)
	for s := range d.got {
		if s == "end" {
			return all
		}
		all = append(all, s)
	}
	return all
}

// forget forgets what the devices have got.
func forget(all ...*device) {
	for _, d := range all {
		d.heard()
	}
}

// tries has one device say everything to another address and returns what comes back and what arrives.
func tries(from *device, to jid.JID, arrives *device) (back, there []string) {
	from.t.Helper()
	forget(from, arrives)
	from.send(
		stanza.Message{To: to, Type: stanza.MessageChat, Body: stanza.Plain("x")},
		stanza.Presence{To: to})
	_, err := from.Query(from.t.Context(), stanza.IQ{Type: stanza.IQGet, To: to, Payload: ping.Ping{}})
	back = from.heard()
	if err != nil {
		back = append(back, "query "+err.Error())
	}
	return back, arrives.heard()
}

func befriend(t *testing.T, s *xmpptest.Server, a, b string) {
	t.Helper()
	require.NoError(t, s.AddContact(t.Context(), jid.MustParse(a), jid.MustParse(b)))
}

// §3.1, XEP-0377 §3: the server says what it can.
func TestXEP0191_3_1_Disco(t *testing.T) {
	for _, reports := range []bool{false, true} {
		var opts *blocking.ServerOptions
		if reports {
			opts = &blocking.ServerOptions{Report: func(context.Context, module.Account, jid.JID, blocking.Report) {}}
		}
		d := dial(t, start(t, opts), "juliet", "balcony")
		info, err := disco.GetInfo(t.Context(), d, d.RemoteAddr(), "")
		require.NoError(t, err)
		require.True(t, info.Has("urn:xmpp:blocking"))
		require.Equal(t, reports, info.Has("urn:xmpp:reporting:1"))
	}
}

// §3.2, §3.3, §3.4: whoever has asked for the list is told of changes, and nobody else.
func TestXEP0191_3_3_Pushes(t *testing.T) {
	s := start(t, nil)
	juliet, chamber, other := dial(t, s, "juliet", "balcony"), dial(t, s, "juliet", "chamber"), dial(t, s, "juliet", "orchard")
	romeo, iago := jid.MustParse("romeo@example.net"), jid.MustParse("iago@example.net")
	for _, d := range []*device{juliet, chamber} {
		all, err := blocking.Get(t.Context(), d)
		require.NoError(t, err)
		require.Empty(t, all)
	}
	require.NoError(t, blocking.Block(t.Context(), juliet, romeo, iago))
	require.NoError(t, blocking.Unblock(t.Context(), other, iago))
	all, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, []jid.JID{romeo}, all)
	require.NoError(t, blocking.UnblockAll(t.Context(), juliet))
	told := []string{
		"iq set <block xmlns='urn:xmpp:blocking'><item jid='romeo@example.net'/><item jid='iago@example.net'/></block>",
		"iq set <unblock xmlns='urn:xmpp:blocking'><item jid='iago@example.net'/></unblock>",
		"iq set <unblock xmlns='urn:xmpp:blocking'/>",
	}
	require.Equal(t, told, juliet.heard())
	require.Equal(t, told, chamber.heard())
	require.Empty(t, other.heard())
	all, err = blocking.Get(t.Context(), chamber)
	require.NoError(t, err)
	require.Empty(t, all)
}

// §3.3: nothing passes in either direction; presence in silence, everything else with the error that is due. It is lasting (§3.3: "across
// sessions"), and over when it is unblocked (§3.4).
func TestXEP0191_3_3_Block(t *testing.T) {
	s := start(t, nil)
	juliet, romeo := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo@example.net", "orchard")
	befriend(t, s, "juliet@example.org", "romeo@example.net")
	forget(juliet, romeo)

	require.NoError(t, blocking.Block(t.Context(), juliet, romeo.bare()))
	require.Equal(t, []string{"presence unavailable from juliet@example.org/balcony"}, romeo.heard(), "polite blocking: no more than that")
	require.Empty(t, juliet.heard())

	refusedIn := func(to jid.JID) []string {
		return []string{"message error service-unavailable from " + to.String(), "query service-unavailable"}
	}
	for _, to := range []jid.JID{juliet.LocalAddr(), juliet.bare()} {
		back, there := tries(romeo, to, juliet)
		require.Equal(t, refusedIn(to), back, to)
		require.Empty(t, there)
	}
	for _, to := range []jid.JID{romeo.LocalAddr(), romeo.bare()} {
		back, there := tries(juliet, to, romeo)
		require.Equal(t, []string{"message error not-acceptable blocked from " + to.String(), "presence error not-acceptable blocked from " + to.String(), "query not-acceptable"}, back)
		require.Empty(t, there)
	}
	romeo.send(stanza.IQ{Type: stanza.IQResult, ID: "1", To: juliet.LocalAddr()}, stanza.Message{Type: stanza.MessageError, To: juliet.LocalAddr(), Error: &stanza.Error{Condition: stanza.Gone}},
		stanza.Presence{Type: stanza.PresenceProbe, To: juliet.bare()}, stanza.Presence{Type: stanza.PresenceSubscribe, To: juliet.bare()}, stanza.Presence{Type: stanza.PresenceUnavailable}, stanza.Presence{})
	juliet.send(stanza.Presence{Show: stanza.ShowAway}, stanza.Presence{Type: stanza.PresenceUnavailable}, stanza.Presence{})
	require.Empty(t, juliet.heard())
	juliet.send(stanza.Presence{Type: stanza.PresenceSubscribe, To: romeo.bare()})
	require.Equal(t, []string{"presence error not-acceptable blocked from romeo@example.net"}, juliet.heard())
	require.Empty(t, romeo.heard())

	// Nor later, whether or not somebody is there.
	juliet.close()
	require.Empty(t, romeo.heard())
	back, _ := tries(romeo, juliet.bare(), romeo)
	require.Equal(t, refusedIn(juliet.bare()), back)
	juliet = dial(t, s, "juliet", "balcony")
	require.Empty(t, juliet.heard())
	require.Empty(t, romeo.heard())

	require.NoError(t, blocking.Unblock(t.Context(), juliet, romeo.bare()))
	require.Equal(t, []string{"presence from juliet@example.org/balcony"}, romeo.heard())
	require.Equal(t, []string{"presence from romeo@example.net/orchard"}, juliet.heard())
	back, there := tries(romeo, juliet.LocalAddr(), juliet)
	require.Empty(t, back)
	require.Equal(t, []string{"message chat from romeo@example.net/orchard", "presence from romeo@example.net/orchard", "iq get from romeo@example.net/orchard"}, there)
}

// §3.3: who may not see the account's presence is told nothing. Who got it directly is.
func TestXEP0191_3_3_Entitled(t *testing.T) {
	s := start(t, nil)
	juliet, stranger, guest := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo", "orchard"), dial(t, s, "nurse", "house")
	juliet.send(stanza.Presence{To: guest.LocalAddr()})
	forget(juliet, guest)
	require.NoError(t, blocking.Block(t.Context(), juliet, stranger.bare(), guest.bare()))
	require.Empty(t, stranger.heard())
	require.Equal(t, []string{"presence unavailable from juliet@example.org/balcony"}, guest.heard())
	require.NoError(t, blocking.UnblockAll(t.Context(), juliet))
	require.Empty(t, stranger.heard())
	require.Empty(t, guest.heard())
	require.Empty(t, juliet.heard())
}

// §3.5: everybody is shown again what there is, but for those whom something else still blocks.
func TestXEP0191_3_5_UnblockAll(t *testing.T) {
	s := start(t, nil)
	juliet, romeo, iago := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo@example.net", "orchard"), dial(t, s, "iago@example.net", "street")
	befriend(t, s, "juliet@example.org", "romeo@example.net")
	befriend(t, s, "juliet@example.org", "iago@example.net")
	require.NoError(t, blocking.Block(t.Context(), juliet, romeo.bare(), romeo.LocalAddr(), iago.bare().Domain()))
	forget(juliet, romeo, iago)
	require.NoError(t, blocking.Unblock(t.Context(), juliet, romeo.bare()))
	require.Empty(t, romeo.heard())
	require.Empty(t, juliet.heard())
	require.NoError(t, blocking.UnblockAll(t.Context(), juliet))
	require.Equal(t, []string{"presence from juliet@example.org/balcony"}, romeo.heard())
	require.Equal(t, []string{"presence from juliet@example.org/balcony"}, iago.heard())
	require.ElementsMatch(t, []string{"presence from romeo@example.net/orchard", "presence from iago@example.net/street"}, juliet.heard())
}

// §6: a domain, one session.
func TestXEP0191_6_Matching(t *testing.T) {
	s := start(t, nil)
	juliet, orchard, street := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo@example.net", "orchard"), dial(t, s, "romeo@example.net", "street")
	befriend(t, s, "juliet@example.org", "romeo@example.net")
	forget(juliet, orchard, street)
	pass := func(d *device) bool {
		juliet.heard()
		d.send(stanza.Message{To: juliet.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("x")})
		d.heard()
		return len(juliet.heard()) == 1
	}
	hidden := func(d *device) bool {
		return slices.Contains(d.heard(), "presence unavailable from juliet@example.org/balcony")
	}
	shown := func(d *device) bool { return slices.Contains(d.heard(), "presence from juliet@example.org/balcony") }

	require.NoError(t, blocking.Block(t.Context(), juliet, orchard.LocalAddr()))
	require.True(t, hidden(orchard))
	require.False(t, hidden(street))
	require.False(t, pass(orchard))
	require.True(t, pass(street))
	require.NoError(t, blocking.Unblock(t.Context(), juliet, orchard.LocalAddr()))
	require.True(t, shown(orchard))
	require.False(t, shown(street))
	require.True(t, pass(orchard))

	require.NoError(t, blocking.Block(t.Context(), juliet, jid.MustParse("example.net")))
	require.True(t, hidden(orchard))
	require.True(t, hidden(street))
	require.False(t, pass(orchard))
	require.False(t, pass(street))
	err := ping.Send(t.Context(), juliet, jid.MustParse("example.net"))
	require.True(t, blocking.IsBlocked(err), "%v", err)
	require.NoError(t, blocking.Unblock(t.Context(), juliet, jid.MustParse("example.net")))
	require.True(t, shown(orchard))

	require.NoError(t, blocking.Block(t.Context(), juliet, jid.MustParse("example.net/orchard")))
	require.False(t, hidden(orchard))
	require.True(t, pass(orchard))
	require.NoError(t, ping.Send(t.Context(), juliet, jid.MustParse("example.net")))
}

// §5: sessions of one account reach each other, whatever the list says. So do the commands.
func TestXEP0191_5_OwnResources(t *testing.T) {
	s := start(t, nil)
	balcony, chamber := dial(t, s, "juliet", "balcony"), dial(t, s, "juliet", "chamber")
	require.NoError(t, blocking.Block(t.Context(), balcony, balcony.bare(), chamber.LocalAddr(), balcony.bare().Domain()))
	back, there := tries(balcony, chamber.LocalAddr(), chamber)
	require.Empty(t, back)
	require.Equal(t, []string{"message chat from juliet@example.org/balcony", "iq get from juliet@example.org/balcony"}, there)
	all, err := blocking.Get(t.Context(), balcony)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.NoError(t, blocking.UnblockAll(t.Context(), chamber))
}

// A list may be longer than what is read at a time. It is in force as well while nobody is there.
func TestLongList(t *testing.T) {
	s := start(t, nil)
	juliet := dial(t, s, "juliet", "balcony")
	want := []jid.JID{jid.MustParse("romeo@example.org")}
	for i := range 401 {
		want = append(want, jid.MustParse(fmt.Sprintf("user%d@example.org", i)))
	}
	slices.SortFunc(want, jid.JID.Compare)
	require.NoError(t, blocking.Block(t.Context(), juliet, want...))
	juliet.close()
	romeo := dial(t, s, "romeo", "orchard")
	romeo.send(stanza.Message{To: juliet.bare(), Type: stanza.MessageChat, Body: stanza.Plain("x")})
	require.Equal(t, []string{"message error service-unavailable from juliet@example.org"}, romeo.heard())
	got, err := blocking.Get(t.Context(), dial(t, s, "juliet", "balcony"))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// What is blocked is the account's own affair.
func TestSec_BlocklistOfOthers(t *testing.T) {
	s := start(t, nil)
	juliet, romeo := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo", "orchard")
	befriend(t, s, "juliet@example.org", "romeo@example.org")
	require.NoError(t, blocking.Block(t.Context(), juliet, jid.MustParse("iago@example.net")))
	for _, p := range []stanza.Payload{blocking.UnblockCommand{}, blocking.BlockCommand{Items: []blocking.Item{{JID: romeo.bare()}}}} {
		_, err := romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, To: juliet.bare(), Payload: p})
		require.ErrorIs(t, err, stanza.ServiceUnavailable)
	}
	_, err := romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQGet, To: juliet.bare(), Payload: blocking.Blocklist{}})
	require.ErrorIs(t, err, stanza.ServiceUnavailable)
	all, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// Commands that make no sense change nothing; nor do those that would make the list too long.
func TestXEP0191_3_3_Errors(t *testing.T) {
	s := start(t, &blocking.ServerOptions{Entries: 2})
	juliet := dial(t, s, "juliet", "balcony")
	require.NoError(t, blocking.Block(t.Context(), juliet, romeo))
	for _, tt := range []struct {
		in   string
		want error
	}{
		{"<block xmlns='urn:xmpp:blocking'/>", stanza.BadRequest},
		{"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item/></block>", stanza.BadRequest},
		{"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='@'/></block>", stanza.JIDMalformed},
		{"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='c@d'/></block>", stanza.ResourceConstraint},
		{"<unblock xmlns='urn:xmpp:blocking'><item/></unblock>", stanza.BadRequest},
		{"<unblock xmlns='urn:xmpp:blocking'><x xmlns='urn:x'/></unblock>", stanza.BadRequest},
	} {
		_, err := juliet.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, Payload: stanza.NewElement([]byte(tt.in))})
		require.ErrorIs(t, err, tt.want, tt.in)
	}
	require.NoError(t, blocking.Block(t.Context(), juliet, romeo, iago), "one is there already")
	all, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, []jid.JID{romeo, iago}, all)

	_, err = server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Modules: []module.Module{blocking.Server(&blocking.ServerOptions{Entries: -1})}})
	require.ErrorContains(t, err, "-1 entries")
}

// XEP-0377 §6: who is reported is blocked, whether or not the report makes sense.
func TestXEP0377_6_Reports(t *testing.T) {
	reports := make(chan string, 10)
	s := start(t, &blocking.ServerOptions{Entries: 3, Report: func(_ context.Context, a module.Account, who jid.JID, r blocking.Report) {
		reports <- fmt.Sprintf("%s: %s: %s: %s", a.Addr, who, r.Reason, r.Text)
		if r.Text.String() == "panic" {
			panic(r)
		}
	}})
	juliet := dial(t, s, "juliet", "balcony")
	_, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.NoError(t, blocking.BlockAndReport(t.Context(), juliet, romeo, blocking.Report{Reason: blocking.ReasonAbuse, Text: stanza.Plain("rude")}))
	require.Equal(t, "juliet@example.org: romeo@montague.net: urn:xmpp:reporting:abuse: rude", <-reports)
	require.Equal(t, []string{"iq set <block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></block>"}, juliet.heard(), "the report is the server's alone")

	_, err = juliet.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, Payload: stanza.NewElement([]byte(
		"<block xmlns='urn:xmpp:blocking'><item jid='iago@shakespeare.lit'><report xmlns='urn:xmpp:reporting:1'/></item></block>"))})
	require.NoError(t, err)
	require.Error(t, blocking.BlockAndReport(t.Context(), juliet, romeo.Domain(), blocking.Report{Reason: blocking.ReasonAbuse, Text: stanza.Plain("panic")}))
	require.Len(t, reports, 1)
	all, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.ErrorIs(t, blocking.BlockAndReport(t.Context(), juliet, jid.MustParse("a@b"), blocking.Report{Reason: blocking.ReasonAbuse}), stanza.ResourceConstraint)
	require.Len(t, reports, 1, "who is not blocked is not reported")
}

// Whatever several devices do at the same time, the list in force, the list in the store and the lists that the devices follow
// are the same afterwards.
func TestBlocksAndUnblocksAtOnce(t *testing.T) {
	s := start(t, nil)
	befriended := dial(t, s, "romeo@example.net", "orchard")
	var devices []*device
	var lists []*blocking.List
	for _, resource := range []string{"balcony", "chamber", "orchard"} {
		l := blocking.NewList(nil)
		mux := muxer.New()
		l.Register(mux)
		d := dial(t, s, "juliet", resource)
		d.close()
		opts := s.Options(d.bare())
		opts.Password, opts.Handler = "b4lc0ny", mux
		var err error
		d.Client, err = client.Dial(t.Context(), d.LocalAddr(), opts)
		require.NoError(t, err)
		t.Cleanup(d.close)
		d.send(stanza.Presence{})
		devices, lists = append(devices, d), append(lists, l)
	}
	befriend(t, s, "juliet@example.org", "romeo@example.net")
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() {
			for n := range 30 {
				var err error
				switch who := jid.MustParse(fmt.Sprintf("user%d@example.net", n%5)); (n + i) % 4 {
				case 0:
					err = blocking.Block(t.Context(), d, who, befriended.bare())
				case 1:
					err = blocking.Unblock(t.Context(), d, who, befriended.bare())
				case 2:
					err = lists[i].Load(t.Context(), d)
				case 3:
					_, err = d.Send(t.Context(), stanza.Presence{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, blocked := range []bool{true, false} {
		if blocked {
			require.NoError(t, blocking.Block(t.Context(), devices[0], befriended.bare()))
		} else {
			require.NoError(t, blocking.Unblock(t.Context(), devices[0], befriended.bare()))
		}
		want, err := blocking.Get(t.Context(), devices[1])
		require.NoError(t, err)
		for i, d := range devices {
			require.NoError(t, lists[i].Load(t.Context(), d))
			require.Equal(t, want, slices.Collect(lists[i].All()))
		}
		last := map[string]string{} // what each of juliet's sessions is to romeo
		for _, s := range befriended.heard() {
			what, from, _ := strings.Cut(s, " from ")
			last[from] = what
		}
		for from, what := range last {
			require.Equal(t, blocked, what == "presence unavailable", from)
		}
		require.Len(t, last, 3)
	}
}

// faulty is a store that may fail.
type faulty struct {
	storage.Blocklists
	err atomic.Pointer[error]
}

func (f *faulty) failure() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *faulty) List(ctx context.Context, owner storage.AccountID, after jid.JID, limit int) ([]jid.JID, error) {
	if err := f.failure(); err != nil {
		return nil, err
	}
	return f.Blocklists.List(ctx, owner, after, limit)
}

// Add fails after it has done its work.
func (f *faulty) Add(ctx context.Context, owner storage.AccountID, limit int, entries ...jid.JID) error {
	return errors.Join(f.Blocklists.Add(ctx, owner, limit, entries...), f.failure())
}

// Where a list cannot be read nothing passes, and when the store has failed in a change it is asked again.
func TestSec_BlocklistFailsClosed(t *testing.T) {
	store := new(faulty)
	s := start(t, nil, func(o *server.Options) {
		store.Blocklists = o.Storage.Blocklists
		o.Storage.Blocklists = store
	})
	juliet, romeo := dial(t, s, "juliet", "balcony"), dial(t, s, "romeo", "orchard")
	nobody := dial(t, s, "nurse", "house")
	nobody.close()
	_, err := blocking.Get(t.Context(), juliet)
	require.NoError(t, err)
	down := errors.New("the database is down")
	store.err.Store(&down)
	juliet.send(stanza.Message{To: nobody.bare(), Type: stanza.MessageChat, Body: stanza.Plain("x")})
	require.Equal(t, []string{"message error internal-server-error from nurse@example.org"}, juliet.heard())

	require.ErrorIs(t, blocking.Block(t.Context(), juliet, romeo.bare()), stanza.InternalServerError)
	romeo.send(stanza.Message{To: juliet.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("x")})
	require.Equal(t, []string{"message error internal-server-error from juliet@example.org/balcony"}, romeo.heard(), "perhaps he is blocked")
	require.Empty(t, juliet.heard())
	store.err.Store(nil)
	romeo.send(stanza.Message{To: juliet.LocalAddr(), Type: stanza.MessageChat, Body: stanza.Plain("x")})
	require.Equal(t, []string{"message error service-unavailable from juliet@example.org/balcony"}, romeo.heard(), "he is")
}
