package server

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stream"
)

// attachment says whether a session has a transport.
type attachment uint8

const (
	attached  attachment = iota // it has one, or is about to
	suspended                   // it lost it, and waits for the client to resume it (XEP-0198 §5)
	claimed                     // it is being resumed
)

// A suspension is what a session needs to do without a transport. Others go on to
// reach it: what they send is queued. It is guarded by account.mu.
type suspension struct {
	state attachment
	until *time.Timer   // ends the wait; nil before the first
	lost  chan struct{} // closed when the reader of the transport has left; nil before there is one
	fate  chan struct{} // while claimed: closed when it is known what becomes of that
}

// attach gives the session a stream, and reports whether it is not too late.
func (s *session) attach(conn *stream.Conn, c *connection) bool {
	s.inside.Store(c.known != nil)
	s.conn.Store(conn)
	if conn.Resumed() {
		s.look(true) // a stream begins like that (XEP-0352 §5)
	}
	defer s.publish()
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.undone.Store(false)
	s.remote = c.from.ip
	s.decide(attached)
	if s.lost == nil {
		close(s.ready)
	}
	s.lost = make(chan struct{})
	return !s.account.closed && !s.gone
}

// decide ends a claim. It is called with account.mu held.
func (s *session) decide(a attachment) {
	if s.fate != nil {
		close(s.fate)
		s.fate = nil
	}
	s.state = a
}

// rest is called by the reader, last. It reports whether the session waits to be resumed.
func (s *session) rest() bool {
	id, patience, _ := s.conn.Load().Resumable()
	waits := id != "" && s.srv.park(s)
	s.account.mu.Lock()
	if waits && !s.gone && !s.account.closed {
		s.state = suspended
		s.until = time.AfterFunc(patience, s.expire)
	}
	rests := s.state == suspended
	close(s.lost)
	s.account.mu.Unlock()
	s.publish()
	if waits && !rests {
		s.srv.unpark(s)
	}
	return rests
}

// expire ends a session that nobody has resumed.
func (s *session) expire() {
	s.account.mu.Lock()
	over := s.state == suspended
	if over {
		s.gone, s.state = true, claimed
	}
	s.account.mu.Unlock()
	if over {
		s.srv.counts.expired.Add(1)
		s.finish(context.Background())
		s.srv.unpark(s)
	}
}

// hurry ends the wait of a session that is to end. It does not wait itself.
func (s *session) hurry() {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if s.state == suspended {
		s.until.Reset(0)
	}
}

// claim takes a session to resume it. Where its transport is still there, it is ended
// first. False means that the session has ended.
func (s *session) claim(ctx context.Context) (bool, error) {
	for {
		s.account.mu.Lock()
		switch {
		case s.gone || s.account.closed || s.lost == nil:
			s.account.mu.Unlock()
			return false, nil
		case s.state == claimed: // by a stream that may be lost already
			fate := s.fate
			s.account.mu.Unlock()
			select {
			case <-fate:
			case <-ctx.Done():
				return false, context.Cause(ctx)
			}
			continue
		case s.state == suspended:
			s.state, s.fate = claimed, make(chan struct{})
			s.until.Stop() // if it was too late for that, expire sees the state
			s.account.mu.Unlock()
			return true, nil
		}
		lost := s.lost
		s.account.mu.Unlock()
		s.conn.Load().Supersede()
		select {
		case <-lost:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
		if isDone(s.done) {
			return false, nil
		}
	}
}

// disclaim suspends a session again that could not be resumed after all.
func (s *session) disclaim() {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.decide(suspended)
	_, patience, _ := s.conn.Load().Resumable()
	if s.gone || s.account.closed {
		patience = 0
	}
	s.until.Reset(patience)
}

// finish ends the session: everybody is told, and what the client has not got goes
// where it goes when nobody is there.
func (s *session) finish(ctx context.Context) {
	s.retire()
	close(s.done)
	s.end(ctx)
}

// end is finish for a session that is done.
func (s *session) end(ctx context.Context) {
	s.conn.Load().Discard()
	s.leave(ctx)
	s.others.Wait()
	s.tellHooks(context.WithoutCancel(ctx), "Closed", s.srv.hooks.closed)
	s.srv.keepUnsent(ctx, s)
	s.dropKeepsake()
	s.srv.directory.release(s.account) // not before: the next session has to know what is still under way
	close(s.kept)
	s.log.Debug("session closed", "peer", s.addr)
}

// resumable returns the session of an account that had a stream with that id and is the one of
// the proof, and those whose streams are just being negotiated. The ids are compared in constant time: who knows
// one can take over the session.
func (a *account) resumable(id string, proven *claims) (found *session, coming []*session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || proven.addr != a.addr || proven.id != a.id {
		return nil, nil
	}
	for _, s := range a.sessions {
		conn := s.conn.Load()
		if conn == nil {
			coming = append(coming, s)
			continue
		}
		if own, _, _ := conn.Resumable(); own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(id)) == 1 {
			found = s
		}
	}
	return found, coming
}

// comeTimeout is how long somebody waits for sessions whose streams are just being negotiated.
const comeTimeout = time.Second

// settled waits until it is known what becomes of such sessions. A client knows its session a moment before the server has taken in
// that its first stream is complete. By then it may have been cut off and be back, or somebody whom it told may write to it.
func settled(ctx context.Context, coming ...*session) {
	ctx, cancel := context.WithTimeout(ctx, comeTimeout)
	defer cancel()
	for _, s := range coming {
		select {
		case <-s.ready:
		case <-s.left:
		case <-ctx.Done():
		}
	}
}

// find returns the stream whose session the client of an account wants to resume, nil if
// there is none, and leaves the session in t.
func (s *Server) find(ctx context.Context, proven *claims, addr jid.JID, id string, t **session) (*stream.Conn, error) {
	a := s.directory.online(addr.Bare())
	if a == nil {
		return nil, nil
	}
	found, coming := a.resumable(id, proven)
	if found == nil && len(coming) > 0 {
		settled(ctx, coming...)
		found, _ = a.resumable(id, proven)
	}
	if found == nil {
		return nil, nil
	}
	ok, err := found.claim(ctx)
	if !ok {
		return nil, err
	}
	if err := found.claimKeepsake(ctx); err != nil {
		found.disclaim()
		return nil, err
	}
	*t = found
	conn := found.conn.Load()
	brief, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	_ = conn.AwaitHandled(brief)
	return conn, nil
}

// commitTimeout is how long a client that resumes waits for what it has sent to be committed. What is not by then, it
// sends again, and that is left out.
const commitTimeout = 5 * time.Second

// makeRoom ends a suspended session that stands in the way of a new one: one with the wanted
// resource or of the same client, which has come back without it, or the oldest of too many.
func (s *Server) makeRoom(ctx context.Context, a *account, wanted, agent string) {
	a.mu.Lock()
	var old *session
	full := len(a.sessions) >= s.limits().SessionsPerAccount
	for _, t := range a.sessions {
		if t.state != suspended {
			continue
		}
		if t.addr.Resourcepart() == wanted || agent != "" && t.agent == agent {
			old = t
			break
		}
		if full && old == nil {
			old = t
		}
	}
	if old != nil {
		old.until.Reset(0)
	}
	a.mu.Unlock()
	if old != nil {
		select {
		case <-old.kept:
		case <-ctx.Done():
		}
	}
}

// park notes that a session waits without a connection. It is false when the server is
// shutting down.
func (s *Server) park(t *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing && (!s.opts.KeepSessions || isDone(s.quiet)) {
		return false
	}
	s.running++
	s.parked[t] = struct{}{}
	return true
}

// unpark undoes park.
func (s *Server) unpark(t *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parked, t)
	s.running--
	s.calm()
}
