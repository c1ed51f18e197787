package stream

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// A transport that says who is at its end needs no mechanism, and there is none.
func TestProven(t *testing.T) {
	near, far := net.Pipe()
	client, server := plainInitiating(), plainReceiving(t)
	client.Proven, server.Proven = juliet, juliet
	var mu sync.Mutex
	var seen strings.Builder
	server.Trace = &xmpp.Trace{Sent: func(part []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(part)
	}}
	c, s := connect(t, near, far, client, server)
	defer c.Abort()
	defer s.Abort()
	require.Equal(t, juliet, s.RemoteAddr().Bare())
	require.Equal(t, s.RemoteAddr(), c.LocalAddr())
	require.Nil(t, c.TLS())
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, seen.String(), "urn:ietf:params:xml:ns:xmpp-bind")
	require.NotContains(t, seen.String(), nsSASL)
}

// Who is known to be juliet is nobody else, and at her own domain only.
func TestProven_NobodyElse(t *testing.T) {
	mechanism := auth("PLAIN", b64("\x00nurse\x00"+password))
	for _, tt := range []struct{ name, header, more, want string }{
		{"another account", " from='nurse@im.example.com' to='im.example.com'", "", "invalid-from"},
		{"another domain", " to='other.example'", "", "not-authorized"},
		{"a mechanism", " to='im.example.com'", mechanism, "unsupported-stanza-type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := plainReceiving(t)
			cfg.Proven = juliet
			cfg.Hosts = func(jid.JID) bool { return true }
			p, done := negotiating(t, false, cfg)
			go func() {
				buf := make([]byte, 4096)
				for {
					if _, err := p.nc.Read(buf); err != nil {
						return
					}
				}
			}()
			p.send(xmlDecl + "<stream:stream" + tt.header + " version='1.0'" + namespaces + tt.more)
			got := <-done
			require.ErrorContains(t, got.err, tt.want)
			require.Nil(t, got.c)
		})
	}
}

func TestProven_Config(t *testing.T) {
	for _, proven := range []string{"im.example.com", "juliet@im.example.com/balcony", "juliet@other.example"} {
		cfg := plainInitiating()
		cfg.Proven = jid.MustParse(proven)
		_, err := Initiate(t.Context(), pipeEnd(t), cfg)
		require.ErrorContains(t, err, "Proven", proven)
	}
}

func pipeEnd(t *testing.T) net.Conn {
	a, b := net.Pipe()
	t.Cleanup(func() { _ = b.Close() })
	return a
}

// What is offered may depend on the account that a client says it is, over TLS and of the domain.
func TestC4_7_1_OfferForTheAccount(t *testing.T) {
	for _, tt := range []struct {
		from string
		want jid.JID
	}{
		{"", jid.JID{}},
		{"juliet@im.example.com/balcony", juliet},
		{"juliet@other.example", jid.JID{}},
		{"im.example.com", jid.JID{}},
	} {
		var mu sync.Mutex
		var asked []jid.JID
		of := authenticators(t, func(o *sasl.Options) { o.Mechanisms = []string{sasl.Plain} })
		cfg := receiving(t)
		cfg.InsecurePlaintext = true // so that it is asked before TLS, too
		cfg.Features[1] = ServerSASL{For: func(domain, account jid.JID) *sasl.Authenticator {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, account)
			return of(domain)
		}}
		p, done := negotiating(t, false, cfg)
		header := "<stream:stream to='im.example.com' version='1.0'"
		if tt.from != "" {
			header += " from='" + tt.from + "'"
		}
		p.send(xmlDecl + header + namespaces)
		p.expect(xmlDecl + "<stream:stream from='im.example.com'")
		p.skip("</stream:features>")
		p.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		p.expect("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		p.startTLS(true)
		p.send(header + namespaces)
		p.skip("<mechanism>PLAIN</mechanism></mechanisms>")
		p.skip("</stream:features>")
		mu.Lock()
		require.Equal(t, []jid.JID{{}, tt.want}, asked, "from %q", tt.from)
		mu.Unlock()
		_ = p.nc.Close()
		<-done
	}
}

// skip reads until a text has come.
func (p *peer) skip(until string) {
	p.t.Helper()
	for {
		if i := strings.Index(string(p.buf), until); i >= 0 {
			p.buf = p.buf[i+len(until):]
			return
		}
		chunk := make([]byte, 4096)
		n, err := p.nc.Read(chunk)
		p.buf = append(p.buf, chunk[:n]...)
		require.NoError(p.t, err, "the peer got %s", p.buf)
	}
}
