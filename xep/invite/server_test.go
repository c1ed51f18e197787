package invite_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

const password = "b4lc0ny0f"

var here = jid.MustParse(xmpptest.Domain)

// at is the address of an account.
func at(localpart string) jid.JID {
	a, err := here.WithLocal(localpart)
	if err != nil {
		panic(err)
	}
	return a
}

// A house is a server that makes accounts by invites.
type house struct {
	*xmpptest.Server
	t       *testing.T
	invites *invite.Service
	stores  storage.Stores
}

// options are those of a house.
type options struct {
	mode    register.Mode
	invites invite.Options
	plain   bool // without TLS, for tests in which time passes
	items   int  // of a roster
	change  func(*storage.Stores)

	commands *invite.CommandOptions // nil for none
}

func start(t *testing.T, o options) *house {
	t.Helper()
	o.invites.Logger = slog.New(slog.DiscardHandler)
	h := &house{t: t, invites: invite.New(&o.invites), stores: memory.New()}
	if o.change != nil {
		o.change(&h.stores)
	}
	modules := []module.Module{h.invites}
	if o.commands != nil {
		modules = append(modules, invite.Commands(h.invites, o.commands))
	}
	if o.mode != register.Closed {
		modules = append(modules, register.Server(&register.ServerOptions{Mode: o.mode, Invites: h.invites, InsecurePlaintext: o.plain}))
	}
	srv, err := xmpptest.Start(&server.Options{
		Domains: []string{xmpptest.Domain, "example.net"}, Modules: modules, Storage: h.stores, Iterations: sasl.MinIterations, InsecurePlaintext: o.plain,
		Limits: server.Limits{PreAuthTimeout: 30 * time.Minute, RosterItems: o.items},
	})
	require.NoError(t, err)
	h.Server = srv
	t.Cleanup(srv.Stop)
	return h
}

// create makes an invite of somebody.
func (h *house) create(r invite.Request) invite.Invitation {
	h.t.Helper()
	if !r.Inviter.IsZero() {
		_, err := h.Account(r.Inviter.Localpart())
		require.NoError(h.t, err)
	}
	made, err := h.invites.Create(h.t.Context(), r)
	require.NoError(h.t, err)
	return made
}

// join makes an account by an invite, and logs in.
func (h *house) join(u invite.URI, localpart string, handler xmpp.Handler) (*client.Client, error) {
	account := at(localpart)
	opts := h.Options(account)
	opts.Password, opts.Handler = password, handler
	opts.BeforeLogin = invite.NewAccount(u, account, password, &register.NewAccountOptions{InsecurePlaintext: opts.InsecurePlaintext})
	c, err := client.Dial(h.t.Context(), account, opts)
	if err == nil {
		h.t.Cleanup(func() { leave(c) })
	}
	return c, err
}

func leave(c *client.Client) {
	_ = c.Close(context.Background())
	_ = c.Wait(context.Background())
}

// mustJoin is join when that is to work; the client leaves.
func (h *house) mustJoin(u invite.URI, localpart string) {
	h.t.Helper()
	c, err := h.join(u, localpart, nil)
	require.NoError(h.t, err)
	leave(c)
}

var errEnough = errors.New("enough")

// stranger connects, does something before the login and leaves.
func (h *house) stranger(do func(ctx context.Context, s xmpp.Session)) {
	h.t.Helper()
	opts := h.Options(jid.JID{})
	opts.Password, opts.ConnectTimeout = "never used", -1
	opts.BeforeLogin = func(ctx context.Context, s xmpp.Session) error {
		do(ctx, s)
		return errEnough
	}
	_, err := client.Dial(h.t.Context(), at("nobody"), opts)
	require.ErrorIs(h.t, err, errEnough)
}

// show is [invite.Show] by sessions that are not protected, too.
func show(ctx context.Context, s xmpp.Session, token string) error {
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: s.RemoteAddr(), Payload: invite.Preauth{Token: token}})
	return err
}

// want asks for an account.
func want(ctx context.Context, s xmpp.Session, localpart string) error {
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: register.Query{Fields: []register.Field{{Name: "username", Value: localpart}, {Name: "password", Value: password}}}})
	return err
}

// contact is what is in a roster, as a string: empty if it is not.
func contact(t *testing.T, s xmpp.Session, who jid.JID) string {
	t.Helper()
	all, err := roster.Get(t.Context(), s)
	require.NoError(t, err)
	for _, i := range all.Items {
		if i.JID == who {
			return i.Subscription.String()
		}
	}
	return ""
}

// XEP-0445 §4, XEP-0401 §5.5: who is invited makes an account, and inviter and invited are contacts at once, without logging in again.
func TestXEP0445_4_Account(t *testing.T) {
	h := start(t, options{mode: register.Invited})
	pushed := make(chan roster.Item, 10)
	mux := muxer.New()
	roster.Register(mux, func(_ context.Context, p roster.Push) { pushed <- p.Item })
	romeo := h.Dial(t, "romeo", mux)
	_, err := roster.Get(t.Context(), romeo)
	require.NoError(t, err)

	made := h.create(invite.Request{Inviter: at("romeo"), Account: here, Name: "Romeo"})
	require.Equal(t, "xmpp:romeo@example.org?roster;preauth="+made.URI.Token+";name=Romeo;ibr=y", made.URI.String())
	require.Len(t, made.URI.Token, 26)
	juliet, err := h.join(made.URI, "juliet", nil)
	require.NoError(t, err)
	require.Equal(t, "both", contact(t, juliet, at("romeo")))
	item := <-pushed
	require.Equal(t, at("juliet"), item.JID)
	require.Equal(t, "both", item.Subscription.String())

	_, err = h.join(made.URI, "tybalt", nil)
	require.ErrorIs(t, err, stanza.ItemNotFound, "the token is used")
}

// XEP-0445 §3: the features; and without accounts by invites neither they nor links that promise some.
func TestXEP0445_3_Features(t *testing.T) {
	offered := func(h *house) (offered bool) {
		h.stranger(func(_ context.Context, s xmpp.Session) {
			offered = !s.(xmpp.ElementSender).Features().Child(invite.NSRegister, "register").IsZero()
		})
		return offered
	}
	require.True(t, offered(start(t, options{mode: register.Invited})))
	require.True(t, offered(start(t, options{mode: register.Open})))
	h := start(t, options{})
	require.False(t, offered(h))
	_, err := h.Account("romeo")
	require.NoError(t, err)
	_, err = h.invites.Create(t.Context(), invite.Request{Inviter: at("romeo"), Account: here})
	require.ErrorIs(t, err, invite.ErrNoAccounts)
	made := h.create(invite.Request{Inviter: at("romeo")})
	require.Equal(t, "xmpp:romeo@example.org?roster;preauth="+made.URI.Token, made.URI.String())
	_, err = h.join(invite.URI{Addr: here, Action: invite.Register, Token: made.URI.Token}, "juliet", nil)
	require.ErrorIs(t, err, invite.ErrNotOffered)
}

// XEP-0445 §5, XEP-0401 §6.2: a name that somebody is invited to have is kept for that one, and until the invite expires.
func TestXEP0445_5_Reserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options{mode: register.Open, plain: true})
		for _, end := range []string{"used", "revoked", "expired"} {
			name := "juliet-" + end
			made := h.create(invite.Request{Account: at(name)})
			require.Equal(t, "xmpp:"+name+"@example.org?register;preauth="+made.URI.Token, made.URI.String())
			free := h.create(invite.Request{Account: here})
			require.Equal(t, "xmpp:example.org?register;preauth="+free.URI.Token, free.URI.String())
			_, err := h.invites.Create(t.Context(), invite.Request{Account: at(name)})
			require.ErrorIs(t, err, storage.ErrExists)
			h.stranger(func(ctx context.Context, s xmpp.Session) {
				require.ErrorIs(t, want(ctx, s, name), stanza.Conflict, "without an invite")
			})
			_, err = h.join(invite.URI{Addr: here, Action: invite.Register, Token: free.URI.Token}, name, nil)
			require.ErrorIs(t, err, stanza.Conflict, "with another invite")
			h.stranger(func(ctx context.Context, s xmpp.Session) {
				require.NoError(t, show(ctx, s, made.URI.Token))
				require.ErrorIs(t, want(ctx, s, "another"), stanza.NotAcceptable)
			})
			switch end {
			case "used":
				h.mustJoin(made.URI, name)
				_, err = h.invites.Create(t.Context(), invite.Request{Account: at(name)})
				require.ErrorIs(t, err, storage.ErrExists, "there is such an account")
				own, err := h.invites.List(t.Context(), jid.JID{})
				require.NoError(t, err)
				require.Len(t, own, 1, "the other one")
				require.NoError(t, h.DeleteAccount(t.Context(), at(name)))
				h.create(invite.Request{Account: at(name)}) // nothing is left of the reservation
				continue
			case "revoked":
				require.NoError(t, h.invites.Revoke(t.Context(), made.ID))
				require.NoError(t, h.invites.Revoke(t.Context(), made.ID), "it is gone already")
				_, err = h.join(made.URI, name, nil)
				require.ErrorIs(t, err, stanza.ItemNotFound)
			case "expired":
				time.Sleep(invite.Week + 2*time.Hour)
			}
			h.create(invite.Request{Account: at(name)})
		}
		h.Stop()
	})
}

// A token that is unknown, used up, expired, for contacts only or for another domain is answered in one way: nobody learns whether there was
// such an invite, or such an inviter.
func TestSec_TokensTellNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options{mode: register.Invited, plain: true})
		old := h.create(invite.Request{Account: here, Lifetime: time.Minute})
		used := h.create(invite.Request{Account: here})
		revoked := h.create(invite.Request{Account: here})
		contacts := h.create(invite.Request{Inviter: at("romeo")})
		elsewhere := h.create(invite.Request{Account: jid.MustParse("example.net")})
		h.mustJoin(used.URI, "juliet")
		require.NoError(t, h.invites.Revoke(t.Context(), revoked.ID))
		time.Sleep(time.Minute)
		var answers []error
		for _, token := range []string{"unknown", "", old.URI.Token, used.URI.Token, revoked.URI.Token, contacts.URI.Token, elsewhere.URI.Token, old.ID} {
			h.stranger(func(ctx context.Context, s xmpp.Session) {
				err := show(ctx, s, token)
				require.ErrorIs(t, err, stanza.ItemNotFound, token)
				answers = append(answers, err)
				require.ErrorIs(t, want(ctx, s, "tybalt"), stanza.Forbidden, "no invite")
			})
		}
		for _, a := range answers {
			require.Equal(t, answers[0], a)
		}
		h.stranger(func(ctx context.Context, s xmpp.Session) { // what was shown before does not count any more
			good := h.create(invite.Request{Account: here})
			require.NoError(t, show(ctx, s, good.URI.Token))
			require.ErrorIs(t, show(ctx, s, "unknown"), stanza.ItemNotFound)
			require.ErrorIs(t, want(ctx, s, "tybalt"), stanza.Forbidden)
		})
		h.Stop()
	})
}

// XEP-0445 §4: the time of expiry is looked at when the token is shown, and not again; but one use is one use.
func TestXEP0445_4_ExpiryAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options{mode: register.Invited, plain: true})
		made := h.create(invite.Request{Account: at("juliet"), Lifetime: time.Minute})
		h.stranger(func(ctx context.Context, s xmpp.Session) {
			require.NoError(t, show(ctx, s, made.URI.Token))
			time.Sleep(20 * time.Minute)
			h.create(invite.Request{Account: here}) // others are made, and old ones forgotten
			require.NoError(t, want(ctx, s, "juliet"))
		})
		_, err := h.join(made.URI, "juliet", nil)
		require.ErrorIs(t, err, stanza.ItemNotFound)
		h.Stop()
	})
}

// accounts fails to create when it is told to.
type accounts struct {
	storage.Accounts
	mu   sync.Mutex
	fail bool
}

func (a *accounts) failing(b bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = b
}

func (a *accounts) Create(ctx context.Context, account storage.Account) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail {
		return errEnough
	}
	return a.Accounts.Create(ctx, account)
}

// XEP-0445 §4: a token is not used before the account is made.
func TestXEP0445_4_NotUsedInVain(t *testing.T) {
	var broken *accounts
	h := start(t, options{mode: register.Invited, change: func(s *storage.Stores) {
		broken = &accounts{Accounts: s.Accounts}
		s.Accounts = broken
	}})
	made := h.create(invite.Request{Inviter: at("romeo"), Account: here})
	broken.failing(true)
	_, err := h.join(made.URI, "juliet", nil)
	require.ErrorIs(t, err, stanza.InternalServerError)
	broken.failing(false)
	_, err = h.join(made.URI, "romeo", nil)
	require.ErrorIs(t, err, stanza.Conflict)
	h.mustJoin(made.URI, "juliet")
}

// However many come at once, a token is good as often as it says.
func TestSec_TokenIsUsedOnce(t *testing.T) {
	h := start(t, options{mode: register.Invited})
	made := h.create(invite.Request{Account: here, Uses: 2})
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		wg.Go(func() {
			h.stranger(func(ctx context.Context, s xmpp.Session) {
				if err := show(ctx, s, made.URI.Token); err != nil {
					results <- err
					return
				}
				results <- want(ctx, s, name)
			})
		})
	}
	wg.Wait()
	close(results)
	good := 0
	for err := range results {
		if err == nil {
			good++
			continue
		}
		require.ErrorIs(t, err, stanza.ItemNotFound)
	}
	require.Equal(t, 2, good)
}

// An inviter has so many invites that are good, and one who is gone has none.
func TestSec_InviterQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options{mode: register.Invited, plain: true, invites: invite.Options{Pending: 2, Lifetime: time.Hour}})
		more := func() error {
			_, err := h.invites.Create(t.Context(), invite.Request{Inviter: at("romeo"), Account: here})
			return err
		}
		first := h.create(invite.Request{Inviter: at("romeo"), Account: here})
		second := h.create(invite.Request{Inviter: at("romeo")})
		require.Equal(t, time.Now().Add(time.Hour), second.Expires)
		require.ErrorIs(t, more(), storage.ErrFull)
		h.create(invite.Request{Inviter: at("nurse")})
		for range 5 {
			h.create(invite.Request{Account: here})
		}
		h.mustJoin(first.URI, "juliet")
		require.NoError(t, more(), "one is used")
		require.NoError(t, h.invites.Revoke(t.Context(), second.ID))
		_, err := h.invites.Create(t.Context(), invite.Request{Inviter: at("romeo"), Account: at("tybalt")})
		require.ErrorIs(t, err, storage.ErrFull, "one with a name is two")
		require.NoError(t, more(), "and leaves nothing behind")
		require.ErrorIs(t, more(), storage.ErrFull)
		time.Sleep(time.Hour)
		last := h.create(invite.Request{Inviter: at("romeo"), Account: at("tybalt")})
		all, err := h.invites.List(t.Context(), at("romeo"))
		require.NoError(t, err)
		require.Contains(t, ids(all), last.ID)
		require.NoError(t, h.DeleteAccount(t.Context(), at("romeo")))
		_, err = h.join(last.URI, "tybalt", nil)
		require.ErrorIs(t, err, stanza.ItemNotFound)
		_, err = h.invites.List(t.Context(), at("romeo"))
		require.ErrorIs(t, err, storage.ErrNotFound)
		h.Stop()
	})
}

func ids(all []storage.Invite) (out []string) {
	for _, i := range all {
		out = append(out, i.ID)
	}
	return out
}

// More invites than fit on a page are listed.
func TestList(t *testing.T) {
	h := start(t, options{mode: register.Invited})
	for range 150 {
		h.create(invite.Request{Account: here})
	}
	h.create(invite.Request{Account: at("juliet")})
	all, err := h.invites.List(t.Context(), jid.JID{})
	require.NoError(t, err)
	require.Len(t, all, 151)
	for _, i := range all {
		require.NotContains(t, i.ID, "juliet")
	}
}

func TestCreateErrors(t *testing.T) {
	_, err := invite.New(nil).Create(t.Context(), invite.Request{Account: here})
	require.Error(t, err, "not installed")
	h := start(t, options{mode: register.Invited})
	_, err = h.Account("romeo")
	require.NoError(t, err)
	for name, r := range map[string]invite.Request{
		"for nothing":                   {},
		"used backwards":                {Account: here, Uses: -1},
		"expired":                       {Account: here, Lifetime: -1},
		"a session":                     {Account: jid.MustParse("a@example.org/b")},
		"one account twice":             {Account: at("juliet"), Uses: 2},
		"by a session":                  {Inviter: jid.MustParse("romeo@example.org/b"), Account: here},
		"by a domain":                   {Inviter: here, Account: here},
		"not served":                    {Account: jid.MustParse("elsewhere.example")},
		"at a domain that nobody reads": {Inviter: at("romeo"), Account: jid.MustParse("example.net")},
		"by nobody":                     {Inviter: at("nobody")},
		"of who is there":               {Account: at("romeo")},
	} {
		_, err := h.invites.Create(t.Context(), r)
		require.Error(t, err, name)
	}
	_, err = h.invites.List(t.Context(), jid.JID{})
	require.NoError(t, err)
}

// An invite is of whoever made it, and not of somebody else who has got the address since.
func TestSec_AnotherInviter(t *testing.T) {
	kept := &keepInvites{}
	h := start(t, options{mode: register.Invited, change: func(s *storage.Stores) {
		kept.Invites = s.Invites
		s.Invites = kept
	}})
	made := h.create(invite.Request{Inviter: at("romeo"), Account: here, Uses: 2})
	require.NoError(t, h.DeleteAccount(t.Context(), at("romeo")))
	juliet, err := h.join(made.URI, "juliet", nil)
	require.NoError(t, err)
	require.Empty(t, contact(t, juliet, at("romeo")))
	require.NoError(t, h.CreateAccount(t.Context(), at("romeo"), password))
	nurse, err := h.join(made.URI, "nurse", nil)
	require.NoError(t, err)
	require.Empty(t, contact(t, nurse, at("romeo")))
}

// keepInvites is a store that forgets no invites of those who are gone.
type keepInvites struct{ storage.Invites }

func (*keepInvites) DeleteAll(context.Context, storage.AccountID) error { return nil }

// XEP-0379 §3: a request that shows a token is granted at once, and the other way round it is asked for: here it was approved ahead.
func TestXEP0379_3_5_Granted(t *testing.T) {
	h := start(t, options{})
	made := h.create(invite.Request{Inviter: at("romeo"), Uses: 2})
	requests := make(chan jid.JID, 10)
	mux := muxer.New()
	mux.Presence(stanza.PresenceSubscribe, func(_ context.Context, p *stanza.Presence) error {
		requests <- p.From
		return nil
	})
	romeo := h.Dial(t, "romeo", mux)
	_, err := romeo.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	for _, name := range []string{"juliet", "nurse"} {
		changed := make(chan roster.Item, 10)
		mux := muxer.New()
		roster.Register(mux, func(_ context.Context, p roster.Push) { changed <- p.Item })
		c := h.Dial(t, name, mux)
		_, err := roster.Get(t.Context(), c)
		require.NoError(t, err)
		contacts := invite.NewContacts(nil)
		require.NoError(t, contacts.Add(t.Context(), c, made.URI, "Romeo"))
		for i := range changed {
			if i.Subscription == roster.Both {
				require.Equal(t, at("romeo"), i.JID)
				require.Equal(t, "Romeo", i.Name)
				break
			}
		}
		for contact(t, romeo, c.LocalAddr().Bare()) != "both" { // his side follows hers
			require.NoError(t, t.Context().Err())
		}
		require.NoError(t, contacts.Add(t.Context(), c, made.URI, "Romeo"), "again, which takes nothing")
	}
	require.NoError(t, ping.Send(t.Context(), romeo, jid.JID{}))
	require.Empty(t, requests, "romeo is not asked")

	tybalt := h.Dial(t, "tybalt", nil)
	require.NoError(t, invite.NewContacts(nil).Add(t.Context(), tybalt, made.URI, ""))
	require.Equal(t, at("tybalt"), <-requests, "the token is used up: a person decides (§4.1)")
	require.Equal(t, "none", contact(t, tybalt, at("romeo")))
}

// XEP-0379 §5.2: what is no good token for this account is as if there was none.
func TestXEP0379_4_1_LeftToPeople(t *testing.T) {
	broken := &brokenInvites{}
	h := start(t, options{mode: register.Invited, change: func(s *storage.Stores) {
		broken.Invites = s.Invites
		s.Invites = broken
	}})
	_, err := h.Account("romeo")
	require.NoError(t, err)
	nurse := h.create(invite.Request{Inviter: at("nurse")})
	named := h.create(invite.Request{Inviter: at("romeo"), Account: at("paris")})
	server := h.create(invite.Request{Account: here})
	good := h.create(invite.Request{Inviter: at("romeo")})
	juliet := h.Dial(t, "juliet", nil)
	ask := func(p stanza.Payload) {
		_, err := juliet.Send(t.Context(), stanza.Presence{To: at("romeo"), Type: stanza.PresenceSubscribe, Payloads: stanza.Payloads{p}})
		require.NoError(t, err)
		require.NoError(t, ping.Send(t.Context(), juliet, jid.JID{}))
	}
	for _, token := range []string{"unknown", nurse.URI.Token, named.URI.Token, server.URI.Token, good.ID} {
		ask(invite.Preauth{Token: token})
	}
	ask(stanza.NewElement([]byte("<preauth xmlns='urn:xmpp:pars:0'/>")))
	broken.fails.Store(true)
	ask(invite.Preauth{Token: good.URI.Token})
	broken.fails.Store(false)
	require.Equal(t, "none", contact(t, juliet, at("romeo")))
	ask(invite.Preauth{Token: good.URI.Token})
	require.Equal(t, "to", contact(t, juliet, at("romeo")), "though the request waited")
}

// brokenInvites cannot be asked when it is told so.
type brokenInvites struct {
	storage.Invites
	fails atomic.Bool
}

func (b *brokenInvites) Get(ctx context.Context, id string, now time.Time) (storage.Invite, error) {
	if b.fails.Load() {
		return storage.Invite{}, errEnough
	}
	return b.Invites.Get(ctx, id, now)
}

// An account without room for another contact grants nothing, and the invite stays good.
func TestNoRoomForTheContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options{plain: true, items: 1})
		made := h.create(invite.Request{Inviter: at("romeo")})
		_, err := h.Account("nurse")
		require.NoError(t, err)
		require.NoError(t, h.AddContact(t.Context(), at("romeo"), at("nurse")))
		juliet, romeo := h.Dial(t, "juliet", nil), h.Dial(t, "romeo", nil)
		ask := func() string {
			_, err := juliet.Send(t.Context(), stanza.Presence{To: at("romeo"), Type: stanza.PresenceSubscribe, Payloads: stanza.Payloads{invite.Preauth{Token: made.URI.Token}}})
			require.NoError(t, err)
			synctest.Wait()
			return contact(t, juliet, at("romeo"))
		}
		require.Equal(t, "none", ask())
		require.NoError(t, roster.Delete(t.Context(), romeo, at("nurse")))
		require.Equal(t, "to", ask())
		require.Equal(t, "from", contact(t, romeo, at("juliet")), "and has asked in return")
		leave(juliet)
		leave(romeo)
		h.Stop()
	})
}
