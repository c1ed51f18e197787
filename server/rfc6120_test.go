package server

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A client from which nothing comes is asked whether it is there after five minutes, and not before; who answers is asked again five
// minutes later, and who does not is given up.
func TestC4_6_4_SilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet"})
		juliet := h.login("juliet", "balcony")
		ping := func() stanza.Element {
			time.Sleep(5*time.Minute - time.Second)
			synctest.Wait()
			require.Empty(t, juliet.arrived())
			time.Sleep(2 * time.Second)
			synctest.Wait()
			got := juliet.arrived()
			require.Len(t, got, 1)
			juliet.compare(got, []string{"<iq type='get' id='*' from='capulet.example' to='juliet@capulet.example/balcony'><ping xmlns='urn:xmpp:ping'/></iq>"})
			return got[0]
		}
		juliet.send("<iq type='result' id='" + ping().Attr("id") + "' to='capulet.example'/>")
		ping()
		time.Sleep(50 * time.Second)
		synctest.Wait()
		require.False(t, isDone(juliet.done))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.True(t, isDone(juliet.done))
		require.ErrorIs(t, juliet.end, stream.ErrSilent)
	})
}

// arrived returns what is here so far, without a word to the server.
func (c *client) arrived() []stanza.Element {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.in
	c.in = nil
	return got
}

// The id of a stream cannot be guessed from others: nothing about them is the same.
func TestC4_7_3_Unpredictable(t *testing.T) {
	h := newHouse(t, nil)
	starts, ends := map[string]bool{}, map[string]bool{}
	const streams = 100
	for range streams {
		c := h.connect()
		c.open("capulet.example")
		id, _ := c.head.Attr("", "id")
		require.GreaterOrEqual(t, len(id), 22, "as many characters as 128 bits need")
		starts[id[:5]], ends[id[len(id)-5:]] = true, true
		c.hangUp()
	}
	require.Len(t, starts, streams)
	require.Len(t, ends, streams)
}

// A stanza whose elements have a prefix is passed on without.
func TestC4_8_5_PrefixedStanza(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	near, far := net.Pipe()
	wire := &overheard{Conn: near}
	juliet := h.attach(wire, far)
	juliet.open("capulet.example")
	juliet.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	juliet.open("capulet.example")
	juliet.bind("balcony")
	juliet.send("<presence/>")
	juliet.all()
	wire.take()
	romeo := h.login("romeo", "orchard")
	romeo.send("<c:message xmlns:c='jabber:client' to='juliet@capulet.example'><c:body>hi</c:body><x xmlns='urn:example:x'><c:y/></x></c:message>")
	romeo.sync()
	juliet.expect("<message xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>hi</body><x xmlns='urn:example:x'><y xmlns='jabber:client'/></x></message>")
	said := wire.take()
	require.Contains(t, said, "<message")
	require.Contains(t, said, "<body>hi</body>")
	require.NotContains(t, said, "<c:")
}

// overheard notes what is read from a connection.
type overheard struct {
	net.Conn
	mu   sync.Mutex // guards the field below
	said strings.Builder
}

func (o *overheard) Read(b []byte) (int, error) {
	n, err := o.Conn.Read(b)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said.Write(b[:n])
	return n, err
}

func (o *overheard) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	said := o.said.String()
	o.said.Reset()
	return said
}

// When accounts cannot be looked at, nobody is told that the password is wrong; the stream goes on.
func TestC6_5_11_StoreFails(t *testing.T) {
	stores := memory.New()
	accounts := &failingAccounts{Accounts: stores.Accounts}
	stores.Accounts = accounts
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Storage = stores })
	c := h.connect()
	c.open("capulet.example")
	accounts.fails = true
	c.raw("<auth xmlns='" + nsSASL + "' mechanism='SCRAM-SHA-1'>" + encode([]byte("n,,n=juliet,r=abc")) + "</auth>")
	require.Equal(t, "<failure xmlns='"+nsSASL+"'><temporary-auth-failure/></failure>", c.next().String())
	accounts.fails = false
	c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
}

// failingAccounts cannot be looked at while fails is set, which a test does while nobody logs in.
type failingAccounts struct {
	storage.Accounts
	fails bool
}

func (a *failingAccounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	if a.fails {
		return storage.Account{}, errDown
	}
	return a.Accounts.Get(ctx, addr)
}

// Of a stanza that is not at its end nothing is done; nor does it matter in which pieces it comes.
func TestC8_PartialStanza(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet, romeo := h.online("juliet", "balcony", ""), h.login("romeo", "orchard")
	const message = "<message to='juliet@capulet.example'><body>x</body></message>"
	romeo.raw(strings.TrimSuffix(message, ">"))
	juliet.expect()
	romeo.hangUp()
	juliet.expect()
	for _, part := range []string{"<presence to='juliet@capulet.example/balcony'><status>", "<presence", "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='evil@capulet.example'/></query>"} {
		romeo = h.login("romeo", "orchard")
		romeo.raw(part)
		romeo.hangUp()
		juliet.expect()
	}

	romeo = h.login("romeo", "orchard")
	for _, b := range message {
		romeo.raw(string(b))
	}
	romeo.sync()
	juliet.expect("<message xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>x</body></message>")
}

// Whatever the server says in words, it says in which language.
func TestC8_3_2_TextHasLanguage(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.RosterItems, o.Limits.NameBytes, o.Limits.Groups = 1, 10, 1 })
	juliet := h.login("juliet", "balcony")
	texts := 0
	for _, wrong := range []string{
		"<iq type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>",
		set("1", "jid='@'", ""), set("1", "jid='a@b.example'", "<group/>"), set("1", "jid='a@b.example'", "<group>x</group><group>x</group>"),
		set("1", "jid='a@b.example'", "<group>x</group><group>y</group>"), set("1", "jid='a@b.example' name='rather long'", ""),
		set("1", "jid='a@b.example'", ""), set("1", "jid='b@b.example'", ""), set("1", "jid='c@b.example' subscription='remove'", ""),
		"<iq type='get' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b.example'/></query></iq>",
		"<iq id='1' to='capulet.example'/>", "<iq type='ask' id='1'/>", "<iq type='get' id='1'/>", "<iq type='get'><x xmlns='urn:example:x'/></iq>",
		"<message to='@'/>", "<presence type='hidden'/>", "<presence type='subscribe'/>", "<presence><priority>high</priority></presence>",
		"<iq type='get' id='1' to='capulet.example'><query xmlns='http://jabber.org/protocol/disco#info' node='x'/></iq>",
	} {
		juliet.send(wrong)
		for _, e := range juliet.all() {
			text := e.Child(stanza.NS, "error").Child(stanza.NSErrors, "text")
			if text.IsZero() {
				continue
			}
			texts++
			if _, has := text.LookupAttr("http://www.w3.org/XML/1998/namespace", "lang"); !has {
				t.Errorf("%s: got %s", wrong, e)
			}
		}
	}
	require.Greater(t, texts, 8)
}

// What a client sends is done with before the next of it is looked at.
func TestC10_1_EarlierFirst(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.interested("romeo", "orchard")
	romeo.raw("<presence/><message to='romeo@capulet.example' type='chat'><body>now I am here</body></message>" +
		"<presence type='subscribed' to='juliet@capulet.example'/>" + set("1", "jid='juliet@capulet.example' subscription='remove'", "") +
		"<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>")
	romeo.expect("<presence xml:lang='en' from='romeo@capulet.example/orchard' to='romeo@capulet.example'/>",
		"<message type='chat' xml:lang='en' from='romeo@capulet.example/orchard' to='romeo@capulet.example'><body>now I am here</body></message>",
		item(romeo, "jid='juliet@capulet.example' subscription='none' approved='true'"),
		item(romeo, "jid='juliet@capulet.example' subscription='remove'"), result(romeo, "1"),
		"<iq type='result' id='2' to='romeo@capulet.example/orchard'><query xmlns='jabber:iq:roster' ver='*'/></iq>")
}

// Nobody is told from where somebody is connected.
func TestC13_10_1_NoAddresses(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	const ip = "192.0.2.77"
	juliet := h.at(ip)
	juliet.open("capulet.example")
	juliet.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	juliet.open("capulet.example")
	juliet.bind("")
	require.NotContains(t, juliet.addr.String(), ip)
	juliet.send("<presence/>", "<message to='romeo@capulet.example'><body>x</body></message>", "<message to='romeo@capulet.example/x' type='groupchat'/>",
		"<iq type='get' id='1' to='romeo@capulet.example/orchard'><x xmlns='urn:example:x'/></iq>")
	juliet.sync()
	romeo.send("<presence type='probe' to='juliet@capulet.example'/>", "<presence type='probe' to='"+juliet.addr.String()+"'/>")
	for _, ns := range []string{"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items", "jabber:iq:last", "urn:example:unknown"} {
		romeo.send("<iq type='get' id='2' to='juliet@capulet.example'><query xmlns='" + ns + "'/></iq>")
	}
	before := romeo.all()
	juliet.hangUp()
	got := append(before, romeo.all()...)
	require.Greater(t, len(got), 8)
	for _, e := range got {
		require.NotContains(t, e.String(), ip)
		require.NotContains(t, e.String(), netip.MustParseAddr("::ffff:"+ip).String())
		require.NotContains(t, e.String(), "12345")
	}
}

// Who leaves unread what must not be left out, such as the presence of contacts, is told why its stream ends.
func TestC4_9_3_17_QueueTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Limits.QueueBytes, o.Limits.WriteTimeout = 10_000, time.Hour })
		h.befriend("juliet", "romeo")
		romeo := h.online("romeo", "orchard", "")
		juliet := h.deaf("juliet", "balcony")
		juliet.send("<presence/>", "<message to='romeo@capulet.example/orchard'/>")
		romeo.until(1) // she is available now
		for range 100 {
			romeo.send("<presence><status>" + strings.Repeat("x", 1000) + "</status></presence>")
			synctest.Wait() // he reads what comes back to him
		}
		juliet.read()
		require.NotEmpty(t, juliet.expectEnd("resource-constraint"))
		<-juliet.done
		require.ErrorIs(t, juliet.end, stream.ResourceConstraint)
	})
}
