package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
)

// from is a connection that comes from an address.
type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// at connects from an IP address.
func (h *house) at(ip string) *client {
	near, far := net.Pipe()
	return h.attach(near, from{far, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 12345))})
}

// isRefused reports whether a connection was closed before a byte was exchanged.
func (c *client) isRefused() bool {
	c.t.Helper()
	select {
	case <-c.done:
		require.ErrorIs(c.t, c.end, ErrRefused)
		return true
	default:
		return false
	}
}

// Connections are counted by address and by network, whatever the form of the address.
func TestC13_12_ConnectionsPerAddress(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Limits)
		ips    []string // the last one is refused
		good   string   // this one is not
	}{
		{"of an address", func(l *Limits) { l.ConnectionsPerAddress = 2 }, []string{"192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"}, "192.0.2.2"},
		{"of a network of IPv6", func(l *Limits) { l.ConnectionsPerAddress = 2 }, []string{"2001:db8::1", "2001:db8::2", "2001:db8::3"}, "2001:db8:0:1::1"},
		{"not bound", func(l *Limits) { l.UnauthenticatedPerAddress = 1 }, []string{"192.0.2.1", "192.0.2.1"}, "192.0.2.2"},
		{"of a wider network", func(l *Limits) { l.ConnectionsPerPrefix = 2 }, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, "192.0.3.1"},
		{"of a wider network of IPv6", func(l *Limits) { l.ConnectionsPerPrefix = 2 }, []string{"2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"}, "2001:db8:1::1"},
		{"of all", func(l *Limits) { l.Connections = 2 }, []string{"192.0.2.1", "192.0.3.1", "192.0.4.1"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, nil, func(o *Options) { tt.change(&o.Limits) })
				var first *client
				for i, ip := range tt.ips {
					c := h.at(ip)
					synctest.Wait()
					require.Equal(t, i == len(tt.ips)-1, c.isRefused(), "%d: %s", i, ip)
					if i == 0 {
						first = c
					}
				}
				require.Equal(t, uint64(1), h.srv.Stats().Refused)
				if tt.good != "" {
					c := h.at(tt.good)
					synctest.Wait()
					require.False(t, c.isRefused())
				}
				first.hangUp()
				c := h.at(tt.ips[len(tt.ips)-1])
				synctest.Wait()
				require.False(t, c.isRefused(), "there is room again")
			})
		})
	}
}

// Who connects again and again is refused for a while.
func TestC13_12_ConnectionRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil, func(o *Options) { o.Limits.ConnectsPerAddress = 2 })
		try := func(ip string) bool {
			c := h.at(ip)
			synctest.Wait()
			refused := c.isRefused()
			c.hangUp()
			return !refused
		}
		for range 2 * burst {
			require.True(t, try("192.0.2.1"))
		}
		require.False(t, try("192.0.2.1"))
		require.True(t, try("192.0.2.2"))
		time.Sleep(time.Second)
		require.True(t, try("192.0.2.1"))
		require.True(t, try("192.0.2.1"))
		require.False(t, try("192.0.2.1"))
	})
}

// Whoever connects from ever other addresses does not fill the memory.
func TestSec_AddressesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		h.srv.mu.Lock()
		defer h.srv.mu.Unlock()
		for n := range 3 * maxAddresses {
			ip := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
			prefix, err := ip.Prefix(32)
			require.NoError(t, err)
			a := h.srv.addressAt(place{ip: ip, addr: prefix}, time.Now())
			a.connects.take(1, time.Now())
			require.LessOrEqual(t, len(h.srv.addresses), maxAddresses+1)
		}
	})
}

// Before it is bound, a client may send so much and no more, in however small parts and in time.
func TestSec_PreAuthBytes(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.PreAuthBytes = 4096 })
	c := h.connect()
	c.open("capulet.example")
	sent := 0
	for ; sent < 100_000; sent += 64 {
		if _, err := c.nc.Write([]byte(strings.Repeat(" ", 64))); err != nil {
			break
		}
	}
	<-c.done
	require.Less(t, sent, 16_000, "no more than is under way")
	require.ErrorContains(t, c.end, "too much before the login")

	juliet := h.online("juliet", "balcony", "")
	for range 50 { // bound, it may
		juliet.send("<message to='juliet@capulet.example/x'><body>" + strings.Repeat("x", 1000) + "</body></message>")
	}
	require.Len(t, juliet.all(), 50, "each is answered")
}

// A client that sends more than its share is not read for a while; others are, and nothing is lost.
func TestSec_RateOfASession(t *testing.T) {
	for _, which := range []string{"session", "account", "address"} {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) {
					switch which {
					case "session":
						o.Limits.SessionRate = 10_000
					case "account":
						o.Limits.AccountRate = 10_000
					case "address":
						o.Limits.AddressRate = 10_000
					}
				})
				login := func(account string, ip string) *client {
					near, far := bufpipe.New()
					c := h.attach(near, from{far, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 12345))})
					c.open("capulet.example")
					c.authenticate(h.addr(account), "SCRAM-SHA-1")
					c.open("capulet.example")
					c.bind("")
					return c
				}
				juliet, romeo := login("juliet", "192.0.2.1"), login("romeo", "192.0.2.2")
				romeo.send("<presence/>")
				romeo.all()
				began := time.Now()
				for n := range 100 { // 100 kB and what stanzas cost beside their bytes
					juliet.send(fmt.Sprintf("<message to='%s' id='%d'><body>%s</body></message>", romeo.addr, n, strings.Repeat("x", 1000)))
				}
				other := time.Now()
				got := len(romeo.all())
				require.Less(t, time.Since(other), time.Second, "nobody else waits")
				juliet.all()
				took := time.Since(began)
				require.Greater(t, took, 8*time.Second)
				require.Less(t, took, 20*time.Second)
				require.Equal(t, 100, got+len(romeo.all()), "nothing is lost")
				require.NotZero(t, h.srv.Stats().Slowed)
			})
		})
	}
}

// Presence that goes to many counts as often: who has a thousand contacts does not make the server send without a bound.
func TestSec_FanOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet", "romeo"}, func(o *Options) { o.Limits.SessionRate = 10_000 })
		h.befriend("juliet", "romeo")
		for n := range 10 {
			h.online("romeo", fmt.Sprint(n), "")
		}
		juliet := h.online("juliet", "balcony", "")
		juliet.all()
		began := time.Now()
		status := strings.Repeat("x", 2000)
		for range 10 { // 20 kB, and 200 kB to others
			juliet.send("<presence><status>" + status + "</status></presence>")
		}
		juliet.all()
		require.Greater(t, time.Since(began), 10*time.Second)
	})
}

// Stats tell what there is and what there was.
func TestStats(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	juliet.send("<message to='romeo@capulet.example'><body>x</body></message>")
	juliet.all()
	got := h.srv.Stats()
	require.Equal(t, Stats{Connections: 1, Sessions: 1, Accounts: 1, Connected: 1, Opened: 1, Messages: 1, Presences: 1, IQs: got.IQs, Stored: 1}, got)
	require.NotZero(t, got.IQs)
	juliet.close()
	got = h.srv.Stats()
	require.Zero(t, got.Connections+got.Sessions+got.Accounts+got.Unauthenticated)
}
