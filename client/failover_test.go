package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stream"
)

// refused is a dialer to where nobody listens.
type refused struct{}

func (refused) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: no route to host")}
}

// garbage is a dialer to what is no XMPP server.
type garbage struct{}

func (garbage) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	go func() {
		defer theirs.Close()
		_, _ = theirs.Read(make([]byte, 4096))
		_, _ = io.WriteString(theirs, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = io.Copy(io.Discard, theirs)
	}()
	return ours, nil
}

// counted is a dialer that counts.
type counted struct {
	*peer
	n atomic.Int32
}

func (c *counted) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c.n.Add(1)
	return c.peer.DialContext(ctx, network, address)
}

// srv makes records with the priorities 0, 1, 2 …
func srv(hosts ...string) (list []*net.SRV) {
	for i, host := range hosts {
		list = append(list, &net.SRV{Target: host + ".", Port: 5222, Priority: uint16(i)})
	}
	return list
}

// When a server fails the next one is tried, whatever was wrong, in the order of
// the priorities; RFC 6120 §3.2.1.
func TestC3_2_1_NextTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newPeer(t), newPeer(t, certifiedFor("example.com"))
		hostless := newPeer(t, func(p *peer) { p.domain = bad.domain; p.config.Hosts = func(jid.JID) bool { return false } })
		var events []string
		var log bytes.Buffer
		opts := good.options()
		opts.Address = ""
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		opts.Trace = &xmpp.Trace{Event: func(name, detail string) {
			if name == "connect" || name == "resolve" {
				events = append(events, name+" "+detail)
			}
		}}
		opts.Resolver = records{starttls: srv("unknown", "refused", "silent", "garbage", "untrusted", "hostless", "good", "unused")}
		opts.Dialer = routes{
			"refused:5222": refused{}, "silent:5222": silent{}, "garbage:5222": garbage{}, "untrusted:5222": bad,
			"hostless:5222": hostless, "good:5222": good, "unused:5222": refused{},
		}
		begin := time.Now()
		good.dial(t, opts)
		if took := time.Since(begin); took < 30*time.Second || took > 40*time.Second {
			t.Errorf("it took %v, want the 30 s of the silent server", took)
		}
		want := "resolve example.org; connect unknown:5222; connect refused:5222; connect silent:5222; connect garbage:5222; " +
			"connect untrusted:5222; connect hostless:5222; connect good:5222"
		if got := strings.Join(events, "; "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "untrusted:5222: the certificate is not trusted") {
			t.Errorf("the log does not say in one line what failed: %s", log.String())
		}
	})
}

// When none works the error tells of each, on one line, and is of every kind.
func TestAllTargetsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := newPeer(t, certifiedFor("example.com"))
		opts := bad.options()
		opts.Address = ""
		opts.Resolver = records{starttls: srv("unknown", "silent"), direct: []*net.SRV{{Target: "untrusted.", Port: 443, Priority: 9}}}
		opts.Dialer = routes{"silent:5222": silent{}, "untrusted:443": directly{bad}}
		_, err := client.Dial(t.Context(), juliet, opts)
		for _, kind := range []error{client.ErrHostNotFound, client.ErrTimeout, client.ErrCertificate} {
			if !errors.Is(err, kind) {
				t.Errorf("errors.Is(%v) is false", kind)
			}
		}
		want := `^client: dial juliet@example\.org: unknown:5222: no server for the domain: [^;]*; silent:5222: timed out: [^;]*; ` +
			`untrusted:443 \(direct TLS\): the certificate is not trusted: [^;]*$`
		if !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// directly is a dialer to a peer by direct TLS.
type directly struct{ *peer }

func (d directly) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	d.wg.Go(func() {
		conn, err := stream.Accept(d.ctx, stream.TLSServer(theirs, d.tls), &d.config)
		if err == nil {
			conn.Abort()
			_, _ = conn.Next()
		}
	})
	return ours, nil
}

// A server that refuses the account is the last: the next would only count as
// another attempt.
func TestNoNextTargetAfterAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &counted{peer: newPeer(t)}
		opts := p.options()
		opts.Address, opts.Password, opts.Dialer = "", "wrong", p
		opts.Resolver = records{starttls: srv("a", "b", "c")}
		_, err := client.Dial(t.Context(), juliet, opts)
		if n := p.n.Load(); n != 1 || !errors.Is(err, client.ErrCredentials) {
			t.Errorf("%d servers were tried: %v; want 1, %v", n, err, client.ErrCredentials)
		}
	})
}

// elsewhere is a dialer to a server that sends clients to another host.
type elsewhere string

func (host elsewhere) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, theirs := bufpipe.New()
	go func() {
		defer theirs.Close()
		_, _ = theirs.Read(make([]byte, 4096))
		_, _ = fmt.Fprintf(theirs, "%s<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</see-other-host>"+
			"</stream:error></stream:stream>", header, string(host))
		_, _ = io.Copy(io.Discard, theirs)
	}()
	return ours, nil
}

// A server may send its clients elsewhere, a few times; the certificate there
// has to be that of the same domain (RFC 6120 §4.9.3.19).
func TestClientS23_SeeOtherHost(t *testing.T) {
	good := newPeer(t)
	bad := newPeer(t, func(p *peer) { p.ca = good.ca }, certifiedFor("other.example.org"))
	for _, tt := range []struct {
		name   string
		routes routes
		want   string // the servers that were tried
		is     error
	}{
		{"with a port", routes{"first:5222": elsewhere("other.example.org:9222"), "other.example.org:9222": good},
			"first:5222, other.example.org:9222", nil},
		{"IPv6", routes{"first:5222": elsewhere("\n  [2001:db8::1]:9222\n"), "[2001:db8::1]:9222": good},
			"first:5222, [2001:db8::1]:9222", nil},
		{"without a port", routes{"first:5222": elsewhere("other.example.org"), "other.example.org:5222": good},
			"first:5222, other.example.org:5222", nil},
		{"three times", routes{"first:5222": elsewhere("a:1"), "a:1": elsewhere("b:2"), "b:2": elsewhere("c:3"), "c:3": good},
			"first:5222, a:1, b:2, c:3", nil},
		{"in a circle", routes{"first:5222": elsewhere("first:5222")},
			"first:5222, first:5222, first:5222, first:5222", stream.SeeOtherHost},
		{"to another domain", routes{"first:5222": elsewhere("other.example.org:1"), "other.example.org:1": bad},
			"first:5222, other.example.org:1", client.ErrCertificate},
		{"to nowhere", routes{"first:5222": elsewhere("a b/c"), "second:5222": refused{}}, "first:5222", stream.SeeOtherHost},
		{"to nothing", routes{"first:5222": elsewhere("")}, "first:5222", stream.SeeOtherHost},
		{"to port 0", routes{"first:5222": elsewhere("a:0")}, "first:5222", stream.SeeOtherHost},
		{"to two lines", routes{"first:5222": elsewhere("a\nlevel=ERROR:1")}, "first:5222", stream.SeeOtherHost},
		{"to a link of two lines", routes{"first:5222": elsewhere("fe80::1%a\nb")}, "first:5222", stream.SeeOtherHost},
		{"to what turns round", routes{"first:5222": elsewhere("a\u202eb:1")}, "first:5222", stream.SeeOtherHost},
		{"to no port", routes{"first:5222": elsewhere("a:b")}, "first:5222", stream.SeeOtherHost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tried []string
			opts := good.options()
			opts.Address, opts.Dialer, opts.Resolver = "first:5222", tt.routes, records{}
			opts.Trace = &xmpp.Trace{Event: func(name, detail string) {
				if name == "connect" {
					tried = append(tried, detail)
				}
			}}
			c, err := client.Dial(t.Context(), juliet, opts)
			if !errors.Is(err, tt.is) {
				t.Errorf("Dial = %v, want %v", err, tt.is)
			}
			if got := strings.Join(tried, ", "); got != tt.want {
				t.Errorf("tried %s, want %s", got, tt.want)
			}
			if c != nil {
				require.NoError(t, c.Close(t.Context()))
				require.NoError(t, c.Wait(t.Context()))
			}
		})
	}
}

// Where TLS could be given up, it still is not by going where somebody sends us.
func TestClientS23_SeeOtherHostIsSecure(t *testing.T) {
	p := newPeer(t)
	p.config.Features = p.config.Features[1:] // no STARTTLS
	p.config.InsecurePlaintext = true
	for _, host := range []string{"other.example.org:5222", "example.org"} {
		opts := p.options()
		opts.Address, opts.Resolver = "first:5222", records{starttls: srv("other.example.org")}
		opts.Dialer = routes{"first:5222": elsewhere(host), "other.example.org:5222": p}
		opts.InsecurePlaintext = true
		if _, err := client.Dial(t.Context(), juliet, opts); !errors.Is(err, client.ErrNoTLS) || len(p.sessions) > 0 {
			t.Errorf("by way of %s: Dial = %v, want %v", host, err, client.ErrNoTLS)
		}
	}
}

// Whatever the DNS, its answers to look-ups of addresses, or a server says, only the domain's
// certificate counts, and the domain is what the server is told.
func TestClientS8_WhateverTheDNSSays(t *testing.T) {
	at := &net.SRV{Target: "xmpp.example.net.", Port: 5222}
	for _, names := range [][]string{{"example.org"}, {"xmpp.example.net"}, {"xmpp.example.net", "192.0.2.1"}} {
		for _, direct := range []bool{false, true} {
			p := newPeer(t, certifiedFor(names...), func(p *peer) { p.direct = direct })
			dns := resolved{records{starttls: []*net.SRV{at}}}
			if direct {
				dns = resolved{records{direct: []*net.SRV{at}}}
			}
			opts := p.options()
			opts.Address, opts.DirectTLS, opts.Resolver = "", false, dns
			opts.Dialer = routes{"192.0.2.1:5222": p}
			c, err := client.Dial(t.Context(), juliet, opts)
			if good := names[0] == "example.org"; good != (err == nil) || !good && !errors.Is(err, client.ErrCertificate) {
				t.Errorf("a certificate for %s, direct %v: Dial = %v", names, direct, err)
			}
			if hello := <-p.hellos; hello.ServerName != "example.org" {
				t.Errorf("the server is told %s, want example.org", hello.ServerName)
			}
			if c != nil {
				require.NoError(t, c.Close(t.Context()))
				require.NoError(t, c.Wait(t.Context()))
			}
		}
	}
}

// resolved is a resolver that knows one address.
type resolved struct{ records }

func (resolved) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return nil, nil
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
}
