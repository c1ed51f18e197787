package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// ping is the payload of XEP-0199.
type ping struct {
	XMLName struct{} `xml:"urn:xmpp:ping ping"`
}

func pingOf(to jid.JID) stanza.IQ {
	return stanza.IQ{To: to, Type: stanza.IQGet, Payload: stanza.Marshal(ping{})}
}

// A whole life, on both kinds of TLS, over a socket.
func TestDial(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct TLS %v", direct), func(t *testing.T) {
			p := newPeer(t, func(p *peer) { p.direct = direct })
			heard := make(chan string, 1)
			opts := p.options()
			opts.Dialer = to(p.listen(t))
			opts.Handler = xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
				m, err := st.Message()
				heard <- fmt.Sprintf("%s: %s to %s", m.From, m.Body, xmpp.SessionFrom(ctx).LocalAddr())
				return nil, err
			})
			c := p.dial(t, opts)
			require.Equal(t, juliet, c.LocalAddr())
			require.Equal(t, domain, c.RemoteAddr())
			require.NotNil(t, c.TLS())
			_, err := c.Query(t.Context(), pingOf(domain))
			require.NoError(t, err)
			_, err = c.Send(t.Context(), stanza.Message{To: jid.MustParse("romeo@example.net"), Body: stanza.Plain("O Romeo")})
			require.NoError(t, err)
			require.Equal(t, "romeo@example.net: O Romeo to juliet@example.org/balcony", <-heard)
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, c.Wait(t.Context()))
			require.NoError(t, c.Err())
		})
	}
}

// The server is told which domain is meant, and what is spoken where TLS comes
// first (XEP-0368 §3).
func TestXEP0368_3_SNIAndALPN(t *testing.T) {
	for _, tt := range []struct {
		account, name string
		direct        bool
		alpn          []string
	}{
		{account: "juliet@example.org", name: "example.org", direct: true, alpn: []string{"xmpp-client"}},
		{account: "juliet@example.org", name: "example.org"},
		{account: "juliet@bücher.example", name: "xn--bcher-kva.example", direct: true, alpn: []string{"xmpp-client"}},
	} {
		t.Run(fmt.Sprint(tt.account, tt.direct), func(t *testing.T) {
			account := jid.MustParse(tt.account)
			p := newPeer(t, func(p *peer) {
				p.domain, p.direct = account.Domain(), tt.direct
				p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(dnsNames(tt.name))}}
			})
			c, err := client.Dial(t.Context(), account, p.options())
			require.NoError(t, err)
			require.NoError(t, c.Close(t.Context()))
			hello := <-p.hellos
			require.Equal(t, tt.name, hello.ServerName)
			require.Equal(t, tt.alpn, hello.SupportedProtos)
		})
	}
}

// The resource is a wish.
func TestResource(t *testing.T) {
	given := jid.MustParse("juliet@example.org/given")
	p := newPeer(t)
	p.config.Features[2] = stream.Bind{Assign: func(_ context.Context, _ jid.JID, wanted string) (jid.JID, error) {
		if wanted != "balcony" {
			t.Errorf("the server was asked for the resource %q, want balcony", wanted)
		}
		return given, nil
	}}
	require.Equal(t, given, p.dial(t, p.options()).LocalAddr())
}

// Each failure says in one line which account, which server and why, and has its
// kind.
func TestDialFailures(t *testing.T) {
	const closed = "127.0.0.1:1" // nobody listens there, and nobody gets it by chance
	for _, tt := range []struct {
		name    string
		account string // juliet@example.org if empty
		peer    func(*peer)
		opts    func(*peer, *client.Options)
		is      []error
		text    string // a regular expression, behind "client: dial <account>: "
	}{
		{
			name: "wrong password",
			opts: func(_ *peer, o *client.Options) { o.Password = "wrong" },
			is:   []error{client.ErrCredentials, sasl.ErrNotAuthorized},
			text: `127.0.0.1:\d+: the credentials were not accepted: authentication failed: not-authorized.*`,
		}, {
			name: "unknown account", account: "nobody@example.org",
			is:   []error{client.ErrCredentials},
			text: `127.0.0.1:\d+: the credentials were not accepted: .*`,
		}, {
			name: "disabled account", account: "disabled@example.org",
			is:   []error{client.ErrCredentials, sasl.ErrAccountDisabled},
			text: `127.0.0.1:\d+: the credentials were not accepted: .*account-disabled.*`,
		}, {
			name: "wrong token",
			opts: func(_ *peer, o *client.Options) { o.Password, o.Token = "", "wrong" },
			is:   []error{client.ErrCredentials},
			text: `127.0.0.1:\d+: the credentials were not accepted: .*`,
		}, {
			name: "only PLAIN is offered",
			peer: func(p *peer) { p.sasl = sasl.Options{Mechanisms: []string{sasl.Plain}, AllowPlain: true} },
			is:   []error{client.ErrMechanism, sasl.ErrNoMechanism},
			text: `127.0.0.1:\d+: no way to log in that both sides allow: no usable mechanism: offered: PLAIN \(not allowed by policy\)`,
		}, {
			name: "refused",
			opts: func(_ *peer, o *client.Options) { o.Address = closed },
			is:   []error{client.ErrRefused, syscall.ECONNREFUSED},
			text: regexp.QuoteMeta(closed) + `: the connection was refused: dial tcp .*`,
		}, {
			name: "host that is not in the DNS",
			opts: func(_ *peer, o *client.Options) {
				o.Address, o.Dialer, o.Resolver = "", routes{}, records{starttls: []*net.SRV{{Target: "xmpp.example.org.", Port: 5222}}}
			},
			is:   []error{client.ErrHostNotFound},
			text: `xmpp.example.org:5222: no server for the domain: dial tcp: lookup xmpp.example.org: no such host`,
		}, {
			name: "domain that is not in the DNS",
			opts: func(_ *peer, o *client.Options) { o.Address, o.Dialer, o.Resolver = "", routes{}, records{} },
			is:   []error{client.ErrHostNotFound},
			text: `example.org:5222: no server for the domain: .*`,
		}, {
			name: "domain without XMPP",
			opts: func(_ *peer, o *client.Options) {
				o.Address, o.Resolver = "", records{starttls: []*net.SRV{{Target: "."}}}
			},
			is:   []error{client.ErrHostNotFound},
			text: `example.org: no server for the domain: the DNS says that it has none`,
		}, {
			name: "domain that is not served",
			peer: func(p *peer) {
				p.domain = jid.MustParse("example.com")
				p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(nil)}}
			},
			is:   []error{client.ErrHostNotFound, stream.HostUnknown},
			text: `127.0.0.1:\d+: no server for the domain: the peer reports host-unknown.*`,
		}, {
			name: "certificate of somebody else",
			peer: func(p *peer) {
				p.tls = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(dnsNames("example.com"))}}
			},
			is:   []error{client.ErrCertificate},
			text: `127.0.0.1:\d+: the certificate is not trusted: failed to verify certificate: x509: certificate is valid for example.com, not example.org`,
		}, {
			name: "unknown authority",
			opts: func(_ *peer, o *client.Options) { o.TLS = &tls.Config{RootCAs: newAuthority().pool()} },
			is:   []error{client.ErrCertificate},
			text: `127.0.0.1:\d+: the certificate is not trusted: failed to verify certificate: x509: certificate signed by unknown authority.*`,
		}, {
			name: "no address",
			opts: func(_ *peer, o *client.Options) { o.Address = "https://example.org/" },
			text: `Options.Address "https://example.org/": not of the form "host:port"`,
		}, {
			name: "no credentials",
			opts: func(_ *peer, o *client.Options) { o.Password = "" },
			text: `Options has no credentials`,
		}, {
			name: "no localpart", account: "example.org",
			text: `the account has no localpart, .*`,
		}, {
			name: "direct TLS where",
			opts: func(_ *peer, o *client.Options) { o.Address, o.DirectTLS = "", true },
			text: `Options has DirectTLS without an Address`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account := "juliet@example.org"
			if tt.account != "" {
				account = tt.account
			}
			p := newPeer(t, func(p *peer) {
				if tt.peer != nil {
					tt.peer(p)
				}
			})
			opts := p.options()
			opts.Address, opts.Dialer = p.listen(t), nil
			if tt.opts != nil {
				tt.opts(p, opts)
			}
			c, err := client.Dial(t.Context(), jid.MustParse(account), opts)
			if c != nil || err == nil {
				t.Fatalf("Dial = %v, %v; want an error", c, err)
			}
			for _, want := range tt.is {
				if !errors.Is(err, want) {
					t.Errorf("errors.Is(%v) is false", want)
				}
			}
			want := "^client: dial " + account + ": " + tt.text + "$"
			if !regexp.MustCompile(want).MatchString(err.Error()) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			t.Log(err)
		})
	}
}

// A zero account and no options at all are errors too.
func TestDialWithoutAnything(t *testing.T) {
	_, err := client.Dial(t.Context(), jid.JID{}, nil)
	require.EqualError(t, err, "client: dial: there is no account")
	_, err = client.Dial(t.Context(), juliet, nil)
	require.EqualError(t, err, "client: dial juliet@example.org: Options has no credentials")
}

// A server that says nothing costs no more than the timeout, in any phase.
func TestDialTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		option   time.Duration
		deadline time.Duration // of the context
		dialer   func(*testing.T) interface {
			DialContext(ctx context.Context, network, address string) (net.Conn, error)
		}
		direct bool
		took   time.Duration
	}{
		{name: "default", took: 30 * time.Second},
		{name: "direct TLS", direct: true, took: 30 * time.Second},
		{name: "option", option: time.Minute, took: time.Minute},
		{name: "context", deadline: 10 * time.Second, took: 10 * time.Second},
		{name: "context only", option: -1, deadline: time.Hour, took: time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				begin := time.Now()
				_, err := client.Dial(ctx, juliet, &client.Options{
					Password: password, Address: "xmpp.example.org:5222", DirectTLS: tt.direct,
					Dialer: silent{}, ConnectTimeout: tt.option, Logger: quiet,
				})
				if took := time.Since(begin); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if !errors.Is(err, client.ErrTimeout) || tt.deadline > 0 && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want %v", err, client.ErrTimeout)
				}
				if want := "client: dial juliet@example.org: xmpp.example.org:5222"; !strings.HasPrefix(err.Error(), want) {
					t.Errorf("got %v, want %s…", err, want)
				}
				t.Log(err)
			})
		})
	}
}

// Cancelling dialing ends it at once; after it, its context does not matter.
func TestDialContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		_, err := client.Dial(ctx, juliet, &client.Options{Password: password, Address: "xmpp.example.org:5222", Dialer: silent{}, Logger: quiet})
		if took := time.Since(begin); took != time.Second || !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrTimeout) {
			t.Errorf("got %v after %v, want %v after 1 s", err, took, context.Canceled)
		}

		p := newPeer(t)
		ctx, cancel = context.WithCancel(t.Context())
		c, err := client.Dial(ctx, juliet, p.options())
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		if _, err := c.Query(t.Context(), pingOf(domain)); err != nil {
			t.Errorf("a query after the context of Dial has ended: %v", err)
		}
		require.NoError(t, c.Close(t.Context()))
	})
}
