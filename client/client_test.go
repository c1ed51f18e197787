package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Wait is the life of a bot: until the stream ends, or the context.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		c, err := client.Dial(t.Context(), juliet, p.options())
		require.NoError(t, err)
		theirs := <-p.sessions
		ctx, cancel := context.WithCancel(t.Context())
		waits := make(chan error)
		go func() { waits <- c.Wait(ctx) }()
		synctest.Wait()
		select {
		case err := <-waits:
			t.Fatalf("Wait returned %v on an open session", err)
		default:
		}
		begin := time.Now()
		cancel()
		require.NoError(t, <-waits)
		require.Zero(t, time.Since(begin))
		require.ErrorIs(t, theirs.Wait(), io.EOF) // closed in good order
		require.NoError(t, c.Wait(t.Context()))
		_, err = c.Send(t.Context(), stanza.Presence{})
		require.ErrorIs(t, err, xmpp.ErrClosed)
		require.True(t, xmpp.SafeToRetry(err))
	})
}

// However the server ends the stream, the reason is known, and nothing waits on.
func TestTheServerEndsTheStream(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(conn *stream.Conn)
		is   error
	}{
		{"closed", func(c *stream.Conn) { _ = c.Close(context.Background()) }, io.EOF},
		{"replaced", func(c *stream.Conn) { c.Fail(&stream.Error{Condition: stream.Conflict, Text: "replaced"}) }, stream.Conflict},
		{"cut", func(c *stream.Conn) { c.Abort() }, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conns := make(chan *stream.Conn, 1)
				p := newPeer(t)
				opts := p.options()
				opts.Dialer = handing{p, conns}
				c, err := client.Dial(t.Context(), juliet, opts)
				require.NoError(t, err)
				conn := <-conns
				queries := make(chan error)
				go func() {
					_, err := c.Query(context.Background(), pingOf(jid.MustParse("silence@example.org")))
					queries <- err
				}()
				synctest.Wait()
				go tt.end(conn)
				if err := <-queries; !errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, tt.is) || xmpp.SafeToRetry(err) {
					t.Errorf("the query ended with %v, want %v, %v", err, xmpp.ErrClosed, tt.is)
				}
				err = c.Wait(t.Context())
				if !errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, tt.is) || err != c.Err() {
					t.Errorf("Wait = %v, Err = %v; want %v, %v", err, c.Err(), xmpp.ErrClosed, tt.is)
				}
				require.NoError(t, c.Close(t.Context()))
				t.Log(err)
			})
		})
	}
}

// handing is a dialer to a peer whose streams the test gets. They answer
// nothing.
type handing struct {
	*peer
	conns chan<- *stream.Conn
}

func (h handing) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	h.wg.Go(func() {
		conn, err := stream.Accept(h.ctx, theirs, &h.config)
		if err != nil {
			return
		}
		h.conns <- conn
		stop := context.AfterFunc(h.ctx, conn.Abort)
		defer stop()
		for {
			if _, err := conn.Next(); err != nil {
				return
			}
		}
	})
	return ours, nil
}

// A server that stops reading holds up Send, as it should, but not Close.
func TestCloseBehindAStuckSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		opts := p.options()
		plug := &plugged{peer: p}
		opts.Dialer, opts.CloseTimeout, opts.WriteTimeout = plug, 3*time.Second, time.Hour
		c, err := client.Dial(t.Context(), juliet, opts)
		require.NoError(t, err)
		close(plug.stop)
		sends := make(chan error)
		long := stanza.Message{To: domain, Body: stanza.Plain(strings.Repeat("x", 100_000))}
		go func() {
			for {
				if _, err := c.Send(context.Background(), long); err != nil {
					sends <- err
					return
				}
			}
		}()
		synctest.Wait()
		begin := time.Now()
		err = c.Close(t.Context())
		if took := time.Since(begin); took != 3*time.Second || err == nil {
			t.Errorf("Close = %v after %v, want an error after 3 s", err, took)
		}
		if err := <-sends; !errors.Is(err, xmpp.ErrClosed) || !xmpp.SafeToRetry(err) {
			t.Errorf("Send = %v, want %v and that nothing has left", err, xmpp.ErrClosed)
		}
		require.NoError(t, c.Wait(t.Context()))
	})
}

// plugged is a dialer to a peer that stops reading.
type plugged struct {
	*peer
	stop chan struct{}
}

func (d *plugged) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := d.peer.DialContext(ctx, network, address)
	d.stop = make(chan struct{})
	return &pluggedConn{Conn: nc, stop: d.stop, closed: make(chan struct{})}, err
}

type pluggedConn struct {
	net.Conn
	stop, closed chan struct{}
	once         sync.Once
}

func (c *pluggedConn) Write(b []byte) (int, error) {
	select {
	case <-c.stop:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return c.Conn.Write(b)
	}
}

func (c *pluggedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// The ways to log in that take no password.
func TestOtherCredentials(t *testing.T) {
	p := newPeer(t, func(p *peer) {
		p.sasl.AllowAnonymous = true
		p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(nil)}, ClientAuth: tls.RequestClientCert}
	})
	for _, tt := range []struct {
		name    string
		account jid.JID
		opts    func(*client.Options)
	}{
		{"token", juliet, func(o *client.Options) { o.Token = "balcony-scene" }},
		{"certificate", juliet, func(o *client.Options) { o.TLS.Certificates = []tls.Certificate{p.ca.issue(nil)} }},
		{"anonymous", domain, func(o *client.Options) { o.Anonymous = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := p.options()
			opts.Password = ""
			tt.opts(opts)
			c, err := client.Dial(t.Context(), tt.account, opts)
			require.NoError(t, err)
			addr := c.LocalAddr()
			require.True(t, addr.IsFull())
			require.Equal(t, tt.account.Localpart() == "juliet", addr.Localpart() == "juliet")
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, c.Wait(t.Context()))
		})
	}
}

// PLAIN is for those who ask for it, behind TLS.
func TestAllowPlain(t *testing.T) {
	p := newPeer(t, func(p *peer) { p.sasl = sasl.Options{Mechanisms: []string{sasl.Plain}, AllowPlain: true} })
	opts := p.options()
	opts.AllowPlain = true
	p.dial(t, opts)
	opts.AllowPlain, opts.Policy = false, &sasl.Policy{AllowPlain: true}
	p.dial(t, opts)
}

// Neither log nor trace nor error shows a password, a token or what is made of
// them.
func TestClientS22_Secrets(t *testing.T) {
	for _, good := range []bool{true, false} {
		var seen bytes.Buffer
		p := newPeer(t)
		opts := p.options()
		opts.Token = "balcony-scene"
		opts.Logger = slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
		opts.Trace = &xmpp.Trace{
			Received: func(xml []byte) { fmt.Fprintf(&seen, "S: %s\n", xml) },
			Sent:     func(xml []byte) { fmt.Fprintf(&seen, "C: %s\n", xml) },
			Event:    func(name, detail string) { fmt.Fprintf(&seen, "-- %s %s\n", name, detail) },
		}
		if !good {
			opts.Password = "not " + password
		}
		c, err := client.Dial(t.Context(), juliet, opts)
		require.Equal(t, good, err == nil)
		if c != nil {
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, c.Wait(t.Context()))
		}
		fmt.Fprintf(&seen, "%v %+v", err, opts)
		require.Contains(t, seen.String(), "SCRAM-SHA-256-PLUS")
		for _, secret := range []string{"wherefore", "balcony-scene", "=juliet", "bixqdWxpZXQ"} {
			require.NotContains(t, seen.String(), secret)
		}
	}
}

// A client without a handler answers requests as RFC 6120 §8.4 says.
func TestC8_4_NoHandler(t *testing.T) {
	p := newPeer(t)
	p.dial(t, p.options())
	_, err := (<-p.sessions).Query(t.Context(), pingOf(juliet))
	require.ErrorIs(t, err, stanza.ServiceUnavailable)
}
