package server

import "time"

// admit counts a connection, or refuses it (RFC 6120 §13.12).
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	now := time.Now()
	c.address = s.addressAt(c.from, now)
	if reason := s.tooMany(c, now); reason != "" {
		s.counts.refused.Add(1)
		s.log.Debug("refused a connection", "reason", reason, "connections", len(s.conns), "unauthenticated", s.unbound)
		return false
	}
	s.conns[c] = struct{}{}
	s.running++
	if c.known != nil {
		c.counted = true // who needs no proof is none of those that could keep others out
	} else {
		s.unbound++
	}
	if c.address != nil {
		c.address.conns++
		c.address.unbound++
		s.prefixes[c.from.prefix]++
	}
	s.counts.connections.Add(1)
	return true
}

// tooMany says which limit a connection would exceed. It is called with mu held.
func (s *Server) tooMany(c *connection, now time.Time) string {
	limits, a := s.limits(), c.address
	switch {
	case len(s.conns) >= limits.Connections:
		return "connections"
	case c.known == nil && s.unbound >= limits.Unauthenticated:
		return "unauthenticated connections"
	case a == nil:
		return ""
	case a.conns >= limits.ConnectionsPerAddress:
		return "connections of the address"
	case a.unbound >= limits.UnauthenticatedPerAddress:
		return "unauthenticated connections of the address"
	case s.prefixes[c.from.prefix] >= limits.ConnectionsPerPrefix:
		return "connections of the network"
	case !a.connects.try(1, now):
		return "new connections of the address"
	}
	return ""
}

// bound counts a connection as one that has got so far.
func (s *Server) bound(c *connection) {
	c.meter.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unboundOnce(c)
}

// dismiss undoes admit.
func (s *Server) dismiss(c *connection) {
	s.mu.Lock()
	s.unboundOnce(c)
	delete(s.conns, c)
	if a := c.address; a != nil {
		if a.conns--; a.conns == 0 && !s.bounds.Load().rated {
			delete(s.addresses, c.from.addr)
		}
		if s.prefixes[c.from.prefix]--; s.prefixes[c.from.prefix] == 0 {
			delete(s.prefixes, c.from.prefix)
		}
	}
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
	if c.address != nil {
		c.address.unbound--
	}
}
