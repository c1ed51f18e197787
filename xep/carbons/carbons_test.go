package carbons_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/carbons"
	"github.com/parlance-xmpp/xmpp/xep/forward"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A device is a client that notes the messages and copies it gets.
type device struct {
	*client.Client
	t       *testing.T
	carbons *carbons.Carbons
	got     chan string
}

func (d *device) note(s string) { d.got <- s }

// dial logs in a device with a priority, and has it ask for copies if wanted.
func dial(t *testing.T, s *xmpptest.Server, account string, priority int8, enable bool) *device {
	d := &device{t: t, got: make(chan string, 100)}
	mux := muxer.New()
	mux.Message(muxer.AnyMessage, func(_ context.Context, m *stanza.Message) error {
		for _, p := range m.Payloads {
			if e, err := stanza.ElementOf(p); err == nil && e.Name().Space == carbons.NS && e.Name().Local != "private" {
				return nil
			}
		}
		d.note("message " + m.Body.String())
		return nil
	})
	d.carbons = carbons.New(func(_ context.Context, c carbons.Copy) {
		m, err := c.Message()
		if err != nil {
			t.Error(err)
			return
		}
		d.note(map[bool]string{true: "sent ", false: "received "}[c.Sent] + m.Body.String())
	})
	d.carbons.Register(mux)
	d.Client = s.Dial(t, account, mux)
	_, err := d.Send(t.Context(), stanza.Presence{Priority: priority})
	require.NoError(t, err)
	if enable {
		require.NoError(t, d.carbons.Enable(t.Context(), d))
	}
	return d
}

// say sends a message and waits until the server has routed it.
func (d *device) say(m stanza.Message) {
	d.t.Helper()
	_, err := d.Send(d.t.Context(), m)
	require.NoError(d.t, err)
	require.NoError(d.t, ping.Send(d.t.Context(), d, jid.JID{}))
}

// heard returns what the device has noted since it was asked last. Behind an own message to itself nothing is
// on its way any more.
func (d *device) heard() (all []string) {
	d.t.Helper()
	_, err := d.Send(d.t.Context(), stanza.Message{To: d.LocalAddr(), Type: stanza.MessageHeadline, Body: stanza.Plain("the end")})
	require.NoError(d.t, err)
	for s := range d.got {
		if s == "message the end" {
			return all
		}
		all = append(all, s)
	}
	return all
}

func start(t *testing.T) *xmpptest.Server {
	return xmpptest.StartFor(t, &server.Options{InsecurePlaintext: true, Modules: []module.Module{carbons.Server()}})
}

// §7, §8: who has not got the message itself gets a copy, if it wants copies.
func TestXEP0280_7_Copies(t *testing.T) {
	s := start(t)
	phone, desk, off := dial(t, s, "romeo", 5, true), dial(t, s, "romeo", 0, true), dial(t, s, "romeo", -1, false)
	juliet := dial(t, s, "juliet", 0, true)
	chat := func(to jid.JID, body string) stanza.Message {
		return stanza.Message{To: to, Type: stanza.MessageChat, Body: stanza.Plain(body)}
	}
	juliet.say(chat(phone.LocalAddr().Bare(), "to the best"))
	juliet.say(chat(desk.LocalAddr(), "to the desk"))
	require.Equal(t, []string{"message to the best", "received to the desk"}, phone.heard())
	require.Equal(t, []string{"received to the best", "message to the desk"}, desk.heard())
	require.Empty(t, off.heard())
	require.Empty(t, juliet.heard(), "the sender gets no copy")

	off.say(chat(juliet.LocalAddr(), "from one that wants no copies"))
	require.Equal(t, []string{"sent from one that wants no copies"}, phone.heard())
	require.Equal(t, []string{"message from one that wants no copies"}, juliet.heard())
	desk.heard()

	phone.say(chat(desk.LocalAddr(), "to my desk"))
	require.Equal(t, []string{"message to my desk"}, desk.heard(), "once")
	require.Empty(t, phone.heard())

	require.NoError(t, desk.carbons.Disable(t.Context(), desk))
	require.NoError(t, desk.carbons.Disable(t.Context(), desk), "§10.1")
	require.NoError(t, phone.carbons.Enable(t.Context(), phone))
	juliet.say(chat(phone.LocalAddr(), "x"))
	require.Empty(t, desk.heard())
}

// §6.1: what is copied.
func TestXEP0280_6_1_Eligible(t *testing.T) {
	s := start(t)
	phone, desk := dial(t, s, "romeo", 0, true), dial(t, s, "romeo", 0, true)
	juliet := dial(t, s, "juliet", 0, false)
	x := func(s string) stanza.Payload { return stanza.NewElement([]byte(s)) }
	for _, tt := range []struct {
		name           string
		m              stanza.Message
		received, sent bool
	}{
		{"a chat without a body", stanza.Message{Type: stanza.MessageChat}, true, true},
		{"a normal message with a body", stanza.Message{Body: stanza.Plain("x")}, true, true},
		{"a normal message without", stanza.Message{Payloads: stanza.Payloads{x("<x xmlns='urn:x'/>")}}, false, false},
		{"a receipt", stanza.Message{Payloads: stanza.Payloads{x("<received xmlns='urn:xmpp:receipts' id='1'/>")}}, true, true},
		{"a chat state", stanza.Message{Payloads: stanza.Payloads{x("<active xmlns='http://jabber.org/protocol/chatstates'/>")}}, true, true},
		{"a marker", stanza.Message{Payloads: stanza.Payloads{x("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>")}}, true, true},
		{"an invitation", stanza.Message{Payloads: stanza.Payloads{x("<x xmlns='jabber:x:conference' jid='room@muc'/>")}}, true, true},
		{"an invitation by the room", stanza.Message{Payloads: stanza.Payloads{x("<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>")}}, true, true},
		{"a whisper in a room", stanza.Message{Type: stanza.MessageChat, Body: stanza.Plain("x"), Payloads: stanza.Payloads{x("<x xmlns='http://jabber.org/protocol/muc#user'/>")}}, false, true},
		{"what is said in a room", stanza.Message{Type: stanza.MessageGroupchat, Body: stanza.Plain("x")}, false, false},
		{"a headline", stanza.Message{Type: stanza.MessageHeadline, Body: stanza.Plain("x")}, false, false},
		{"a private one (§9)", stanza.Message{Type: stanza.MessageChat, Payloads: stanza.Payloads{carbons.Private{}}}, false, false},
		{"one with a hint", stanza.Message{Type: stanza.MessageChat, Payloads: stanza.Payloads{carbons.NoCopy{}}}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			count := func(all []string, kind string) (n int) {
				for _, s := range all {
					if strings.HasPrefix(s, kind) {
						n++
					}
				}
				return n
			}
			m := tt.m
			m.To = phone.LocalAddr()
			juliet.say(m)
			require.Equal(t, tt.received, count(desk.heard(), "received") == 1)
			m.To = juliet.LocalAddr()
			phone.say(m)
			require.Equal(t, tt.sent, count(desk.heard(), "sent") == 1)
			phone.heard()
			juliet.heard()
		})
	}
}

// §11, CVE-2017-5589 and its kin: a copy from anybody but the own account reaches nobody.
func TestClientS2_ForgedCarbon(t *testing.T) {
	inner, err := stanza.Parse([]byte("<message xmlns='jabber:client' from='nurse@example.org' to='romeo@example.org'><body>forged</body></message>"))
	require.NoError(t, err)
	forged := carbons.Copy{Sent: true, Forwarded: forward.Forwarded{Stanza: inner}}
	for from, believed := range map[string]bool{
		"": true, "romeo@example.org": true,
		"romeo@example.org/other": false, "example.org": false, "juliet@example.org": false, "romeo@example.org.evil.example": false,
	} {
		got := 0
		mux := muxer.New()
		carbons.New(func(context.Context, carbons.Copy) { got++ }).Register(mux)
		m := stanza.Message{Type: stanza.MessageChat, Payloads: stanza.Payloads{forged}}
		if from != "" {
			m.From = jid.MustParse(from)
		}
		b, err := m.AppendXML(nil)
		require.NoError(t, err)
		raw, err := stanza.Parse(b)
		require.NoError(t, err)
		_, err = mux.HandleStanza(xmpp.WithSession(t.Context(), session{}), raw)
		require.NoError(t, err)
		require.Equal(t, believed, got == 1, "from %q", from)
	}
}

// session is one of romeo's.
type session struct{ xmpp.Session }

func (session) LocalAddr() jid.JID { return jid.MustParse("romeo@example.org/phone") }

// Nobody can turn on copies for somebody else.
func TestXEP0280_4_ForOthers(t *testing.T) {
	s := start(t)
	romeo, juliet := dial(t, s, "romeo", 0, false), dial(t, s, "juliet", 0, false)
	_, err := juliet.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, To: romeo.LocalAddr().Bare(), Payload: stanza.NewElement([]byte("<enable xmlns='urn:xmpp:carbons:2'/>"))})
	require.ErrorIs(t, err, stanza.ServiceUnavailable)
}

func TestCopy_RoundTrip(t *testing.T) {
	inner, err := stanza.Parse([]byte("<message xmlns='jabber:client' from='a@b/c' to='d@e'><body>x</body></message>"))
	require.NoError(t, err)
	for _, sent := range []bool{true, false} {
		out, err := carbons.Copy{Sent: sent, Forwarded: forward.Forwarded{Stanza: inner}}.AppendXML(nil)
		require.NoError(t, err)
		e, err := stanza.ParseElement(out)
		require.NoError(t, err)
		var again carbons.Copy
		require.NoError(t, again.ParseXML(e))
		require.Equal(t, sent, again.Sent)
		require.Equal(t, inner.String(), again.Raw().String())
	}
	for name, p := range map[string]stanza.Payload{"private": carbons.Private{}, "no-copy": carbons.NoCopy{}} {
		e, err := stanza.ElementOf(p)
		require.NoError(t, err)
		require.Equal(t, name, e.Name().Local)
	}
}

// FuzzParse: no copy makes trouble, and what is read reads back.
func FuzzParse(f *testing.F) {
	f.Add("<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></sent>")
	f.Add("<received xmlns='urn:xmpp:carbons:2'/>")
	f.Fuzz(func(t *testing.T, in string) {
		e, err := stanza.ParseElement([]byte(in))
		if err != nil {
			return
		}
		var c, again carbons.Copy
		if c.ParseXML(e) != nil || c.Delay != nil {
			return
		}
		out, err := c.AppendXML(nil)
		if err != nil {
			t.Fatal(err)
		}
		if e, err = stanza.ParseElement(out); err != nil {
			t.Fatal(err)
		}
		if err := again.ParseXML(e); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if twice, err := again.AppendXML(nil); err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("%s\nreads back as\n%s, %v", out, twice, err)
		}
	})
}

// Two devices of one person see the same conversation.
func Example() {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{carbons.Server()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Stop()
	ctx := context.Background()
	dial := func(account string, h xmpp.Handler) *client.Client {
		addr, _ := s.Account(account)
		opts := s.Options(addr)
		opts.Handler = h
		c, err := client.Dial(ctx, addr, opts)
		if err != nil {
			panic(err)
		}
		_, _ = c.Send(ctx, stanza.Presence{})
		return c
	}

	copies := make(chan carbons.Copy)
	mux := muxer.New()
	c := carbons.New(func(_ context.Context, c carbons.Copy) { copies <- c })
	c.Register(mux)
	phone := dial("romeo", mux)
	defer phone.Close(ctx)
	if err := c.Enable(ctx, phone); err != nil {
		fmt.Println(err)
		return
	}

	desk := dial("romeo", nil)
	defer desk.Close(ctx)
	_, err = desk.Send(ctx, stanza.Message{To: jid.MustParse("juliet@example.org"), Type: stanza.MessageChat, Body: stanza.Plain("By a name I know not how to tell thee who I am.")})
	if err != nil {
		fmt.Println(err)
		return
	}
	copied := <-copies
	m, err := copied.Message()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("to %s: %s\n", m.To, m.Body)
	// Output: to juliet@example.org: By a name I know not how to tell thee who I am.
}
