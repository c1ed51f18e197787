package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

const nsSM = "urn:xmpp:sm:3"

// enable turns acknowledgements on, and returns the id for resumption.
func (c *client) enable() string {
	c.t.Helper()
	c.seen()
	c.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	_, e, ok := c.take(func(e stanza.Element) bool { return e.Is(nsSM, "enabled") })
	require.True(c.t, ok)
	require.Equal(c.t, "true", e.Attr("resume"))
	require.NotEmpty(c.t, e.Attr("id"))
	return e.Attr("id")
}

// resume logs in and asks for a session of which h stanzas had arrived. It returns the
// answer.
func (h *house) resume(account, id string, handled int) (*client, stanza.Element) {
	h.t.Helper()
	c := h.connect()
	c.open(h.addr(account).Domainpart())
	c.authenticate(h.addr(account), sasl.SCRAMSHA1)
	c.open(h.addr(account).Domainpart())
	c.raw(fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", id, handled))
	answer := c.next()
	c.addr = h.addr(account)
	c.read()
	return c, answer
}

// stanzas leaves out what is about acknowledgements.
func stanzas(all []stanza.Element) (out []stanza.Element) {
	for _, e := range all {
		if e.Name().Space != nsSM {
			out = append(out, e)
		}
	}
	return out
}

// Who was cut off and comes back has missed nothing, and nobody has noticed.
func TestXEP0198_5_Resumption(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.login("juliet", "balcony")
	id := juliet.enable()
	juliet.send("<presence/>")
	_, _, ok := juliet.take(func(e stanza.Element) bool { return e.Name().Local == "presence" })
	require.True(t, ok)
	romeo := h.online("romeo", "orchard", "")
	juliet.all() // his presence, and two answers: four stanzas so far
	romeo.send("<message to='juliet@capulet.example' type='chat'><body>1</body></message>")
	romeo.sync()
	juliet.hangUp()
	romeo.send("<message to='juliet@capulet.example' type='chat'><body>2</body></message>",
		"<iq type='get' id='q' to='"+juliet.addr.String()+"'><query xmlns='urn:example:q'/></iq>")
	require.Empty(t, romeo.all(), "he has noticed")

	again, answer := h.resume("juliet", id, 4)
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	require.Equal(t, id, answer.Attr("previd"))
	require.Equal(t, "3", answer.Attr("h"), "her presence and two pings")
	got := stanzas(again.all())
	again.compare(got, []string{
		"<message from='romeo@capulet.example/orchard' to='juliet@capulet.example' type='chat' xml:lang='en'><body>1</body></message>",
		"<message from='romeo@capulet.example/orchard' to='juliet@capulet.example' type='chat' xml:lang='en'><body>2</body></message>",
		"<iq type='get' id='q' from='romeo@capulet.example/orchard' to='" + juliet.addr.String() + "' xml:lang='en'><query xmlns='urn:example:q'/></iq>",
	})
	require.Empty(t, romeo.all())
	again.send("<message to='romeo@capulet.example/orchard'><body>3</body></message>")
	again.sync()
	require.Equal(t, []string{"3"}, bodies(romeo.all()))
}

// Whose time is over is gone: contacts are told, messages wait in the store, requests
// are answered.
func TestXEP0198_5_TimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"})
		h.befriend("juliet", "romeo")
		juliet := h.login("juliet", "balcony")
		id := juliet.enable()
		juliet.send("<presence/>")
		juliet.all()
		romeo := h.online("romeo", "orchard", "")
		juliet.sync()
		juliet.hangUp()
		romeo.send("<message to='juliet@capulet.example' type='chat' id='m'><body>late</body></message>",
			"<iq type='get' id='q' to='"+juliet.addr.String()+"'><query xmlns='urn:example:q'/></iq>",
			"<message to='"+juliet.addr.String()+"' type='groupchat' id='g'><body>x</body></message>")
		require.Empty(t, romeo.all())
		time.Sleep(5*time.Minute - time.Second)
		synctest.Wait()
		require.Empty(t, romeo.all())
		time.Sleep(time.Second)
		synctest.Wait()
		romeo.expect(
			"<presence type='unavailable' from='"+juliet.addr.String()+"' to='romeo@capulet.example'/>",
			"<iq type='error' id='q' from='"+juliet.addr.String()+"' to='"+romeo.addr.String()+"'>"+unavailable+"</iq>",
			"<message type='error' id='g' from='"+juliet.addr.String()+"' to='"+romeo.addr.String()+"'>"+unavailable+"</message>",
		)
		again, answer := h.resume("juliet", id, 0)
		require.True(t, answer.Is(nsSM, "failed"), "got %s", answer)
		again.hangUp()
		next := h.login("juliet", "balcony")
		next.send("<presence/>")
		require.Equal(t, []string{"late"}, bodies(next.until(1)))
		romeo.hangUp()
		next.hangUp()
	})
}

// An id is worth nothing to another account, nor a wrong one to anybody (S-list: hijack of a session).
func TestSec_SMHijack(t *testing.T) {
	h := newHouse(t, []string{"juliet", "nurse"})
	juliet := h.online("juliet", "balcony", "")
	id := juliet.enable()
	for _, live := range []bool{true, false} {
		if !live {
			juliet.hangUp()
		}
		for account, id := range map[string]string{"nurse": id, "juliet": strings.ToLower(id), "nurse@capulet.example": ""} {
			thief, answer := h.resume(account, id, 0)
			require.True(t, answer.Is(nsSM, "failed"), "got %s", answer)
			thief.hangUp()
		}
		if live {
			juliet.sync() // she is still there
		}
	}
	again, answer := h.resume("juliet", id, 1)
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	again.sync()
}

// Who closes the stream ends the session (§8).
func TestXEP0198_8_Closed(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.online("juliet", "balcony", "")
	id := juliet.enable()
	juliet.close()
	require.Empty(t, h.srv.parked)
	_, answer := h.resume("juliet", id, 0)
	require.True(t, answer.Is(nsSM, "failed"), "got %s", answer)
}

// A session can be resumed though its old transport seems to be alive; that is told
// conflict.
func TestXEP0198_5_Conflict(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	id := juliet.enable()
	again, answer := h.resume("juliet", id, 0)
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	juliet.expectEnd("conflict")
	<-juliet.done
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='" + juliet.addr.String() + "'><body>here?</body></message>")
	romeo.sync()
	require.Equal(t, []string{"here?"}, bodies(again.all()))
	third, answer := h.resume("juliet", id, 1)
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	again.expectEnd("conflict")
	third.sync()
}

// A client that has forgotten its session, and wants its resource, gets both.
func TestSuspendedSessionGivesWay(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Limits.SessionsPerAccount = 1 })
	juliet := h.login("juliet", "balcony")
	juliet.enable()
	juliet.send("<presence/>")
	juliet.sync()
	juliet.hangUp()
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><body>1</body></message>", "<message to='juliet@capulet.example/balcony'><body>2</body></message>")
	romeo.sync()
	next := h.login("juliet", "balcony")
	require.Equal(t, juliet.addr, next.addr)
	next.send("<presence/>")
	require.Equal(t, []string{"1", "2"}, bodies(next.until(2)))
	next.hangUp()
	other := h.login("juliet", "chamber") // the limit is for those who are there
	other.sync()
}

// An offline message leaves the store when the client has acknowledged it.
func TestOfflineMessageUntilAcknowledged(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><body>1</body></message>", "<message to='juliet@capulet.example'><body>2</body></message>")
	romeo.sync()
	juliet := h.login("juliet", "balcony")
	id := juliet.enable()
	juliet.send("<presence/>")
	require.Equal(t, []string{"1", "2"}, bodies(juliet.until(2)))
	require.Len(t, h.offline("juliet"), 2)
	juliet.hangUp()
	next, answer := h.resume("juliet", id, 2) // her own presence, and the first message
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	require.Equal(t, []string{"2"}, bodies(next.all()))
	next.send("<a xmlns='urn:xmpp:sm:3' h='4'/>") // and the answer
	next.close()
	require.Empty(t, h.offline("juliet"))
}

// A message that was stored just before the client was cut off keeps its place before those that wait in
// the session's queue.
func TestStoredBeforeSuspended(t *testing.T) {
	store := memory.New()
	late := &lateOffline{Offline: store.Offline}
	store.Offline = late
	h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Storage = store })
	romeo, juliet := h.login("romeo", "orchard"), h.login("juliet", "balcony")
	id := juliet.enable()
	cut := make(chan struct{})
	late.adding = func() { // its place is the store, where it is not yet
		defer close(cut)
		juliet.send("<presence/>")
		juliet.seen()
		juliet.hangUp()
	}
	for n := range 3 {
		romeo.send(fmt.Sprintf("<message to='juliet@capulet.example'><body>%d</body></message>", n))
	}
	romeo.sync()
	<-cut
	next, answer := h.resume("juliet", id, 0)
	require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
	require.Equal(t, []string{"0", "1", "2"}, bodies(next.until(3)))
}

// The end of the server or of the account ends suspended sessions as well.
func TestSuspendedSessionEnds(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.login("romeo", "orchard")
	for _, account := range []string{"juliet", "romeo"} {
		c := h.online(account, "away", "")
		c.enable()
		c.hangUp()
	}
	romeo.send("<message to='juliet@capulet.example'><body>kept</body></message>")
	romeo.sync()
	require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("romeo")))
	romeo.expectEnd("not-authorized")
	require.NoError(t, h.srv.Shutdown(context.Background()))
	require.Equal(t, 1, len(h.offline("juliet")))
	require.Empty(t, h.srv.parked)
}

// A client that enables acknowledgements and gives none costs what the limits say, and
// its own answers do not wait for what it would have to send.
func TestSec_NoAcknowledgements(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.QueueBytes = 16 << 10 })
	juliet := h.login("juliet", "balcony")
	juliet.enable()
	for n := range 10_000 {
		if _, err := fmt.Fprintf(juliet.nc, "<iq type='get' id='%d'><ping xmlns='urn:xmpp:ping'/></iq>", n); err != nil {
			break
		}
	}
	answers := juliet.expectEnd("resource-constraint")
	require.Greater(t, len(answers), 500)
	require.Less(t, len(answers), 5000)
}

// A client that is cut off as soon as it has logged in may be back before its first stream is complete for the server. It
// resumes all the same: a new session would get what the old one is about to handle once more.
func TestXEP0198_5_ResumedBeforeItWasReady(t *testing.T) {
	for _, comes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, []string{"juliet"})
			juliet := h.login("juliet", "balcony")
			id := juliet.enable()
			juliet.hangUp()
			a := h.srv.directory.online(h.addr("juliet"))
			old := a.every()[0]
			conn := old.conn.Load()
			proven := &claims{addr: a.addr, id: a.id}
			coming, err := h.srv.newSession(a, proven, jid.MustParse("juliet@capulet.example/garden"), 2, "")
			require.NoError(t, err)
			old.conn.Store(nil) // as if it were the one whose stream is not complete
			old.ready = make(chan struct{})

			var found *stream.Conn
			done := make(chan struct{})
			go func() {
				defer close(done)
				var s *session
				if found, err = h.srv.find(t.Context(), proven, a.addr, id, &s); s != nil {
					s.disclaim()
				}
			}()
			synctest.Wait()
			require.False(t, isDone(done))
			coming.leave(t.Context())
			if comes {
				old.conn.Store(conn)
				close(old.ready)
			}
			<-done
			require.NoError(t, err)
			require.Equal(t, comes, found != nil)
			old.conn.Store(conn)
		})
	}
}

// Who is told of a resource may write to it at once (RFC 6121 §8.5.3.1).
func TestI8_5_3_1_AsSoonAsItIsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"})
		h.befriend("juliet", "romeo")
		romeo, juliet := h.login("romeo", "orchard"), h.login("juliet", "balcony")
		s := h.srv.session(juliet.addr)
		conn := s.conn.Load()
		s.conn.Store(nil) // as if its stream was not complete yet
		s.ready = make(chan struct{})
		go romeo.send("<message to='juliet@capulet.example/balcony' type='chat' id='m'><body>hi</body></message>",
			"<iq to='juliet@capulet.example/balcony' type='get' id='q'><query xmlns='urn:example:q'/></iq>")
		synctest.Wait() // he is not read meanwhile
		s.conn.Store(conn)
		close(s.ready)
		require.Empty(t, romeo.all())
		require.Len(t, juliet.all(), 2)
		romeo.hangUp()
		juliet.hangUp()
	})
}
