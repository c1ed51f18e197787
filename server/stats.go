package server

import "sync/atomic"

// Stats are what a server has counted since it was made, and what there is now.
type Stats struct {
	// Now.
	Connections     int // all
	Unauthenticated int // those that are not bound yet
	Sessions        int // bound, connected or not
	Suspended       int // of these, those that wait for their clients to resume them
	Accounts        int // with a session, or just being dealt with
	Pending         int // messages that wait to be stored

	// Since the beginning.
	Connected   uint64 // connections that were admitted
	Refused     uint64 // connections that a limit refused
	Opened      uint64 // sessions
	Resumed     uint64
	Expired     uint64 // suspended sessions that nobody resumed
	Messages    uint64 // stanzas that clients have sent
	Presences   uint64
	IQs         uint64
	Stored      uint64 // messages kept for later
	Overflowed  uint64 // stanzas that found no room in the queue of their recipient, stored or not
	SlowReaders uint64 // sessions ended because their clients left unread what they must have
	Slowed      uint64 // pauses that rates have caused
}

// counts are what is counted where it happens.
type counts struct {
	connections, refused, opened, resumed, expired atomic.Uint64
	stored, overflowed, slowReaders, slowed        atomic.Uint64
	sent                                           tally // by sessions that have ended
}

// A tally counts stanzas by kind. Each session has its own: one for all would be what all cores write to.
type tally struct{ messages, presences, iqs atomic.Uint64 }

// add adds another one.
func (t *tally) add(o *tally) {
	t.messages.Add(o.messages.Load())
	t.presences.Add(o.presences.Load())
	t.iqs.Add(o.iqs.Load())
}

// Stats returns what the server has counted. It looks at every session, and may be called at any time; what leaves
// meanwhile may be counted twice.
func (s *Server) Stats() Stats {
	st := Stats{
		Connected: s.counts.connections.Load(), Refused: s.counts.refused.Load(), Opened: s.counts.opened.Load(),
		Resumed: s.counts.resumed.Load(), Expired: s.counts.expired.Load(), Stored: s.counts.stored.Load(),
		Overflowed: s.counts.overflowed.Load(), SlowReaders: s.counts.slowReaders.Load(), Slowed: s.counts.slowed.Load(),
	}
	s.mu.Lock()
	st.Connections, st.Unauthenticated, st.Suspended = len(s.conns), s.unbound, len(s.parked)
	s.mu.Unlock()
	st.Sessions = int(s.sessions.Load())
	st.Pending = s.pending.count()
	var sent tally
	accounts := s.directory.all()
	st.Accounts = len(accounts)
	for _, a := range accounts {
		for _, t := range a.every() {
			sent.add(&t.sent)
		}
	}
	sent.add(&s.counts.sent) // last, so that nobody who leaves meanwhile is missing
	st.Messages, st.Presences, st.IQs = sent.messages.Load(), sent.presences.Load(), sent.iqs.Load()
	return st
}
