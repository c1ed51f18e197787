package server

import (
	"net"
	"net/netip"
	"time"
)

// An address is what is known of those who connect from one IPv4 address, or one IPv6 network of 64
// bits: who has one address of it has them all. Guarded by the server.
type address struct {
	conns    int
	unbound  int     // those that are not bound yet
	connects *bucket // new connections
	bytes    *bucket
}

// take is bucket.take of the bytes; of nobody nothing is counted.
func (a *address) take(n int, now time.Time) time.Duration {
	if a == nil {
		return 0
	}
	return a.bytes.take(n, now)
}

// A place is where a connection comes from. The zero value is nowhere: a transport without addresses.
type place struct {
	ip     netip.Addr
	addr   netip.Prefix // see address
	prefix netip.Prefix // the network of 24 bits of IPv4, of 48 of IPv6
}

// placeOf returns where a connection comes from.
func placeOf(nc net.Conn) place {
	remote := nc.RemoteAddr()
	if remote == nil {
		return place{}
	}
	ap, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return place{}
	}
	ip := ap.Addr().WithZone("").Unmap()
	own, wide := 32, 24
	if ip.Is6() {
		own, wide = 64, 48
	}
	p := place{ip: ip}
	p.addr, _ = ip.Prefix(own) // an address has that many bits
	p.prefix, _ = ip.Prefix(wide)
	return p
}

// maxAddresses is how many addresses without a connection are remembered for what they did just before.
const maxAddresses = 10_000

// addressAt returns what is known of a place, nil of nowhere. It is called with mu held.
func (s *Server) addressAt(p place, now time.Time) *address {
	if !p.ip.IsValid() {
		return nil
	}
	a := s.addresses[p.addr]
	if a == nil {
		if len(s.addresses) >= maxAddresses+len(s.conns) {
			s.forgetAddresses(now)
		}
		a = &address{connects: newBucket(s.limits().ConnectsPerAddress, now), bytes: newBucket(s.limits().AddressRate, now)}
		s.addresses[p.addr] = a
	}
	return a
}

// forgetAddresses forgets those that have been quiet; all without a connection when that is not enough. It is called with mu
// held.
func (s *Server) forgetAddresses(now time.Time) {
	for _, all := range []bool{false, true} {
		for p, a := range s.addresses {
			if a.conns == 0 && (all || a.connects.isFull(now) && a.bytes.isFull(now)) {
				delete(s.addresses, p)
			}
		}
		if len(s.addresses) < maxAddresses {
			return
		}
	}
}
