package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A gate is a transport whose writes wait until they are let through.
type gate struct {
	net.Conn
	pass   chan int // how many bytes of the next write to take
	writes []string
	mu     sync.Mutex
	dead   chan struct{}
	once   sync.Once
}

func newGate() *gate { return &gate{pass: make(chan int, 1000), dead: make(chan struct{})} }

const all = 1 << 30

func (g *gate) Write(b []byte) (int, error) {
	select {
	case n := <-g.pass:
		n = min(n, len(b))
		g.mu.Lock()
		g.writes = append(g.writes, string(b[:n]))
		g.mu.Unlock()
		if n < len(b) {
			return n, io.ErrShortWrite
		}
		return n, nil
	case <-g.dead:
		return 0, net.ErrClosed
	}
}

func (g *gate) SetWriteDeadline(time.Time) error { return nil }

func (g *gate) written() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes
}

// gated returns an outbox that writes to a gate.
func gated(limit int) (*outbox, *gate) {
	g := newGate()
	o := &outbox{limit: limit, timeout: time.Second, nc: g, gone: make(chan struct{})}
	o.failed = func(err error) {
		g.once.Do(func() { close(g.dead) })
		o.kill(closedError{err})
	}
	return o, g
}

func mustAppend(t *testing.T, o *outbox, part string) uint64 {
	t.Helper()
	position, err := o.append(t.Context(), []byte(part), true)
	require.NoError(t, err)
	return position
}

// TestOutbox_Joined: what is queued while a write is on its way leaves in one.
func TestOutbox_Joined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g := gated(1 << 20)
		mustAppend(t, o, "<a/>")
		synctest.Wait() // it is being written
		var want strings.Builder
		for i := range 100 {
			part := fmt.Sprintf("<b n='%d'/>", i)
			mustAppend(t, o, part)
			want.WriteString(part)
		}
		g.pass <- all
		g.pass <- all
		require.NoError(t, o.idle(t.Context()))
		require.Equal(t, []string{"<a/>", want.String()}, g.written())
	})
}

// TestOutbox_Chunks: no more than 32 KiB are written with one deadline.
func TestOutbox_Chunks(t *testing.T) {
	o, g := gated(1 << 20)
	for range 3 {
		g.pass <- all
	}
	long := strings.Repeat("x", 70_000)
	mustAppend(t, o, long)
	require.NoError(t, o.idle(t.Context()))
	require.Len(t, g.written(), 3)
	require.Equal(t, long, strings.Join(g.written(), ""))
}

// TestOutbox_Order: the parts of each sender stay in order and whole, however many
// send and however small the queue is.
func TestOutbox_Order(t *testing.T) {
	const senders, parts = 8, 200
	o, g := gated(100)
	go func() {
		for range senders * parts {
			select {
			case g.pass <- all:
			case <-g.dead:
			}
		}
	}()
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range parts {
				mustAppend(t, o, fmt.Sprintf("<%d:%d>", s, i))
			}
		})
	}
	wg.Wait()
	require.NoError(t, o.idle(t.Context()))
	close(g.dead)
	next := make([]int, senders)
	wire := strings.Join(g.written(), "")
	for part := range strings.SplitSeq(strings.Trim(wire, "<>"), "><") {
		var s, i int
		_, err := fmt.Sscanf(part, "%d:%d", &s, &i)
		require.NoError(t, err, "in %q", part)
		if next[s] != i {
			t.Fatalf("sender %d: part %d after %d", s, i, next[s]-1)
		}
		next[s]++
	}
	for s, n := range next {
		require.Equal(t, parts, n, "sender %d", s)
	}
	require.Equal(t, uint64(senders*parts), o.sent)
}

// TestOutbox_Bound: a full queue makes senders wait, first come, first served;
// whoever gives up takes its stanza with it, and nothing else.
func TestOutbox_Bound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g := gated(10)
		mustAppend(t, o, "[in flight, and longer than the bound]")
		synctest.Wait()
		require.ErrorIs(t, o.tryAppend([]byte("x"), true, false), ErrQueueFull)

		results := make(chan string, 10)
		ctx, cancel := context.WithCancelCause(t.Context())
		send := func(ctx context.Context, part string) {
			go func() {
				_, err := o.append(ctx, []byte(part), true)
				results <- fmt.Sprint(part, " ", err)
			}()
			synctest.Wait()
		}
		send(t.Context(), "[one]")
		send(ctx, "[gives up]")
		send(t.Context(), "[2]")
		require.ErrorIs(t, o.tryAppend([]byte("x"), true, false), ErrQueueFull) // nor may it jump the line
		cancel(errors.New("enough"))
		require.Equal(t, "[gives up] enough", <-results)
		require.Empty(t, results)

		g.pass <- all
		require.ElementsMatch(t, []string{"[one] <nil>", "[2] <nil>"}, []string{<-results, <-results})
		g.pass <- all
		require.NoError(t, o.idle(t.Context()))
		require.Equal(t, "[one][2]", g.written()[1])
	})
}

// TestOutbox_GivingUpMakesRoom: when the one at the head of the line gives up, the
// next one may fit.
func TestOutbox_GivingUpMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g := gated(10)
		mustAppend(t, o, "12345678")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		gone, done := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := o.append(ctx, []byte("much too long"), true)
			gone <- err
		}()
		synctest.Wait()
		go func() {
			_, err := o.append(t.Context(), []byte("9"), true)
			done <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		require.NoError(t, <-done)
		g.pass <- all
		g.pass <- all
		require.NoError(t, o.idle(t.Context()))
		require.Equal(t, []string{"12345678", "9"}, g.written())
	})
}

// TestOutbox_Receipts: a receipt goes through the stages, and a failed write tells
// what may have arrived from what never left.
func TestOutbox_Receipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g := gated(1 << 20)
		o.keep = true
		c := &Conn{out: o, gone: o.gone}
		c.out.failed = func(err error) {
			close(g.dead)
			c.out.kill(closedError{err})
		}
		send := func() xmpp.Receipt {
			r, err := c.Send(t.Context(), hello, stanza.Header{})
			require.NoError(t, err)
			return r
		}
		first := send()
		synctest.Wait()
		require.Equal(t, xmpp.Queued, first.Stage())
		stage, err := first.Await(t.Context(), xmpp.Queued)
		require.NoError(t, err)
		require.Equal(t, xmpp.Queued, stage)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		stage, err = first.Await(ctx, xmpp.Sent)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, xmpp.Queued, stage)
		g.pass <- all
		stage, err = first.Await(t.Context(), xmpp.Sent)
		require.NoError(t, err)
		require.Equal(t, xmpp.Sent, stage)
		stage, err = first.Await(t.Context(), xmpp.Acked) // never, here
		require.Error(t, err)
		require.Equal(t, xmpp.Sent, stage)

		synctest.Wait()
		failing := send()
		synctest.Wait()
		dropped := send()
		g.pass <- 5
		stage, err = failing.Await(t.Context(), xmpp.Sent)
		require.ErrorIs(t, err, xmpp.ErrClosed)
		require.ErrorIs(t, err, io.ErrShortWrite)
		require.False(t, xmpp.SafeToRetry(err))
		require.Equal(t, xmpp.Failed, stage)
		stage, err = dropped.Await(t.Context(), xmpp.Sent)
		require.ErrorIs(t, err, xmpp.ErrClosed)
		require.True(t, xmpp.SafeToRetry(err))
		require.Equal(t, xmpp.Dropped, stage)
		require.Equal(t, xmpp.Sent, first.Stage())
		<-c.Done()
	})
}

// TestOutbox_Finish: what waits for room when the end comes does not leave.
func TestOutbox_Finish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, g := gated(1)
		mustAppend(t, o, "[first]")
		synctest.Wait()
		done := make(chan error, 1)
		go func() {
			_, err := o.append(t.Context(), []byte("[waits]"), true)
			done <- err
		}()
		synctest.Wait()
		o.finish([]byte("[error]"), []byte("[end]"))
		o.finish([]byte("[end]"))
		require.ErrorIs(t, <-done, xmpp.ErrClosed)
		require.ErrorIs(t, o.tryAppend([]byte("x"), true, false), xmpp.ErrClosed)
		g.pass <- all
		g.pass <- all
		require.NoError(t, o.idle(t.Context()))
		require.Equal(t, []string{"[first]", "[error][end]"}, g.written())
	})
}

// TestWriteTimeout: a peer that takes bytes, however slowly, is waited for; one that
// takes none is not.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, func(cfg *Config) { cfg.WriteTimeout = 10 * time.Second })
		_, end := reading(c)
		big := stanza.Message{Body: stanza.Plain(strings.Repeat("x", 3*writeChunk))}
		receipt, err := c.Send(t.Context(), big, stanza.Header{})
		require.NoError(t, err)
		began := time.Now()
		buf := make([]byte, 32<<10)
		for range 2 {
			time.Sleep(9 * time.Second)
			_, err := io.ReadFull(p.nc, buf)
			require.NoError(t, err)
		}
		_, err = receipt.Await(t.Context(), xmpp.Sent)
		require.ErrorIs(t, err, ErrWriteTimeout)
		require.ErrorIs(t, err, xmpp.ErrClosed)
		if took := time.Since(began); took != 28*time.Second {
			t.Errorf("took %v; want 28s", took)
		}
		require.ErrorIs(t, <-end, ErrWriteTimeout)
		<-c.Done()
		require.ErrorIs(t, c.Err(), ErrWriteTimeout)
	})
}

// TestSend_Unsent: a stanza that XML cannot carry has no effect.
func TestSend_Unsent(t *testing.T) {
	p, c := established(t, false, nil)
	bad := stanza.Message{Body: stanza.Plain("\x00")}
	_, err := c.Send(t.Context(), bad, stanza.Header{})
	require.ErrorIs(t, err, stanza.ErrCharacter)
	require.True(t, xmpp.SafeToRetry(err))
	require.ErrorIs(t, c.TrySend(bad, stanza.Header{}), stanza.ErrCharacter)
	require.ErrorIs(t, c.SendElement(t.Context(), bad), stanza.ErrCharacter)
	require.NoError(t, c.TrySend(hello, stanza.Header{ID: "'><evil/>"}))
	p.expect("<message id='&apos;&gt;&lt;evil/&gt;'><body>hello</body></message>")
}

// TestSend_Full: a queue that is full is an error for who cannot wait, and a
// wait for who can.
func TestSend_Full(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, func(cfg *Config) { cfg.QueueBytes = 100 })
		sent := 0
		for ; c.TrySend(hello, stanza.Header{}) == nil; sent++ {
		}
		require.Equal(t, 100/len(helloXML), sent)
		require.ErrorIs(t, c.TrySend(hello, stanza.Header{}), ErrQueueFull)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Send(ctx, hello, stanza.Header{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, xmpp.SafeToRetry(err))
		p.expect(strings.Repeat(helloXML, sent))
		synctest.Wait()
		_, err = c.Send(t.Context(), hello, stanza.Header{})
		require.NoError(t, err)
		p.expect(helloXML)
	})
}

// TestSendNow: what is urgent goes before those who wait, and has a bound too.
func TestSendNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, func(cfg *Config) { cfg.QueueBytes = 2 * len(helloXML) })
		urgent := func() error { return c.SendNow(stanza.Message{}, stanza.Header{ID: "u"}) }
		for range 2 {
			require.NoError(t, c.TrySend(hello, stanza.Header{}))
		}
		waits := make(chan error, 1)
		go func() {
			_, err := c.Send(t.Context(), hello, stanza.Header{ID: "w"})
			waits <- err
		}()
		synctest.Wait()
		require.ErrorIs(t, c.TrySend(stanza.Message{}, stanza.Header{}), ErrQueueFull)
		var said strings.Builder
		for urgent() == nil {
			said.WriteString("<message id='u'/>")
		}
		require.Equal(t, 2*len(helloXML)/len("<message id='u'/>"), len(said.String())/len("<message id='u'/>"))
		require.ErrorIs(t, urgent(), ErrQueueFull)
		p.expect(helloXML + helloXML + said.String())
		p.expect("<message id='w'><body>hello</body></message>")
		require.NoError(t, <-waits)
	})
}

// TestUnsent: what never left is known afterwards, part by part.
func TestUnsent(t *testing.T) {
	for _, keep := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			_, c := established(t, false, func(cfg *Config) { cfg.KeepUnsent = keep })
			for _, id := range []string{"being-written", "2", "3"} {
				require.NoError(t, c.TrySend(stanza.Message{}, stanza.Header{ID: id}))
				synctest.Wait() // nobody reads: the first one is stuck
			}
			c.Abort()
			<-c.Done()
			var got []string
			for _, part := range c.Unsent() {
				got = append(got, string(part))
			}
			if keep {
				require.Equal(t, []string{"<message id='2'/>", "<message id='3'/>"}, got)
			} else {
				require.Empty(t, got)
			}
		})
	}
}

// TestUnsent_Behind: of what is written together, the parts behind the piece that
// was being written have not left either.
func TestUnsent_Behind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := established(t, false, func(cfg *Config) { cfg.KeepUnsent = true })
		require.NoError(t, c.TrySend(stanza.Message{}, stanza.Header{ID: "stuck"}))
		synctest.Wait()
		long := stanza.Plain(strings.Repeat("x", writeChunk/2))
		for id := range 6 {
			require.NoError(t, c.TrySend(stanza.Message{Body: long}, stanza.Header{ID: fmt.Sprint(id)}))
		}
		buf, parts, _ := c.out.take() // as the writer will
		c.out.broke(*buf, parts, 2*writeChunk, false)
		c.Abort()
		<-c.Done()
		var ids []string
		for _, part := range c.Unsent() {
			raw, err := stanza.Parse(part)
			require.NoError(t, err)
			ids = append(ids, raw.Header().ID)
		}
		require.Equal(t, []string{"4", "5"}, ids)
	})
}

// TestC4_6_1_KeepAlive: a space is sent between stanzas, and only if nothing else is.
func TestC4_6_1_KeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, true, nil)
		require.NoError(t, c.KeepAlive())
		p.expect(" ")
		synctest.Wait()
		_, err := c.Send(t.Context(), hello, stanza.Header{})
		require.NoError(t, err)
		require.NoError(t, c.KeepAlive())
		p.expect(helloXML)
		require.NoError(t, p.nc.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err = p.nc.Read(make([]byte, 1))
		require.Error(t, err)
	})
}

// TestIdle: a stream on which nothing happens has no goroutine and no buffer to
// send.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns []*Conn
		for range 10 {
			client, server := connected(t)
			conns = append(conns, client, server)
		}
		for i, c := range conns {
			_, err := c.Send(t.Context(), stanza.Presence{}, stanza.Header{})
			require.NoError(t, err)
			_, err = conns[i^1].Next()
			require.NoError(t, err)
		}
		synctest.Wait()
		for _, c := range conns {
			if c.out.buf != nil || c.out.running {
				t.Error("an idle outbox has a buffer or a goroutine")
			}
		}
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "xmpp/stream.(*") {
				t.Errorf("a goroutine for idle streams:\n%s", stack)
			}
		}
	})
}

// TestOutbox_Allocs: queueing costs nothing but, at times, the start of the
// goroutine that writes.
func TestOutbox_Allocs(t *testing.T) {
	o := &outbox{limit: 1 << 20, timeout: time.Second, nc: sink{}, gone: make(chan struct{})}
	part := []byte(helloXML)
	allocs := testing.AllocsPerRun(1000, func() {
		if err := o.tryAppend(part, true, false); err != nil {
			_ = o.idle(t.Context())
		}
	})
	if allocs > 1 {
		t.Errorf("%v allocations; want at most 1", allocs)
	}
	require.NoError(t, o.idle(t.Context()))
}

// A sink takes whatever is written.
type sink struct{ net.Conn }

func (sink) Write(b []byte) (int, error)      { return len(b), nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkTrySend(b *testing.B) {
	raw, err := stanza.Parse([]byte("<message to='juliet@im.example.com/balcony' type='chat' id='ktx72v49'><body>Art thou not Romeo, and a Montague?</body></message>"))
	require.NoError(b, err)
	c := &Conn{out: &outbox{limit: 1 << 20, timeout: time.Second, nc: sink{}, gone: make(chan struct{})}}
	h := raw.Header()
	b.ReportAllocs()
	for b.Loop() {
		if err := c.TrySend(raw, h); err != nil {
			_ = c.out.idle(b.Context())
		}
	}
}
