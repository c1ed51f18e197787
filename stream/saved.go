package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Saved session is one of an initiating entity that was lost and can be resumed by another
// process: see [Conn.Save] and [Restore]. It can be written as JSON. Who reads it sees the stanzas
// in it, and who can log in as the account can take over the session. Printing or
// logging a value shows nothing of it.
type Saved struct {
	ID       string        // by which the server knows it
	JID      jid.JID       // the full JID
	Location string        // where to resume it, "host:port"; empty: anywhere
	Max      time.Duration // how long the server keeps it; zero: it did not say
	At       time.Time     // when the stream was lost, as far as is known
	In       uint32        // stanzas that were handled
	Out      uint32        // stanzas that the server has acknowledged
	Stanzas  [][]byte      // those that it has not, as they were sent, oldest first
	Unsent   [][]byte      // those of which nothing has left
}

// Format prints a placeholder, whatever the verb.
func (Saved) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("stream.Saved{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Saved) LogValue() slog.Value { return slog.StringValue("stream.Saved{...}") }

// Save returns what another process needs to go on with the session. The stream must
// have been lost, such as by [Conn.Cut], and its last stanza handled, also what was postponed
// ([Conn.AwaitHandled]): another process could not tell that it has been when it comes again. An error says that
// it cannot be resumed.
func (c *Conn) Save() (*Saved, error) {
	select {
	case <-c.Done():
	default:
		return nil, errors.New("stream: save: the stream has not ended")
	}
	m := c.managed()
	switch {
	case !c.resumes():
		return nil, errors.New("stream: save: the stream cannot be resumed")
	case c.in.whenHandled() != nil:
		return nil, errors.New("stream: save: a stanza is still being handled")
	}
	s := &Saved{ID: m.id, JID: c.full, Location: m.location, Max: m.max, At: time.Now(), In: c.in.h()}
	return s, c.out.save(s)
}

func (o *outbox) save(s *Saved) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.detached || o.err != nil {
		return errors.New("stream: save: the session is over")
	}
	s.Out = o.count
	left := o.stanzas + o.resent() // on this transport, or on one before
	for i, part := range o.leftovers() {
		if i < left {
			s.Stanzas = append(s.Stanzas, part)
		} else {
			s.Unsent = append(s.Unsent, part)
		}
	}
	return nil
}

// Restore returns a stream that was lost, for Config.Previous. What is saved is checked;
// damage is an error.
func Restore(s *Saved) (*Conn, error) {
	if s.ID == "" || len(s.ID) > maxID || !s.JID.IsFull() {
		return nil, errors.New("stream: restore: damaged")
	}
	for _, part := range append(append([][]byte(nil), s.Stanzas...), s.Unsent...) {
		if _, err := stanza.Parse(part); err != nil {
			return nil, fmt.Errorf("stream: restore: a stanza is damaged: %w", err)
		}
	}
	gone := make(chan struct{})
	close(gone)
	o := &outbox{keep: true, limit: 1 << 20, gone: gone, detached: true, over: true}
	o.managed, o.count = true, s.Out
	for _, part := range s.Stanzas {
		o.queued++
		o.add(part, o.queued)
	}
	o.taken, o.begun = o.queued, o.queued
	if o.buf != nil {
		o.hold(o.buf, o.parts)
		o.buf, o.parts = nil, nil
	}
	for _, part := range s.Unsent {
		o.queued++
		o.add(part, o.queued)
	}
	in := &inbox{managed: true, received: uint64(s.In), passed: uint64(s.In), handled: uint64(s.In)}
	return &Conn{
		out: o, in: in, gone: gone, survive: true, initiating: true, state: Secure | Authenticated | Bound,
		trace: &xmpp.Trace{}, full: s.JID, account: s.JID.Bare(), domain: s.JID.Domain(), ended: true,
		sm: management{enabled: true, resume: true, id: s.ID, max: s.Max, location: s.Location},
	}, nil
}
