package server

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// keeping is the part of an [account] that has letters which are not committed yet. A keeper, who is there only as long as
// they are, stores them in the order in which they came: in one commit all that have come while the last
// was made. It is guarded by account.mu.
type keeping struct {
	letters  []*letter     // that nobody stores yet
	pending  int           // letters that are not committed: what comes for the bare JID waits behind them
	keeper   bool          // is there
	relieved chan struct{} // closed when offline messages were delivered; nil when nobody waits for that
}

// storeMessage leaves a message to the keeper of an account, and reports whether it did. The caller can go on: what becomes of it its
// sender is told, and hooks are, when that is known, and it is not acknowledged before. full is a session for which there
// was no room, if that is why.
func (s *Server) storeMessage(ctx context.Context, o origin, st stanza.Stanza, h stanza.Header, full *session) bool {
	l, err := s.newLetter(o, h.To, st, h)
	switch {
	case err != nil:
		s.failed(ctx, o, h, "keep a message", err)
		return false
	case l == nil:
		return false
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	a, err := s.directory.hold(ctx, h.To.Bare())
	if err != nil {
		if !errors.Is(err, storage.ErrNotFound) { // else it was deleted just now
			s.failed(ctx, o, h, "keep a message", err)
		}
		return false
	}
	if err := s.admitLetter(ctx, l); err != nil {
		s.directory.release(a)
		s.failed(ctx, o, h, "keep a message", err)
		return false
	}
	if client, ok := o.(*session); ok {
		l.done = client.conn.Load().Postpone()
	}
	if a.post(l, full) {
		s.directory.release(a)
		return true
	}
	s.begin() // whoever is here is waited for as well, so it is not too late
	go s.keepAll(a)
	return true
}

// admitLetter waits until a letter may be pending: as long as ctx allows if a client has sent it, which is not
// read meanwhile. All else may come from a hook that a keeper has called, who must not wait for himself; it waits for a
// moment, and is pending all the same.
func (s *Server) admitLetter(ctx context.Context, l *letter) error {
	client, ok := l.origin.(*session)
	if !ok {
		ctx, cancel := context.WithTimeout(ctx, roomTimeout)
		defer cancel()
		if s.pending.enter(ctx, l.cost, s.limits().PendingBytes) != nil {
			return s.pending.enter(ctx, l.cost, math.MaxInt)
		}
		return nil
	}
	if err := client.pending.enter(ctx, l.cost, s.limits().PendingBytesPerSession); err != nil {
		return err
	}
	err := s.pending.enter(ctx, l.cost, s.limits().PendingBytes)
	if err != nil {
		client.pending.leave(1, l.cost)
	}
	return err
}

// dismissLetters undoes admitLetter.
func (s *Server) dismissLetters(letters ...*letter) {
	total := 0
	for _, l := range letters {
		total += l.cost
		if client, ok := l.origin.(*session); ok {
			client.pending.leave(1, l.cost)
		}
	}
	s.pending.leave(len(letters), total)
}

// post adds a letter to those that are to be stored, and reports whether a keeper is there. If not there has to be one, who
// holds the account.
func (a *account) post(l *letter, full *session) (kept bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.letters = append(a.letters, l)
	a.pending++
	if full != nil {
		full.crowded = true
	}
	kept = a.keeper
	a.keeper = true
	return kept
}

// collect returns the letters that have come. If there are none the keeper leaves.
func (a *account) collect() []*letter {
	a.mu.Lock()
	defer a.mu.Unlock()
	letters := a.letters
	a.letters = nil
	a.keeper = len(letters) > 0
	return letters
}

// keepAll is the keeper of an account. It waits for the store, and for clients no more than a moment.
func (s *Server) keepAll(a *account) {
	defer s.end()
	defer s.directory.release(a)
	for letters := a.collect(); len(letters) > 0; letters = a.collect() {
		s.storeInTurn(a, letters)
		s.dismissLetters(letters...)
		s.drainStored(a, letters)
		for _, l := range letters {
			s.conclude(a, l)
			l.acknowledge()
		}
	}
}

// storeInTurn stores letters when nobody else writes to the account's offline messages.
func (s *Server) storeInTurn(a *account, letters []*letter) {
	ctx, cancel := lasting(context.Background())
	defer cancel()
	end, err := a.spool(ctx)
	if err != nil {
		for _, l := range letters {
			l.err = err
		}
		return
	}
	defer end()
	s.storeLetters(a, letters)
}

// drainStored delivers letters that are stored, if somebody has come online since they were placed, on whatever node.
func (s *Server) drainStored(a *account, letters []*letter) {
	ctx, cancel := lasting(context.Background())
	defer cancel()
	best := bestOf(s.elsewhere(ctx, a.addr, 1))
	if t := a.stored(letters, best == nil); t != nil {
		s.drainTo(ctx, t)
	}
	s.drainAt(best, a.addr)
}

// stored notes that letters are no longer pending. If some are kept now, the delivery of offline messages is started here at
// the same moment, so that no message passes them; it returns the session to deliver to.
func (a *account) stored(letters []*letter, here bool) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending -= len(letters)
	for _, l := range letters {
		if here && l.err == nil {
			return a.startDraining()
		}
	}
	return nil
}

// conclude tells the sender of a letter if it is not kept, and hooks what has become of it.
func (s *Server) conclude(a *account, l *letter) {
	if l.err == nil && len(s.hooks.placed) == 0 {
		return
	}
	ctx, cancel := lasting(context.Background())
	defer cancel()
	s.tellUnkept(ctx, l)
	s.placed(ctx, a.identity(), l.raw, l.raw.Header(), nil, l.err == nil)
}

// tellUnkept tells the sender of a letter if it is not kept.
func (s *Server) tellUnkept(ctx context.Context, l *letter) {
	switch o, h := (hurried{l.origin}), l.raw.Header(); {
	case l.err == nil, errors.Is(l.err, storage.ErrNotFound): // deleted just now
	case !errors.Is(l.err, storage.ErrFull):
		s.failed(ctx, o, h, "keep a message", l.err)
	case l.known: // to others an answer would say that there is such an account (RFC 6120 §13.10.2)
		refuseTo(ctx, o, h, stanza.ServiceUnavailable)
	}
}

// acknowledge lets the sender know that the server is done with a letter.
func (l *letter) acknowledge() {
	if l.done != nil {
		l.done()
	}
}

// storeLetters stores letters in order, and notes in each that is not kept why. Those that come from strangers
// leave room for others, so they are stored apart. It is called by whoever has the spool. While what is stored is being
// delivered, and there is no more room, it waits a moment for that.
func (s *Server) storeLetters(a *account, letters []*letter) {
	if err := s.remains(a); err != nil {
		for _, l := range letters {
			l.err = err
		}
		return
	}
	s.recognise(letters)
	patient := true
	for len(letters) > 0 {
		alike := 1
		for alike < len(letters) && letters[alike].known == letters[0].known {
			alike++
		}
		relieved := a.relief()
		n, err := s.addLetters(a, letters[:alike])
		s.counts.stored.Add(uint64(n))
		letters = letters[n:]
		switch {
		case err == nil:
		case !errors.Is(err, storage.ErrFull):
			for _, l := range letters { // to ask again would only take as long again
				l.err = err
			}
			return
		case n > 0: // some are to be delivered, perhaps, before there is room for others
			s.drainAddr(context.Background(), a.addr)
		case patient && relieved != nil:
			patient = await(relieved, roomTimeout)
		default:
			letters[0].err = err
			letters = letters[1:]
		}
	}
}

// remains reports [storage.ErrNotFound] for an account that was deleted: what is kept for it is about to be, too.
func (s *Server) remains(a *account) error {
	a.mu.Lock()
	closed := a.closed
	a.mu.Unlock()
	if !closed {
		return nil
	}
	ctx, cancel := lasting(context.Background())
	defer cancel()
	now, err := s.opts.Storage.Accounts.Get(ctx, a.addr)
	if err == nil && now.ID != a.id {
		err = storage.ErrNotFound // it is another one
	}
	return err
}

// recognise notes which senders may see the account's presence. Each is looked up once, and none any more when that has
// taken too long: who is not known leaves room for others.
func (s *Server) recognise(letters []*letter) {
	type pair struct{ to, from jid.JID }
	seen := make(map[pair]bool)
	ctx, cancel := lasting(context.Background())
	defer cancel()
	for _, l := range letters {
		h := l.raw.Header()
		known, ok := seen[pair{h.To, h.From}]
		if !ok {
			known = ctx.Err() == nil && s.entitled(ctx, l.origin, h.To, h.From)
			seen[pair{h.To, h.From}] = known
		}
		l.known = known
	}
}

// addLetters stores as many of letters that are alike as there is room for.
func (s *Server) addLetters(a *account, letters []*letter) (added int, err error) {
	ctx, cancel := lasting(context.Background())
	defer cancel()
	limits := storage.OfflineLimits{Messages: s.limits().OfflineMessages, Bytes: s.limits().OfflineBytes}
	if !letters[0].known {
		limits.Messages, limits.Bytes = (limits.Messages+1)/2, (limits.Bytes+1)/2
	}
	messages := make([]storage.OfflineMessage, len(letters))
	for i, l := range letters {
		messages[i] = l.message
	}
	return s.opts.Storage.Offline.Add(ctx, a.id, limits, messages...)
}

// spool waits until nobody else adds to the account's offline messages. The caller ends that.
func (a *account) spool(ctx context.Context) (end func(), err error) {
	select {
	case a.spooling <- struct{}{}:
		return func() { <-a.spooling }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// relief returns what is closed when a part of the offline messages has been delivered; nil if none are being delivered.
func (a *account) relief() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.draining {
		return nil
	}
	if a.relieved == nil {
		a.relieved = make(chan struct{})
	}
	return a.relieved
}

// relieve says that offline messages have been delivered, or are not delivered any more. It is called with mu held.
func (a *account) relieve() {
	if a.relieved != nil {
		close(a.relieved)
		a.relieved = nil
	}
}

// await waits until something is closed, and reports whether it was in time.
func await(done <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
