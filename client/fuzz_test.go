package client

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"unicode"
)

// Whatever an address is, it is refused or can be dialed, written to a log, and read again.
func FuzzTargets(f *testing.F) {
	for _, s := range []string{"example.org", "example.org:5223", "[2001:db8::1]:443", "2001:db8::1", "bücher.example:1", "my_host", "fe80::1%eth0", "::%縷", "a b", ":1", "a:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := parseTarget(s, false)
		if err != nil {
			return
		}
		if x.port == 0 || strings.ContainsFunc(x.String(), func(r rune) bool { return unicode.IsControl(r) || r > unicode.MaxASCII }) {
			t.Errorf("%q is %q", s, x)
		}
		if again, err := parseTarget(x.address(), false); err != nil || again != x {
			t.Errorf("%q is %q, and again %q, %v", s, x, again, err)
		}
	})
}

// Whatever a proxy answers, it is heard out, or not, in bounded memory; and nothing that it
// says is taken for XMPP.
func FuzzProxyAnswers(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n\r\n")
	f.Add("HTTP/1.0 407 No\r\n\r\n")
	f.Add("HTTP/1.1 200 OK\n\n<stream:stream")
	f.Fuzz(func(t *testing.T, answer string) {
		p := &httpProxy{address: "proxy.example:1080", forward: only{recited{in: strings.NewReader(answer)}}}
		nc, err := p.DialContext(context.Background(), "tcp", "example.org:5222")
		if err != nil {
			return
		}
		defer nc.Close()
		if rest, _ := io.ReadAll(nc); len(rest) > 0 || !strings.HasPrefix(strings.TrimLeft(answer, " \t\r\n"), "HTTP/1.") {
			t.Errorf("%q is a connection, with %q behind it", answer, rest)
		}
	})
}

// recited is a connection to who has something to say, whatever it hears.
type recited struct {
	net.Conn
	in io.Reader
}

func (r recited) Read(b []byte) (int, error)  { return r.in.Read(b) }
func (r recited) Write(b []byte) (int, error) { return len(b), nil }
func (r recited) Close() error                { return nil }

// only is a dialer with one connection.
type only struct{ nc net.Conn }

func (o only) DialContext(context.Context, string, string) (net.Conn, error) { return o.nc, nil }

// Whatever Options.Proxy is, its error says nothing of it.
func FuzzProxies(f *testing.F) {
	for _, s := range []string{"socks5://a:b@c:1", "http://c:1/", "http://%", "://", "socks5://\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := through(s, only{}); err != nil && err != errProxy || (d == nil) != (err != nil) {
			t.Errorf("%q: %v, %v", s, d, err)
		}
	})
}
