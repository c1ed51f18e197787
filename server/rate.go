package server

import (
	"context"
	"sync"
	"time"
)

// stanzaCost is what a stanza costs beside its bytes, as far as rates go.
const stanzaCost = 512

// burst is for how many seconds at once a rate may be used up that was not used before.
const burst = 4

// settlement returns how much a client may have caused before that is taken from its rates, which costs more than to
// count it: little beside what may be used at once.
func settlement(l Limits) int {
	n := 64 << 10
	for _, rate := range []int{l.SessionRate, l.AccountRate, l.AddressRate} {
		if rate > 0 {
			n = min(n, rate/8)
		}
	}
	return n
}

// A bucket lets so much pass in a second. It may be overdrawn: who takes from it waits afterwards. The zero value
// lets everything pass.
type bucket struct {
	mu   sync.Mutex // guards the fields below
	rate float64    // per second; zero is no bound
	left float64
	at   time.Time // when that was left
}

// newBucket returns a full one. A rate that is not positive is none.
func newBucket(rate int, now time.Time) *bucket {
	r := float64(max(rate, 0))
	return &bucket{rate: r, left: r * burst, at: now}
}

// set changes the rate. Who has used up what the old one gave goes on from there.
func (b *bucket) set(rate int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := float64(max(rate, 0))
	if b.rate == 0 {
		b.left, b.at = r*burst, time.Now()
	}
	b.rate, b.left = r, min(b.left, r*burst)
}

// take takes n and returns for how long nothing more is to be taken.
func (b *bucket) take(n int, now time.Time) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate == 0 {
		return 0
	}
	b.refill(now)
	b.left -= float64(n)
	if b.left >= 0 {
		return 0
	}
	return time.Duration(-b.left / b.rate * float64(time.Second))
}

// try takes n if it is there.
func (b *bucket) try(n int, now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate == 0 {
		return true
	}
	b.refill(now)
	if b.left < float64(n) {
		return false
	}
	b.left -= float64(n)
	return true
}

// isFull reports whether nothing would be lost if b was forgotten.
func (b *bucket) isFull(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	return b.left == b.rate*burst
}

// refill is called with mu held.
func (b *bucket) refill(now time.Time) {
	b.left = min(b.rate*burst, b.left+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
}

// charge counts n bytes that the client has caused.
func (s *session) charge(n int) { s.caused.Add(int64(n)) }

// pause waits as long as what the client has caused exceeds the rates of its session, its account and its address. It is
// called by the reader after each stanza: meanwhile nothing is read, and the transport holds the client up.
func (s *session) pause(ctx context.Context, from *address) {
	n := int(s.caused.Load())
	if b := s.srv.bounds.Load(); !b.rated || n < b.settle {
		return
	}
	s.caused.Add(int64(-n))
	now := time.Now()
	d := max(s.rate.take(n, now), s.account.rate.take(n, now), from.take(n, now))
	if d < time.Millisecond {
		return
	}
	s.srv.counts.slowed.Add(1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.conn.Load().Done():
	case <-ctx.Done():
	}
}
