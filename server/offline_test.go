package server

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// bodies returns the texts of the messages among elements.
func bodies(elements []stanza.Element) []string {
	var out []string
	for _, e := range elements {
		if e.Name().Local == "message" {
			out = append(out, e.Child(stanza.NS, "body").Text())
		}
	}
	return out
}

// Messages wait, in order, whole, with a note of the delay, for the first
// presence whose priority is not negative.
func TestXEP0160_2_StoreAndDeliver(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	var want []string
	for n := range offlinePage + 3 {
		want = append(want, fmt.Sprint(n))
		typ := []string{"", " type='chat'", " type='normal'"}[n%3]
		romeo.send(fmt.Sprintf("<message to='juliet@capulet.example' id='%d'%s><body>%d</body></message>", n, typ, n))
	}
	romeo.send("<message to='juliet@capulet.example' id='last' xml:lang='it'><x xmlns='urn:example:x' a='&lt;'>&amp;</x><body>ciao</body></message>")
	want = append(want, "ciao")
	romeo.expect()

	juliet := h.login("juliet", "balcony")
	juliet.send("<presence><priority>-1</priority></presence>")
	require.Empty(t, bodies(juliet.all()))
	juliet.send("<presence/>")
	_, _, ok := juliet.take(func(e stanza.Element) bool { return e.Attr("id") == fmt.Sprint(offlinePage+1) })
	require.True(t, ok)
	_, last, _ := juliet.take(func(e stanza.Element) bool { return e.Attr("id") == "last" })
	juliet.compare([]stanza.Element{last}, []string{"<message id='last' xml:lang='it' from='romeo@capulet.example/orchard' to='juliet@capulet.example'>" +
		"<x xmlns='urn:example:x' a='&lt;'>&amp;</x><body>ciao</body><delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='*'/></message>"})
	stamp, err := time.Parse(time.RFC3339Nano, last.Child("urn:xmpp:delay", "delay").Attr("stamp"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), stamp, time.Minute)
	juliet.close()
	require.Empty(t, h.offline("juliet"))

	juliet = h.login("juliet", "balcony")
	juliet.send("<presence/>")
	require.Empty(t, bodies(juliet.all()), "delivered twice")
	require.Len(t, want, offlinePage+4)
}

// All of them, in order.
func TestXEP0160_2_Order(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	var want []string
	for n := range 3*offlinePage + 1 {
		want = append(want, fmt.Sprint(n))
		romeo.send(fmt.Sprintf("<message to='juliet@capulet.example'><body>%d</body></message>", n))
	}
	romeo.sync()
	juliet := h.login("juliet", "balcony")
	juliet.send("<presence/>")
	require.Equal(t, want, bodies(juliet.until(len(want))))
}

// until returns everything up to the nth message.
func (c *client) until(messages int) []stanza.Element {
	c.t.Helper()
	var all []stanza.Element
	for range messages {
		before, e, ok := c.take(func(e stanza.Element) bool { return e.Name().Local == "message" })
		require.True(c.t, ok, "%s: the stream ended after %d elements: %v", c.addr, len(all), c.inErr)
		all = append(append(all, before...), e)
	}
	return all
}

// What arrives while offline messages are delivered comes behind them, and none is
// lost or doubled.
func TestXEP0160_2_ArrivalsDuringDelivery(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	const before, after = 120, 300
	message := func(n int) string {
		return fmt.Sprintf("<message type='chat' to='juliet@capulet.example'><body>%d</body></message>", n)
	}
	for n := range before {
		romeo.send(message(n))
	}
	romeo.sync()
	juliet := h.login("juliet", "balcony")
	var sender sync.WaitGroup
	sender.Go(func() {
		for n := range after {
			romeo.send(message(before + n))
		}
	})
	juliet.send("<presence/>")
	var want []string
	for n := range before + after {
		want = append(want, fmt.Sprint(n))
	}
	require.Equal(t, want, bodies(juliet.until(before+after)))
	sender.Wait()
	romeo.sync()
	require.Empty(t, bodies(juliet.all()))
	juliet.close()
	require.Empty(t, h.offline("juliet"))
}

// What RFC 6121 and XEP-0160 do not want stored is not.
func TestXEP0160_3_NotStored(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	for _, tt := range []struct {
		xml  string
		want bool
	}{
		{"<message type='headline' to='juliet@capulet.example'><body>x</body></message>", false},
		{"<message type='groupchat' to='juliet@capulet.example'><body>x</body></message>", false},
		{"<message type='error' to='juliet@capulet.example'><error/></message>", false},
		{"<message type='chat' to='juliet@capulet.example'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", false},
		{"<message type='chat' to='juliet@capulet.example'><thread>t</thread><paused xmlns='http://jabber.org/protocol/chatstates'/></message>", false},
		{"<message type='chat' to='juliet@capulet.example'><active xmlns='http://jabber.org/protocol/chatstates'/><body>x</body></message>", true},
		{"<message type='chat' to='juliet@capulet.example'><received xmlns='urn:xmpp:receipts' id='1'/></message>", true},
		{"<message type='chat' to='juliet@capulet.example'/>", true},
		{"<message to='juliet@capulet.example'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", true},
	} {
		romeo.send(tt.xml)
		romeo.all()
		if got := len(h.offline("juliet")) > 0; got != tt.want {
			t.Errorf("%s: stored %v, want %v", tt.xml, got, tt.want)
		}
		owner, err := h.srv.directory.id(t.Context(), h.addr("juliet"))
		require.NoError(t, err)
		require.NoError(t, h.srv.opts.Storage.Offline.DeleteAll(t.Context(), owner))
	}
}

// Beyond the limit the sender is told.
func TestXEP0160_2_Limit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits func(*Limits)
	}{
		{"messages", func(l *Limits) { l.OfflineMessages = 1 }},
		{"bytes", func(l *Limits) { l.OfflineBytes = 300 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { tt.limits(&o.Limits) })
			h.befriend("juliet", "romeo")
			romeo := h.login("romeo", "orchard")
			romeo.send("<message to='juliet@capulet.example' id='1'><body>x</body></message>", "<message to='juliet@capulet.example' id='2'><body>x</body></message>")
			romeo.expect("<message type='error' id='2' from='juliet@capulet.example' to='romeo@capulet.example/orchard'>" + unavailable + "</message>")
		})
	}
}

// Strangers fill half of the room, and whatever becomes of their messages they
// learn nothing about the account.
func TestSec_OfflineOracle(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "mallory"}, func(o *Options) { o.Limits.OfflineMessages = 4 })
	h.befriend("juliet", "romeo")
	mallory, romeo := h.login("mallory", ""), h.login("romeo", "")
	for id := range 10 {
		for _, to := range []string{"juliet", "nobody"} {
			mallory.send(fmt.Sprintf("<message to='%s@capulet.example' id='m%d'><body>x</body></message>", to, id))
		}
	}
	mallory.expect()
	require.Len(t, h.offline("juliet"), 2)
	for id := range 3 {
		romeo.send(fmt.Sprintf("<message to='juliet@capulet.example' id='r%d'><body>x</body></message>", id))
	}
	romeo.expect("<message type='error' id='r2' from='juliet@capulet.example' to='" + romeo.addr.String() + "'>" + unavailable + "</message>")
	require.Len(t, h.offline("juliet"), 4)
}

// The server advertises that messages wait (XEP-0160 §4).
func TestXEP0160_4_Discovery(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='1' to='capulet.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	_, e, ok := juliet.take(func(e stanza.Element) bool { return e.Attr("id") == "1" })
	require.True(t, ok)
	require.Contains(t, e.String(), "var='msgoffline'")
	require.Contains(t, e.String(), "var='urn:xmpp:ping'")
	require.Contains(t, e.String(), "category='server'")
}

// A delay that pretends to be ours is taken out (XEP-0203 §5); others stay.
func TestXEP0203_5_ForgedDelay(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2002-09-10T23:08:25Z'/><body>x</body>" +
		"<delay xmlns='urn:xmpp:delay' from='Montague.example/x' stamp='2002-09-10T23:08:25Z'/><delay xmlns='urn:xmpp:delay' from='romeo@capulet.example' stamp='2002-09-10T23:08:25Z'/></message>")
	romeo.sync()
	juliet.expect("<message xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>x</body><delay xmlns='urn:xmpp:delay' from='romeo@capulet.example' stamp='2002-09-10T23:08:25Z'/></message>")
}

// A session that ends in the middle of the delivery loses nothing. What had left
// before is not delivered again, except what was on its way when the connection broke:
// nobody can know whether it arrived.
func TestXEP0160_2_SessionEndsMidway(t *testing.T) {
	const total = 200
	for _, tt := range []struct {
		name string
		end  func(*client)
		most int // how often a message may come
	}{
		{"closed", (*client).close, 1},
		{"broken", (*client).hangUp, total},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Limits.QueueBytes = 4000 })
			romeo := h.login("romeo", "orchard")

			for n := range total {
				romeo.send(fmt.Sprintf("<message to='juliet@capulet.example'><body>%d %s</body></message>", n, strings.Repeat("x", 300)))
			}
			romeo.sync()
			seen := make(map[string]int)
			for n := 0; len(seen) < total; n++ {
				juliet := h.login("juliet", "balcony")
				juliet.send("<presence/>")
				for _, b := range bodies(juliet.until(min(30, total-len(seen)))) {
					seen[strings.Fields(b)[0]]++
				}
				tt.end(juliet)
				for _, b := range bodies(juliet.rest()) { // what had left before the end
					seen[strings.Fields(b)[0]]++
				}
				require.Less(t, n, total, "no progress")
			}
			for n := range total {
				if got := seen[fmt.Sprint(n)]; got < 1 || got > tt.most {
					t.Errorf("message %d: got it %d times", n, got)
				}
			}
		})
	}
}

// rest returns what has arrived on a stream that has ended.
func (c *client) rest() []stanza.Element {
	before, _, _ := c.take(func(stanza.Element) bool { return false })
	return before
}

// Another session takes over when the one that gets offline messages dies.
func TestXEP0160_2_AnotherTakesOver(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><body>1</body></message>")
	romeo.sync()
	first := h.deaf("juliet", "first")
	first.send("<presence><priority>5</priority></presence>", "<message to='romeo@capulet.example/orchard'/>")
	romeo.until(1) // the delivery to it has begun
	second := h.login("juliet", "second")
	second.send("<presence/>")
	second.sync()
	first.hangUp()
	require.Equal(t, []string{"1"}, bodies(second.until(1)))
}

// A message that is stored while the store is found empty is delivered all the same.
func TestOfflineStoredWhileListed(t *testing.T) {
	store := memory.New()
	late := &lateOffline{Offline: store.Offline}
	store.Offline = late
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Storage = store })
	romeo := h.login("romeo", "orchard")
	juliet := h.login("juliet", "balcony")
	late.listed = func() { // the list is read, and not yet looked at
		romeo.send("<message to='juliet@capulet.example'><body>just now</body></message>")
		romeo.sync()
	}
	juliet.send("<presence/>")
	require.Equal(t, []string{"just now"}, bodies(juliet.until(1)))
}

// Whoever logs in again before the last session has quite ended does not get its messages twice.
func TestOfflineDeletedWhileLoggingIn(t *testing.T) {
	store := memory.New()
	late := &lateOffline{Offline: store.Offline}
	store.Offline = late
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Storage = store })
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><body>1</body></message>")
	romeo.sync()
	juliet := h.login("juliet", "balcony")
	var next *client
	reached := make(chan struct{})
	late.deleting = func() { // it is delivered, and still in the store
		<-reached
		juliet.raw("</stream:stream>")
		juliet.expectEnd("")
		for a := h.srv.directory.online(h.addr("juliet")); a != nil && len(a.every()) > 0; {
			runtime.Gosched()
		}
		next = h.login("juliet", "balcony")
		next.send("<presence/>")
		next.sync()
	}
	juliet.send("<presence/>")
	require.Equal(t, []string{"1"}, bodies(juliet.until(1)))
	close(reached)
	<-juliet.done
	romeo.send("<message to='juliet@capulet.example'><body>2</body></message>")
	romeo.sync()
	require.Equal(t, []string{"2"}, bodies(next.until(1)))
}

// lateOffline calls listed after the first list was read, adding before the first message is added, and
// deleting before the first deletion.
type lateOffline struct {
	storage.Offline
	listed, adding, deleting func()
}

func (s *lateOffline) Add(ctx context.Context, owner storage.AccountID, limits storage.OfflineLimits, messages ...storage.OfflineMessage) (int, error) {
	if f := s.adding; f != nil {
		s.adding = nil
		f()
	}
	return s.Offline.Add(ctx, owner, limits, messages...)
}

func (s *lateOffline) Delete(ctx context.Context, owner storage.AccountID, ids ...uint64) error {
	if f := s.deleting; f != nil {
		s.deleting = nil
		f()
	}
	return s.Offline.Delete(ctx, owner, ids...)
}

func (s *lateOffline) List(ctx context.Context, owner storage.AccountID, after uint64, limit int) ([]storage.OfflineMessage, error) {
	page, err := s.Offline.List(ctx, owner, after, limit)
	if f := s.listed; f != nil {
		s.listed = nil
		f()
	}
	return page, err
}
