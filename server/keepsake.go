package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// kindSession is the kind of the documents that sessions are kept in.
const kindSession = "urn:parlance:session"

// A keepsake is what is kept of a session while there is no server.
type keepsake struct {
	Stream     stream.Saved
	Since      time.Time
	Agent      string    `json:",omitempty"`
	Presence   []byte    `json:",omitempty"` // as it was broadcast; none if it was not available
	Priority   int8      `json:",omitempty"`
	Directed   []jid.JID `json:",omitempty"`
	Marks      []string  `json:",omitempty"`
	Interested bool      `json:",omitempty"`
	InFlight   []uint64  `json:",omitempty"` // offline messages that are among the stanzas

	// Claimed says that the session goes on, or ended, in a server that did not get to say what became of the stanzas in it.
	Claimed bool `json:",omitempty"`
}

// keepSessions keeps the sessions that wait to be resumed, and ends them here without a word to anybody.
func (s *Server) keepSessions(ctx context.Context) {
	if !s.opts.KeepSessions {
		return
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	s.mu.Lock()
	var all []*session
	for t := range s.parked {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		if !t.put() {
			continue // it ends by itself
		}
		close(t.done)
		t.others.Wait() // what they know has become of a stanza is in the store
		if err := s.keepSession(ctx, t); err != nil {
			s.log.Error("a session could not be kept", "peer", t.addr, "err", err)
			t.end(ctx)
		} else {
			t.lay(ctx)
		}
		s.unpark(t)
	}
}

// put takes a suspended session out of all deliveries, and reports whether it is one.
func (s *session) put() bool {
	s.look(true) // what was held for it is in its queue
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if s.state != suspended || s.gone || s.account.closed {
		return false
	}
	s.until.Stop() // if it was too late for that, expire sees the state
	s.gone, s.keeping, s.state, s.fate = true, true, claimed, make(chan struct{})
	return true
}

// keepSession stores a session.
func (s *Server) keepSession(ctx context.Context, t *session) error {
	conn := t.conn.Load()
	if err := conn.AwaitHandled(ctx); err != nil {
		return err
	}
	saved, err := conn.Save()
	if err != nil {
		return err
	}
	k := keepsake{Stream: *saved, Since: t.since, Agent: t.agent}
	t.account.mu.Lock()
	k.Priority, k.Marks, k.Interested, k.InFlight = t.priority, t.marks, t.interested, t.inFlight
	shown := t.shown
	for addr := range t.directed {
		k.Directed = append(k.Directed, addr)
	}
	t.account.mu.Unlock()
	if shown != nil {
		if k.Presence, err = stanza.AppendWith(nil, shown.st, shown.header); err != nil {
			return err
		}
	}
	return s.write(ctx, t.account.id, &k)
}

// write stores a keepsake.
func (s *Server) write(ctx context.Context, owner storage.AccountID, k *keepsake) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return s.opts.Storage.Documents.Set(ctx, owner, kindSession, keptAs(k.Stream.ID), b, storage.DocumentLimits{})
}

// keptAs is the name under which a session is kept: its id lets who can log in take it over, and is no name.
func keptAs(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}

// lay ends a session of which all is kept.
func (s *session) lay(ctx context.Context) {
	s.conn.Load().Discard()
	s.tellHooks(context.WithoutCancel(ctx), "Closed", s.srv.hooks.closed)
	s.vanish()
	s.srv.directory.release(s.account)
	close(s.kept)
}

// restoreSessions makes suspended sessions of those that a server before has kept.
func (s *Server) restoreSessions(ctx context.Context) error {
	for after := storage.AccountID(""); ; {
		owners, err := s.opts.Storage.Documents.Owners(ctx, kindSession, after, rosterPage)
		if err != nil {
			return fmt.Errorf("server: restore sessions: %w", err)
		}
		for _, owner := range owners {
			if err := s.restoreAccount(ctx, owner); err != nil {
				return fmt.Errorf("server: restore sessions: %w", err)
			}
			after = owner
		}
		if len(owners) < rosterPage {
			return nil
		}
	}
}

// restoreAccount restores the sessions of one account. One that is damaged, or of an account that is gone, is forgotten.
func (s *Server) restoreAccount(ctx context.Context, owner storage.AccountID) error {
	names, err := s.opts.Storage.Documents.List(ctx, owner, kindSession, "", s.limits().SessionsPerAccount)
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := s.opts.Storage.Documents.Get(ctx, owner, kindSession, name)
		if err != nil {
			return err
		}
		var k keepsake
		if err = json.Unmarshal(b, &k); err == nil && !k.Claimed {
			err = s.restore(ctx, owner, &k)
		}
		if err == nil && !k.Claimed {
			continue
		}
		if err != nil {
			s.log.Error("a session could not be restored", "account", owner, "err", err)
		}
		if err := s.salvage(ctx, owner, &k); err != nil {
			return err
		}
		if err := s.forgetKeepsake(ctx, owner, name); err != nil {
			return err
		}
	}
	return nil
}

// salvage stores the messages of a session that is not to be restored. Perhaps its client had them; better twice than never.
func (s *Server) salvage(ctx context.Context, owner storage.AccountID, k *keepsake) error {
	a, err := s.directory.hold(ctx, k.Stream.JID.Bare())
	if err != nil {
		return nil // nobody is there to get them
	}
	defer s.directory.release(a)
	if a.id != owner {
		return nil
	}
	var letters []*letter
	for _, part := range append(k.Stream.Stanzas, k.Stream.Unsent...) {
		raw, err := stanza.Parse(part)
		if err != nil || s.isStored(raw) {
			continue
		}
		h := raw.Header()
		if h.Kind != stanza.KindMessage || !isStorable(h) || h.To.Bare() != a.addr {
			continue
		}
		if l, err := s.newLetter(absent{s, h.From}, a.addr, raw, h); err == nil && l != nil {
			letters = append(letters, l)
		}
	}
	s.storeInTurn(a, letters)
	for _, l := range letters {
		if l.err != nil && !errors.Is(l.err, storage.ErrFull) {
			return l.err
		}
	}
	return nil
}

// restore restores one session.
func (s *Server) restore(ctx context.Context, owner storage.AccountID, k *keepsake) error {
	conn, err := stream.Restore(&k.Stream)
	if err != nil {
		return err
	}
	var shown *announcement
	if len(k.Presence) > 0 {
		raw, err := stanza.Parse(k.Presence)
		if err != nil {
			return err
		}
		shown = &announcement{raw, raw.Header()}
	}
	a, err := s.directory.hold(ctx, k.Stream.JID.Bare())
	if err != nil {
		return err
	}
	t, err := s.adopt(ctx, a, owner, k)
	if err != nil {
		s.directory.release(a)
		return err
	}
	t.since, t.keepsake = k.Since, k
	t.conn.Store(conn)
	close(t.ready)
	a.mu.Lock()
	t.shown, t.priority, t.interested, t.marks, t.inFlight = shown, k.Priority, k.Interested, k.Marks, k.InFlight
	for _, addr := range k.Directed {
		if t.directed == nil {
			t.directed = make(map[jid.JID]struct{})
		}
		t.directed[addr] = struct{}{}
	}
	a.waiting = a.waiting || shown != nil && k.Priority >= 0 // what is stored goes before what comes from now on
	t.lost = make(chan struct{})
	close(t.lost)
	t.state = suspended
	t.until = time.AfterFunc(k.Stream.Max, t.expire)
	a.mu.Unlock()
	s.park(t)
	t.publish()
	t.tellHooks(ctx, "Opened", s.hooks.opened)
	return nil
}

// adopt makes a session of a keepsake.
func (s *Server) adopt(ctx context.Context, a *account, owner storage.AccountID, k *keepsake) (*session, error) {
	if a.id != owner || !s.hosts(a.addr) {
		return nil, errors.New("its account is gone")
	}
	revision, err := s.cluster.Bind(ctx, k.Stream.JID)
	if err != nil {
		return nil, err
	}
	t, err := s.newSession(a, &claims{addr: a.addr, id: a.id}, k.Stream.JID, revision, k.Agent)
	if err != nil {
		s.cluster.Unbind(k.Stream.JID, revision)
	}
	return t, err
}

// claimKeepsake notes that a session goes on which is still kept: as it is kept it must not begin once more.
func (s *session) claimKeepsake(ctx context.Context) error {
	k := s.keepsake
	if k == nil || k.Claimed {
		return nil
	}
	claimed := *k
	claimed.Claimed = true
	if err := s.srv.write(ctx, s.account.id, &claimed); err != nil {
		return err
	}
	k.Claimed = true
	return nil
}

// outliveKeepsake forgets what is kept of a session when its client has acknowledged that much.
func (s *session) outliveKeepsake() {
	if s.keepsake == nil {
		return
	}
	last := s.conn.Load().Last()
	s.others.Go(func() {
		if _, err := last.Await(s.context(), xmpp.Acked); err == nil {
			s.arrived(s.keepsake.InFlight)
			s.dropKeepsake()
		}
	})
}

// arrived deletes offline messages that the client has, some of them since it resumed the session.
func (s *session) arrived(ids []uint64) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := lasting(context.Background())
	defer cancel()
	if err := s.srv.opts.Storage.Offline.Delete(ctx, s.account.id, ids...); err != nil {
		s.log.Error("delivered offline messages could not be deleted", "peer", s.addr, "err", err)
	}
	// They stay in flight: somebody may just have listed them.
}

// dropKeepsake forgets what is kept of a session: all that is in it is elsewhere, or has arrived.
func (s *session) dropKeepsake() {
	k := s.keepsake
	if k == nil {
		return
	}
	ctx, cancel := lasting(context.Background())
	defer cancel()
	if err := s.srv.forgetKeepsake(ctx, s.account.id, keptAs(k.Stream.ID)); err != nil {
		s.log.Error("what was kept of a session could not be deleted", "peer", s.addr, "err", err)
	}
}

// forgetKeepsake deletes a keepsake.
func (s *Server) forgetKeepsake(ctx context.Context, owner storage.AccountID, name string) error {
	return s.opts.Storage.Documents.Set(ctx, owner, kindSession, name, nil, storage.DocumentLimits{})
}
