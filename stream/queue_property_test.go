package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
)

// A narrow transport takes so many bytes and no more.
type narrow struct {
	net.Conn
	mu   sync.Mutex
	left int // negative: no bound
	got  []byte
}

func (s *narrow) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left >= 0 && len(b) > s.left {
		n := s.left
		s.got = append(s.got, b[:n]...)
		s.left = 0
		return n, net.ErrClosed
	}
	if s.left >= 0 {
		s.left -= len(b)
	}
	s.got = append(s.got, b...)
	return len(b), nil
}

func (*narrow) SetWriteDeadline(time.Time) error { return nil }

// A queueModel is an outbox with a peer that counts what it gets.
type queueModel struct {
	t      testing.TB
	out    *outbox
	wire   *narrow
	parsed int          // bytes of the wire that the peer has looked at
	count  uint32       // what the peer counts in its session
	seen   map[int]int  // how often it has got each stanza, in all sessions
	order  []int        // what it got in this session
	last   int          // the number of the last stanza that was queued
	gone   map[int]bool // withdrawn
}

func newQueueModel(t testing.TB) *queueModel {
	m := &queueModel{t: t, wire: &narrow{left: -1}, seen: map[int]int{}, gone: map[int]bool{}}
	m.out = m.outbox()
	m.out.manage()
	return m
}

func (m *queueModel) outbox() *outbox {
	o := &outbox{keep: true, limit: 1 << 20, timeout: time.Minute, gone: make(chan struct{}), nc: m.wire}
	o.failed = func(error) { m.out.detach() }
	return o
}

// settle waits until nobody writes, and lets the peer look at what came.
func (m *queueModel) settle() {
	_ = m.out.idle(m.t.Context())
	for { // a detached outbox says so at once: its writer may still be about to end
		m.out.mu.Lock()
		running := m.out.running
		m.out.mu.Unlock()
		if !running {
			break
		}
	}
	m.wire.mu.Lock()
	defer m.wire.mu.Unlock()
	for {
		rest := m.wire.got[m.parsed:]
		end := bytes.IndexByte(rest, '>')
		if end < 0 {
			return
		}
		if number, ok := bytes.CutPrefix(rest[:end], []byte("<message n='")); ok {
			n, err := strconv.Atoi(string(bytes.TrimSuffix(number, []byte("'/"))))
			require.NoError(m.t, err)
			m.seen[n]++
			m.count++
			m.order = append(m.order, n)
		}
		m.parsed += end + 1
	}
}

func (m *queueModel) send() {
	m.last++
	require.NoError(m.t, m.out.tryAppend(fmt.Appendf(nil, "<message n='%d'/>", m.last), true, false))
}

func (m *queueModel) ack(h uint32) { require.NoError(m.t, m.out.ack(h)) }

// cut ends the transport, once so many bytes more have passed.
func (m *queueModel) cut(after int) {
	m.wire.mu.Lock()
	m.wire.left = after
	m.wire.mu.Unlock()
	m.send()
	m.settle()
	m.out.detach()
	m.settle()
}

// resume goes on with the session, on a transport that takes so many bytes.
func (m *queueModel) resume(left int) {
	m.out.detach()
	m.settle()
	m.wire, m.parsed = &narrow{left: left}, 0
	m.ack(m.count)
	m.out.attach(m.outbox(), true, nil)
	m.settle()
}

// begin begins another session: what may have arrived has failed.
func (m *queueModel) begin() {
	m.out.detach()
	m.settle()
	m.out.settle(func([]byte) bool { return true })
	require.True(m.t, slices.IsSorted(m.order), "%v", m.order)
	m.wire, m.parsed, m.count, m.order = &narrow{left: -1}, 0, 0, nil
	m.out.manageQueued()
	m.out.attach(m.outbox(), false, nil)
	m.settle()
}

// do runs a program of operations.
func (m *queueModel) do(program []byte) {
	for i, op := range program {
		arg := int(op >> 3)
		switch op & 7 {
		case 0, 1:
			for range arg%4 + 1 {
				m.send()
			}
		case 2:
			m.settle()
			m.ack(m.count)
		case 3:
			m.settle()
			m.out.mu.Lock()
			least := m.out.count
			m.out.mu.Unlock()
			m.ack(least + (m.count-least)/2)
		case 4:
			m.cut(arg * 3)
			m.resume(-1)
		case 5:
			m.cut(arg)
			m.resume(arg * 2) // which may be cut as well
			m.resume(-1)
		case 6:
			n := m.last
			if m.out.withdraw(uint64(n)) {
				m.gone[n] = true
			}
		case 7:
			if i%3 == 0 {
				m.cut(arg)
				m.begin()
			}
		}
	}
	m.resume(-1)
	m.ack(m.count)
}

// check compares what the receipts say with what the peer has got.
func (m *queueModel) check() {
	require.True(m.t, slices.IsSorted(m.order), "out of order: %v", m.order)
	require.Equal(m.t, len(m.order), len(slices.Compact(slices.Clone(m.order))), "doubled: %v", m.order)
	for n := 1; n <= m.last; n++ {
		stage := m.out.Stage(uint64(n))
		switch {
		case stage == xmpp.Acked && m.seen[n] == 1:
		case stage == xmpp.Dropped && m.seen[n] == 0:
		case stage == xmpp.Failed && m.seen[n] <= 1:
		default:
			m.t.Errorf("%d: the receipt says %v, and it arrived %d times", n, stage, m.seen[n])
		}
		if m.gone[n] && stage != xmpp.Dropped {
			m.t.Errorf("%d was withdrawn, and is %v", n, stage)
		}
	}
	m.out.mu.Lock()
	defer m.out.mu.Unlock()
	if len(m.out.held) != 0 || m.out.stanzas != 0 || m.out.bytes != 0 {
		m.t.Errorf("%d batches, %d stanzas, %d bytes are still held", len(m.out.held), m.out.stanzas, m.out.bytes)
	}
}

// Whatever happens to the transport, receipts tell the truth: what is acked has arrived once, in order;
// what is dropped has not; nothing is held in the end.
func TestQueueProperty(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 0))
		program := make([]byte, 1+r.IntN(40))
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			m := newQueueModel(t)
			m.do(program)
			m.check()
		})
	}
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 8, 4, 2, 16, 12, 20, 44, 5, 13, 6, 7, 15})
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newQueueModel(t)
		m.do(program[:min(len(program), 60)])
		m.check()
	})
}

// The count of a peer is modulo 2³²: it says the same as one without an end, as long as it is not
// ahead of what was sent or behind by more than that.
func TestCounterProperty(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		start := uint32(r.Uint64())
		if seed%2 == 0 {
			start = -uint32(r.IntN(200)) // near the end of the range
		}
		m := newQueueModel(t)
		m.out.count, m.count = start, start
		for range 100 {
			for range r.IntN(5) {
				m.send()
			}
			m.settle()
			sent := start + uint32(m.last)
			m.out.mu.Lock()
			acked, before := m.out.count, m.out.acked
			m.out.mu.Unlock()
			high := sent + 1 + uint32(r.IntN(1000))
			require.Error(t, m.out.ack(high), "%d of %d", high, sent)
			h := acked + uint32(r.IntN(int(sent-acked)+1))
			m.ack(h)
			require.Equal(t, before+uint64(h-acked), m.out.acked)
		}
	}
}
