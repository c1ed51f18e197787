package register

import (
	"cmp"
	"net/netip"
	"sync"
	"time"
)

// Limits bounds what is asked for within any hour. A zero field means the default given with it, negative no bound. An address is an IPv4
// address, or an IPv6 network of 64 bits; a network has 24 or 48 bits. All whose address is not known count as one.
type Limits struct {
	// PerAddress, PerNetwork and Total are how many accounts are made by those who have no invite. 5, 20 and 100.
	PerAddress, PerNetwork, Total int
	// Attempts is how often anybody at one address may try, whatever comes of it. 60.
	Attempts int
	// Changes is how often the password of one account is changed. 10.
	Changes int
}

func (l Limits) withDefaults() Limits {
	l.PerAddress = cmp.Or(l.PerAddress, 5)
	l.PerNetwork = cmp.Or(l.PerNetwork, 20)
	l.Total = cmp.Or(l.Total, 100)
	l.Attempts = cmp.Or(l.Attempts, 60)
	l.Changes = cmp.Or(l.Changes, 10)
	return l
}

// window is the time in which so much may happen.
const window = time.Hour

// maxKeys bounds what a limiter remembers.
const maxKeys = 10_000

// A limiter lets something happen so often in an hour, for each key.
type limiter[K comparable] struct {
	most int // negative is no bound

	mu   sync.Mutex // guards the field below
	when map[K][]time.Time
}

func newLimiter[K comparable](most int) *limiter[K] {
	return &limiter[K]{most: most, when: make(map[K][]time.Time)}
}

// take notes that it happens, unless it has happened too often.
func (l *limiter[K]) take(key K) bool {
	if l.most < 0 {
		return true
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	recent := since(l.when[key], now)
	if len(recent) >= l.most {
		l.when[key] = recent
		return false
	}
	if len(recent) == 0 && len(l.when) >= maxKeys {
		l.forget(now)
	}
	l.when[key] = append(recent, now)
	return true
}

// giveBack undoes a take after which it did not happen.
func (l *limiter[K]) giveBack(key K) {
	if l.most < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if times := l.when[key]; len(times) > 1 {
		l.when[key] = times[:len(times)-1]
	} else {
		delete(l.when, key)
	}
}

// forget makes room: what is over is forgotten, and everything if that is not enough. It is called with mu held.
func (l *limiter[K]) forget(now time.Time) {
	for key, times := range l.when {
		if len(since(times, now)) == 0 {
			delete(l.when, key)
		}
	}
	if len(l.when) >= maxKeys {
		clear(l.when)
	}
}

// since returns what of it is within the last hour.
func since(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= window {
		times = times[1:]
	}
	return times
}

// address and network are the keys of where somebody comes from.
func address(ip netip.Addr) netip.Prefix { return prefix(ip, 32, 64) }
func network(ip netip.Addr) netip.Prefix { return prefix(ip, 24, 48) }

func prefix(ip netip.Addr, v4, v6 int) netip.Prefix {
	ip = ip.Unmap()
	bits := v4
	if ip.Is6() {
		bits = v6
	}
	p, _ := ip.Prefix(bits) // zero for nowhere
	return p
}

// grant takes an account from all limits, and returns what gives it back; nil if there is one too many.
func (s *server) grant(ip netip.Addr) (giveBack func()) {
	taken := []func(){}
	giveBack = func() {
		for _, f := range taken {
			f()
		}
	}
	for _, t := range []struct {
		l   *limiter[netip.Prefix]
		key netip.Prefix
	}{{s.perAddress, address(ip)}, {s.perNetwork, network(ip)}, {s.total, netip.Prefix{}}} {
		if !t.l.take(t.key) {
			giveBack()
			return nil
		}
		taken = append(taken, func() { t.l.giveBack(t.key) })
	}
	return giveBack
}
