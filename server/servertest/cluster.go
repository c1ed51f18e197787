package servertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/server/usual"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/carbons"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// Cluster shows that three servers that an engine joins act as one: every cell of RFC 6121 §8.5.4 with the resources of
// an account on several nodes, and what else passes between sessions. open returns an engine without nodes, and what waits until nothing
// is on its way; it is called for each test.
func Cluster(t *testing.T, open func(t *testing.T) (e cluster.Engine, settle func())) {
	join := func(t *testing.T) *house {
		e, settle := open(t)
		return startCluster(t, 3, e, settle)
	}
	t.Run("deliveries", func(t *testing.T) {
		deliveries(t, join)
	})
	for name, f := range map[string]func(*testing.T, *house){
		"presence":             presenceElsewhere,
		"presence at the end":  endElsewhere,
		"directed presence":    directedElsewhere,
		"subscription":         subscriptionElsewhere,
		"roster pushes":        pushesElsewhere,
		"queries":              queriesElsewhere,
		"one at an address":    oneAtAnAddress,
		"order":                orderElsewhere,
		"offline messages":     offlineElsewhere,
		"a deleted account":    deletedElsewhere,
		"a disabled account":   disabledElsewhere,
		"copies":               copiesElsewhere,
		"how many sessions":    sessionsElsewhere,
		"hidden by a blocking": blockedElsewhere,
		"blocked everywhere":   blockedEverywhere,
	} {
		t.Run(name, func(t *testing.T) { f(t, join(t)) })
	}
}

// startCluster starts servers that share stores.
func startCluster(t *testing.T, n int, e cluster.Engine, settle func()) *house {
	t.Helper()
	h := &house{settle: settle, stores: memory.New()}
	for range n {
		one := start(t, h.stores, func(o *server.Options) {
			o.Cluster, o.Modules, o.Limits.SessionsPerAccount = e, usual.Modules(nil), 6
		})
		h.all = append(h.all, one.Server)
	}
	h.Server = h.all[0]
	return h
}

// befriend makes two people contacts of each other.
func (h *house) befriend(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{a, b} {
		_, err := h.Account(name)
		require.NoError(t, err)
	}
	require.NoError(t, h.AddContact(t.Context(), jid.MustParse(a+"@"+domain), jid.MustParse(b+"@"+domain)))
}

// online is login and available.
func online(t *testing.T, h *house, account, resource string) *person {
	t.Helper()
	p := login(t, h, account, resource)
	p.send("<presence xmlns='jabber:client'/>")
	p.fence()
	return p
}

// news returns what people have got, each as a line, sorted: "presence unavailable from romeo/orchard".
func news(all ...*person) (lines [][]string) {
	for _, p := range all { // what the first ones have asked for has reached the last ones
		p.fence()
	}
	for _, p := range all {
		got := []string{}
		for _, st := range p.all() {
			got = append(got, line(st))
		}
		slices.Sort(got)
		lines = append(lines, got)
	}
	return lines
}

// line is a stanza in few words.
func line(st *stanza.Raw) string {
	h := st.Header()
	if h.Kind == stanza.KindIQ {
		return "iq " + h.Type
	}
	from := " from " + strings.Replace(h.From.String(), "@"+domain, "", 1)
	if m, err := st.Message(); h.Kind == stanza.KindMessage && err == nil {
		return "message" + from + ": " + m.Body.String()
	}
	return strings.TrimSpace("presence "+h.Type) + from
}

// ask asks somebody something, which these clients answer.
func ask(s xmpp.Session, to jid.JID) error {
	_, err := s.Query(context.Background(), stanza.IQ{Type: stanza.IQGet, To: to, Payload: ping.Ping{}})
	return err
}

func presenceElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	balcony := online(t, h, "juliet", "balcony")
	romeo := online(t, h, "romeo", "orchard")
	garden := online(t, h, "juliet", "garden")
	require.Equal(t, [][]string{
		{"presence from juliet/balcony", "presence from juliet/garden", "presence from romeo/orchard"},
		{"presence from juliet/balcony", "presence from juliet/garden", "presence from romeo/orchard"},
		{"presence from juliet/balcony", "presence from juliet/garden", "presence from romeo/orchard"},
	}, news(balcony, romeo, garden))
	romeo.send("<presence xmlns='jabber:client'><show>away</show></presence>")
	require.Equal(t, [][]string{{"presence from romeo/orchard"}, {"presence from romeo/orchard"}, {"presence from romeo/orchard"}}, news(balcony, romeo, garden))
	garden.send("<presence xmlns='jabber:client' type='probe' to='romeo@" + domain + "'/>")
	require.Equal(t, [][]string{{"presence from romeo/orchard"}, {}, {"presence from romeo/orchard"}}, news(balcony, romeo, garden))
	garden.send("<presence xmlns='jabber:client' type='probe' to='romeo@" + domain + "/orchard'/>")
	require.Equal(t, [][]string{{"presence from romeo/orchard"}, {}, {"presence from romeo/orchard"}}, news(balcony, romeo, garden))
	romeo.send("<presence xmlns='jabber:client' type='unavailable'/>")
	require.Equal(t, [][]string{
		{"presence unavailable from romeo/orchard"}, {"presence unavailable from romeo/orchard"}, {"presence unavailable from romeo/orchard"},
	}, news(balcony, romeo, garden))
	garden.send("<presence xmlns='jabber:client' type='probe' to='romeo@" + domain + "'/>")
	require.Equal(t, [][]string{{"presence unavailable from romeo"}, {}, {"presence unavailable from romeo"}}, news(balcony, romeo, garden))
}

func endElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	balcony, romeo, garden := online(t, h, "juliet", "balcony"), online(t, h, "romeo", "orchard"), online(t, h, "juliet", "garden")
	romeo.send("<presence xmlns='jabber:client' to='juliet@" + domain + "/garden'/>") // who is told once all the same
	news(balcony, romeo, garden)
	require.NoError(t, romeo.Close(t.Context()))
	require.NoError(t, romeo.Wait(t.Context()))
	got := news(balcony, garden)
	for len(got[0]) == 0 || len(got[1]) == 0 { // his server may have seen the end a little later
		for i, more := range news(balcony, garden) {
			got[i] = append(got[i], more...)
		}
	}
	require.Equal(t, [][]string{{"presence unavailable from romeo/orchard"}, {"presence unavailable from romeo/orchard"}}, got)
	require.Equal(t, [][]string{{}, {}}, news(balcony, garden), "and once")
}

func directedElsewhere(t *testing.T, h *house) {
	juliet, tybalt := online(t, h, "juliet", "balcony"), online(t, h, "tybalt", "street")
	news(juliet, tybalt)
	require.ErrorIs(t, ask(tybalt, juliet.LocalAddr().Bare()), stanza.ServiceUnavailable, "a stranger gets to know nothing")
	juliet.send("<presence xmlns='jabber:client' to='tybalt@" + domain + "/street'/>")
	require.Equal(t, [][]string{{}, {"presence from juliet/balcony"}}, news(juliet, tybalt))
	require.NoError(t, ask(tybalt, juliet.LocalAddr().Bare()), "he knows that she is there")
	require.NoError(t, ask(tybalt, juliet.LocalAddr().Bare()))
	juliet.send("<presence xmlns='jabber:client' type='unavailable'/>")
	require.Equal(t, [][]string{{"presence unavailable from juliet/balcony"}, {"presence unavailable from juliet/balcony"}}, news(juliet, tybalt))
	require.ErrorIs(t, ask(tybalt, juliet.LocalAddr().Bare()), stanza.ServiceUnavailable)
}

func subscriptionElsewhere(t *testing.T, h *house) {
	balcony, romeo, garden := online(t, h, "juliet", "balcony"), online(t, h, "romeo", "orchard"), online(t, h, "juliet", "garden")
	for _, p := range []*person{balcony, romeo, garden} {
		_, err := roster.Get(t.Context(), p)
		require.NoError(t, err)
	}
	news(balcony, romeo, garden)
	romeo.send("<presence xmlns='jabber:client' type='subscribe' to='juliet@" + domain + "'/>")
	require.Equal(t, [][]string{{"presence subscribe from romeo"}, {"iq set"}, {"presence subscribe from romeo"}}, news(balcony, romeo, garden))
	garden.send("<presence xmlns='jabber:client' type='subscribed' to='romeo@" + domain + "'/>")
	require.Equal(t, [][]string{
		{"iq set"},
		{"iq set", "presence from juliet/balcony", "presence from juliet/garden", "presence subscribed from juliet"},
		{"iq set"},
	}, news(balcony, romeo, garden))
	balcony.send("<presence xmlns='jabber:client' type='unsubscribed' to='romeo@" + domain + "'/>")
	require.Equal(t, [][]string{
		{"iq set"},
		{"iq set", "presence unavailable from juliet/balcony", "presence unavailable from juliet/garden", "presence unsubscribed from juliet"},
		{"iq set"},
	}, news(balcony, romeo, garden))
}

func pushesElsewhere(t *testing.T, h *house) {
	var all []*person
	for i := range 4 {
		p := login(t, h, "juliet", fmt.Sprintf("r%d", i))
		if i < 3 {
			_, err := roster.Get(t.Context(), p)
			require.NoError(t, err)
		}
		all = append(all, p)
	}
	require.NoError(t, roster.Set(t.Context(), all[1], roster.Item{JID: jid.MustParse("nurse@" + domain), Name: "Nurse"}))
	require.Equal(t, [][]string{{"iq set"}, {"iq set"}, {"iq set"}, {}}, news(all...))
	require.NoError(t, roster.Delete(t.Context(), all[3], jid.MustParse("nurse@"+domain)))
	require.Equal(t, [][]string{{"iq set"}, {"iq set"}, {"iq set"}, {}}, news(all...))
}

func queriesElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	juliet, romeo, tybalt := online(t, h, "juliet", "balcony"), online(t, h, "romeo", "orchard"), online(t, h, "tybalt", "street")
	news(juliet, romeo, tybalt)
	require.NoError(t, ask(juliet, romeo.LocalAddr()))
	require.Equal(t, [][]string{{}, {"iq get"}, {}}, news(juliet, romeo, tybalt))
	require.ErrorIs(t, ask(tybalt, romeo.LocalAddr()), stanza.ServiceUnavailable)
	nobody, err := romeo.LocalAddr().Bare().WithResource("nobody")
	require.NoError(t, err)
	require.ErrorIs(t, ask(juliet, nobody), stanza.ServiceUnavailable)
	require.Equal(t, [][]string{{}, {}, {}}, news(juliet, romeo, tybalt), "that reached nobody")

	for _, one := range h.all { // a domain speaks from each node, and each time the answer goes back there
		service, err := one.Session(jid.MustParse(domain))
		require.NoError(t, err)
		require.NoError(t, ask(service, romeo.LocalAddr()))
	}
	require.Equal(t, [][]string{{"iq get", "iq get", "iq get"}}, news(romeo))
}

func oneAtAnAddress(t *testing.T, h *house) {
	seen := map[jid.JID]bool{}
	for range 5 {
		p := login(t, h, "juliet", "balcony")
		require.False(t, seen[p.LocalAddr()])
		seen[p.LocalAddr()] = true
	}
	require.True(t, seen[jid.MustParse("juliet@"+domain+"/balcony")])
}

func orderElsewhere(t *testing.T, h *house) {
	romeo := online(t, h, "romeo", "orchard")
	juliet := online(t, h, "juliet", "balcony")
	news(romeo, juliet)
	for i := range 200 {
		to := []string{"", "/balcony"}[i%2]
		romeo.send(fmt.Sprintf("<message xmlns='jabber:client' type='chat' to='juliet@%s%s'><body>%d</body></message>", domain, to, i))
	}
	romeo.all()
	var got []string
	for _, st := range juliet.all() {
		if m, err := st.Message(); err == nil && st.Header().Kind == stanza.KindMessage {
			got = append(got, m.Body.String())
		}
	}
	for i := range got {
		require.Equal(t, fmt.Sprint(i), got[i])
	}
	require.Len(t, got, 200)
}

func offlineElsewhere(t *testing.T, h *house) {
	_, err := h.Account("juliet")
	require.NoError(t, err)
	romeo := online(t, h, "romeo", "orchard")
	var want []string
	for i := range 5 {
		romeo.send(fmt.Sprintf("<message xmlns='jabber:client' type='chat' to='juliet@%s'><body>%d</body></message>", domain, i))
		want = append(want, fmt.Sprintf("message from romeo/orchard: %d", i))
	}
	romeo.all()
	balcony := online(t, h, "juliet", "balcony")
	var got []string
	for len(got) < len(want) { // they come when the store has found them
		got = append(got, messages(news(balcony)[0])...)
	}
	require.Equal(t, want, got)
	garden := online(t, h, "juliet", "garden")
	romeo.send("<message xmlns='jabber:client' type='headline' to='juliet@" + domain + "'><body>last</body></message>")
	romeo.all()
	for _, lines := range news(balcony, garden) {
		require.Equal(t, []string{"message from romeo/orchard: last"}, messages(lines), "nothing comes twice")
	}
}

// messages leaves out what is none.
func messages(lines []string) []string {
	return slices.DeleteFunc(lines, func(s string) bool { return !strings.HasPrefix(s, "message") })
}

func deletedElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	romeo, balcony, garden := online(t, h, "romeo", "orchard"), online(t, h, "juliet", "balcony"), online(t, h, "juliet", "garden")
	_, err := roster.Get(t.Context(), romeo)
	require.NoError(t, err)
	news(romeo, balcony, garden)
	require.NoError(t, h.DeleteAccount(t.Context(), jid.MustParse("juliet@"+domain)))
	for _, p := range []*person{balcony, garden} {
		require.ErrorIs(t, p.Wait(t.Context()), client.ErrCredentials) // it has tried to come back
	}
	got := news(romeo)[0]
	for _, want := range []string{"presence unavailable from juliet/balcony", "presence unavailable from juliet/garden", "presence unsubscribed from juliet"} {
		require.Contains(t, got, want)
		require.Equal(t, 1, len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != want })))
	}
}

func disabledElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	romeo, balcony, garden := online(t, h, "romeo", "orchard"), online(t, h, "juliet", "balcony"), online(t, h, "juliet", "garden")
	news(romeo, balcony, garden)
	require.NoError(t, h.SetDisabled(t.Context(), jid.MustParse("juliet@"+domain), true))
	for _, p := range []*person{balcony, garden} {
		require.ErrorIs(t, p.Wait(t.Context()), client.ErrCredentials)
	}
	require.Equal(t, [][]string{{"presence unavailable from juliet/balcony", "presence unavailable from juliet/garden"}}, news(romeo))
}

func copiesElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	romeo, balcony, garden := online(t, h, "romeo", "orchard"), online(t, h, "juliet", "balcony"), online(t, h, "juliet", "garden")
	for _, p := range []*person{balcony, garden} {
		require.NoError(t, carbons.New(func(context.Context, carbons.Copy) {}).Enable(t.Context(), p))
	}
	news(romeo, balcony, garden)
	romeo.send("<message xmlns='jabber:client' type='chat' to='juliet@" + domain + "/balcony'><body>hi</body></message>")
	require.Equal(t, [][]string{{}, {"message from romeo/orchard: hi"}, {"message from juliet: "}}, news(romeo, balcony, garden))
	garden.send("<message xmlns='jabber:client' type='chat' to='romeo@" + domain + "'><body>ho</body></message>")
	require.Equal(t, [][]string{{"message from juliet/garden: ho"}, {"message from juliet: "}, {}}, news(romeo, balcony, garden))
}

func sessionsElsewhere(t *testing.T, h *house) {
	for range 6 {
		login(t, h, "juliet", "balcony")
	}
	h.settle()
	addr := jid.MustParse("juliet@" + domain)
	_, err := client.Dial(t.Context(), addr, h.Options(addr))
	require.Error(t, err)
}

func blockedElsewhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	romeo, balcony, garden := online(t, h, "romeo", "orchard"), online(t, h, "juliet", "balcony"), online(t, h, "juliet", "garden")
	news(romeo, balcony, garden)
	garden.send("<presence xmlns='jabber:client' type='unavailable' to='romeo@" + domain + "'/>")
	news(romeo, balcony, garden)
	garden.send(blockRomeo)
	got := news(romeo, balcony, garden)[0]
	require.Equal(t, []string{"presence unavailable from juliet/balcony", "presence unavailable from juliet/garden"}, got)
}

const blockRomeo = "<iq xmlns='jabber:client' type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@" + domain + "'/></block></iq>"

// blockedEverywhere is about nodes that have looked at the list before it changes.
func blockedEverywhere(t *testing.T, h *house) {
	h.befriend(t, "juliet", "romeo")
	romeo := online(t, h, "romeo", "orchard")
	all := []*person{romeo, online(t, h, "juliet", "balcony"), online(t, h, "juliet", "garden"), online(t, h, "juliet", "window")} // the last one is where romeo is
	for _, to := range []string{"balcony", "garden", "window"} {
		romeo.send("<message xmlns='jabber:client' type='chat' id='m' to='juliet@" + domain + "/" + to + "'><body>but soft</body></message>")
	}
	for _, lines := range news(all...)[1:] {
		require.Equal(t, []string{"message from romeo/orchard: but soft"}, messages(lines))
	}
	all[1].send(blockRomeo)
	news(all...)
	for _, to := range []string{"balcony", "garden", "window"} {
		romeo.send("<message xmlns='jabber:client' type='chat' id='m' to='juliet@" + domain + "/" + to + "'><body>what light</body></message>")
		got := news(all...)
		require.Equal(t, []string{"message from juliet/" + to + ": "}, messages(got[0]), "an error")
		require.Empty(t, messages(slices.Concat(got[1:]...)))
	}
	all[2].send("<iq xmlns='jabber:client' type='set' id='b'><unblock xmlns='urn:xmpp:blocking'/></iq>")
	news(all...)
	romeo.send("<message xmlns='jabber:client' type='chat' id='m' to='juliet@" + domain + "/window'><body>what light</body></message>")
	require.Equal(t, []string{"message from romeo/orchard: what light"}, messages(news(all...)[3]))
}
