package xmpptest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// A Dialer makes connections, as [net.Dialer] does and [client.Options] wants.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A Link is a [Dialer] whose connections suffer what networks do to connections. It stands
// below TLS, works over sockets and in memory, and inside testing/synctest. All methods may be
// called from any goroutine.
type Link struct {
	dialer Dialer

	mu    sync.Mutex // guards the fields below
	plan  []Fault
	conns []*linkConn
	down  bool
	stats []Traffic
}

// A Fault is what happens to one connection. The zero Fault is none. "Up" is from the side that
// connected, "down" to it; bytes are those of the connection, under TLS those of TLS.
type Fault struct {
	// CutUp and CutDown cut the connection once so many bytes have passed: these arrive, and
	// nothing behind them. Negative cuts before the first. Zero never cuts.
	CutUp, CutDown int64
	// StallUp and StallDown let nothing pass any more in that direction once so many bytes have,
	// though the connection stays open and writing to it seems to work. Negative stalls from the beginning.
	StallUp, StallDown int64
	// Chunk passes on the bytes in pieces of at most so many, in both directions. Zero leaves them as they are.
	Chunk int
	// Delay is how long each piece takes.
	Delay time.Duration
	// Duplicate sends what goes up on a second connection as well, as one who listens and
	// replays would. What comes down on that is thrown away.
	Duplicate bool
}

// Traffic is what has passed on one connection.
type Traffic struct{ Up, Down int64 }

// NewLink returns a link that connects by dialer. Its n-th connection suffers the n-th fault;
// those after the last suffer none.
func NewLink(dialer Dialer, faults ...Fault) *Link { return &Link{dialer: dialer, plan: faults} }

// ErrCut is the error of a connection that a [Link] has cut, and of dialing while it is down.
var ErrCut = errors.New("xmpptest: the link was cut")

// DialContext implements [Dialer].
func (l *Link) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if l.isDown() {
		return nil, ErrCut
	}
	nc, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &linkConn{Conn: nc, link: l, fault: l.next()}
	if c.fault.Duplicate {
		if c.second, err = l.dialer.DialContext(ctx, network, address); err != nil {
			nc.Close()
			return nil, err
		}
		c.drain()
	}
	if !l.add(c) {
		c.Close()
		return nil, ErrCut
	}
	return c, nil
}

func (l *Link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// next takes the fault of the next connection.
func (l *Link) next() (f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.plan) > 0 {
		f, l.plan = l.plan[0], l.plan[1:]
	}
	return f
}

// add notes a connection, unless the link is down by now.
func (l *Link) add(c *linkConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return false
	}
	c.number = len(l.stats)
	l.stats = append(l.stats, Traffic{})
	l.conns = append(l.conns, c)
	return true
}

// Cut cuts all connections that are open. Others can be made at once.
func (l *Link) Cut() {
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for _, c := range conns {
		c.cut()
	}
}

// Down cuts all connections and makes no others until [Link.Up] is called.
func (l *Link) Down() {
	l.mu.Lock()
	l.down = true
	l.mu.Unlock()
	l.Cut()
}

// Up ends [Link.Down].
func (l *Link) Up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// Stall lets nothing pass any more on the connections that are open, which stay so: the
// peer has vanished without a word.
func (l *Link) Stall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.stall()
	}
}

// Traffic returns what has passed on each connection, in the order in which they were made.
func (l *Link) Traffic() []Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Traffic(nil), l.stats...)
}

// passed counts bytes of a connection.
func (l *Link) passed(c *linkConn, up, down int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats[c.number].Up += up
	l.stats[c.number].Down += down
}

// forget takes out a connection that is over.
func (l *Link) forget(c *linkConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.conns {
		if other == c {
			l.conns = append(l.conns[:i:i], l.conns[i+1:]...)
			return
		}
	}
}
