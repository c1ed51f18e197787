package last_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/last"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A house is a server with clients.
type house struct {
	*xmpptest.Server
	t *testing.T
}

// inHouse runs a test with a server that keeps documents in store, in a bubble where time passes as it likes.
func inHouse(t *testing.T, store *documents, test func(t *testing.T, h house)) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{last.Server()}, Storage: storage.Stores{Documents: store}})
		require.NoError(t, err)
		defer srv.Stop()
		test(t, house{srv, t})
	})
}

// leave ends a session, and waits until everybody has been told.
func (h house) leave(c *client.Client) {
	require.NoError(h.t, c.Close(h.t.Context()))
	_ = c.Wait(h.t.Context())
	synctest.Wait()
}

func (h house) say(c *client.Client, p stanza.Presence) {
	_, err := c.Send(h.t.Context(), p)
	require.NoError(h.t, err)
	synctest.Wait()
}

func (h house) addr(localpart string) jid.JID {
	addr, err := h.Account(localpart)
	require.NoError(h.t, err)
	return addr
}

// §3: an account answers its owner and subscribers, nobody else, and 0 while somebody is there.
func TestXEP0012_3_Account(t *testing.T) {
	inHouse(t, new(documents), func(t *testing.T, h house) {
		juliet := h.addr("juliet")
		require.NoError(t, h.AddContact(t.Context(), juliet, h.addr("romeo")))
		romeo, nurse, own := h.Dial(t, "romeo", nil), h.Dial(t, "nurse", nil), h.Dial(t, "juliet", nil)
		defer h.leave(romeo)
		defer h.leave(nurse)
		defer h.leave(own)
		check := func(want last.Activity, unknown error) {
			t.Helper()
			for _, c := range []*client.Client{romeo, own} {
				a, err := last.Get(t.Context(), c, juliet)
				require.ErrorIs(t, err, unknown)
				require.Equal(t, want, a)
			}
			_, err := last.Get(t.Context(), nurse, juliet)
			require.ErrorIs(t, err, stanza.ServiceUnavailable)
		}
		check(last.Activity{}, stanza.ItemNotFound)

		balcony, chamber := h.Dial(t, "juliet", nil), h.Dial(t, "juliet", nil)
		h.say(balcony, stanza.Presence{})
		h.say(chamber, stanza.Presence{})
		check(last.Activity{}, nil)
		time.Sleep(time.Minute)
		h.say(balcony, stanza.Presence{Type: stanza.PresenceUnavailable, Status: stanza.Plain("Heading Home")})
		check(last.Activity{}, nil)
		time.Sleep(time.Minute)
		h.say(chamber, stanza.Presence{Type: stanza.PresenceUnavailable, Status: stanza.Text{{Lang: "de", Value: "Auf dem Heimweg"}}})
		time.Sleep(903 * time.Second)
		check(last.Activity{Ago: 903 * time.Second, Status: "Auf dem Heimweg"}, nil)
		h.leave(balcony) // it was not available any more, which is what counts
		check(last.Activity{Ago: 903 * time.Second, Status: "Auf dem Heimweg"}, nil)

		h.say(chamber, stanza.Presence{})
		time.Sleep(time.Minute)
		h.leave(chamber) // without a word
		time.Sleep(time.Minute)
		check(last.Activity{Ago: time.Minute}, nil)
	})
}

// What is said to one only is not what is kept.
func TestXEP0012_3_DirectedStatus(t *testing.T) {
	inHouse(t, new(documents), func(t *testing.T, h house) {
		c, nurse := h.Dial(t, "juliet", nil), h.Dial(t, "nurse", nil)
		defer h.leave(nurse)
		h.say(c, stanza.Presence{})
		h.say(c, stanza.Presence{To: nurse.LocalAddr()})
		h.say(c, stanza.Presence{To: nurse.LocalAddr(), Type: stanza.PresenceUnavailable, Status: stanza.Plain("a secret")})
		h.leave(c)
		own := h.Dial(t, "juliet", nil)
		defer h.leave(own)
		a, err := last.Get(t.Context(), own, jid.JID{})
		require.NoError(t, err)
		require.Equal(t, last.Activity{}, a)
	})
}

// A session that was never available is nobody's business, nor is the past of one who sends directed presence; and
// who may not ask cannot tell whether there is such an account.
func TestSec_LastActivityLeak(t *testing.T) {
	store := new(documents)
	inHouse(t, store, func(t *testing.T, h house) {
		invisible, nurse := h.Dial(t, "juliet", nil), h.Dial(t, "nurse", nil)
		defer h.leave(nurse)
		h.leave(invisible)
		require.Zero(t, store.len())

		c := h.Dial(t, "juliet", nil)
		defer h.leave(c)
		h.say(c, stanza.Presence{})
		h.say(c, stanza.Presence{Type: stanza.PresenceUnavailable})
		h.say(c, stanza.Presence{To: nurse.LocalAddr()})
		_, stranger := last.Get(t.Context(), nurse, h.addr("juliet"))
		_, nobody := last.Get(t.Context(), nurse, jid.MustParse("nobody@example.org"))
		want, ok := stanza.AsError(nobody)
		require.True(t, ok)
		got, ok := stanza.AsError(stranger)
		require.True(t, ok)
		require.Equal(t, want.Condition, got.Condition)
		require.Equal(t, want.Type, got.Type)

		_, err := last.Get(t.Context(), c, h.addr("nurse"))
		require.ErrorIs(t, err, stanza.ServiceUnavailable)
		require.NotZero(t, store.len())
		require.NoError(t, h.DeleteAccount(t.Context(), h.addr("juliet")))
		synctest.Wait()
		require.Zero(t, store.len(), "nothing is kept of an account that is gone")
	})
}

// §5: a domain says for how long it has run.
func TestXEP0012_5_Domain(t *testing.T) {
	inHouse(t, new(documents), func(t *testing.T, h house) {
		time.Sleep(123456 * time.Second)
		c := h.Dial(t, "romeo", nil)
		defer h.leave(c)
		a, err := last.Get(t.Context(), c, c.RemoteAddr())
		require.NoError(t, err)
		require.Equal(t, last.Activity{Ago: 123456 * time.Second}, a)
		for _, to := range []jid.JID{c.RemoteAddr(), c.LocalAddr().Bare()} {
			info, err := disco.GetInfo(t.Context(), c, to, "")
			require.NoError(t, err)
			require.True(t, info.Has(last.NS), "%s", to)
		}
	})
}

// A store that fails is no answer, and no answer is invented.
func TestStoreFails(t *testing.T) {
	store := new(documents)
	inHouse(t, store, func(t *testing.T, h house) {
		c := h.Dial(t, "romeo", nil)
		defer h.leave(c)
		store.fail(errors.New("the disk is full"))
		h.say(c, stanza.Presence{})
		h.say(c, stanza.Presence{Type: stanza.PresenceUnavailable})
		_, err := last.Get(t.Context(), c, jid.JID{})
		require.ErrorIs(t, err, stanza.InternalServerError)
		store.fail(nil)
		_, err = last.Get(t.Context(), c, jid.JID{})
		require.ErrorIs(t, err, stanza.ItemNotFound)
	})
}
