package server

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A restart is two servers, one after the other, and what they share.
type restart struct {
	t      *testing.T
	stores storage.Stores
	*house
	juliet, romeo *client
	id, other     string // by which they can resume
}

func newRestart(t *testing.T) *restart {
	r := &restart{t: t, stores: memory.New()}
	r.house = newHouse(t, []string{"juliet", "romeo", "nurse"}, r.options)
	r.befriend("juliet", "romeo")
	r.juliet, r.romeo = r.login("juliet", "balcony"), r.login("romeo", "orchard")
	r.id, r.other = r.juliet.enable(), r.romeo.enable()
	for _, c := range []*client{r.juliet, r.romeo} {
		c.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>", "<presence><status>here</status></presence>")
		c.all()
	}
	r.juliet.all()
	r.romeo.all()
	return r
}

func (r *restart) options(o *Options) { o.Storage, o.KeepSessions = r.stores, true }

// again shuts the server down and starts another.
func (r *restart) again() {
	require.NoError(r.t, r.srv.Shutdown(r.t.Context()))
	r.house = newHouse(r.t, nil, r.options)
}

// presences leaves out everything else.
func presences(all []stanza.Element) (out []stanza.Element) {
	return slices.DeleteFunc(all, func(e stanza.Element) bool { return e.Name().Local != "presence" })
}

// Who can resume is told that the server shuts down, and goes on in the next one: nothing is missing, and nobody has noticed.
func TestXEP0198_5_ResumedAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestart(t)
		nurse := r.online("nurse", "kitchen", "")
		r.juliet.send("<presence to='nurse@capulet.example/kitchen'/>")
		r.juliet.all()
		r.romeo.send("<message to='juliet@capulet.example' type='chat' id='m1'><body>1</body></message>",
			"<message to='"+r.juliet.addr.String()+"' type='chat' id='m2'><body>2</body></message>")
		r.romeo.sync()
		require.Len(t, nurse.all(), 1)
		handled := 5 // her answers to two pings and the roster, and two presences
		r.again()
		for _, c := range []*client{r.juliet, r.romeo, nurse} {
			c.expectEnd("system-shutdown")
			<-c.done
		}
		all := 0
		for s := range r.srv.Sessions() {
			require.True(t, s.Suspended())
			all++
		}
		require.Equal(t, 2, all, "the nurse cannot")

		romeo, answer := r.resume("romeo", r.other, 5)
		require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
		romeo.send("<message to='juliet@capulet.example' type='chat' id='m3'><body>3</body></message>")
		romeo.sync()
		juliet, answer := r.resume("juliet", r.id, handled)
		require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
		require.Equal(t, []string{"1", "2", "3"}, bodies(juliet.until(3)))
		require.Empty(t, bodies(romeo.all()))

		require.NoError(t, r.srv.SetContact(t.Context(), r.addr("juliet"), roster.Item{JID: r.addr("tybalt")}))
		require.Len(t, stanzas(juliet.all()), 1, "she is still interested in the roster")
		juliet.send("<presence><status>and still here</status></presence>")
		juliet.all()
		require.Len(t, stanzas(romeo.all()), 1, "he has not been told unavailable, but the new presence")
		juliet.send("<a xmlns='urn:xmpp:sm:3' h='100'/>") // too high: the counters go on
		juliet.expectEnd("undefined-condition")
		romeo.hangUp()
	})
}

// What is kept is kept until its client has it.
func TestKeepsakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestart(t)
		r.romeo.send("<message to='juliet@capulet.example' type='chat' id='m1'><body>1</body></message>")
		r.romeo.sync()
		r.again()
		id, err := r.srv.directory.id(t.Context(), r.addr("juliet"))
		require.NoError(t, err)
		kept := func() int {
			names, err := r.stores.Documents.List(t.Context(), id, kindSession, "", 10)
			require.NoError(t, err)
			return len(names)
		}
		require.Equal(t, 1, kept())
		juliet, answer := r.resume("juliet", r.id, 5)
		require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
		require.Equal(t, []string{"1"}, bodies(juliet.all()))
		require.Equal(t, 1, kept(), "she has not acknowledged it")

		// As if that server had been killed.
		killed := r.house
		r.house = newHouse(t, nil, r.options)
		require.Zero(t, kept())
		next := r.login("juliet", "garden")
		next.send("<presence/>")
		require.Equal(t, []string{"1"}, bodies(next.until(1)), "better twice than never")
		next.hangUp()

		r.house = killed
		juliet.send("<a xmlns='urn:xmpp:sm:3' h='8'/>")
		juliet.sync()
		synctest.Wait()
		require.Zero(t, kept())
		juliet.hangUp()
	})
}

// Nobody comes back: contacts are told, and messages wait.
func TestKeepsakes_NobodyComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestart(t)
		r.romeo.send("<message to='juliet@capulet.example' type='chat' id='m1'><body>1</body></message>")
		r.romeo.sync()
		r.again()
		romeo, answer := r.resume("romeo", r.other, 6)
		require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
		require.Empty(t, presences(romeo.all()))
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		romeo.compare(presences(romeo.all()), []string{"<presence type='unavailable' from='" + r.juliet.addr.String() + "' to='romeo@capulet.example'/>"})
		next := r.login("juliet", "garden")
		next.send("<presence/>")
		require.Equal(t, []string{"1"}, bodies(next.until(1)))
		next.hangUp()
		romeo.hangUp()
	})
}

// An account that is deleted while there is no server has no session in the next one, nor does what is damaged do harm.
func TestKeepsakes_WithoutAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestart(t)
		require.NoError(t, r.srv.Shutdown(t.Context()))
		a, err := r.stores.Accounts.Get(t.Context(), r.addr("juliet"))
		require.NoError(t, err)
		require.NoError(t, r.stores.Accounts.Delete(t.Context(), a.ID))
		b, err := r.stores.Accounts.Get(t.Context(), r.addr("romeo"))
		require.NoError(t, err)
		require.NoError(t, r.stores.Documents.Set(t.Context(), b.ID, kindSession, "damaged", []byte("{"), storage.DocumentLimits{}))
		require.NoError(t, r.stores.Documents.Set(t.Context(), b.ID, kindSession, "worse", []byte(`{"Stream":{"ID":"x","JID":"romeo@capulet.example/y","Stanzas":["PG1lc3NhZ2U="]}}`), storage.DocumentLimits{}))
		r.house = newHouse(t, nil, r.options)
		var all []string
		for s := range r.srv.Sessions() {
			all = append(all, s.Addr().String())
		}
		require.Equal(t, []string{r.romeo.addr.String()}, all)
		owners, err := r.stores.Documents.Owners(t.Context(), kindSession, "", 10)
		require.NoError(t, err)
		require.Equal(t, []storage.AccountID{b.ID}, owners)
		romeo, answer := r.resume("romeo", r.other, 5)
		require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
		romeo.hangUp()
	})
}

// Without the option nothing is kept, and a session ends with the server.
func TestKeepsakes_Off(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	juliet := h.login("juliet", "balcony")
	juliet.enable()
	juliet.hangUp()
	require.NoError(t, h.srv.Shutdown(t.Context()))
	owners, err := h.srv.opts.Storage.Documents.Owners(t.Context(), kindSession, "", 10)
	require.NoError(t, err)
	require.Empty(t, owners)
}

// A server that cannot restore all sessions is none: those that it has restored are kept as they were, and nothing of it is left running.
func TestKeepsakes_StoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestart(t)
		require.NoError(t, r.srv.Shutdown(t.Context()))
		broken := r.stores
		broken.Documents = &failsLater{Documents: r.stores.Documents, good: 1}
		o := r.srv.opts
		o.Storage, o.Modules = broken, nil
		_, err := New(&o)
		require.ErrorIs(t, err, errDown)
		time.Sleep(10 * time.Minute) // by when nobody would resume them any more
		r.house = newHouse(t, nil, r.options)
		all := 0
		for range r.srv.Sessions() {
			all++
		}
		require.Equal(t, 2, all)
	})
}

// failsLater is documents of which only so many can be read.
type failsLater struct {
	storage.Documents
	good int
}

// Get implements [storage.Documents].
func (f *failsLater) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	if f.good--; f.good < 0 {
		return nil, errDown
	}
	return f.Documents.Get(ctx, owner, kind, name)
}
