package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// A hostile is one way of making a server suffer. It goes on until the connection or the test ends.
type hostile struct {
	name  string
	login bool // as an account of its own, before
	run   func(nc net.Conn, over <-chan struct{})
}

const toVictim = "<message to='victim@capulet.example/x' type='chat'><body>"

// hostiles are the ways. What a client writes here the server does not answer, or nobody reads.
var hostiles = []hostile{
	{"silent", false, func(net.Conn, <-chan struct{}) {}},
	{"slow", false, func(nc net.Conn, over <-chan struct{}) {
		for _, b := range []byte("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='capulet.example' version='1.0'><auth" + strings.Repeat(" a='b'", 1000)) {
			if _, err := nc.Write([]byte{b}); err != nil || !later(over, 20*time.Millisecond) {
				return
			}
		}
	}},
	{"huge before the login", false, func(nc net.Conn, over <-chan struct{}) {
		_, _ = io.WriteString(nc, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='capulet.example' version='1.0'><auth>")
		pour(nc, over, strings.Repeat("A", 4096))
	}},
	{"many elements before the login", false, func(nc net.Conn, over <-chan struct{}) {
		_, _ = io.WriteString(nc, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='capulet.example' version='1.0'><auth>")
		pour(nc, over, strings.Repeat("<a/>", 1024))
	}},
	{"huge", true, func(nc net.Conn, over <-chan struct{}) {
		_, _ = io.WriteString(nc, toVictim)
		pour(nc, over, strings.Repeat("A", 4096))
	}},
	{"deep", true, func(nc net.Conn, over <-chan struct{}) {
		_, _ = io.WriteString(nc, toVictim)
		pour(nc, over, strings.Repeat("<a>", 1024))
	}},
	{"never ending", true, func(nc net.Conn, over <-chan struct{}) {
		_, _ = io.WriteString(nc, toVictim)
		for {
			if _, err := io.WriteString(nc, "<a/>"); err != nil || !later(over, 10*time.Millisecond) {
				return
			}
		}
	}},
	{"flooding", true, func(nc net.Conn, over <-chan struct{}) {
		pour(nc, over, strings.Repeat(toVictim+strings.Repeat("x", 100)+"</body></message>", 32))
	}},
	{"never reading", true, func(nc net.Conn, over <-chan struct{}) {
		pour(nc, over, strings.Repeat("<iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", 32))
	}},
	{"changing presence", true, func(nc net.Conn, over <-chan struct{}) {
		pour(nc, over, strings.Repeat("<presence><status>x</status></presence>", 64))
	}},
}

// pour writes the same over and over.
func pour(nc net.Conn, over <-chan struct{}, s string) {
	for {
		if _, err := io.WriteString(nc, s); err != nil || !later(over, 0) {
			return
		}
	}
}

// later waits, and reports whether it is to go on.
func later(over <-chan struct{}, d time.Duration) bool {
	select {
	case <-over:
		return false
	case <-time.After(d):
		return true
	}
}

// Hostile clients by the hundred, XMPP_HOSTILE of them, of every sort that others fell to, beside some that behave: those are
// served, and the memory of the server stays bounded. Both are measured and logged.
func TestSec_HostileClients(t *testing.T) {
	many := 300
	if s := os.Getenv("XMPP_HOSTILE"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		many = n
	} else if raceEnabled || testing.Short() {
		many = 100
	}
	const pairs, exchanges = 5, 40
	accounts := []string{"victim"}
	for n := range 2 * pairs {
		accounts = append(accounts, fmt.Sprint("good", n))
	}
	h := newHouse(t, accounts, func(o *Options) {
		o.Logger = slog.New(slog.DiscardHandler)
		o.Limits = Limits{
			UnauthenticatedPerAddress: 20_000, Unauthenticated: 20_000, ConnectionsPerAddress: 20_000, ConnectsPerAddress: -1,
			PreAuthTimeout: 20 * time.Second, WriteTimeout: 5 * time.Second,
			SessionRate: 64 << 10, QueueBytes: 64 << 10, // a share that so many can have on a small machine
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = h.srv.Serve(ctx, ln) })
	defer serving.Wait()
	defer cancel()

	var good []*client
	for n := range 2 * pairs {
		good = append(good, h.tcp(ln, fmt.Sprint("good", n)))
	}
	before := heap()
	over := make(chan struct{})
	var attack sync.WaitGroup
	for n := range many {
		sort := hostiles[n%len(hostiles)]
		var nc net.Conn
		if sort.login {
			name := fmt.Sprint("bad", n)
			require.NoError(t, h.srv.CreateAccount(t.Context(), h.addr(name), password))
			c := h.tcp(ln, name)
			nc = c.nc
		} else {
			nc, err = net.Dial("tcp", ln.Addr().String())
			require.NoError(t, err)
		}
		stop := context.AfterFunc(ctx, func() { nc.Close() })
		defer stop()
		attack.Go(func() { sort.run(nc, over) })
	}

	peak := before
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for later(over, 50*time.Millisecond) {
			peak = max(peak, heap())
		}
	}()
	var mu sync.Mutex
	var times []time.Duration
	var talk sync.WaitGroup
	for n := range pairs {
		a, b := good[2*n], good[2*n+1]
		talk.Go(func() {
			for range exchanges {
				began := time.Now()
				a.say(b)
				b.say(a)
				mu.Lock()
				times = append(times, time.Since(began))
				mu.Unlock()
				time.Sleep(20 * time.Millisecond) // people do not talk faster, and the others are to have time
			}
		})
	}
	talk.Wait()
	st := h.srv.Stats()
	close(over)
	<-watching
	cancel()
	_ = h.srv.Shutdown(ctx)
	attack.Wait()

	slices.Sort(times)
	perClient := int64(peak-min(before, peak)) / int64(many)
	t.Logf("%d hostile clients; exchanges of others: median %v, worst %v; heap %d kB before, at most %d kB: %d bytes for each", many,
		times[len(times)/2], times[len(times)-1], before>>10, peak>>10, perClient)
	t.Logf("%+v", st)
	require.Len(t, times, pairs*exchanges, "everybody who behaved was served")
	// What a client may have waiting: a stanza of 256 KiB while it is read, its queue with the room for what it must have, its
	// work, and as much again before the collector comes.
	if bound := int64(2 * (256<<10 + 2*64<<10 + 256<<10)); perClient > bound {
		t.Errorf("each hostile client takes %d bytes, more than %d", perClient, bound)
	}
	require.NotZero(t, st.Slowed, "those who flood are not read")
}

// tcp logs in over TCP.
func (h *house) tcp(ln net.Listener, account string) *client {
	h.t.Helper()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(h.t, err)
	h.t.Cleanup(func() { nc.Close() })
	c := newClient(h.t, nc)
	c.open("capulet.example")
	c.authenticate(h.addr(account), sasl.SCRAMSHA1)
	c.open("capulet.example")
	e := c.tryBind("x")
	require.Equal(h.t, "result", e.Attr("type"), "%s", e)
	c.addr, err = h.addr(account).WithResource("x")
	require.NoError(h.t, err)
	return c
}

// say sends a message to another client, which reads it.
func (c *client) say(to *client) {
	c.raw("<message to='" + to.addr.String() + "' type='chat'><body>x</body></message>")
	e := to.next()
	if e.Name().Local != "message" {
		c.t.Errorf("got %s", e)
	}
}

// heap is how much is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
