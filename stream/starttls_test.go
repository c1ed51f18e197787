package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
)

const (
	startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	failure  = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

// secured takes a scripted client through STARTTLS.
func (p *peer) secured() {
	p.t.Helper()
	p.send(clientOpens)
	p.expect(serverOpens + startTLSOnly)
	p.send(startTLS)
	p.expect(proceed)
	p.startTLS(true)
}

// TestC5_4_3_3_Restart: after TLS everything is new, and STARTTLS is not offered
// again.
func TestC5_4_3_3_Restart(t *testing.T) {
	p, _ := negotiating(t, false, receiving(t))
	p.secured()
	first := p.bound["id"]
	delete(p.bound, "id")
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>")
	if p.bound["id"] == first {
		t.Errorf("stream id %q was used again (C4.7.3)", first)
	}
	p.expect("<mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism></mechanisms>" +
		"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding></stream:features>")
	p.send(startTLS)
	p.expect(failure + closingTag) // C5.4.2.2, cause 2
}

// TestSec_StartTLSInjection: what stands behind <starttls/> in the same segment is
// not executed, and not even parsed.
func TestSec_StartTLSInjection(t *testing.T) {
	for _, injected := range []string{
		plainAuth,
		"<iq type='set' id='evil'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
		"<stream:stream to='im.example.com' version='1.0'" + namespaces + plainAuth,
		" \n",
		"<not well-formed",
	} {
		p, done := negotiating(t, false, receiving(t))
		p.send(clientOpens)
		p.expect(serverOpens + startTLSOnly)
		p.send(startTLS + injected)
		p.expect(proceed)
		p.startTLS(true)
		p.send(clientOpens)
		delete(p.bound, "id")
		p.expect(serverOpens + "<stream:features><mechanisms ")
		require.NoError(t, p.nc.Close())
		require.Error(t, (<-done).err)
	}
}

// TestClientS7_Injection: what stands behind <proceed/> ends the connection
// without a word.
func TestClientS7_Injection(t *testing.T) {
	for _, injected := range []string{
		" ",
		"<stream:stream id='1' version='1.0'" + namespaces + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
	} {
		p, done := negotiating(t, true, initiating())
		p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
		p.send("<stream:stream id='1' version='1.0'" + namespaces + startTLSOnly)
		p.expect(startTLS)
		p.send(proceed + injected)
		p.expectEnd()
		require.ErrorIs(t, (<-done).err, ErrInjected)
	}
}

// TestC5_4_2_2_Refused shows both sides of a STARTTLS failure.
func TestC5_4_2_2_Refused(t *testing.T) {
	t.Run("malformed command", func(t *testing.T) {
		p, done := negotiating(t, false, receiving(t))
		p.send(clientOpens)
		p.expect(serverOpens + startTLSOnly)
		p.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/></starttls>")
		p.expect(failure + closingTag)
		p.expectEnd()
		require.Error(t, (<-done).err)
	})
	t.Run("not offered to who has no features", func(t *testing.T) {
		p, _ := negotiating(t, false, receiving(t))
		p.send("<stream:stream to='im.example.com'" + namespaces)
		p.expect(xmlDecl + "<stream:stream from='im.example.com' id='$id' xml:lang='en'" + namespaces)
		p.send(startTLS)
		p.expect(failure + closingTag)
		p.expectEnd()
	})
	t.Run("initiating entity", func(t *testing.T) {
		p, done := negotiating(t, true, initiating())
		p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
		p.send("<stream:stream id='1' version='1.0'" + namespaces + startTLSOnly)
		p.expect(startTLS)
		p.send(failure + closingTag)
		p.expect(closingTag)
		p.expectEnd()
		require.ErrorIs(t, (<-done).err, ErrTLSRefused)
	})
}

// TestC5_4_3_2_Failure: when the handshake fails, no closing tag is sent.
func TestC5_4_3_2_Failure(t *testing.T) {
	t.Run("receiving entity", func(t *testing.T) {
		p, done := negotiating(t, false, receiving(t))
		p.send(clientOpens)
		p.expect(serverOpens + startTLSOnly)
		p.send(startTLS)
		p.expect(proceed)
		go func() { _ = p.trySend("this is no ClientHello, and it is long enough to be read as a record") }()
		rest, _ := io.ReadAll(p.nc)
		if strings.Contains(string(rest), "stream") {
			t.Errorf("after the failure came %q", rest)
		}
		require.ErrorContains(t, (<-done).err, "stream: tls: ")
	})
	t.Run("initiating entity", func(t *testing.T) {
		cfg := initiating()
		cfg.Features[0] = StartTLS{} // does not trust the authority of the tests
		a, b := tcpPipe(t)
		p, done := against(t, a, b, true, cfg)
		p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
		p.send("<stream:stream id='1' version='1.0'" + namespaces + startTLSOnly)
		p.expect(startTLS)
		p.send(proceed)
		require.Error(t, tls.Server(p.nc, serverTLS()).HandshakeContext(t.Context()))
		p.expectEnd()
		err := (<-done).err
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("error = %v; want a certificate verification error", err)
		}
	})
}

// TestC5_3_3_NoWhitespace: nothing is sent between the elements of STARTTLS and
// SASL. All our bytes are looked at.
func TestC5_3_3_NoWhitespace(t *testing.T) {
	var sent []string
	look := &xmpp.Trace{Sent: func(b []byte) { sent = append(sent, string(b)) }}
	clientCfg, serverCfg := initiating(), receiving(t)
	clientCfg.Trace, serverCfg.Trace = look, &xmpp.Trace{Sent: look.Sent}
	a, b := net.Pipe()
	var wireA, wireB strings.Builder
	client, server := connect(t, tapped{a, &wireA}, tapped{b, &wireB}, clientCfg, serverCfg)
	client.Abort()
	server.Abort()
	<-client.Done()
	<-server.Done()
	require.NotEmpty(t, sent)
	for _, part := range sent {
		if strings.TrimSpace(part) != part || strings.Contains(part, "> <") {
			t.Errorf("sent %q", part)
		}
	}
	if got, want := wireA.String(), xmlDecl+"<stream:stream to='im.example.com' version='1.0' xml:lang='en'"+namespaces+startTLS+"\x16\x03\x01"; !strings.HasPrefix(got, want) {
		t.Errorf("the initiating entity sent\n\t%.300q; want\n\t%q", got, want)
	}
	if got, want := wireB.String(), startTLSOnly+proceed+"\x16\x03\x03"; !strings.Contains(got, want) {
		t.Errorf("the receiving entity sent\n\t%.600q; want\n\t%q in it", got, want)
	}
}

// tapped notes what is written.
type tapped struct {
	net.Conn
	to *strings.Builder
}

func (c tapped) Write(b []byte) (int, error) {
	c.to.Write(b)
	return c.Conn.Write(b)
}

// TestC5_3_1_OnlyStartTLS: before TLS nothing else is possible, whatever is
// tried.
func TestC5_3_1_OnlyStartTLS(t *testing.T) {
	for _, tt := range []struct{ try, want string }{
		{plainAuth, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>"},
		{"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>"},
		{"<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", failedWith(NotAuthorized)},
		{"<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>", failedWith(NotAuthorized)},
		{"<message to='romeo@example.net'/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")},
		{"<presence/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")},
		{"<compress xmlns='http://jabber.org/protocol/compress'/>", failedWith(UnsupportedStanzaType)},
		{"<pubsub/>", failedWith(UnsupportedStanzaType)},
		{"<message xmlns='jabber:server'/>", failedWith(InvalidNamespace)},
		{"<stream:features/>", failedWith(UnsupportedStanzaType)},
		{"text", "<stream:error><bad-format xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"},
	} {
		p, _ := negotiating(t, false, receiving(t))
		p.send(clientOpens)
		p.expect(serverOpens + startTLSOnly)
		go func() { _ = p.trySend(tt.try) }()
		p.expect(tt.want)
		_ = p.nc.Close()
	}
}

// TestXEP0368_DirectTLS: STARTTLS is not offered inside direct TLS, the domain is
// the server name, and the protocol is xmpp-client.
func TestXEP0368_DirectTLS(t *testing.T) {
	a, b := net.Pipe()
	var serverName string
	base := serverTLS()
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		serverName = hello.ServerName
		return nil, nil
	}
	p, _ := against(t, TLSServer(b, ServerTLS(base)), a, false, receiving(t))
	tc := TLSClient(a, clientTLS(), example)
	require.NoError(t, tc.HandshakeContext(t.Context()))
	require.Equal(t, "im.example.com", serverName)
	require.Equal(t, "xmpp-client", tc.ConnectionState().NegotiatedProtocol)
	p.nc = tc
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features><mechanisms ")
}

// TestNegotiationDeadline: the time for negotiation is absolute. A peer that
// sends a byte now and then does not get more.
func TestNegotiationDeadline(t *testing.T) {
	for _, tt := range []struct {
		name     string
		initiate bool
		script   string // dripped byte by byte
	}{
		{name: "receiving, silence"},
		{name: "receiving, whitespace", script: strings.Repeat(" ", 1000)},
		{name: "receiving, header", script: "<stream:stream to='im.example.com'" + strings.Repeat(" ", 1000)},
		{name: "receiving, features", script: clientOpens + strings.Repeat(" ", 1000)},
		{name: "receiving, TLS", script: clientOpens + startTLS + strings.Repeat("\x16\x03\x03\x00\x01", 1000)},
		{name: "initiating, silence", initiate: true},
		{name: "initiating, whitespace", initiate: true, script: strings.Repeat(" ", 1000)},
		{name: "initiating, features", initiate: true, script: strings.ReplaceAll(serverOpens, "$id", "1") + strings.Repeat(" ", 1000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := receiving(t)
				if tt.initiate {
					cfg = initiating()
				}
				ours, theirs := net.Pipe()
				var drips sync.WaitGroup
				drips.Go(func() {
					for i := range len(tt.script) {
						if _, err := theirs.Write([]byte{tt.script[i]}); err != nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				began := time.Now()
				_, err := start(ctx, ours, cfg, tt.initiate)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				if took := time.Since(began); took < 20*time.Second || took > 22*time.Second {
					t.Errorf("took %v; want 20s", took)
				}
				_ = theirs.Close()
				drips.Wait()
			})
		})
	}
}

// TestNegotiationDeadline_StuckPeer: nor does one that does not even read.
func TestNegotiationDeadline_StuckPeer(t *testing.T) {
	for _, initiate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cfg := receiving(t)
			if initiate {
				cfg = initiating()
			}
			ours, theirs := net.Pipe()
			go func() { _, _ = io.WriteString(theirs, clientOpens) }()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			began := time.Now()
			_, err := start(ctx, ours, cfg, initiate)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			if took := time.Since(began); took > 22*time.Second {
				t.Errorf("took %v; want 20s", took)
			}
		})
	}
}

// TestNegotiationDeadline_Told: a client whose time is over is told so.
func TestNegotiationDeadline_Told(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		p := &peer{t: t, nc: theirs, bound: map[string]string{}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		done := make(chan error)
		go func() {
			_, err := Accept(ctx, ours, receiving(t))
			done <- err
		}()
		p.send(clientOpens)
		p.expect(serverOpens + startTLSOnly + failedWithText(PolicyViolation, "negotiation took too long"))
		p.expectEnd()
		require.ErrorIs(t, <-done, context.DeadlineExceeded)
	})
}

// TestNegotiationCancelled: when the context is cancelled, negotiation ends at
// once; with a stream error as the cause, the peer is told.
func TestNegotiationCancelled(t *testing.T) {
	for _, tt := range []struct {
		cause error
		tells string
	}{
		{cause: errors.New("enough")},
		{cause: &Error{Condition: SystemShutdown}, tells: failedWith(SystemShutdown)},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			p := &peer{t: t, nc: theirs, bound: map[string]string{}}
			ctx, cancel := context.WithCancelCause(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := Accept(ctx, ours, receiving(t))
				done <- err
			}()
			p.send(clientOpens)
			p.expect(serverOpens + startTLSOnly)
			began := time.Now()
			cancel(tt.cause)
			p.expect(tt.tells)
			p.expectEnd()
			require.ErrorIs(t, <-done, tt.cause)
			require.Zero(t, time.Since(began))
		})
	}
}
