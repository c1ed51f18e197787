package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// jackal wrote attributes without escaping: any user could forge any stanza to any other.
func TestSec_AttributeSmuggling(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	const evil = "1&apos;/&gt;&lt;message from=&apos;admin@capulet.example&apos;&gt;&lt;body&gt;pwned&lt;/body&gt;&lt;/message&gt;&lt;x a=&apos;"
	romeo.send("<message id='"+evil+"' type='"+evil+"' xml:lang='"+evil+"' other='"+evil+"' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x' a='"+evil+"'/></message>",
		`<message id="1'/&gt;&lt;message from='admin@capulet.example'&gt;" to='juliet@capulet.example'/>`,
		"<iq type='get' id='"+evil+"' to='juliet@capulet.example/balcony'><x xmlns='urn:example:x'/></iq>",
		"<presence id='"+evil+"' to='juliet@capulet.example'/>")
	romeo.expect()
	got := juliet.all()
	require.Len(t, got, 4)
	for _, e := range got {
		if e.Attr("from") != "romeo@capulet.example/orchard" || strings.Contains(e.Text(), "pwned") {
			t.Errorf("got %s", e)
		}
	}
	want := "1'/><message from='admin@capulet.example'><body>pwned</body></message><x a='"
	require.Equal(t, want, got[0].Attr("id"))
	require.Equal(t, want, got[0].First().Attr("a"))
}

// An element of the stream's namespace inside a stanza must not reach anybody.
func TestSec_StreamElementsInside(t *testing.T) {
	for _, inner := range []string{"<stream:stream/>", "<stream:error/>", "<stream xmlns='http://etherx.jabber.org/streams'/>", "</stream:stream>", "<![CDATA[</message><message from='admin@capulet.example'>]]>"} {
		h := newHouse(t, []string{"juliet", "romeo"})
		juliet := h.online("juliet", "balcony", "")
		romeo := h.login("romeo", "orchard")
		romeo.nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(romeo.nc, "<message to='juliet@capulet.example'><body>"+inner+"</body></message>")
		_, _ = io.WriteString(romeo.nc, "</stream:stream>")
		<-romeo.done
		for _, e := range juliet.all() {
			if e.Attr("from") != "romeo@capulet.example/orchard" || strings.Contains(e.String(), "etherx") {
				t.Errorf("%s: got %s", inner, e)
			}
		}
	}
}

// A roster push that somebody else makes up is not delivered, whoever it pretends to be from.
func TestSec_ForgedRosterPush(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo") // he may ask her other things
	juliet := h.interested("juliet", "balcony")
	romeo := h.login("romeo", "orchard")
	chamber := h.login("juliet", "chamber")
	push := "to='juliet@capulet.example/balcony' type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='evil@capulet.example' subscription='both'/></query></iq>"
	for _, from := range []string{"", "from='juliet@capulet.example' ", "from='capulet.example' "} {
		romeo.send("<iq " + from + push)
		romeo.expect(iqError(romeo, "push", "juliet@capulet.example/balcony", unavailable))
	}
	chamber.send("<iq " + push)
	chamber.expect(iqError(chamber, "push", "juliet@capulet.example/balcony", unavailable))
	juliet.expect()
}

// A client that never reads while others write to it: what waits is bounded, its
// session ends, and the messages that it was not being sent wait for the next one.
func TestSec_SlowReader(t *testing.T) { synctest.Test(t, slowReader) }

func slowReader(t *testing.T) {
	const queue, total = 100_000, 300
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Limits.QueueBytes = queue })
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	juliet := h.deaf("juliet", "balcony")
	juliet.send("<presence/>", "<message to='romeo@capulet.example/orchard'/>")
	romeo.until(1) // she is available now
	for n := range total {
		romeo.send(fmt.Sprintf("<message type='chat' to='juliet@capulet.example'><body>%d %s</body></message>", n, strings.Repeat("x", 1000)))
	}
	romeo.sync()
	<-juliet.done // though nobody reads what it is told
	romeo.sync()
	kept := h.offline("juliet")
	lost := total - len(kept)
	if lost > 33 { // what is written at one time, 32 KiB: nobody knows how much of that has arrived
		t.Errorf("kept %d of %d messages", len(kept), total)
	}
	for n, m := range kept { // in the order in which they were sent (RFC 6120 §10.1)
		if !strings.Contains(m.String(), fmt.Sprintf("<body>%d ", n+lost)) {
			t.Fatalf("message %d is %.120s", n, m)
		}
	}
	gone := 0
	for _, e := range romeo.all() {
		if e.Attr("type") == "unavailable" {
			gone++
		}
	}
	require.Equal(t, 1, gone, "her contact is told once")
}

// A client that reads slowly while strangers flood it keeps its session, and gets
// its friends' messages, in order.
func TestSec_Flood(t *testing.T) { synctest.Test(t, flood) }

func flood(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "mallory"}, func(o *Options) {
		o.Limits.QueueBytes, o.Limits.WriteTimeout = 10_000, time.Hour
	})
	h.befriend("juliet", "romeo")
	romeo, mallory := h.online("romeo", "orchard", ""), h.login("mallory", "")
	juliet := h.deaf("juliet", "balcony")
	juliet.send("<presence/>", "<message to='romeo@capulet.example/orchard'/>")
	romeo.until(1)
	x := strings.Repeat("x", 1000)
	for _, to := range []string{"", "/balcony"} {
		for n := range 20 { // each message waits for a second
			mallory.send(
				"<message type='headline' to='juliet@capulet.example"+to+"'><body>"+x+"</body></message>",
				"<presence to='juliet@capulet.example"+to+"'><status>"+x+"</status></presence>",
				"<presence type='subscribe' to='juliet@capulet.example'><status>"+x+"</status></presence>",
				"<presence type='unsubscribe' to='juliet@capulet.example'/>",
			)
			if n%10 == 0 {
				mallory.send("<message type='chat' to='juliet@capulet.example" + to + "'><body>" + x + "</body></message>")
			}
		}
	}
	for n := range 20 {
		to := []string{"", "/balcony"}[n%2]
		romeo.send(fmt.Sprintf("<message type='chat' to='juliet@capulet.example%s'><body>%d</body></message>", to, n))
	}
	romeo.send("<presence><status>still here</status></presence>")
	romeo.sync()
	juliet.read()
	var said []string
	here := false
	for len(said) < 20 {
		synctest.Wait()
		for _, e := range juliet.all() { // which fails if the session has ended
			body := e.Child(stanza.NS, "body").Text()
			if strings.HasPrefix(e.Attr("from"), "romeo@") && body != "" {
				said = append(said, body)
			}
			here = here || e.Child(stanza.NS, "status").Text() == "still here"
		}
	}
	for n, got := range said {
		require.Equal(t, fmt.Sprint(n), got)
	}
	require.True(t, here)
}

// A flood of requests by a client that does not read the answers: its reader
// waits, so that the answers are bounded.
func TestSec_UnreadAnswers(t *testing.T) { synctest.Test(t, unreadAnswers) }

func unreadAnswers(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.QueueBytes, o.Limits.WorkBytes = 10_000, 10_000 })
	for _, to := range []string{"", " to='capulet.example'"} {
		juliet := h.deaf("juliet", "")
		sent := 0
		for ; sent < 10_000; sent++ {
			juliet.nc.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := io.WriteString(juliet.nc, "<iq type='get' id='1'"+to+"><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				break
			}
		}
		if sent > 1000 {
			t.Errorf("to=%q: %d requests were taken in without an answer being read", to, sent)
		}
		juliet.hangUp()
	}
}

// The time until a resource is bound is bounded, whatever is sent meanwhile.
func TestSec_PreAuthDeadline(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(h *house, c *client)
	}{
		{"silence", func(h *house, c *client) {}},
		{"white space", func(h *house, c *client) { c.open("capulet.example"); c.keep(" ") }},
		{"failed logins", func(h *house, c *client) {
			c.open("capulet.example")
			e := c.exchange(h.addr("juliet"), sasl.SCRAMSHA1, "", "wrong")
			require.Equal(t, "failure", e.Name().Local)
			c.keep(" ")
		}},
		{"an endless start tag", func(h *house, c *client) { c.open("capulet.example"); c.keep(" a='b'", "<auth") }},
		{"authenticated, not bound", func(h *house, c *client) {
			c.open("capulet.example")
			c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
			c.open("capulet.example")
			c.keep(" ")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.PreAuthTimeout = 20 * time.Second })
				began := time.Now()
				c := h.connect()
				tt.send(h, c)
				<-c.done
				if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
					t.Errorf("the connection ended after %v, want 20 s and a little", took)
				}
				require.ErrorIs(t, c.end, context.DeadlineExceeded)
			})
		})
	}
}

// Many sessions come and go, in every way; nothing of them stays.
func TestSec_NoLeaks(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.online("romeo", "orchard", "")
	cycle := func(n int) {
		c := h.login("juliet", "balcony")
		c.send("<presence/>", "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "<presence to='nobody@capulet.example'/>")
		c.all()
		switch n % 3 {
		case 0:
			c.close()
		case 1:
			c.hangUp()
		case 2:
			c.raw("<?pi?>")
			<-c.done
		}
		romeo.all()
	}
	for n := range 10 {
		cycle(n)
	}
	goroutines := runtime.NumGoroutine()
	for n := range 200 {
		cycle(n)
	}
	if now := runtime.NumGoroutine(); now > goroutines+10 {
		t.Errorf("%d goroutines, there were %d", now, goroutines)
	}
	h.srv.directory.mu.RLock()
	defer h.srv.directory.mu.RUnlock()
	require.Len(t, h.srv.directory.accounts, 1, "only romeo is online")
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	require.Len(t, h.srv.conns, 1)
	require.Empty(t, h.srv.prefixes)
	require.Zero(t, h.srv.unbound)
}

// Restricted XML and the like end the stream with the error that RFC 6120 names,
// and nothing of it is delivered.
func TestSec_RestrictedXML(t *testing.T) {
	for xml, want := range map[string]string{
		"<!DOCTYPE x [<!ENTITY a 'b'>]>": "restricted-xml",
		"<!-- c -->":                     "restricted-xml",
		"<?pi x?>":                       "restricted-xml",
		"<message to='juliet@capulet.example'><body>&lol;</body></message>":                         "restricted-xml",
		"<message to='juliet@capulet.example'><body></x></message>":                                 "not-well-formed",
		"<message to='juliet@capulet.example' to='a@b'/>":                                           "not-well-formed",
		"<message to='juliet@capulet.example'><p:x/></message>":                                     "not-well-formed",
		"<message to='juliet@capulet.example'><body>" + strings.Repeat("x", 300_000):                "policy-violation",
		"<message to='juliet@capulet.example'>" + strings.Repeat("<a>", 200):                        "policy-violation",
		"<message xmlns='jabber:server' to='juliet@capulet.example'/>":                              "invalid-namespace",
		"<something xmlns='urn:example:x'/>":                                                        "unsupported-stanza-type",
		"<message xmlns='urn:example:x' to='juliet@capulet.example'><body>not one</body></message>": "unsupported-stanza-type",
	} {
		h := newHouse(t, []string{"juliet", "romeo"})
		juliet := h.online("juliet", "balcony", "")
		romeo := h.login("romeo", "orchard")
		_, _ = io.WriteString(romeo.nc, xml)
		romeo.expectEnd(want)
		<-romeo.done
		juliet.expect()
	}
}

// keep sends something every second until the connection is closed, and reads
// what comes.
func (c *client) keep(xml string, first ...string) {
	for _, f := range first {
		c.raw(f)
	}
	go func() {
		for {
			if _, err := c.r.Next(); err != nil {
				if _, bad := errors.AsType[*xmlwire.Error](err); !bad {
					return
				}
			}
		}
	}()
	for {
		select {
		case <-c.done:
			return
		case <-time.After(time.Second):
			if _, err := io.WriteString(c.nc, xml); errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
				return
			}
		}
	}
}

// An entity that means a thousand others is refused before it means anything, and before the login (CVE-2011-1753, -1755).
func TestSec_EntityBomb(t *testing.T) {
	const bomb = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;&lol;'>]>" +
		"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='capulet.example' version='1.0'>"
	h := newHouse(t, nil)
	c := h.connect()
	go func() { _, _ = io.WriteString(c.nc, bomb) }()
	answer, err := io.ReadAll(c.nc)
	require.NoError(t, err)
	require.Contains(t, string(answer), "<restricted-xml ")
	<-c.done
}

// Little that makes much: elements, attributes and namespaces are counted as well as bytes, fewer of them before the
// login (CVE-2026-43507).
func TestSec_XMLAmplification(t *testing.T) {
	attrs, spaces := "", ""
	for n := range 100 {
		attrs += fmt.Sprintf(" a%d=''", n)
		spaces += fmt.Sprintf(" xmlns:n%d='u'", n)
	}
	for name, xml := range map[string]string{
		"elements": strings.Repeat("<a/>", 2000), "depth": strings.Repeat("<a>", 100), "attributes": "<a" + attrs + "/>", "namespaces": "<a" + spaces + "/>",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet"})
			stranger := h.connect()
			stranger.open("capulet.example")
			stranger.read()
			_, _ = io.WriteString(stranger.nc, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+xml)
			stranger.expectEnd("policy-violation")
			<-stranger.done

			juliet := h.login("juliet", "balcony")
			_, _ = io.WriteString(juliet.nc, "<message to='juliet@capulet.example'>"+strings.Repeat(xml, 50))
			juliet.expectEnd("policy-violation")
			<-juliet.done
		})
	}
}

// A stanza without an end is read as far as the limit, in whatever portions (Openfire JM-980). What comes behind is thrown away for a
// moment, so that the client can read why, and then there is nobody.
func TestSec_NeverEndingStanza(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.AfterAuth.Bytes = 20_000 })
	c := h.login("juliet", "balcony")
	sent := 0
	for portion := "<message to='juliet@capulet.example'><body>"; sent < 20_000_000; portion = strings.Repeat("x", 500) {
		if _, err := io.WriteString(c.nc, portion); err != nil {
			break
		}
		sent += len(portion)
	}
	require.Less(t, sent, 8_000_000)
	c.expectEnd("policy-violation")
	<-c.done
}
