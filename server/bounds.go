package server

import "fmt"

// bounds are the limits in force, with what follows from them. They are replaced, never changed.
type bounds struct {
	Limits
	rated  bool // some rate is bounded
	settle int  // see settlement
}

func boundsOf(l Limits) *bounds {
	return &bounds{Limits: l, rated: l.SessionRate > 0 || l.AccountRate > 0 || l.AddressRate > 0, settle: settlement(l)}
}

// limits returns those in force.
func (s *Server) limits() *Limits { return &s.bounds.Load().Limits }

// Limits returns the limits in force, with every default set.
func (s *Server) Limits() Limits { return *s.limits() }

// SetLimits puts other limits in force. Rates hold for everybody at once; the others for what begins from now on: connections
// for those of streams, requests for those of what is kept. Nobody loses what was within the old ones.
func (s *Server) SetLimits(l Limits) error {
	if err := l.check(); err != nil {
		return fmt.Errorf("server: set limits: %w", err)
	}
	l = l.withDefaults()
	s.bounds.Store(boundsOf(l))
	s.mu.Lock()
	for _, a := range s.addresses {
		a.connects.set(l.ConnectsPerAddress)
		a.bytes.set(l.AddressRate)
	}
	s.mu.Unlock()
	for _, a := range s.directory.all() {
		a.rate.set(l.AccountRate)
		for _, t := range a.every() {
			t.rate.set(l.SessionRate)
		}
	}
	return nil
}
