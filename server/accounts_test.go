package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Of a password only SCRAM secrets are kept.
func TestSec_NoPasswordIsKept(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	a, err := h.srv.opts.Storage.Accounts.Get(t.Context(), h.addr("juliet"))
	require.NoError(t, err)
	require.Len(t, a.Secrets, 3)
	for _, s := range a.Secrets {
		require.True(t, s.Verify(password))
		require.False(t, s.Verify(password+" "))
		require.NotContains(t, fmt.Sprintf("%q %q %q", s.Salt, s.StoredKey, s.ServerKey), password)
	}
}

func TestCreateAccount_Errors(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	for addr, want := range map[string]string{
		"juliet@capulet.example":     "server: create account juliet@capulet.example: ",
		"capulet.example":            "server: create account: capulet.example is not the bare JID of an account",
		"a@capulet.example/x":        "server: create account: a@capulet.example/x is not the bare JID of an account",
		"romeo@elsewhere.example":    "server: create account: elsewhere.example is not served here",
		"juliet@sub.capulet.example": "server: create account: sub.capulet.example is not served here",
	} {
		require.ErrorContains(t, h.srv.CreateAccount(t.Context(), jid.MustParse(addr), password), want)
	}
	require.ErrorIs(t, h.srv.CreateAccount(t.Context(), h.addr("juliet"), password), storage.ErrExists)
	require.Error(t, h.srv.CreateAccount(t.Context(), h.addr("a"), ""))
	for _, err := range []error{h.srv.SetPassword(t.Context(), h.addr("a"), password), h.srv.DeleteAccount(t.Context(), h.addr("a")),
		h.srv.AddContact(t.Context(), h.addr("a"), h.addr("juliet")), h.srv.AddContact(t.Context(), h.addr("juliet"), h.addr("a")),
		h.srv.SetContact(t.Context(), h.addr("a"), roster.Item{JID: h.addr("juliet")})} {
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	require.Error(t, h.srv.AddContact(t.Context(), h.addr("juliet"), h.addr("juliet")))
}

// A new password counts at the next login; sessions go on.
func TestSetPassword(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	before := h.login("juliet", "balcony")
	require.NoError(t, h.srv.SetPassword(t.Context(), h.addr("juliet"), "new"))
	before.expect()
	for secret, want := range map[string]string{password: "failure", "new": "success"} {
		c := h.connect()
		c.open("capulet.example")
		require.Equal(t, want, c.exchange(h.addr("juliet"), sasl.SCRAMSHA256, "", secret).Name().Local)
	}
}

// A deleted account is gone: its sessions, its roster, what waited for it; its
// contacts are told.
func TestDeleteAccount(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "paris", "nurse"})
	h.befriend("juliet", "romeo")
	romeo := h.interested("romeo", "orchard")
	romeo.send("<presence/>")
	paris := h.interested("paris", "hall") // has asked for a subscription
	paris.send("<presence to='juliet@capulet.example' type='subscribe'/>")
	paris.all()
	balcony, chamber := h.online("juliet", "balcony", ""), h.login("juliet", "chamber")
	romeo.all()

	require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("juliet")))
	balcony.expectEnd("not-authorized")
	chamber.expectEnd("not-authorized")
	romeo.expect("<presence type='unavailable' from='juliet@capulet.example/balcony' to='romeo@capulet.example'/>",
		"<presence type='unsubscribe' id='*' from='juliet@capulet.example' to='romeo@capulet.example'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='to'"),
		"<presence type='unsubscribed' id='*' from='juliet@capulet.example' to='romeo@capulet.example'/>",
		item(romeo, "jid='juliet@capulet.example' subscription='none'"))
	paris.expect("<presence type='unsubscribed' id='*' from='juliet@capulet.example' to='paris@capulet.example'/>",
		item(paris, "jid='juliet@capulet.example' subscription='none'"))
	romeo.send("<message to='juliet@capulet.example'><body>x</body></message>", "<iq type='get' id='1' to='juliet@capulet.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	romeo.expect(iqError(romeo, "1", "juliet@capulet.example", unavailable))
	c := h.connect()
	c.open("capulet.example")
	require.Equal(t, "failure", c.exchange(h.addr("juliet"), sasl.SCRAMSHA1, "", password).Name().Local)
}

// Whoever gets the address of a deleted account inherits nothing from it
// (Openfire CVE-2024-25420).
func TestSec_RecreatedAccountInheritsNothing(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	romeo := h.login("romeo", "orchard")
	romeo.send("<message to='juliet@capulet.example'><body>for the first juliet</body></message>")
	romeo.sync()
	before := h.connect() // has proven to be the first, and not yet bound a resource
	before.open("capulet.example")
	before.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	before.open("capulet.example")

	require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("juliet")))
	require.Equal(t, "not-allowed", before.tryBind("x").First().First().Name().Local)
	require.NoError(t, h.srv.CreateAccount(t.Context(), h.addr("juliet"), password))
	require.Equal(t, "not-allowed", before.tryBind("x").First().First().Name().Local, "a proof for the first account let somebody into the second")

	juliet := h.login("juliet", "balcony")
	juliet.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "<presence/>")
	juliet.expect("<iq type='result' id='r' to='juliet@capulet.example/balcony'><query xmlns='jabber:iq:roster' ver='*'/></iq>",
		"<presence xml:lang='en' from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
}

// A session whose account is deleted by a handler that it has called itself.
func TestDeleteAccount_FromHandler(t *testing.T) {
	var h *house
	deleted := make(chan error, 1)
	mux := defaultMux()
	mux.IQ(stanza.IQSet, "urn:example:leave", "x", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		err := h.srv.DeleteAccount(ctx, iq.From.Bare())
		deleted <- err
		return nil, err
	})
	h = newHouse(t, []string{"juliet"}, func(o *Options) { o.Mux = mux })
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<iq type='set' id='1' to='capulet.example'><x xmlns='urn:example:leave'/></iq>")
	juliet.expectEnd("not-authorized")
	require.NoError(t, <-deleted)
	<-juliet.done
}

// AddContact is seen by who is online: pushes, and the presence of each other.
func TestAddContact(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet, romeo := h.interested("juliet", "balcony"), h.interested("romeo", "orchard")
	juliet.send("<presence/>")
	juliet.all()
	romeo.send("<presence><show>away</show></presence>")
	romeo.all()
	for range 2 { // the second time only the presence is repeated
		require.NoError(t, h.srv.AddContact(t.Context(), h.addr("juliet"), h.addr("romeo")))
	}
	shown := "<presence xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><show>away</show></presence>"
	juliet.expect(item(juliet, "jid='romeo@capulet.example' subscription='both'"), shown, shown)
	require.Len(t, romeo.all(), 3)

	require.NoError(t, h.srv.SetContact(t.Context(), h.addr("juliet"), roster.Item{JID: h.addr("romeo"), Name: "Romeo"}))
	juliet.expect(item(juliet, "jid='romeo@capulet.example' name='Romeo' subscription='both'"))
	require.ErrorIs(t, h.srv.SetContact(t.Context(), h.addr("juliet"), roster.Item{JID: h.addr("romeo"), Groups: []string{""}}), stanza.NotAcceptable)
	require.NoError(t, h.srv.AddContact(t.Context(), h.addr("juliet"), jid.MustParse("benvolio@elsewhere.example")))
	juliet.expect(item(juliet, "jid='benvolio@elsewhere.example' subscription='both'"))
}

// RemoveContact ends it on both sides: who is online sees the other go, and from then on nothing.
func TestRemoveContact(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet, romeo := h.interested("juliet", "balcony"), h.interested("romeo", "orchard")
	juliet.send("<presence/>")
	romeo.send("<presence/>")
	juliet.all()
	romeo.all()
	for range 2 { // the second time nothing is left to do
		require.NoError(t, h.srv.RemoveContact(t.Context(), h.addr("juliet"), h.addr("romeo")))
	}
	for c, other := range map[*client]string{juliet: "romeo@capulet.example", romeo: "juliet@capulet.example"} {
		got := fmt.Sprint(c.all())
		require.Contains(t, got, "<item jid='"+other+"' subscription='remove'/>")
		require.Regexp(t, "<presence [^>]*type='unavailable'[^>]*/>", got)
		require.NotContains(t, got, "type='subscribe'")
	}
	juliet.send("<presence><show>away</show></presence>")
	juliet.all()
	require.Empty(t, romeo.all())
	for _, who := range []string{"juliet", "romeo"} {
		id, err := h.srv.directory.id(t.Context(), h.addr(who))
		require.NoError(t, err)
		list, err := h.srv.contacts(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, list, who)
	}

	require.ErrorIs(t, h.srv.RemoveContact(t.Context(), h.addr("tybalt"), h.addr("romeo")), storage.ErrNotFound)
	require.NoError(t, h.srv.RemoveContact(t.Context(), h.addr("romeo"), h.addr("tybalt")), "who is gone is nobody's contact")
	require.Error(t, h.srv.RemoveContact(t.Context(), h.addr("romeo"), h.addr("romeo")))
}

// A store that fails: the client is told that the server has a problem, and learns
// nothing else; nothing is acknowledged that is not kept.
func TestC8_3_3_6_StorageFails(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet := h.online("juliet", "balcony", "")
	good := h.srv.opts.Storage
	h.srv.opts.Storage.Rosters, h.srv.opts.Storage.Offline = downRosters{}, downOffline{}
	failed := stanzaError("wait", "internal-server-error")
	juliet.send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", set("2", "jid='nurse@capulet.example'", ""),
		"<presence id='4' to='romeo@capulet.example' type='unsubscribe'/>",
		"<presence id='5'><show>away</show></presence>")
	juliet.expect(iqError(juliet, "1", "", failed), iqError(juliet, "2", "", failed),
		"<presence type='error' id='4' from='romeo@capulet.example' to='juliet@capulet.example'>"+failed+"</presence>",
		"<presence type='error' id='5' to='juliet@capulet.example/balcony'>"+failed+"</presence>")
	juliet.send("<message id='3' to='romeo@capulet.example'><body>x</body></message>")
	juliet.expect("<message type='error' id='3' from='romeo@capulet.example' to='juliet@capulet.example/balcony'>" + failed + "</message>")
	h.srv.opts.Storage = good
}

type downRosters struct{}

func (downRosters) Get(context.Context, storage.AccountID, jid.JID) (storage.Contact, error) {
	return storage.Contact{}, errDown
}

func (downRosters) List(context.Context, storage.AccountID, jid.JID, int) ([]storage.Contact, error) {
	return nil, errDown
}

func (downRosters) Update(context.Context, storage.AccountID, jid.JID, storage.RosterLimits, func(storage.Contact) (storage.Contact, error)) (storage.Contact, error) {
	return storage.Contact{}, errDown
}

func (downRosters) Version(context.Context, storage.AccountID) (uint64, error) { return 0, errDown }

func (downRosters) Changes(context.Context, storage.AccountID, uint64, int) ([]storage.Contact, error) {
	return nil, errDown
}

func (downRosters) DeleteAll(context.Context, storage.AccountID) error { return errDown }

type downOffline struct{}

func (downOffline) Add(context.Context, storage.AccountID, storage.OfflineLimits, ...storage.OfflineMessage) (int, error) {
	return 0, errDown
}

func (downOffline) List(context.Context, storage.AccountID, uint64, int) ([]storage.OfflineMessage, error) {
	return nil, errDown
}

func (downOffline) Delete(context.Context, storage.AccountID, ...uint64) error { return errDown }

func (downOffline) DeleteAll(context.Context, storage.AccountID) error { return errDown }

// A context that is over keeps nothing half done.
func TestCreateAccount_Context(t *testing.T) {
	h := newHouse(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	require.ErrorIs(t, h.srv.CreateAccount(ctx, h.addr("juliet"), password), context.DeadlineExceeded)
}
