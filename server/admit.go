package server

import (
	"net"
	"net/netip"
)

// admit counts a connection, or refuses it (RFC 6120 §13.12).
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := s.opts.Limits
	switch {
	case s.closing:
		return false
	case len(s.conns) >= limits.Connections, s.unbound >= limits.Unauthenticated,
		c.from != "" && s.fresh[c.from] >= limits.UnauthenticatedPerAddress:
		s.log.Debug("refused a connection: there are too many", "connections", len(s.conns), "unauthenticated", s.unbound)
		return false
	}
	s.conns[c] = struct{}{}
	s.running++
	s.unbound++
	s.fresh[c.from]++
	return true
}

// bound counts a connection as one that has got so far.
func (s *Server) bound(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unboundOnce(c)
}

// dismiss undoes admit.
func (s *Server) dismiss(c *connection) {
	s.mu.Lock()
	s.unboundOnce(c)
	delete(s.conns, c)
	s.mu.Unlock()
	s.end()
}

// unboundOnce is called with mu held.
func (s *Server) unboundOnce(c *connection) {
	if c.counted {
		return
	}
	c.counted = true
	s.unbound--
	if s.fresh[c.from]--; s.fresh[c.from] == 0 {
		delete(s.fresh, c.from)
	}
}

// addressOf returns the IP address of a peer, empty if it has none. Of IPv6 it is
// the network of 64 bits: who has one address of it has them all.
func addressOf(nc net.Conn) string {
	addr := nc.RemoteAddr()
	if addr == nil {
		return ""
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return ""
	}
	ip := ap.Addr().WithZone("").Unmap()
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
