package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A Server serves the accounts of some domains. Make one with [New]. All
// methods may be called from any goroutine.
type Server struct {
	opts      Options // but for the domains and the limits
	hosting   atomic.Pointer[hosting]
	bounds    atomic.Pointer[bounds]
	accounts  *muxer.Mux // answers for every account
	hooks     hooks
	ext       extensions
	directory *directory
	users     *userAccounts // nil: the accounts are in the store
	cluster   cluster.Member
	log       *slog.Logger
	aborted   chan struct{} // closed when nothing is waited for any more
	quiet     chan struct{} // closed when the server has shut down and nothing runs but waits for parked sessions
	idle      chan struct{} // closed when nothing runs at all

	moving   sync.Mutex // held while the domains change
	counts   counts
	pending  room         // letters
	sessions atomic.Int64 // that are bound

	passwords sync.Mutex // held while secrets are replaced

	mu        sync.Mutex // guards the fields below
	closing   bool       // Shutdown was called
	gaveUp    bool       // aborted is closed
	running   int        // connections, and work of services
	listeners map[net.Listener]struct{}
	conns     map[*connection]struct{}
	parked    map[*session]struct{} // they have no connection, and may be resumed
	addresses map[netip.Prefix]*address
	prefixes  map[netip.Prefix]int // connections from wider networks
	unbound   int                  // connections that are not bound yet
}

var errShutDown = errors.New("server: shut down")

// New returns a server. It does nothing until it is given connections, by
// [Server.Serve] or its kin.
func New(opts *Options) (*Server, error) {
	o, domains, err := opts.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts:      o,
		directory: newDirectory(o.Storage.Accounts),
		users:     usersOf(o.Storage),
		log:       o.Logger,
		aborted:   make(chan struct{}),
		quiet:     make(chan struct{}),
		idle:      make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		conns:     make(map[*connection]struct{}),
		parked:    make(map[*session]struct{}),
		addresses: make(map[netip.Prefix]*address),
		prefixes:  make(map[netip.Prefix]int),
	}
	s.hosting.Store(&hosting{services: map[jid.JID]*service{}, auth: map[jid.JID]*sasl.Authenticator{}})
	s.bounds.Store(boundsOf(o.Limits))
	s.directory.rate = func() int { return s.limits().AccountRate }
	s.accounts = s.accountMux()
	s.ext = extensions{strangers: muxer.New(), open: accountsAnswer()}
	if err := s.host(domains...); err != nil {
		return nil, err
	}
	if err := s.install(); err != nil {
		return nil, err
	}
	if s.cluster, err = o.Cluster.Join(context.Background(), receiver{s}); err != nil {
		return nil, fmt.Errorf("server: join the cluster: %w", err)
	}
	if o.KeepSessions {
		if err := s.restoreSessions(context.Background()); err != nil {
			_ = s.Shutdown(context.Background()) // those that are restored wait for nobody, and are kept again
			return nil, err
		}
	}
	return s, nil
}

// begin notes that something runs, which Shutdown waits for. It is false when
// the server has shut down.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing && s.running == 0 {
		return false
	}
	s.running++
	return true
}

// end undoes begin.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.calm()
}

// calm tells that nothing runs, or nothing but sessions without connections, when the server is shutting down. It is called with mu held.
func (s *Server) calm() {
	if s.closing && s.running == len(s.parked) && !isDone(s.quiet) {
		close(s.quiet)
	}
	if s.closing && s.running == 0 && !isDone(s.idle) {
		close(s.idle)
	}
}

// Shutdown stops the server: it accepts nothing more, tells every client that
// the system shuts down, closes the streams properly and waits until all of this has
// happened and handlers have returned. When ctx is done first, it closes what is left
// at once, waits for that, and returns the cause.
//
// It may be called again, to wait or to hurry. A server that was shut down does
// not come back.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		s.calm()
	}
	for ln := range s.listeners {
		ln.Close()
	}
	conns := s.connections()
	var parked []*session
	if !s.opts.KeepSessions {
		parked = slices.Collect(maps.Keys(s.parked))
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.shutdown()
	}
	for _, t := range parked {
		t.fail(shuttingDown())
	}
	defer s.cluster.Leave()
	var late error
	if !within(ctx, s.quiet) {
		late = context.Cause(ctx)
		s.hurry()
		<-s.quiet
	}
	s.keepSessions(ctx)
	if !within(ctx, s.idle) {
		late = context.Cause(ctx)
		s.hurry()
		<-s.idle
	}
	return late
}

// within waits until a channel is closed, and reports whether ctx let it.
func within(ctx context.Context, closed <-chan struct{}) bool {
	select {
	case <-closed:
		return true
	case <-ctx.Done():
		return isDone(closed)
	}
}

// hurry closes what is left at once.
func (s *Server) hurry() {
	s.mu.Lock()
	if !s.gaveUp {
		s.gaveUp = true
		close(s.aborted)
	}
	conns := s.connections()
	s.mu.Unlock()
	for _, c := range conns {
		c.abort()
	}
}

// connections lists all connections. It is called with mu held.
func (s *Server) connections() []*connection {
	var all []*connection
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// shuttingDown is what clients are told by Shutdown.
func shuttingDown() *stream.Error { return &stream.Error{Condition: stream.SystemShutdown} }
