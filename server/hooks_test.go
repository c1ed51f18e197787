package server

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Hooks see what a client sends with its sender stamped, may change it, refuse it and drop it.
func TestHookOutbound(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Outbound: func(_ context.Context, s module.Session, tr *module.Transit) error {
		head := tr.Header()
		if head.From != s.Addr() {
			t.Errorf("from %s, session %s", head.From, s.Addr())
		}
		switch head.ID {
		case "refuse":
			return stanza.NotAcceptable
		case "drop":
			return module.ErrDrop
		case "panic":
			panic("at the hook")
		case "edit":
			return tr.Edit(func(e stanza.Element) bool { return e.Is(nsTest, "x") }, stanza.NewElement([]byte("<y xmlns='"+nsTest+"'/>")))
		}
		return nil
	}}))
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo", "orchard", "")
	juliet.all()
	to := romeo.addr.String()
	juliet.send(message(to, "id='refuse'", "<body>1</body>"), message(to, "id='drop'", "<body>2</body>"), message(to, "id='panic'", "<body>3</body>"),
		message(to, "id='edit'", "<x xmlns='"+nsTest+"'/><body>4</body>"), message(to, "id='as it is'", "<body>5</body>"))
	from := "from='juliet@capulet.example/balcony' xml:lang='en' "
	juliet.expect("<message type='error' id='refuse' from='"+to+"' to='juliet@capulet.example/balcony'>"+stanzaError("modify", "not-acceptable")+"</message>",
		"<message type='error' id='panic' from='"+to+"' to='juliet@capulet.example/balcony'>"+stanzaError("cancel", "internal-server-error")+"</message>")
	romeo.expect(message(to, from+"id='edit'", "<body>4</body><y xmlns='"+nsTest+"'/>"), message(to, from+"id='as it is'", "<body>5</body>"))
}

// Permit is asked about everything between an account and somebody else, both ways, and about nothing else.
func TestHookPermit(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]bool{}
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Permit: func(_ context.Context, a module.Account, with jid.JID, dir module.Direction, h stanza.Header) error {
		mu.Lock()
		defer mu.Unlock()
		if with.Bare() == a.Addr {
			t.Errorf("asked about %s and itself", a.Addr)
		}
		if a.Addr.Localpart() != "juliet" {
			return nil
		}
		asked[map[module.Direction]string{module.In: "in", module.Out: "out"}[dir]+" "+h.Kind.String()] = true
		switch {
		case with.Localpart() != "romeo":
			return nil
		case dir == module.Out && (h.Kind != stanza.KindPresence || !h.To.IsZero() && h.Type != ""):
			return stanza.NotAcceptable
		case h.Kind == stanza.KindPresence:
			return module.ErrDrop
		}
		return stanza.ServiceUnavailable
	}}))
	h.befriend("juliet", "romeo")
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo", "orchard", "")

	ping := "<ping xmlns='urn:xmpp:ping'/>"
	romeo.send(message("juliet@capulet.example", "id='1'", "<body>x</body>"), message("juliet@capulet.example/balcony", "id='2'", "<body>x</body>"),
		"<iq type='get' id='3' to='juliet@capulet.example'>"+ping+"</iq>", "<iq type='get' id='4' to='juliet@capulet.example/balcony'>"+ping+"</iq>",
		"<presence to='juliet@capulet.example/balcony'/>", "<presence type='probe' to='juliet@capulet.example'/>", "<presence type='unsubscribe' to='juliet@capulet.example'/>",
		"<iq type='result' id='5' to='juliet@capulet.example/balcony'/>")
	unavailable := stanzaError("cancel", "service-unavailable")
	romeo.expect("<message type='error' id='1' from='juliet@capulet.example' to='romeo@capulet.example/orchard'>"+unavailable+"</message>",
		"<message type='error' id='2' from='juliet@capulet.example/balcony' to='romeo@capulet.example/orchard'>"+unavailable+"</message>",
		iqError(romeo, "3", "juliet@capulet.example", unavailable), iqError(romeo, "4", "juliet@capulet.example/balcony", unavailable))
	juliet.expect()

	juliet.send(message("romeo@capulet.example", "id='6'", "<body>x</body>"), "<iq type='get' id='7' to='romeo@capulet.example/orchard'>"+ping+"</iq>",
		"<presence/>", message("juliet@capulet.example", "id='8'", "<body>to myself</body>"))
	refused := stanzaError("modify", "not-acceptable")
	juliet.expect("<message type='error' id='6' from='romeo@capulet.example' to='juliet@capulet.example/balcony'>"+refused+"</message>",
		iqError(juliet, "7", "romeo@capulet.example/orchard", refused),
		"<presence from='juliet@capulet.example/balcony' to='juliet@capulet.example' xml:lang='en'/>",
		message("juliet@capulet.example", "from='juliet@capulet.example/balcony' xml:lang='en' id='8'", "<body>to myself</body>"))
	romeo.expect()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"in message", "in iq", "in presence", "out message", "out iq", "out presence"} {
		require.True(t, asked[want], want)
	}
}

// A hook sees a message for an account before it is placed, kept ones too; it may change it, refuse it and drop it.
func TestHookInbound(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Inbound: func(_ context.Context, a module.Account, tr *module.Transit) error {
		if a.Addr != tr.Header().To.Bare() || a.ID == "" {
			t.Errorf("account %v, message to %s", a, tr.Header().To)
		}
		switch tr.Header().ID {
		case "refuse":
			return stanza.NotAcceptable
		case "drop":
			return module.ErrDrop
		}
		return tr.Edit(nil, stanza.NewElement([]byte("<seen xmlns='"+nsTest+"'/>")))
	}}))
	juliet, romeo := h.online("juliet", "balcony", ""), h.login("romeo", "orchard")
	to := juliet.addr.String()
	romeo.send(message(to, "id='refuse'", "<body>1</body>"), message(to, "id='drop'", "<body>2</body>"), message(to, "id='on'", "<body>3</body>"),
		message("nobody@capulet.example", "id='refuse'", "<body>4</body>"))
	romeo.expect("<message type='error' id='refuse' from='" + to + "' to='romeo@capulet.example/orchard'>" + stanzaError("modify", "not-acceptable") + "</message>")
	const seen = "<seen xmlns='" + nsTest + "'/>"
	juliet.expect(message(to, "from='romeo@capulet.example/orchard' xml:lang='en' id='on'", "<body>3</body>"+seen))
	juliet.close()
	romeo.send(message("juliet@capulet.example", "id='kept'", "<body>5</body>"))
	romeo.sync()
	kept := h.offline("juliet")
	require.Len(t, kept, 1)
	require.Contains(t, kept[0].String(), seen)
}

// A module is told where each message has gone, of which session it was, and of the life of sessions.
func TestHookPlaced(t *testing.T) {
	var mu sync.Mutex
	var log []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, s)
	}
	taken := func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := log
		log = nil
		return out
	}
	h := newHouse(t, []string{"juliet", "romeo", "nurse"}, hooked(module.Hooks{
		Placed: func(_ context.Context, a module.Account, tr *module.Transit, to []module.Session, kept bool) {
			var s strings.Builder
			s.WriteString("placed " + tr.Header().ID)
			for _, t := range to {
				s.WriteString(" " + t.Addr().Resourcepart())
			}
			if kept {
				s.WriteString(" kept")
			}
			note(s.String())
		},
		Sent:   func(_ context.Context, s module.Session, tr *module.Transit) { note("sent " + tr.Header().ID) },
		Opened: func(_ context.Context, s module.Session) { note("opened " + s.Addr().Resourcepart()) },
		Closed: func(_ context.Context, s module.Session) { note("closed " + s.Addr().Resourcepart()) },
		Presence: func(_ context.Context, s module.Session, p *stanza.Raw) {
			if p == nil {
				note("gone " + s.Addr().Resourcepart())
				return
			}
			note("there " + s.Addr().Resourcepart() + " " + p.Header().From.Resourcepart())
		},
		Deleted: func(_ context.Context, a module.Account) { note("deleted " + a.Addr.Localpart()) },
	}))
	juliet := h.online("juliet", "balcony", "")
	juliet.send(message("nurse@capulet.example", "id='1'", "<body>x</body>")) // who stays offline
	juliet.all()
	require.ElementsMatch(t, []string{"opened balcony", "there balcony balcony", "placed 1 kept", "sent 1"}, taken(), "it is placed when it is committed, whenever that is")
	orchard, street := h.online("romeo", "orchard", "<priority>1</priority>"), h.online("romeo", "street", "")
	orchard.sync()
	street.sync()
	taken()
	juliet.send(message("romeo@capulet.example", "id='2'", "<body>x</body>"), message("romeo@capulet.example/street", "id='3'", "<body>x</body>"),
		"<message to='romeo@capulet.example' id='4' type='headline'><body>x</body></message>", "<message to='romeo@capulet.example' id='5' type='groupchat'><body>x</body></message>")
	juliet.sync()
	require.Equal(t, []string{"placed 2 orchard", "sent 2", "placed 3 street", "sent 3", "placed 4 orchard street", "sent 4", "placed 5", "sent 5"}, taken())
	street.close()
	require.Equal(t, []string{"gone street", "closed street"}, taken())
	require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("romeo")))
	<-orchard.done
	require.Equal(t, []string{"gone orchard", "deleted romeo", "closed orchard"}, sorted(taken(), "gone orchard", "deleted romeo", "closed orchard"))
}

// sorted returns got in the order of want, which is not that of two goroutines.
func sorted(got []string, want ...string) (out []string) {
	for _, w := range want {
		for _, g := range got {
			if g == w {
				out = append(out, g)
			}
		}
	}
	return out
}

// A request for a subscription that a module grants is answered at once, and nobody is bothered.
func TestHookRequested(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Requested: func(_ context.Context, a module.Account, tr *module.Transit) (bool, error) {
		return tr.Header().From.Localpart() == "romeo", nil
	}}))
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo", "orchard", "")
	juliet.all()
	romeo.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "<presence type='subscribe' to='juliet@capulet.example'/>")
	var got []string
	for _, e := range romeo.all() {
		got = append(got, e.Name().Local+" "+e.Attr("type")+" "+e.Attr("from"))
	}
	require.Contains(t, got, "presence subscribed juliet@capulet.example")
	require.Contains(t, got, "presence  juliet@capulet.example/balcony")
	juliet.expect()
	juliet.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	juliet.expect("<iq type='result' id='r' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'><item jid='romeo@capulet.example' subscription='from'/></query></iq>")
}

// What waits for an account to be online does not pass what has been forbidden since. What cannot be decided goes on
// waiting.
func TestHookPermit_Waiting(t *testing.T) {
	var refusal atomic.Pointer[error]
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Permit: func(_ context.Context, a module.Account, _ jid.JID, dir module.Direction, _ stanza.Header) error {
		if err := refusal.Load(); err != nil && dir == module.In && a.Addr.Localpart() == "juliet" {
			return *err
		}
		return nil
	}}))
	romeo := h.online("romeo", "orchard", "")
	says := func(id string) { romeo.send(message("juliet@capulet.example", "id='"+id+"'", "<body>x</body>")) }
	hears := func() (got []string) {
		c := h.login("juliet", "")
		defer c.close()
		c.send("<presence/>", message("juliet@capulet.example", "id='end'", ""))
		_, _, ok := c.take(func(e stanza.Element) bool {
			if e.Name().Local == "message" || e.Attr("type") == "subscribe" {
				got = append(got, e.Attr("id"))
			}
			return e.Attr("id") == "end" // which waits behind what was stored
		})
		require.True(t, ok)
		return got
	}
	romeo.send("<presence type='subscribe' id='s' to='juliet@capulet.example'/>")
	says("1")
	romeo.sync()

	refusal.Store(&errDown)
	c := h.login("juliet", "")
	c.send("<presence/>")
	c.sync()
	c.close()
	refusal.Store(nil)
	require.Equal(t, []string{"s", "1", "end"}, hears())

	says("2")
	romeo.sync()
	var refused error = stanza.ServiceUnavailable
	refusal.Store(&refused)
	require.Equal(t, []string{"end"}, hears())
	refusal.Store(nil)
	require.Equal(t, []string{"s", "end"}, hears(), "the message is gone, the request is still to be answered")
}

// A request that waits already is granted when a module says so; about one that needs no answer nobody is asked.
func TestHookRequestedAgain(t *testing.T) {
	asked, grant := 0, false // by the goroutine that reads romeo, which is in step with the test
	h := newHouse(t, []string{"juliet", "romeo"}, hooked(module.Hooks{Requested: func(context.Context, module.Account, *module.Transit) (bool, error) {
		asked++
		return grant, nil
	}}))
	juliet, romeo := h.interested("juliet", "balcony"), h.interested("romeo", "orchard")
	ask := func() (got []string) {
		romeo.send("<presence type='subscribe' to='juliet@capulet.example'/>")
		for _, e := range romeo.all() {
			got = append(got, e.Name().Local+" "+e.Attr("type"))
		}
		return got
	}
	require.NotContains(t, ask(), "presence subscribed")
	require.NotContains(t, ask(), "presence subscribed", "it waits")
	juliet.all()
	grant = true
	require.Contains(t, ask(), "presence subscribed")
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='from'"))
	require.Equal(t, 3, asked)
	ask()
	require.Equal(t, 3, asked, "it is granted already")
	juliet.send("<presence/>")
	require.Len(t, juliet.all(), 1, "no request is left to be shown")
}
