package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

const (
	// shortLived is how long a stream must have lasted for its loss not to count as
	// one more failure of the row before.
	shortLived = time.Minute
	// resumeFor is how long a session is kept that the server has set no time for.
	resumeFor = 10 * time.Minute
)

// A link is what a client's session reads and writes: one stream after another, which
// go on with the same queue. The goroutine that reads is the one that connects again.
type link struct {
	dialing *dialing
	policy  Policy
	log     *slog.Logger
	session *session.Session // which is told of events; set before Next
	life    context.Context  // of dialing and waiting
	stop    context.CancelFunc
	poked   chan struct{} // has an item when waiting is to end
	done    chan struct{} // closed when no stream will follow
	conn    atomic.Pointer[stream.Conn]

	// Of the goroutine in Next.
	first    []xmpp.Event // to be told before all else
	began    time.Time    // when the stream began
	failures int          // in a row

	mu       sync.Mutex // guards the fields below
	ending   error      // why the client is to end, nil while it is not
	offline  bool       // there is no session, not even a lost one
	presence *stanza.Raw
	renewed  bool // it was sent while offline, and waits in the queue
}

func newLink(d *dialing, conn *stream.Conn, policy Policy) *link {
	l := &link{
		dialing: d,
		policy:  policy,
		log:     d.opts.Logger,
		poked:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		began:   time.Now(),
	}
	l.life, l.stop = context.WithCancel(context.Background())
	l.conn.Store(conn)
	return l
}

// begin is called before the session starts. The client's stream is the first one, or comes
// after that of another process.
func (l *link) begin(s *session.Session, previous *stream.Conn) {
	l.session = s
	conn := l.conn.Load()
	switch {
	case conn.Resumed():
		l.first = []xmpp.Event{{Status: xmpp.Resumed}}
	case previous != nil:
		lost := parseAll(conn.Lost())
		l.first = []xmpp.Event{{Status: xmpp.Offline, Err: errNotResumed, Lost: lost}, {Status: xmpp.Online}}
	default:
		l.first = []xmpp.Event{{Status: xmpp.Online}}
	}
}

var (
	_ session.Conn  = (*link)(nil)
	_ session.Acker = (*link)(nil)
)

// Next implements [session.Conn].
func (l *link) Next() (stanza.Element, error) {
	for _, e := range l.first {
		l.session.Notify(e)
	}
	l.first = nil
	for {
		e, err := l.conn.Load().Next()
		if err == nil {
			return e, nil
		}
		if err = l.recover(err); err != nil {
			l.stop()
			close(l.done)
			return stanza.Element{}, err
		}
	}
}

// Done implements [session.Conn].
func (l *link) Done() <-chan struct{} { return l.done }

// LocalAddr implements [session.Conn].
func (l *link) LocalAddr() jid.JID { return l.conn.Load().LocalAddr() }

// RemoteAddr implements [session.Conn].
func (l *link) RemoteAddr() jid.JID { return l.conn.Load().RemoteAddr() }

// ID implements [session.Conn].
func (l *link) ID() string { return l.conn.Load().ID() }

// Received implements [session.Acker].
func (l *link) Received() uint64 { return l.conn.Load().Received() }

// Handled implements [session.Acker].
func (l *link) Handled(n uint64) { l.conn.Load().Handled(n) }

// Send implements [session.Conn]. What is broadcast is remembered, for a session that
// begins anew.
func (l *link) Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	receipt, err := l.conn.Load().Send(ctx, s, h)
	if err == nil && h.Kind == stanza.KindPresence && h.To.IsZero() {
		l.remember(s, h)
	}
	return receipt, err
}

// remember keeps a presence that was broadcast.
func (l *link) remember(s stanza.Stanza, h stanza.Header) {
	var shown *stanza.Raw
	switch stanza.PresenceType(h.Type) {
	case stanza.PresenceUnavailable:
	case "":
		b, err := stanza.AppendWith(nil, s, h)
		if err == nil {
			shown, err = stanza.Parse(b)
		}
		if err != nil {
			return // never: it has just been sent
		}
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.presence, l.renewed = shown, l.offline
}

// errSuspended is why a client has ended whose session goes on elsewhere.
var errSuspended = errors.New("client: suspended")

// errEnded is why a client has ended that was closed.
var errEnded = errors.New("client: closed")

// end notes that the client is to end, and stops waiting and dialing. It reports false
// if that has happened before.
func (l *link) end(why error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending != nil {
		return false
	}
	l.ending = why
	l.stop()
	return true
}

func (l *link) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ending
}

// Close implements [session.Conn].
func (l *link) Close(ctx context.Context) error {
	l.end(errEnded)
	conn := l.conn.Load()
	lost := conn.Err() != nil
	err := conn.Close(ctx)
	select {
	case <-l.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if n := len(conn.Unsent()); lost && n > 0 {
		return fmt.Errorf("%w: without a connection, %d stanzas may not have arrived", xmpp.ErrClosed, n)
	} else if lost {
		return nil
	}
	return err
}

// Fail implements [session.Conn].
func (l *link) Fail(e *stream.Error) {
	l.end(e)
	l.conn.Load().Fail(e)
}

// poke looks at once whether the server is there.
func (l *link) poke() {
	select {
	case l.poked <- struct{}{}:
	default:
	}
	l.conn.Load().Probe()
}
