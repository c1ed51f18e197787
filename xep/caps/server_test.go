package caps_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// counting returns a layer that counts the questions what an entity can do.
func counting(n *atomic.Int32) func(xmpp.Handler) xmpp.Handler {
	return func(next xmpp.Handler) xmpp.Handler {
		return xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if h := st.Header(); h.Has(disco.NSInfo, "query") {
				n.Add(1)
			}
			return next.HandleStanza(ctx, st)
		})
	}
}

func bubble(t *testing.T, opts *server.Options, test func(t *testing.T, s *xmpptest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := xmpptest.Start(opts)
		require.NoError(t, err)
		defer srv.Stop()
		test(t, srv)
	})
}

func leave(t *testing.T, all ...*client.Client) {
	for _, c := range all {
		require.NoError(t, c.Close(t.Context()))
		_ = c.Wait(t.Context())
	}
}

// Juliet learns from Romeo's phone what his desk can do, too.
func TestXEP0115_1_Contacts(t *testing.T) {
	bubble(t, &server.Options{InsecurePlaintext: true}, func(t *testing.T, srv *xmpptest.Server) {
		a, err := srv.Account("juliet")
		require.NoError(t, err)
		b, err := srv.Account("romeo")
		require.NoError(t, err)
		require.NoError(t, srv.AddContact(t.Context(), a, b))
		cache, mux := caps.NewCache(nil), muxer.New()
		cache.Register(mux)
		juliet := srv.Dial(t, "juliet", mux)
		defer leave(t, juliet)
		_, err = juliet.Send(t.Context(), stanza.Presence{})
		require.NoError(t, err)

		var asked atomic.Int32
		device := func() *client.Client {
			mux := muxer.New()
			mux.Use(counting(&asked))
			mux.Feature(muc)
			caps.Register(mux, node)
			c := srv.Dial(t, "romeo", mux)
			_, err := c.Send(t.Context(), stanza.Presence{})
			require.NoError(t, err)
			return c
		}
		phone, desk := device(), device()
		defer leave(t, desk)
		synctest.Wait()
		for _, who := range []*client.Client{phone, desk, phone} {
			info, err := cache.Get(t.Context(), juliet, who.LocalAddr())
			require.NoError(t, err)
			require.True(t, info.Has(muc))
		}
		require.EqualValues(t, 1, asked.Load())
		leave(t, phone)
		synctest.Wait()
		_, err = cache.Get(t.Context(), juliet, phone.LocalAddr())
		require.ErrorIs(t, err, caps.ErrUnknown)
	})
}

// §6.3: a server says in the features what its domains can do, whatever modules come later, and is asked once.
func TestXEP0115_6_3_Server(t *testing.T) {
	const late = "urn:example:late"
	var asked atomic.Int32
	opts := &server.Options{InsecurePlaintext: true, Modules: []module.Module{caps.Server("https://example.org/"), module.Func(func(h module.Host) error {
		h.Domain().Feature(late)
		h.Domain().Use(counting(&asked))
		return nil
	})}}
	bubble(t, opts, func(t *testing.T, srv *xmpptest.Server) {
		cache := caps.NewCache(nil)
		for range 2 {
			c := srv.Dial(t, "romeo", nil)
			info, err := cache.Server(t.Context(), c)
			require.NoError(t, err)
			require.True(t, info.Has(late))
			require.True(t, info.Has(caps.NS), "§7")
			require.True(t, info.Is("server", "im"))
			leave(t, c)
		}
		require.EqualValues(t, 1, asked.Load())
	})
}

// A server that announces nothing is asked.
func TestServerWithoutCaps(t *testing.T) {
	bubble(t, &server.Options{InsecurePlaintext: true}, func(t *testing.T, srv *xmpptest.Server) {
		c := srv.Dial(t, "romeo", nil)
		defer leave(t, c)
		info, err := caps.NewCache(nil).Server(t.Context(), c)
		require.NoError(t, err)
		require.True(t, info.Is("server", "im"))
	})
}

// Who has not logged in is told nothing.
func TestSec_CapsBeforeLogin(t *testing.T) {
	opts := &server.Options{InsecurePlaintext: true, Modules: []module.Module{caps.Server("https://example.org/")}}
	bubble(t, opts, func(t *testing.T, srv *xmpptest.Server) {
		addr, err := srv.Account("romeo")
		require.NoError(t, err)
		var mu sync.Mutex // guards what follows
		var before, after int
		loggedIn := false
		o := srv.Options(addr)
		o.Trace = &xmpp.Trace{Received: func(xml []byte) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case bytes.Contains(xml, []byte("<success")):
				loggedIn = true
			case bytes.Contains(xml, []byte(caps.NS)) && loggedIn:
				after++
			case bytes.Contains(xml, []byte(caps.NS)):
				before++
			}
		}}
		c, err := client.Dial(t.Context(), addr, o)
		require.NoError(t, err)
		leave(t, c)
		mu.Lock()
		defer mu.Unlock()
		require.True(t, loggedIn)
		require.Zero(t, before)
		require.Equal(t, 1, after)
	})
}
