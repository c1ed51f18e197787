package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// heavyOffline takes its time to add messages, and may fail.
type heavyOffline struct {
	storage.Offline
	takes func(owner jid.JID, batch []string) (time.Duration, error)

	mu      sync.Mutex // guards the fields below
	batches []string   // the bodies of the messages of each call, as it began
	of      map[storage.AccountID]jid.JID
}

func (s *heavyOffline) Add(ctx context.Context, owner storage.AccountID, limits storage.OfflineLimits, messages ...storage.OfflineMessage) (int, error) {
	var batch []string
	for _, m := range messages {
		raw, err := stanza.Parse(m.Stanza)
		if err != nil {
			return 0, err
		}
		batch = append(batch, raw.Element().Child(stanza.NS, "body").Text())
	}
	s.mu.Lock()
	s.batches = append(s.batches, strings.Join(batch, " "))
	addr := s.of[owner]
	s.mu.Unlock()
	d, err := s.takes(addr, batch)
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	return s.Offline.Add(ctx, owner, limits, messages...)
}

// Delete takes as long as Add.
func (s *heavyOffline) Delete(ctx context.Context, owner storage.AccountID, ids ...uint64) error {
	if d, err := s.takes(s.of[owner], nil); err == nil {
		time.Sleep(d)
	}
	return s.Offline.Delete(ctx, owner, ids...)
}

// calls returns the batches of which the addition has begun.
func (s *heavyOffline) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.batches...)
}

// heavily is a house in a bubble whose store takes its time.
func heavily(t *testing.T, takes func(owner jid.JID, batch []string) (time.Duration, error), run func(t *testing.T, h *house, store *heavyOffline), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		stores := memory.New()
		store := &heavyOffline{Offline: stores.Offline, takes: takes, of: map[storage.AccountID]jid.JID{}}
		stores.Offline = store
		people := []string{"juliet", "romeo", "nurse"}
		h := newHouse(t, people, append(change, func(o *Options) { o.Storage = stores })...)
		for _, who := range people {
			a, err := stores.Accounts.Get(t.Context(), h.addr(who))
			require.NoError(t, err)
			store.of[a.ID] = a.Addr
		}
		run(t, h, store)
	})
}

// each takes so long to add whatever it is.
func each(d time.Duration) func(jid.JID, []string) (time.Duration, error) {
	return func(jid.JID, []string) (time.Duration, error) { return d, nil }
}

// write sends messages with numbers as their bodies.
func (c *client) write(to string, from, n int) {
	c.t.Helper()
	for i := range n {
		c.send(fmt.Sprintf("<message type='chat' to='%s' id='%d'><body>%d</body></message>", to, from+i, from+i))
	}
}

// numbers are texts from one to before another.
func numbers(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

// asked asks for an acknowledgement and returns what the answer counts.
func (c *client) asked() string {
	c.t.Helper()
	c.send("<r xmlns='urn:xmpp:sm:3'/>")
	return c.acked()
}

// acked returns what the next acknowledgement counts.
func (c *client) acked() string {
	c.t.Helper()
	_, e, ok := c.take(func(e stanza.Element) bool { return e.Is(nsSM, "a") })
	require.True(c.t, ok)
	return e.Attr("h")
}

// told returns the acknowledgements that came unasked.
func (c *client) told() []string {
	c.t.Helper()
	synctest.Wait()
	return acksIn(c.ping())
}

// acksIn returns what acknowledgements count.
func acksIn(all []stanza.Element) (counts []string) {
	for _, e := range all {
		if e.Is(nsSM, "a") {
			counts = append(counts, e.Attr("h"))
		}
	}
	return counts
}

// While a message is being stored its sender is read and answered. It is acknowledged when it is stored, and not before.
func TestXEP0198_4_StoredThenAcknowledged(t *testing.T) {
	heavily(t, each(10*time.Second), func(t *testing.T, h *house, _ *heavyOffline) {
		romeo := h.login("romeo", "orchard")
		romeo.enable()
		begin := time.Now()
		romeo.write("juliet@capulet.example", 0, 1)
		romeo.ping()
		require.Equal(t, "0", romeo.asked())
		require.Equal(t, begin, time.Now())
		require.Equal(t, 1, h.srv.Stats().Pending)
		time.Sleep(10*time.Second - time.Nanosecond)
		require.Empty(t, romeo.told())
		require.Zero(t, h.srv.Stats().Stored)
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"3"}, romeo.told(), "the message and two pings; it was asked for")
		require.Equal(t, uint64(1), h.srv.Stats().Stored)
		require.Zero(t, h.srv.Stats().Pending)
		require.Equal(t, "4", romeo.asked())
	})
}

// Acknowledgements are in order though messages to different people are stored in another one.
func TestXEP0198_4_StoredOutOfOrder(t *testing.T) {
	heavily(t, func(owner jid.JID, _ []string) (time.Duration, error) {
		return map[string]time.Duration{"juliet": 10 * time.Second, "nurse": time.Second}[owner.Localpart()], nil
	}, func(t *testing.T, h *house, _ *heavyOffline) {
		romeo := h.login("romeo", "orchard")
		romeo.enable()
		romeo.write("nurse@capulet.example", 0, 1)
		romeo.write("juliet@capulet.example", 1, 1)
		romeo.write("nurse@capulet.example", 2, 3)
		require.Equal(t, "0", romeo.asked())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, "1", romeo.asked())
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, h.stored("nurse"), 4)
		require.Equal(t, "1", romeo.asked())
		time.Sleep(4 * time.Second)
		require.Equal(t, []string{"5"}, romeo.told())
	})
}

// stored returns the bodies of what is in the store now.
func (h *house) stored(account string) []string {
	h.t.Helper()
	owner, err := h.srv.directory.id(h.t.Context(), h.addr(account))
	require.NoError(h.t, err)
	page, err := h.srv.opts.Storage.Offline.List(h.t.Context(), owner, 0, 1000)
	require.NoError(h.t, err)
	var all []stanza.Element
	for _, m := range page {
		raw, err := stanza.Parse(m.Stanza)
		require.NoError(h.t, err)
		all = append(all, raw.Element())
	}
	return bodies(all)
}

// What comes while others are stored is stored together.
func TestXEP0160_2_StoredTogether(t *testing.T) {
	heavily(t, each(time.Second), func(t *testing.T, h *house, store *heavyOffline) {
		romeo, nurse := h.login("romeo", "orchard"), h.login("nurse", "chamber")
		romeo.write("juliet@capulet.example", 0, 1)
		synctest.Wait()
		romeo.write("juliet@capulet.example", 1, 99)
		romeo.ping()
		nurse.write("juliet@capulet.example", 100, 1)
		nurse.ping()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"0", strings.Join(numbers(1, 101), " ")}, store.calls())
		require.Equal(t, numbers(0, 101), h.stored("juliet"))
	})
}

// A client that is cut off and comes back while a message of it is being stored is told the truth, whether that takes a moment or
// long: the message is there once, and what it sends again is left out.
func TestXEP0198_5_ResumedWhileStoring(t *testing.T) {
	for takes, told := range map[time.Duration]string{time.Second: "1", 20 * time.Second: "0"} {
		heavily(t, each(takes), func(t *testing.T, h *house, _ *heavyOffline) {
			romeo := h.login("romeo", "orchard")
			id := romeo.enable()
			romeo.write("juliet@capulet.example", 0, 1)
			romeo.hangUp()
			begin := time.Now()
			again, answer := h.resume("romeo", id, 0)
			require.True(t, answer.Is(nsSM, "resumed"), "got %s", answer)
			require.Equal(t, min(takes, commitTimeout), time.Since(begin))
			require.Equal(t, told, answer.Attr("h"))
			if told == "0" {
				again.write("juliet@capulet.example", 0, 1)
			}
			again.write("juliet@capulet.example", 1, 1)
			require.Equal(t, told, again.asked())
			time.Sleep(2 * takes)
			require.Equal(t, []string{"2"}, again.told())
			require.Equal(t, []string{"0", "1"}, h.stored("juliet"))
		})
	}
}

// Who comes online while messages are being stored gets them, and what was sent since behind them.
func TestXEP0160_2_OnlineWhileStoring(t *testing.T) {
	heavily(t, each(time.Second), func(t *testing.T, h *house, _ *heavyOffline) {
		romeo := h.login("romeo", "orchard")
		romeo.write("juliet@capulet.example", 0, 10)
		romeo.ping()
		juliet := h.login("juliet", "balcony")
		juliet.send("<presence/>")
		juliet.ping()
		romeo.write("juliet@capulet.example", 10, 10)
		romeo.ping()
		require.Equal(t, numbers(0, 20), bodies(juliet.until(20)))
		time.Sleep(10 * time.Second)
		romeo.write("juliet@capulet.example", 20, 1)
		require.Equal(t, numbers(20, 21), bodies(juliet.until(1)), "nothing is in front of it any more")
		require.Empty(t, h.stored("juliet"))
	})
}

// While what waits is being delivered, who writes more than the store takes waits for that, and is not refused.
func TestXEP0160_2_FullWhileDelivering(t *testing.T) {
	heavily(t, each(time.Millisecond), func(t *testing.T, h *house, _ *heavyOffline) {
		h.befriend("juliet", "romeo")
		romeo := h.login("romeo", "orchard")
		romeo.write("juliet@capulet.example", 0, 3)
		romeo.ping()
		juliet := h.login("juliet", "balcony")
		juliet.send("<presence/>")
		romeo.write("juliet@capulet.example", 3, 100)
		require.Empty(t, bodies(romeo.ping()))
		require.Equal(t, numbers(0, 103), bodies(juliet.until(103)))
		synctest.Wait()
		require.Empty(t, romeo.ping())
	}, func(o *Options) { o.Limits.OfflineMessages = 4 })
}

// Messages that found no room in the queue of a session keep their order, also those that come when what was stored before has been
// delivered and the last one is still being stored.
func TestXEP0160_2_CrowdedWhileStoring(t *testing.T) {
	heavily(t, func(_ jid.JID, batch []string) (time.Duration, error) {
		if len(batch) > 0 && strings.HasPrefix(batch[0], "3") {
			return 10 * time.Second, nil
		}
		return 0, nil
	}, func(t *testing.T, h *house, store *heavyOffline) {
		juliet, romeo := h.deaf("juliet", "balcony"), h.login("romeo", "orchard")
		juliet.send("<presence/>")
		synctest.Wait()
		write := func(n int) {
			romeo.send(fmt.Sprintf("<message type='chat' to='juliet@capulet.example/balcony'><body>%d%s</body></message>", n, strings.Repeat(" ", 1600)))
			romeo.ping()
			synctest.Wait()
		}
		for n := range 4 {
			write(n)
		}
		require.Equal(t, 1, h.srv.Stats().Pending)
		juliet.read()
		got := juliet.until(3)
		synctest.Wait()
		require.Empty(t, h.stored("juliet"), "all was delivered that was stored")
		require.Equal(t, 1, h.srv.Stats().Pending)
		write(4)
		var all []string
		for _, b := range bodies(append(got, juliet.until(2)...)) {
			all = append(all, strings.TrimSpace(b))
		}
		require.Equal(t, numbers(0, 5), all)
	}, func(o *Options) { o.Limits.QueueBytes = 4000 })
}

// What cannot be stored comes back, and is acknowledged: it has been handled.
func TestXEP0198_4_NotStored(t *testing.T) {
	errFire := errors.New("the disk is on fire")
	for _, tt := range []struct {
		name    string
		err     error
		message string
	}{
		{"failure", errFire, stanzaError("wait", "internal-server-error")},
		{"full", storage.ErrFull, unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heavily(t, func(jid.JID, []string) (time.Duration, error) { return time.Second, tt.err }, func(t *testing.T, h *house, store *heavyOffline) {
				h.befriend("juliet", "romeo")
				romeo := h.login("romeo", "orchard")
				romeo.enable()
				romeo.write("juliet@capulet.example", 0, 3)
				require.Equal(t, "0", romeo.asked())
				time.Sleep(time.Minute)
				synctest.Wait()
				var want []string
				for n := range 3 {
					want = append(want, fmt.Sprintf("<message type='error' id='%d' from='juliet@capulet.example' to='romeo@capulet.example/orchard'>%s</message>", n, tt.message))
				}
				got := romeo.ping()
				romeo.compare(stanzas(got), want)
				require.Equal(t, []string{"3"}, acksIn(got))
				require.Empty(t, h.stored("juliet"))
				require.Zero(t, h.srv.Stats().Stored+uint64(h.srv.Stats().Pending))
			})
		})
	}
}

// A sender who does not read what comes back does not hold up what others write to the same person.
func TestSec_KeeperWaitsForNobody(t *testing.T) {
	heavily(t, func(_ jid.JID, batch []string) (time.Duration, error) {
		if batch[0] == "nurse" {
			return 0, nil
		}
		return 0, errDown
	}, func(t *testing.T, h *house, _ *heavyOffline) {
		romeo, nurse := h.deaf("romeo", "orchard"), h.login("nurse", "chamber")
		go func() { // until he is not read any more
			_, _ = romeo.nc.Write([]byte(strings.Repeat("<message type='chat' to='juliet@capulet.example'><body>x</body></message>", 1000)))
		}()
		for range 20 {
			synctest.Wait()
			nurse.send("<message type='chat' to='juliet@capulet.example'><body>nurse</body></message>")
			nurse.ping()
		}
		synctest.Wait()
		require.Len(t, h.stored("juliet"), 20)
	}, func(o *Options) { o.Limits.QueueBytes, o.Limits.WriteTimeout = 4000, time.Hour })
}

// A client that has written more than may be pending is not read until some of it is stored; others are, unless there
// is too much of all.
func TestSec_PendingIsBounded(t *testing.T) {
	message := "<message type='chat' to='juliet@capulet.example'><body>" + strings.Repeat("x", 1000) + "</body></message>"
	for _, of := range []string{"session", "all"} {
		heavily(t, each(10*time.Second), func(t *testing.T, h *house, _ *heavyOffline) {
			romeo, nurse := h.login("romeo", "orchard"), h.login("nurse", "chamber")
			begin := time.Now()
			for range 3 {
				romeo.send(message)
			}
			romeo.ping()
			require.Equal(t, begin, time.Now())
			romeo.send(message)
			nurse.send(message)
			synctest.Wait()
			wait := 10 * time.Second // until the first is stored
			if of == "all" {
				require.Equal(t, 3, h.srv.Stats().Pending)
				wait = 20 * time.Second // perhaps hers was first
			} else {
				require.Equal(t, 4, h.srv.Stats().Pending)
				nurse.ping()
				require.Equal(t, begin, time.Now())
			}
			romeo.ping()
			require.GreaterOrEqual(t, time.Since(begin), 10*time.Second)
			nurse.ping()
			require.LessOrEqual(t, time.Since(begin), wait)
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Len(t, h.stored("juliet"), 5)
			require.Zero(t, h.srv.Stats().Pending)
		}, func(o *Options) {
			if of == "all" {
				o.Limits.PendingBytes = 10_000
			} else {
				o.Limits.PendingBytesPerSession = 10_000
			}
		})
	}
}

// Who closes the stream, or shuts the server down, loses nothing of what was read.
func TestXEP0160_2_StoredAtTheEnd(t *testing.T) {
	for name, end := range map[string]func(h *house, romeo *client){
		"the client closes": func(_ *house, romeo *client) { romeo.close() },
		"the client is cut": func(_ *house, romeo *client) { romeo.hangUp() },
		"shutdown":          func(h *house, _ *client) { require.NoError(h.t, h.srv.Shutdown(context.Background())) },
		"shutdown at once": func(h *house, _ *client) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			require.Error(h.t, h.srv.Shutdown(ctx))
		},
	} {
		for _, managed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, managed), func(t *testing.T) {
				heavily(t, each(time.Second), func(t *testing.T, h *house, _ *heavyOffline) {
					romeo := h.login("romeo", "orchard")
					if managed {
						romeo.enable()
					}
					romeo.write("juliet@capulet.example", 0, 100)
					romeo.ping()
					end(h, romeo)
					if !strings.HasPrefix(name, "shutdown") {
						require.NoError(t, h.srv.Shutdown(context.Background()))
					}
					require.Equal(t, numbers(0, 100), h.stored("juliet"))
				})
			})
		}
	}
}

// The last word before the end of the stream is of all that is stored by then.
func TestXEP0198_4_ClosedWhileStoring(t *testing.T) {
	heavily(t, each(time.Second), func(t *testing.T, h *house, _ *heavyOffline) {
		romeo := h.login("romeo", "orchard")
		romeo.enable()
		romeo.write("juliet@capulet.example", 0, 10)
		romeo.raw("</stream:stream>")
		require.Equal(t, "10", romeo.acked())
		require.Len(t, h.stored("juliet"), 10)
		<-romeo.done
	})
}

// What is pending for an account that is deleted is not kept, nor is anything of it later.
func TestSec_DeletedWhileStoring(t *testing.T) {
	heavily(t, each(time.Second), func(t *testing.T, h *house, store *heavyOffline) {
		id, err := h.srv.directory.id(t.Context(), h.addr("juliet"))
		require.NoError(t, err)
		romeo := h.login("romeo", "orchard")
		romeo.enable()
		romeo.write("juliet@capulet.example", 0, 1)
		synctest.Wait()
		romeo.write("juliet@capulet.example", 1, 9)
		romeo.ping()
		require.NoError(t, h.srv.DeleteAccount(t.Context(), h.addr("juliet")))
		romeo.write("juliet@capulet.example", 10, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		left, err := store.List(t.Context(), id, 0, 10)
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, "12", romeo.asked(), "nothing waits for it")
		require.Equal(t, []string{"0"}, store.calls())
	})
}

// Hooks are told of each message once it is stored, in order, or that it was not.
func TestHookPlacedWhenStored(t *testing.T) {
	var mu sync.Mutex
	var told []string
	var h *house
	hook := hooked(module.Hooks{Placed: func(_ context.Context, a module.Account, tr *module.Transit, to []module.Session, kept bool) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprint(tr.Header().ID, " ", kept, " ", len(to), " ", len(h.stored("juliet"))))
	}})
	heavily(t, func(_ jid.JID, batch []string) (time.Duration, error) {
		if batch[0] == "3" {
			return time.Second, errDown
		}
		return time.Second, nil
	}, func(t *testing.T, in *house, _ *heavyOffline) {
		h = in
		romeo := h.login("romeo", "orchard")
		romeo.write("juliet@capulet.example", 0, 1)
		synctest.Wait()
		romeo.write("juliet@capulet.example", 1, 2)
		romeo.ping()
		mu.Lock()
		require.Empty(t, told)
		mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		romeo.write("juliet@capulet.example", 3, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, []string{"0 true 0 1", "1 true 0 3", "2 true 0 3", "3 false 0 3"}, told)
	}, hook)
}
