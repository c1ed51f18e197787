package xmpptest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
)

// Domain is what a [Server] serves unless told otherwise.
const Domain = "example.org"

// A Server is an XMPP server in this process. Its clients reach it through
// memory; everything else is as on a network: TLS with a certificate they
// verify, SCRAM, resource binding.
type Server struct {
	*server.Server
	domain string
	ca     *devcert.Authority
	serve  sync.WaitGroup
	cancel context.CancelFunc
	ctx    context.Context // the lifetime of in-memory connections

	mu        sync.Mutex // guards passwords
	passwords map[jid.JID]string
}

// Start starts a server, which [Server.Stop] ends. Its domain is the first of
// opts, or [Domain]; TLS is set by Start, unless opts has InsecurePlaintext: then there is none. Tests
// have it easier with [NewServer] and [StartFor]; Start is for examples.
func Start(opts *server.Options) (*Server, error) {
	var o server.Options
	if opts != nil {
		o = *opts
	}
	if len(o.Domains) == 0 {
		o.Domains = []string{Domain}
	}
	var ca *devcert.Authority
	if !o.InsecurePlaintext {
		var err error
		if ca, err = devcert.New(o.Domains...); err != nil {
			return nil, fmt.Errorf("xmpptest: %w", err)
		}
		o.TLS = ca.ServerConfig()
	}
	srv, err := server.New(&o)
	if err != nil {
		return nil, fmt.Errorf("xmpptest: %w", err)
	}
	s := &Server{Server: srv, domain: o.Domains[0], ca: ca, passwords: make(map[jid.JID]string)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// NewServer starts a server that ends with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	return StartFor(t, nil)
}

// StartFor is [Start] for a test, with which the server ends.
func StartFor(t testing.TB, opts *server.Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Stop shuts the server down and returns when nothing of it is left running.
func (s *Server) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.Shutdown(ctx)
	s.cancel()
	s.serve.Wait()
}

// Account returns the address of the account with that localpart, made on
// the spot if there was none.
func (s *Server) Account(localpart string) (jid.JID, error) {
	addr, err := jid.New(localpart, s.domain, "")
	if err != nil {
		return jid.JID{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.passwords[addr]; ok {
		return addr, nil
	}
	password := rand.Text()
	if err := s.CreateAccount(s.ctx, addr, password); err != nil {
		return jid.JID{}, err
	}
	s.passwords[addr] = password
	return addr, nil
}

// Options returns what [client.Dial] needs to log in to an account that
// [Server.Account] made.
func (s *Server) Options(account jid.JID) *client.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	opts := &client.Options{
		Address:           s.domain + ":5222",
		Dialer:            dialer{s},
		InsecurePlaintext: s.ca == nil,
		Password:          s.passwords[account.Bare()],
	}
	if s.ca != nil {
		opts.TLS = s.ca.ClientConfig()
	}
	return opts
}

// Dial logs in to the account with that localpart, made on the spot if need
// be. The client is closed when the test ends.
func (s *Server) Dial(t testing.TB, localpart string, h xmpp.Handler) *client.Client {
	t.Helper()
	addr, err := s.Account(localpart)
	if err != nil {
		t.Fatal(err)
	}
	opts := s.Options(addr)
	opts.Handler = h
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close(context.Background())
		_ = c.Wait(context.Background())
	})
	return c
}

// A dialer connects to a server through memory.
type dialer struct{ s *Server }

func (d dialer) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	d.s.serve.Go(func() { _ = d.s.ServeConn(d.s.ctx, theirs) })
	return ours, nil
}
