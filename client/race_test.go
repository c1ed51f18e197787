package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
)

// A network is a dialer and a resolver that keep a log of who was asked for what, and when.
// An address that is not in it swallows packets.
type network struct {
	zone
	names map[string]reply // by family and host: "ip6 a.example"
	hosts map[string]reply // by address

	mu    sync.Mutex // guards the fields below
	begin time.Time
	log   []string
	open  int // connections
}

// A reply comes after a while.
type reply struct {
	after time.Duration
	addrs []string
	err   error
	deaf  bool // it comes even to who has stopped waiting
}

func (n *network) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, fmt.Sprint(time.Since(n.begin).Milliseconds(), " ", fmt.Sprintf(format, args...)))
}

func (r reply) wait(ctx context.Context) error {
	if r.deaf {
		ctx = context.Background()
	}
	select {
	case <-time.After(r.after):
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *network) LookupNetIP(ctx context.Context, family, host string) ([]netip.Addr, error) {
	r, ok := n.names[family+" "+host]
	if !ok {
		r.err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	err := r.wait(ctx)
	var addrs []netip.Addr
	for _, s := range r.addrs {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, err
}

func (n *network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.note("%s", address)
	r, ok := n.hosts[address]
	if !ok {
		r.after = 1 << 62
	}
	if err := r.wait(ctx); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	ours, theirs := bufpipe.New()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	return &counted{Conn: ours, theirs: theirs, n: n}, nil
}

// A counted connection is one of those that are open in a network.
type counted struct {
	net.Conn
	theirs net.Conn
	n      *network
	once   sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() {
		c.n.mu.Lock()
		defer c.n.mu.Unlock()
		c.n.open--
	})
	_ = c.theirs.Close()
	return c.Conn.Close()
}

const (
	a6, b6, c6 = "[2001:db8::a]:5222", "[2001:db8::b]:5222", "[2001:db8::c]:5222"
	a4, b4     = "192.0.2.1:5222", "192.0.2.2:5222"
)

// Which addresses are tried, and when: RFC 8305, XEP-0495. The log has milliseconds.
func TestXEP0495_Race(t *testing.T) {
	v6, v4 := reply{addrs: []string{"2001:db8::a"}}, reply{addrs: []string{"192.0.2.1"}}
	late := func(r reply, after time.Duration) reply { r.after = after * time.Millisecond; return r }
	refused, broken := reply{err: syscall.ECONNREFUSED}, reply{err: syscall.ENETUNREACH}
	for _, tt := range []struct {
		name   string
		hosts  string // to race to, "a" if empty
		names  map[string]reply
		routes map[string]reply
		opts   Options
		want   string // the log
		winner string
		took   time.Duration // milliseconds
		errs   string
	}{
		{name: "IPv6 first", names: map[string]reply{"ip6 a": v6, "ip4 a": v4}, routes: map[string]reply{a6: {}, a4: {}},
			want: "0 " + a6, winner: "a"},
		{name: "IPv6 swallowed", names: map[string]reply{"ip6 a": v6, "ip4 a": v4}, routes: map[string]reply{a4: {}},
			want: "0 " + a6 + ", 250 " + a4, winner: "a", took: 250},
		{name: "IPv6 slow, and yet faster", names: map[string]reply{"ip6 a": v6, "ip4 a": v4},
			routes: map[string]reply{a6: {after: 300 * time.Millisecond}, a4: {after: time.Second}},
			want:   "0 " + a6 + ", 250 " + a4, winner: "a", took: 300},
		{name: "a loser connects all the same", names: map[string]reply{"ip6 a": v6, "ip4 a": v4},
			routes: map[string]reply{a6: {after: time.Second, deaf: true}, a4: {}},
			want:   "0 " + a6 + ", 250 " + a4, winner: "a", took: 1000},
		{name: "no IPv6 here", names: map[string]reply{"ip6 a": v6, "ip4 a": v4}, routes: map[string]reply{a6: broken, a4: {}},
			want: "0 " + a6 + ", 0 " + a4, winner: "a"},
		{name: "in turn", names: map[string]reply{"ip6 a": {addrs: []string{"2001:db8::a", "2001:db8::b", "2001:db8::c"}},
			"ip4 a": {addrs: []string{"192.0.2.1", "192.0.2.2"}}}, routes: map[string]reply{c6: {}},
			want: "0 " + a6 + ", 250 " + a4 + ", 500 " + b6 + ", 750 " + b4 + ", 1000 " + c6, winner: "a", took: 1000},

		{name: "AAAA within the delay", names: map[string]reply{"ip6 a": late(v6, 30), "ip4 a": v4}, routes: map[string]reply{a6: {}, a4: {}},
			want: "30 " + a6, winner: "a", took: 30},
		{name: "AAAA too late", names: map[string]reply{"ip6 a": late(v6, 70), "ip4 a": v4}, routes: map[string]reply{a6: {}},
			want: "50 " + a4 + ", 300 " + a6, winner: "a", took: 300},
		{name: "AAAA much too late", names: map[string]reply{"ip6 a": late(v6, 1000), "ip4 a": v4}, routes: map[string]reply{a6: {}},
			want: "50 " + a4 + ", 1000 " + a6, winner: "a", took: 1000},
		{name: "A does not matter", names: map[string]reply{"ip6 a": v6, "ip4 a": late(v4, 1000)}, routes: map[string]reply{a4: {}},
			want: "0 " + a6 + ", 1000 " + a4, winner: "a", took: 1000},
		{name: "no AAAA", names: map[string]reply{"ip6 a": {after: 20 * time.Millisecond}, "ip4 a": v4}, routes: map[string]reply{a4: {}},
			want: "20 " + a4, winner: "a", took: 20},

		{name: "two targets", hosts: "a b", names: map[string]reply{"ip6 a": v6, "ip4 a": v4, "ip6 b": {addrs: []string{"2001:db8::b"}},
			"ip4 b": {addrs: []string{"192.0.2.2"}}}, routes: map[string]reply{b4: {}},
			want: "0 " + a6 + ", 250 " + a4 + ", 500 " + b6 + ", 750 " + b4, winner: "b", took: 750},
		{name: "the second is known first", hosts: "a b", names: map[string]reply{"ip6 a": late(v6, 40),
			"ip6 b": {addrs: []string{"2001:db8::b"}}}, routes: map[string]reply{a6: {}, b6: {}},
			want: "40 " + a6, winner: "a", took: 40},
		{name: "the first is known too late", hosts: "a b", names: map[string]reply{"ip6 a": late(v6, 60), "ip4 a": late(v4, 60),
			"ip6 b": {addrs: []string{"2001:db8::b"}}}, routes: map[string]reply{b6: {}},
			want: "50 " + b6, winner: "b", took: 50},
		{name: "the first does not exist", hosts: "a b", names: map[string]reply{"ip6 b": {addrs: []string{"2001:db8::b"}}},
			routes: map[string]reply{b6: {}}, want: "0 " + b6, winner: "b", errs: "a:5222: no server for the domain: lookup a: no such host"},
		{name: "an address among names", hosts: "192.0.2.1 a", names: map[string]reply{"ip6 a": late(v6, 10)}, routes: map[string]reply{a6: {}},
			want: "0 " + a4 + ", 250 " + a6, winner: "a", took: 250},

		{name: "none answers", names: map[string]reply{"ip6 a": v6, "ip4 a": v4}, routes: map[string]reply{a6: broken, a4: refused},
			want: "0 " + a6 + ", 0 " + a4,
			errs: "a:5222: dial tcp: network is unreachable, the connection was refused: dial tcp: connection refused"},
		{name: "all swallow", names: map[string]reply{"ip6 a": v6, "ip4 a": v4}, want: "0 " + a6 + ", 250 " + a4, took: 30_250,
			errs: "a:5222: timed out: dial tcp: context deadline exceeded"},
		{name: "the DNS says nothing", names: map[string]reply{"ip6 a": {after: 1 << 62}, "ip4 a": {after: 1 << 62}}, took: 30_000,
			errs: "a:5222: timed out: context deadline exceeded"},
		{name: "half of the DNS says nothing", names: map[string]reply{"ip4 a": {after: 1 << 62}}, took: 30_000,
			errs: "a:5222: timed out: context deadline exceeded"},
		{name: "IPv6 in an answer of IPv4", names: map[string]reply{"ip4 a": {addrs: []string{"2001:db8::a", "::ffff:192.0.2.1"}}},
			routes: map[string]reply{a4: {}}, want: "0 " + a4, winner: "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{names: tt.names, hosts: tt.routes, begin: time.Now()}
				d := racing(t, n)
				var group []target
				for host := range strings.FieldsSeq(cmp.Or(tt.hosts, "a")) {
					group = append(group, target{host: host, port: 5222})
				}
				winner, rest, errs := d.race(t.Context(), group)
				took := time.Since(n.begin)
				var host string
				if winner != nil {
					host = winner.runner.host
					if n.open != 1 {
						t.Errorf("%d connections are open, want that of the winner", n.open)
					}
					_ = winner.nc.Close()
				}
				if n.open > 0 {
					t.Errorf("%d connections are open, want none", n.open)
				}
				if got := strings.Join(n.log, ", "); got != tt.want || host != tt.winner || took != tt.took*time.Millisecond {
					t.Errorf("got  %s: %q after %v\nwant %s: %q after %v", got, host, took, tt.want, tt.winner, tt.took*time.Millisecond)
				}
				var texts []string
				for _, err := range errs {
					texts = append(texts, err.Error())
				}
				if got := strings.Join(texts, "; "); got != tt.errs {
					t.Errorf("got  %s\nwant %s", got, tt.errs)
				}
				for _, r := range rest {
					if host == "" || r.host == host {
						t.Errorf("%v is left to try", r)
					}
				}
			})
		})
	}
}

func racing(t *testing.T, n *network) *dialing {
	opts := (&Options{Password: "secret", Dialer: n, Resolver: n, Logger: slog.New(slog.DiscardHandler)}).withDefaults()
	d, err := newDialing(jid.MustParse("juliet@example.org"), &opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whoever wins but does not speak XMPP has lost, and the race goes on without it, before
// the next priority has its turn.
func TestRaceGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{
			zone: zone{"_xmpp-client._tcp.example.org.": {
				{Target: "2001:db8::a.", Port: 5222, Priority: 1}, {Target: "192.0.2.1.", Port: 5222, Priority: 1},
				{Target: "192.0.2.2.", Port: 5222, Priority: 2},
			}},
			hosts: map[string]reply{a6: {}, a4: {}, b4: {}},
			begin: time.Now(),
		}
		d := racing(t, n)
		_, err := d.dial(t.Context(), nil)
		first, second := a6, a4
		if strings.HasSuffix(n.log[0], a4) {
			first, second = a4, a6
		}
		if got, want := strings.Join(n.log, ", "), "0 "+first+", 30000 "+second+", 60000 "+b4; got != want || n.open > 0 {
			t.Errorf("got  %s; %d open: %v\nwant %s; none", got, n.open, err, want)
		}
	})
}

// The end of the context ends it at once, and leaves nothing behind.
func TestRaceIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{names: map[string]reply{"ip6 a": {addrs: []string{"2001:db8::a"}}, "ip4 b": {after: 1 << 62}}, begin: time.Now()}
		d := racing(t, n)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("changed my mind")
		time.AfterFunc(time.Second, func() { cancel(why) })
		winner, rest, errs := d.race(ctx, []target{{host: "a", port: 5222}, {host: "b", port: 5222}})
		if took := time.Since(n.begin); winner != nil || len(rest) > 0 || len(errs) != 2 || took != time.Second {
			t.Errorf("race = %v, %v, %v after %v; want an error for each after 1 s", winner, rest, errs, took)
		}
	})
}

// However much the DNS says, no more than so many are tried.
func TestSec_RaceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{names: map[string]reply{}, hosts: map[string]reply{}, zone: zone{}, begin: time.Now()}
		var many6, many4 []string
		for i := range 100 {
			many6, many4 = append(many6, fmt.Sprintf("2001:db8::%d", i)), append(many4, fmt.Sprintf("192.0.2.%d", i))
		}
		for i := range 1000 {
			host := fmt.Sprintf("h%d", i)
			n.names["ip6 "+host], n.names["ip4 "+host] = reply{addrs: many6}, reply{addrs: many4}
			n.zone["_xmpp-client._tcp.example.org."] = append(n.zone["_xmpp-client._tcp.example.org."], &net.SRV{Target: host + ".", Port: 1})
		}
		_, err := racing(t, n).dial(t.Context(), nil)
		if got, want := len(n.log), maxTargets*2*maxAddresses; got != want || err == nil {
			t.Errorf("%d attempts: %v; want %d and an error", got, err, want)
		}
		if n := len(err.Error()); n > maxTargets*2*maxText {
			t.Errorf("the error has %d bytes, want about %d for each target", n, maxText)
		}
	})
}
