package server

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// last returns the stream error with which a stream has ended.
func (c *client) last() stanza.Element {
	c.t.Helper()
	_, e, ok := c.take(func(e stanza.Element) bool { return e.Is("http://etherx.jabber.org/streams", "error") })
	require.True(c.t, ok)
	return e
}

// Who knows the password of a disabled account is told what is wrong, and nobody else.
func TestC6_5_1_DisabledAccount(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo, juliet := h.online("romeo", "orchard", ""), h.online("juliet", "balcony", "")
	romeo.all()
	require.NoError(t, h.srv.SetDisabled(t.Context(), h.addr("juliet"), true))
	require.Contains(t, juliet.last().String(), "not-authorized")
	romeo.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>")

	for secret, want := range map[string]string{password: "account-disabled", "wrong": "not-authorized"} {
		for _, mechanism := range []string{sasl.SCRAMSHA1, sasl.SCRAMSHA256} {
			c := h.connect()
			c.open("capulet.example")
			require.Equal(t, want, c.exchange(h.addr("juliet"), mechanism, "", secret).First().Name().Local)
		}
	}
	romeo.send("<message to='juliet@capulet.example' type='chat' id='m'><body>are you there?</body></message>")
	require.Empty(t, romeo.all(), "it waits")

	require.NoError(t, h.srv.SetDisabled(t.Context(), h.addr("juliet"), false))
	again := h.login("juliet", "balcony")
	again.send("<presence/>")
	_, _, ok := again.take(func(e stanza.Element) bool { return e.Name().Local == "message" })
	require.True(t, ok)
	require.ErrorIs(t, h.srv.SetDisabled(t.Context(), h.addr("tybalt"), true), storage.ErrNotFound)
}

// An account that is disabled between the proof and the binding is not bound.
func TestC6_5_1_DisabledMeanwhile(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	c := h.connect()
	c.open("capulet.example")
	c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	c.open("capulet.example")
	require.NoError(t, h.srv.SetDisabled(t.Context(), h.addr("juliet"), true))
	require.Contains(t, c.tryBind("balcony").String(), "not-allowed")
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"})
		began := time.Now()
		juliet, romeo := h.online("juliet", "balcony", ""), h.login("romeo", "orchard")
		time.Sleep(time.Minute)
		romeo.send("<presence/>")
		romeo.all()
		seen := map[string]time.Time{}
		for s := range h.srv.Sessions() {
			require.False(t, s.Suspended())
			require.False(t, s.Remote().IsValid(), "a pipe comes from nowhere")
			seen[s.Addr().String()] = s.LastActive()
		}
		require.Equal(t, map[string]time.Time{juliet.addr.String(): began, romeo.addr.String(): began.Add(time.Minute)}, seen)
		for range h.srv.Sessions() {
			break
		}
		require.True(t, h.srv.CloseSession(juliet.addr, "go to bed"))
		e := juliet.last()
		require.Contains(t, e.String(), "policy-violation")
		require.Contains(t, e.String(), "go to bed")
		synctest.Wait()
		require.False(t, h.srv.CloseSession(juliet.addr, ""))
		romeo.expect()
	})
}

// Domains come and go while others are served.
func TestDomains(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo@montague.example"})
	h.befriend("juliet", "romeo@montague.example")
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo@montague.example", "orchard", "")
	juliet.all()
	require.NoError(t, h.srv.AddDomain("verona.example"))
	require.NoError(t, h.srv.AddDomain("verona.example"))
	require.Error(t, h.srv.AddDomain("a@b"))
	require.NoError(t, h.srv.CreateAccount(t.Context(), h.addr("escalus@verona.example"), password))
	escalus := h.online("escalus@verona.example", "palace", "")
	escalus.send("<message to='juliet@capulet.example/balcony' type='chat' id='m'><body>peace</body></message>")
	escalus.sync()
	require.Len(t, juliet.all(), 1)

	require.NoError(t, h.srv.RemoveDomain(t.Context(), "montague.example"))
	require.NoError(t, h.srv.RemoveDomain(t.Context(), "montague.example"))
	require.Contains(t, romeo.last().String(), "host-gone")
	juliet.expect("<presence type='unavailable' from='romeo@montague.example/orchard' to='juliet@capulet.example'/>")
	juliet.send("<message to='romeo@montague.example' type='chat' id='m'><body>?</body></message>", "<iq type='get' id='q' to='montague.example'><ping xmlns='urn:xmpp:ping'/></iq>")
	for _, e := range juliet.all() {
		require.Contains(t, e.String(), "remote-server-not-found")
	}
	require.Len(t, h.srv.Domains(), 2)
	c := h.connect()
	c.raw("<?xml version='1.0'?><stream:stream to='montague.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	_, err := c.r.Header()
	require.NoError(t, err)
	require.Contains(t, c.next().String(), "host-unknown")

	require.NoError(t, h.srv.AddDomain("montague.example"))
	again := h.online("romeo@montague.example", "orchard", "")
	require.Len(t, juliet.all(), 1, "what was stored is there")
	again.all()
	require.NoError(t, h.srv.RemoveDomain(t.Context(), "capulet.example"))
	require.NoError(t, h.srv.RemoveDomain(t.Context(), "montague.example"))
	require.Error(t, h.srv.RemoveDomain(t.Context(), "verona.example"), "it is the last one")
	escalus.send("<iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>")
	require.Len(t, escalus.all(), 1)
}

// A domain that is removed between the proof and the binding has no sessions.
func TestDomainRemovedMeanwhile(t *testing.T) {
	h := newHouse(t, []string{"romeo@montague.example"})
	c := h.connect()
	c.open("montague.example")
	c.authenticate(h.addr("romeo@montague.example"), sasl.SCRAMSHA1)
	c.open("montague.example")
	require.NoError(t, h.srv.RemoveDomain(t.Context(), "montague.example"))
	require.Contains(t, c.tryBind("orchard").String(), "not-allowed")
}

// Other limits hold at once for those who are there.
func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"})
		juliet := h.online("juliet", "balcony", "")
		l := h.srv.Limits()
		require.Equal(t, 32, l.SessionsPerAccount)
		l.SessionsPerAccount, l.SessionRate, l.RosterItems = 1, 1000, 1
		require.NoError(t, h.srv.SetLimits(l))
		require.Error(t, h.srv.SetLimits(Limits{RosterItems: -1}))

		c := h.connect()
		c.open("capulet.example")
		c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
		c.open("capulet.example")
		require.Contains(t, c.tryBind("chamber").String(), "resource-constraint")
		ended := make(chan struct{})
		began := time.Now()
		go func() {
			defer close(ended)
			for range 20 {
				juliet.send("<message to='romeo@capulet.example' type='headline'><body>hi</body></message>")
			}
			juliet.sync()
		}()
		<-ended
		require.Greater(t, time.Since(began), 5*time.Second, "20 stanzas at 1000 bytes a second, 512 and more each, 4000 at once")

		l.SessionRate = -1
		require.NoError(t, h.srv.SetLimits(l))
		began = time.Now()
		for range 100 {
			juliet.send("<message to='romeo@capulet.example' type='headline'><body>hi</body></message>")
		}
		juliet.sync()
		require.Less(t, time.Since(began), time.Second)
		for i, want := range []string{"result", "error"} {
			juliet.send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='" + string(rune('a'+i)) + "@capulet.example'/></query></iq>")
			got := juliet.all()
			require.True(t, slices.ContainsFunc(got, func(e stanza.Element) bool { return e.Attr("type") == want }), "%s", got)
		}
	})
}

// Limits may change while others read them.
func TestSetLimits_Concurrently(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ctx.Err() == nil; n++ {
			if err := h.srv.SetLimits(Limits{SessionRate: 1 << 30, RosterItems: n}); err != nil {
				t.Error(err)
			}
		}
	}()
	for range 200 {
		juliet.send("<message to='romeo@capulet.example' type='chat'><body>hi</body></message>")
	}
	juliet.sync()
	h.online("romeo", "orchard", "")
	stop()
	<-done
}
