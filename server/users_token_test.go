package server_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A token of the program logs in, for the user that it names as long as that is still the one.
func TestRFC7628_ProgramsTokens(t *testing.T) {
	p := newParty(t)
	v := p.login("juliet", withToken("token-of-juliet"))
	require.NoError(t, v.err)
	require.Equal(t, sasl.OAuthBearer, v.mechanism)
	require.Equal(t, "juliet@example.org", v.LocalAddr().Bare().String())

	err := p.login("juliet", withToken("old-token")).err
	require.ErrorIs(t, err, client.ErrCredentials)
	refused, ok := errors.AsType[*sasl.TokenError](err)
	require.True(t, ok)
	require.Equal(t, sasl.TokenError{Status: "invalid_token", Scope: "chat"}, *refused)
	require.NotContains(t, err.Error(), "old-token")

	for name, token := range map[string]string{"romeo": "token-of-juliet", "juliet": "forged"} {
		require.ErrorIs(t, p.login(name, withToken(token)).err, client.ErrCredentials, "%s with %s", name, token)
	}
	p.table.change("juliet", func(u *server.User) { u.Disabled = true })
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, sasl.ErrAccountDisabled)
	require.ErrorIs(t, p.login("juliet", withPassword("juliet")).err, sasl.ErrAccountDisabled)
	require.ErrorIs(t, p.login("juliet", withPassword("guess")).err, sasl.ErrNotAuthorized)
	p.table.change("juliet", func(u *server.User) { u.Disabled, u.ID = false, "9" }) // another juliet
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, client.ErrCredentials)
	p.table.remove("juliet")
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, client.ErrCredentials)
}

// A client that aborts a refused exchange, and one that sends the dummy response, are told so (§3.2.3).
func TestRFC7628_3_2_3_DummyResponse(t *testing.T) {
	p := newParty(t)
	for answer, want := range map[string]string{
		"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>": "not-authorized",
		"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>":                  "aborted",
	} {
		s := p.script("example.org")
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" +
			base64.StdEncoding.EncodeToString([]byte("n,,\x01auth=Bearer forged\x01\x01")) + "</auth>")
		require.Contains(t, s.until("</challenge>"), base64.StdEncoding.EncodeToString([]byte(`{"status":"invalid_token"}`)))
		s.send(answer)
		require.Contains(t, s.until("</failure>"), want)
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" + // a better one, on the same stream
			base64.StdEncoding.EncodeToString([]byte("n,a=juliet@example.org,\x01auth=Bearer token-of-juliet\x01\x01")) + "</auth>")
		s.until("<success")
	}
}

// Who has a token acts as its user and nobody else.
func TestRFC7628_Authzid(t *testing.T) {
	p := newParty(t)
	for authzid, want := range map[string]string{
		"romeo@example.org": "invalid-authzid", "juliet@elsewhere.example": "invalid-authzid", "juliet@example.org/balcony": "invalid-authzid",
		"Juliet@Example.org": "success",
	} {
		s := p.script("example.org")
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" +
			base64.StdEncoding.EncodeToString([]byte("n,a="+authzid+",\x01host=example.org\x01port=5222\x01auth=Bearer token-of-juliet\x01\x01")) + "</auth>")
		require.Contains(t, s.until("/>"), want, authzid)
	}
}

// Neither a token nor a password is in any trace or log.
func TestSec_TokensInTraces(t *testing.T) {
	var mu sync.Mutex
	var seen strings.Builder
	see := func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(b)
	}
	p := newParty(t, func(o *server.Options) {
		o.Trace = func(net.Addr) *xmpp.Trace { return &xmpp.Trace{Sent: see, Received: see} }
	})
	v := p.login("juliet", func(o *client.Options) { withToken("token-of-juliet")(o); o.Keep = func(client.Known) {} })
	require.NoError(t, v.err)
	w := p.login("romeo", withPassword("romeo-is-wrong"))
	require.Error(t, w.err)
	p.Stop()
	mu.Lock()
	defer mu.Unlock()
	all := v.wire + w.wire + seen.String() + p.logged.String() + fmt.Sprintf("%v %+v %#v", p.table.users["juliet"], v, p.table.users)
	require.Contains(t, all, "OAUTHBEARER")
	for _, secret := range []string{"token-of-juliet", "romeo-is-wrong", p.table.users["juliet"].PasswordHash} {
		require.NotContains(t, all, secret)
		for shift := range 3 { // base64 of something that holds it
			encoded := base64.StdEncoding.EncodeToString([]byte("xyz"[:shift] + secret))
			require.NotContains(t, all, encoded[4:len(encoded)-4], "shifted by %d", shift)
		}
	}
}

// A ticket that was given out after a login by token binds to the channel like any other, and ends with the password, the user,
// or when the account is logged out.
func TestXEP0484_AfterOAuthBearer(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*party)
		good bool
	}{
		{"nothing happens", func(*party) {}, true},
		{"logged out", func(p *party) { require.NoError(p.t, p.LogOut(p.t.Context(), jid.MustParse("juliet@example.org"))) }, false},
		{"another password", func(p *party) {
			p.table.change("juliet", func(u *server.User) { u.PasswordHash = bcryptOf("new") })
		}, false},
		{"disabled", func(p *party) { p.table.change("juliet", func(u *server.User) { u.Disabled = true }) }, false},
		{"another user of that name", func(p *party) { p.table.change("juliet", func(u *server.User) { u.ID = "9" }) }, false},
		{"gone", func(p *party) { p.table.remove("juliet") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newParty(t)
			var known client.Known
			first := p.login("juliet", func(o *client.Options) {
				o.Token, o.Keep = "token-of-juliet", func(k client.Known) { known = k }
			})
			require.NoError(t, first.err)
			require.NotNil(t, known.Ticket)
			tt.end(p)
			second := p.login("juliet", func(o *client.Options) { o.Known = known })
			if !tt.good {
				require.Error(t, second.err)
				return
			}
			require.NoError(t, second.err)
			require.Equal(t, sasl.HTSHA256Expr, second.mechanism)
		})
	}
}

// A script is a client that does what a test says, over TLS from the first byte.
type script struct {
	t   *testing.T
	nc  net.Conn
	buf string
}

// script opens a stream.
func (p *party) script(domain string) *script {
	p.t.Helper()
	opts := p.Options(jid.MustParse(domain))
	nc, err := opts.Dialer.DialContext(p.t.Context(), "tcp", "")
	require.NoError(p.t, err)
	s := &script{t: p.t, nc: nc}
	p.t.Cleanup(func() { _ = s.nc.Close() })
	header := "<stream:stream to='" + domain + "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	s.send(header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	s.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	s.nc = stream.TLSClient(nc, opts.TLS, jid.MustParse(domain))
	s.send(header)
	s.until("</stream:features>")
	return s
}

func (s *script) send(xml string) {
	s.t.Helper()
	_, err := io.WriteString(s.nc, xml)
	require.NoError(s.t, err)
}

// until reads to the end of a text, and returns what came.
func (s *script) until(end string) string {
	s.t.Helper()
	chunk := make([]byte, 4096)
	for {
		if before, after, ok := strings.Cut(s.buf, end); ok {
			s.buf = after
			return before + end
		}
		n, err := s.nc.Read(chunk)
		s.buf += string(chunk[:n])
		require.NoError(s.t, err, "got %s", s.buf)
	}
}
