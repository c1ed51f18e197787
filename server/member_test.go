package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What must not be left out ends the session of a client that leaves everything unread.
func TestModuleSession_Deliver(t *testing.T) {
	opened := make(chan module.Session, 1)
	h := newHouse(t, []string{"juliet"}, hooked(module.Hooks{Opened: func(_ context.Context, s module.Session) { opened <- s }}),
		func(o *Options) { o.Limits.QueueBytes = 4096 })
	h.deaf("juliet", "balcony")
	s := <-opened
	m := stanza.Message{To: s.Addr(), Body: stanza.Plain(strings.Repeat("x", 1000))}
	require.Eventually(t, func() bool { return !s.Send(m) }, 10*time.Second, time.Microsecond)
	for s.Deliver(m) {
	}
	require.False(t, s.Send(m))
}

// A module knows whether others can read what a client sends.
func TestModuleSecure(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, with(func(h module.Host) error {
		answer := func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
			secure := "no"
			if st := module.StrangerFrom(ctx); st != nil && st.Secure || st == nil && module.FromContext(ctx).Secure() {
				secure = "yes"
			}
			return stanza.NewElement([]byte("<secure xmlns='" + nsTest + "'>" + secure + "</secure>")), nil
		}
		h.Feature(false, stanza.NewElement([]byte("<secure xmlns='"+nsTest+"'/>")))
		h.Stranger().IQ(stanza.IQGet, nsTest, "secure", answer)
		h.Domain().IQ(stanza.IQGet, nsTest, "secure", answer)
		return nil
	}))
	const ask = "<iq type='get' id='1' to='capulet.example'><secure xmlns='" + nsTest + "'/></iq>"
	for want, c := range map[string]*client{"no": h.connect(), "yes": h.connectTLS("capulet.example")} {
		c.open("capulet.example")
		c.raw(ask)
		require.Equal(t, want, c.next().First().Text(), "a stranger")
		c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
		c.open("capulet.example")
		c.bind("")
		c.send(ask)
		_, e, _ := c.take(func(e stanza.Element) bool { return e.Attr("id") == "1" })
		require.Equal(t, want, e.First().Text(), "a session")
	}
}
