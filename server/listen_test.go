package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stream"
)

// serving is a server on a loopback port.
type serving struct {
	*house
	ln     net.Listener
	cancel context.CancelFunc
	ended  chan error // what Serve returned
}

func (h *house) serve(serve func(context.Context, net.Listener) error) *serving {
	h.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(h.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{house: h, ln: ln, cancel: cancel, ended: make(chan error, 1)}
	var wg sync.WaitGroup
	wg.Go(func() { s.ended <- serve(ctx, ln) })
	h.t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return s
}

// dial opens a stream of juliet's, as a client would; direct is TLS from the first byte.
func (s *serving) dial(direct bool) (*stream.Conn, error) {
	nc, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		return nil, err
	}
	domain := jid.MustParse("capulet.example")
	if direct {
		nc = stream.TLSClient(nc, s.ca.ClientConfig(), domain)
	}
	return stream.Initiate(s.t.Context(), nc, &stream.Config{Domain: domain, Features: []stream.Feature{
		stream.StartTLS{Config: s.ca.ClientConfig()},
		stream.ClientSASL{Credentials: sasl.Credentials{Username: "juliet", Password: password}},
		stream.Bind{},
	}})
}

// A server on a port: STARTTLS or direct TLS, verified against the XMPP domain,
// with channel binding.
func TestXEP0368_Serve(t *testing.T) {
	for _, direct := range []bool{false, true} {
		h := newHouse(t, []string{"juliet"}, func(o *Options) {
			o.InsecurePlaintext = false
			o.Mechanisms = []string{sasl.SCRAMSHA256Plus}
		})
		serve := h.srv.Serve
		if direct {
			serve = h.srv.ServeTLS
		}
		s := h.serve(serve)
		conn, err := s.dial(direct)
		require.NoError(t, err)
		require.True(t, conn.State().Has(stream.Secure|stream.Authenticated|stream.Bound))
		go conn.Next()
		require.NoError(t, conn.Close(t.Context()))
		require.NoError(t, h.srv.Shutdown(t.Context()))
		require.NoError(t, <-s.ended)
	}
}

// The end of its context ends Serve, and every stream with system-shutdown.
func TestC4_9_3_20_ServeContext(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	s := h.serve(h.srv.Serve)
	conn, err := s.dial(false)
	require.NoError(t, err)
	silent, err := net.Dial("tcp", s.ln.Addr().String()) // has not even begun
	require.NoError(t, err)
	defer silent.Close()
	s.cancel()
	_, err = conn.Next()
	require.ErrorIs(t, err, stream.SystemShutdown)
	require.NoError(t, <-s.ended)
	_, err = net.Dial("tcp", s.ln.Addr().String())
	require.Error(t, err, "it still listens")
}

// Shutdown tells every client and waits for it; then the server takes no more.
func TestC4_9_3_20_Shutdown(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	h.befriend("juliet", "romeo")
	juliet, romeo := h.online("juliet", "balcony", ""), h.online("romeo", "orchard", "")
	require.NoError(t, h.srv.Shutdown(t.Context()))
	juliet.expectEnd("system-shutdown")
	romeo.expectEnd("system-shutdown")
	require.NoError(t, h.srv.Shutdown(t.Context()), "again")
	c := h.connect()
	<-c.done
	require.ErrorIs(t, c.end, ErrRefused)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, h.srv.Serve(t.Context(), ln))
}

// Shutdown does not wait longer than it is told to, even for those who do not read.
func TestC4_4_ShutdownInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet"})
		deaf := h.deaf("juliet", "balcony")
		deaf.send("<presence/>")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, h.srv.Shutdown(ctx), context.DeadlineExceeded)
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		<-deaf.done
	})
}

// Connections that exceed a limit are closed before a byte is exchanged (RFC
// 6120 §13.12).
func TestC13_12_ConnectionLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits func(*Limits)
		bound  bool // those that have logged in count
	}{
		{"all", func(l *Limits) { l.Connections = 2 }, true},
		{"unauthenticated", func(l *Limits) { l.Unauthenticated = 2 }, false},
		{"unauthenticated per address", func(l *Limits) { l.UnauthenticatedPerAddress = 2 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, []string{"juliet"}, func(o *Options) { tt.limits(&o.Limits) })
			s := h.serve(h.srv.Serve)
			open := func() *xmlwire.Reader {
				nc, err := net.Dial("tcp", s.ln.Addr().String())
				require.NoError(t, err)
				t.Cleanup(func() { nc.Close() })
				io.WriteString(nc, "<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
				return xmlwire.NewReader(nc, xmlwire.Limits{})
			}
			first, err := s.dial(false)
			require.NoError(t, err)
			defer first.Abort()
			_, err = open().Header()
			require.NoError(t, err)
			if !tt.bound {
				_, err = open().Header()
				require.NoError(t, err)
			}
			_, err = open().Header()
			require.Error(t, err, "one too many was served")
		})
	}
}

// What keeps a listener from accepting for a moment does not end Serve; what ends it
// is returned.
func TestC13_12_AcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, []string{"juliet"})
		ln := &listener{errs: []error{syscall.EMFILE, syscall.EMFILE, syscall.ECONNABORTED}, conns: make(chan net.Conn, 1), closed: make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- h.srv.Serve(t.Context(), ln) }()
		near, far := net.Pipe()
		ln.conns <- far
		io.WriteString(near, "<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
		_, err := xmlwire.NewReader(near, xmlwire.Limits{}).Header()
		require.NoError(t, err)
		near.Close()
		ln.Close()
		require.ErrorIs(t, <-ended, net.ErrClosed)
	})
}

// A listener that fails before it works.
type listener struct {
	errs   []error // used by the accepting goroutine alone
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: err}
	}
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// ServeConn says how a stream ended.
func TestC4_4_ServeConnError(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	closed, reset, failed := h.login("juliet", ""), h.login("juliet", ""), h.login("juliet", "")
	closed.close()
	reset.hangUp()
	failed.raw("<!-- -->")
	<-failed.done
	require.NoError(t, closed.end)
	require.ErrorIs(t, reset.end, io.ErrUnexpectedEOF)
	require.ErrorIs(t, failed.end, stream.RestrictedXML)
}

// Whoever looks on sees the stream, and no credentials.
func TestOptions_Trace(t *testing.T) {
	var mu sync.Mutex // guards seen
	var seen strings.Builder
	note := func(xml []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(xml)
	}
	h := newHouse(t, []string{"juliet"}, func(o *Options) {
		o.Trace = func(remote net.Addr) *xmpp.Trace {
			if remote == nil {
				t.Error("no remote address")
			}
			return &xmpp.Trace{Received: note, Sent: note}
		}
	})
	c := h.connect()
	c.open("capulet.example")
	c.starttls(h, "capulet.example")
	c.open("capulet.example")
	c.authenticate(h.addr("juliet"), sasl.Plain)
	c.open("capulet.example")
	c.bind("balcony")
	c.close()
	require.Contains(t, seen.String(), "mechanism='PLAIN'")
	require.Contains(t, seen.String(), "juliet@capulet.example/balcony")
	require.NotContains(t, seen.String(), encode([]byte("\x00juliet\x00"+password)))
}

func TestNew_Options(t *testing.T) {
	good := func() *Options {
		return &Options{Domains: []string{"capulet.example"}, TLS: &tls.Config{}}
	}
	for _, tt := range []struct {
		name string
		make func() *Options
		want string
	}{
		{"nil", func() *Options { return nil }, "server: no options"},
		{"no domain", func() *Options { o := good(); o.Domains = nil; return o }, "server: options: no domain"},
		{"an account for a domain", func() *Options { o := good(); o.Domains[0] = "a@b"; return o }, "server: options: a@b is not a domain"},
		{"no TLS", func() *Options { o := good(); o.TLS = nil; return o }, "server: options: TLS is required"},
		{"few iterations", func() *Options { o := good(); o.Iterations = 1; return o }, "server: options: 1 iterations: sasl: iteration count out of bounds"},
		{"unknown mechanism", func() *Options { o := good(); o.Mechanisms = []string{"X"}; return o }, `sasl: mechanism "X" is unknown or listed twice`},
		{"a negative limit", func() *Options { o := good(); o.Limits.QueueBytes = -1; return o }, "server: options: Limits.QueueBytes is negative"},
	} {
		if _, err := New(tt.make()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	_, err := New(good())
	require.NoError(t, err)
}
