// Package session turns a negotiated stream into an [xmpp.Session]. Every role
// uses it: what a client, a component and a test's pipe do with stanzas is the
// same.
//
// # Two goroutines
//
// The reader calls [Conn.Next] for as long as the stream lives. It gives each
// reply to the query that waits for it, matched by peer, id and kind together, offers
// messages and presences to the claims, and queues everything else. It runs
// no user code but the match functions of claims, and it never sends.
//
// The worker exists while something is queued. It hands one stanza after
// another to the handler, in the order of arrival (RFC 6120 §10.1), and answers
// requests, each exactly once (RFC 6120 §8.2.3). A handler that is slow, sends, queries
// or closes the session therefore never keeps a reply from being read.
//
// # Bounds
//
// What is queued is bounded in bytes. When there is too much, the reader
// pauses, and flow control of the transport holds the peer back. While a query
// waits for its answer that cannot be done, since the answer may stand behind
// what would be held back: the reader then goes on to a second bound, and beyond
// that ends the stream with policy-violation.
//
// # The end
//
// However the stream ends, what had arrived is still handled, as RFC 6120 §4.4
// asks for, with a context that is done. Queries and claims end at once.
package session

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A Conn is what a session needs of a stream; [*stream.Conn] has it, and says
// what each method does.
type Conn interface {
	Next() (stanza.Element, error)
	Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error)
	Close(ctx context.Context) error
	Fail(*stream.Error)
	Done() <-chan struct{}
	LocalAddr() jid.JID
	RemoteAddr() jid.JID
	ID() string
}

// An Acker is a [Conn] that acknowledges what has been handled.
type Acker interface {
	Received() uint64
	Handled(n uint64)
}

// Options adjusts a [Session]. The zero value is ready to use.
type Options struct {
	// Handler gets what answers no query and is not claimed. Nil means
	// [xmpp.Unhandled]. If it is an [xmpp.Outgoing] too, it sees what is sent.
	Handler xmpp.Handler
	// QueryTimeout bounds a query whose context has no deadline. Zero means
	// 30 s, negative no bound.
	QueryTimeout time.Duration
	// QueueBytes is how much may wait for the handler before the reader pauses.
	// Zero means 1 MiB.
	QueueBytes int
	// MaxQueueBytes is how much may wait for it while a query waits too. Zero
	// means 16 MiB.
	MaxQueueBytes int
	// AnswerFrom makes answers come from the address that was asked. A
	// component needs that: its server cannot know which of its addresses
	// speaks (XEP-0114 §3).
	AnswerFrom bool
	// Logger receives events, never stanza contents. Nil means [slog.Default].
	Logger *slog.Logger
}

// A Session is an [xmpp.Session] on a stream. Make it with [New].
type Session struct {
	conn     Conn
	opts     Options
	outgoing xmpp.Outgoing // nil if the handler is none
	observer xmpp.Observer // nil if the handler is none
	acker    Acker         // nil if the stream is none
	log      *slog.Logger

	done   chan struct{}  // closed once the stream has ended
	err    error          // why; set before done is closed
	worker sync.WaitGroup // only the reader, or a worker in its place, adds to it
	wake   chan struct{}  // has an item when a paused reader should look again

	// Of the reader alone.
	lent      stanza.Raw // what it has got last
	addresses jid.Cache  // of those who write

	mu      sync.Mutex // guards the fields below
	queue   []item
	seq     uint64 // of the last stanza that arrived, as the stream counts them
	placing bool   // it has not been placed yet
	busy    uint64 // of the one that is being handled, zero if none is
	bytes   int    // of the queue and of what is being handled
	working bool   // a worker exists
	paused  bool   // the reader waits, or is about to
	closing bool   // Close was called, before the stream ended
	overrun bool   // the stream ends because too much came
	ended   bool
	queries map[string]*query // by id
	waiting int               // number of queries
	claims  []*xmpp.Claim     // replaced, never changed
	epoch   *epoch
	ctx     context.Context // of handlers, whose life is that of the session; nil before Start
}

// An item is what the worker takes care of: a stanza or an event.
type item struct {
	raw   *stanza.Raw
	event *xmpp.Event
	seq   uint64 // of a stanza
}

// size is what an item counts for in the queue.
func (i item) size() int {
	if i.raw == nil {
		return overhead
	}
	return i.raw.Len() + overhead
}

// An epoch is the time in which a query is answered if at all: it ends with the
// session at the other side.
type epoch struct {
	over chan struct{}
	err  error // why; set before over is closed
}

// New returns a session on conn, which is its from now on. Nothing happens
// before [Session.Start].
func New(conn Conn, opts Options) *Session {
	if opts.Handler == nil {
		opts.Handler = xmpp.Unhandled
	}
	opts.QueryTimeout = cmp.Or(opts.QueryTimeout, 30*time.Second)
	opts.QueueBytes = cmp.Or(opts.QueueBytes, 1<<20)
	opts.MaxQueueBytes = max(cmp.Or(opts.MaxQueueBytes, 16<<20), opts.QueueBytes)
	opts.Logger = cmp.Or(opts.Logger, slog.Default())
	outgoing, _ := opts.Handler.(xmpp.Outgoing)
	observer, _ := opts.Handler.(xmpp.Observer)
	acker, _ := conn.(Acker)
	return &Session{
		conn:     conn,
		opts:     opts,
		outgoing: outgoing,
		observer: observer,
		acker:    acker,
		epoch:    &epoch{over: make(chan struct{})},
		log:      opts.Logger.With("stream", conn.ID()),
		done:     make(chan struct{}),
		wake:     make(chan struct{}, 1),
		queries:  make(map[string]*query),
	}
}

// Start starts the reader. It is called once. Handlers find self in their
// context: s, or what a role has wrapped around it.
func (s *Session) Start(self xmpp.Session) {
	ctx, cancel := context.WithCancel(xmpp.WithSession(context.Background(), self))
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	go func() {
		defer cancel()
		s.end(s.read(ctx))
	}()
}

// LocalAddr implements [xmpp.Session].
func (s *Session) LocalAddr() jid.JID { return s.conn.LocalAddr() }

// RemoteAddr implements [xmpp.Session].
func (s *Session) RemoteAddr() jid.JID { return s.conn.RemoteAddr() }
