package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
)

// A proxied is a dialer at whose other end is a proxy.
type proxied struct {
	address string // of the proxy; nothing else can be reached
	serve   func(nc net.Conn) error
	wg      sync.WaitGroup
}

func (p *proxied) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	if address != p.address {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connect: no route to " + address)}
	}
	ours, theirs := bufpipe.New()
	p.wg.Go(func() {
		defer theirs.Close()
		_ = p.serve(theirs)
	})
	return ours, nil
}

// relay copies in both directions until one side ends.
func relay(a net.Conn, fromA io.Reader, b net.Conn) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(b, fromA)
		_ = b.Close()
	})
	_, err := io.Copy(a, b)
	_ = a.Close()
	wg.Wait()
	return err
}

// socks5 is a proxy of RFC 1928, with a password (RFC 1929) unless login is empty.
func socks5(login string, routes routes) func(nc net.Conn) error {
	return func(nc net.Conn) error {
		r := bufio.NewReader(nc)
		read := func(n int) []byte {
			b := make([]byte, n)
			_, _ = io.ReadFull(r, b)
			return b
		}
		methods := read(int(read(2)[1]))
		if login == "" {
			_, _ = nc.Write([]byte{5, 0})
		} else {
			if bytes.IndexByte(methods, 2) < 0 {
				_, err := nc.Write([]byte{5, 0xff})
				return err
			}
			_, _ = nc.Write([]byte{5, 2})
			user := string(read(int(read(2)[1])))
			if user+":"+string(read(int(read(1)[0]))) != login {
				_, err := nc.Write([]byte{1, 1})
				return err
			}
			_, _ = nc.Write([]byte{1, 0})
		}
		if head := read(4); head[3] != 3 {
			_, err := nc.Write([]byte{5, 8, 0, 1, 0, 0, 0, 0, 0, 0}) // names only
			return err
		}
		host := string(read(int(read(1)[0])))
		port := read(2)
		to, err := routes.DialContext(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1]))))
		if err != nil {
			_, err := nc.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
			return err
		}
		_, _ = nc.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		return relay(nc, r, to)
	}
}

// connect is a proxy with the method CONNECT.
func connect(login string, routes routes) func(nc net.Conn) error {
	return func(nc net.Conn) error {
		r := bufio.NewReader(nc)
		request, err := http.ReadRequest(r)
		if err != nil {
			return err
		}
		credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(login))
		switch {
		case request.Method != http.MethodConnect || request.Host != request.RequestURI:
			_, err = io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n")
			return err
		case login != "" && request.Header.Get("Proxy-Authorization") != credentials:
			_, err = io.WriteString(nc, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nNo.")
			return err
		}
		to, err := routes.DialContext(context.Background(), "tcp", request.Host)
		if err != nil {
			_, err = io.WriteString(nc, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
			return err
		}
		_, _ = io.WriteString(nc, "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n")
		return relay(nc, r, to)
	}
}

// says is a proxy that says one thing, whatever it is asked.
func says(text string) func(nc net.Conn) error {
	return func(nc net.Conn) error {
		_, _ = nc.Read(make([]byte, 4096))
		_, err := io.WriteString(nc, text)
		if text == "" {
			_, err = io.Copy(io.Discard, nc)
		}
		return err
	}
}

// endless is a proxy that goes on as long as somebody listens, which must not be long.
func endless(t *testing.T) func(nc net.Conn) error {
	return func(nc net.Conn) error {
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\n")
		for range 1000 {
			if _, err := io.WriteString(nc, strings.Repeat("A: b\r\n", 1000)); err != nil {
				return err
			}
		}
		t.Error("somebody listens to megabytes")
		return nil
	}
}

// Connections go through a proxy, which resolves the names, and it can do no more than
// anybody else on the way: the certificate has to be that of the domain. No error, log or trace
// has its password.
func TestSec_Proxy(t *testing.T) {
	const secret, escaped, login = "s3:cr@t/", "s3%3Acr%40t%2F", "juliet:s3:cr@t/"
	for _, tt := range []struct {
		name  string
		proxy string
		serve func(routes) func(net.Conn) error
		is    error
		text  string // of the error; empty: there is none
	}{
		{name: "SOCKS", proxy: "socks5://proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return socks5("", r) }},
		{name: "SOCKS with a password", proxy: "socks5://juliet:" + escaped + "@proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return socks5(login, r) }},
		{name: "SOCKS with another password", proxy: "socks5://juliet:" + escaped + "x@proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return socks5(login, r) }, text: "authentication failed"},
		{name: "SOCKS without the password", proxy: "socks5://proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return socks5(login, r) }, text: "no acceptable authentication methods"},
		{name: "SOCKS to nowhere", proxy: "socks5://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return socks5(login, routes{}) }, text: "host unreachable"},
		{name: "SOCKS that is none", proxy: "socks5://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("HTTP/1.1 400 Bad Request\r\n\r\n") }, text: "unexpected protocol version"},
		{name: "SOCKS that is silent", proxy: "socks5://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("") }, is: client.ErrTimeout, text: "timed out"},
		{name: "SOCKS that cannot be reached", proxy: "socks5://juliet:" + escaped + "@elsewhere.example:1080",
			serve: func(routes) func(net.Conn) error { return says("") }, text: "no route"},

		{name: "HTTP", proxy: "http://proxy.example:1080/",
			serve: func(r routes) func(net.Conn) error { return connect("", r) }},
		{name: "HTTP with a password", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return connect(login, r) }},
		{name: "HTTP with another password", proxy: "http://juliet:" + escaped + "x@proxy.example:1080",
			serve: func(r routes) func(net.Conn) error { return connect(login, r) }, text: `proxy proxy.example:1080: it answers "407 Proxy Auth`},
		{name: "HTTP to nowhere", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return connect(login, routes{}) }, text: `it answers "502 Bad Gateway"`},
		{name: "HTTP that is none", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("SSH-2.0-OpenSSH\r\n\r\n") }, text: "it does not speak HTTP"},
		{name: "HTTP that is cut", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("HTTP/1.1 200 OK\r\n") }, is: io.ErrUnexpectedEOF, text: "unexpected EOF"},
		{name: "HTTP without an end", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return endless(t) }, text: "proxy proxy.example:1080: "},
		{name: "HTTP that goes on", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("HTTP/1.1 200 OK\r\n\r\n<stream:stream") }, text: "it goes on after its answer"},
		{name: "HTTP that is silent", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("") }, is: client.ErrTimeout, text: "timed out"},
		{name: "HTTP that writes into the log", proxy: "http://juliet:" + escaped + "@proxy.example:1080",
			serve: func(routes) func(net.Conn) error { return says("HTTP/1.1 500 \x1b[2J\r\n\r\n") }, text: `it answers "500 \x1b[2J"`},
		{name: "HTTP that leads to somebody else", proxy: "http://proxy.example:1080",
			serve: func(r routes) func(net.Conn) error {
				return connect("", routes{"xmpp.example.net:5222": r["other:1"]})
			}, is: client.ErrCertificate, text: "not trusted"},

		{name: "another kind", proxy: "https://juliet:" + escaped + "@proxy.example:1080", text: "Options.Proxy is not"},
		{name: "no port", proxy: "http://juliet:" + escaped + "@proxy.example", text: "Options.Proxy is not"},
		{name: "port 0", proxy: "http://juliet:" + escaped + "@proxy.example:0", text: "Options.Proxy is not"},
		{name: "no host", proxy: "http://juliet:" + escaped + "@:1080", text: "Options.Proxy is not"},
		{name: "a path", proxy: "http://juliet:" + escaped + "@proxy.example:1080/a", text: "Options.Proxy is not"},
		{name: "no URL", proxy: "socks5://juliet:" + secret + "\x00@proxy.example:1080", text: "Options.Proxy is not"},
		{name: "no kind", proxy: "juliet:" + escaped + "@proxy.example:1080", text: "Options.Proxy is not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				other := newPeer(t, func(o *peer) { o.ca = p.ca }, certifiedFor("proxy.example", "xmpp.example.net"))
				var seen bytes.Buffer
				way := &proxied{address: "proxy.example:1080"}
				if tt.serve != nil {
					way.serve = tt.serve(routes{"xmpp.example.net:5222": p, "other:1": other})
				}
				opts := p.options()
				opts.Proxy, opts.Dialer, opts.Resolver = tt.proxy, way, nil
				opts.Logger = slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
				opts.Trace = &xmpp.Trace{Event: func(name, detail string) { seen.WriteString(name + " " + detail + "\n") }}
				c, err := client.Dial(t.Context(), juliet, opts)
				if c != nil {
					require.NoError(t, c.Close(t.Context()))
					require.NoError(t, c.Wait(t.Context()))
				}
				way.wg.Wait()
				switch {
				case (err == nil) != (tt.text == "") || tt.is != nil && !errors.Is(err, tt.is):
					t.Errorf("Dial = %v; want %q", err, tt.text)
				case err == nil:
				case !strings.Contains(err.Error(), tt.text):
					t.Errorf("Dial = %v; want %q", err, tt.text)
				}
				if err != nil {
					seen.WriteString(err.Error())
				}
				for _, s := range []string{secret, escaped, "s3", base64.StdEncoding.EncodeToString([]byte(login))} {
					if strings.Contains(seen.String(), s) {
						t.Errorf("%q can be seen: %s", s, seen.String())
					}
				}
			})
		})
	}
}

// unasked is a resolver that must not be asked for addresses.
type unasked struct {
	records
	t *testing.T
}

func (u unasked) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	u.t.Errorf("the resolver was asked for the addresses of %s", host)
	return nil, nil
}

// A proxy finds the servers that the DNS names, and not their addresses, even if
// the resolver knows them.
func TestProxyResolvesNames(t *testing.T) {
	p := newPeer(t)
	way := &proxied{address: "[::1]:1080", serve: socks5("", routes{"xmpp.example.org:5223": p})}
	opts := p.options()
	opts.Address, opts.Dialer, opts.Proxy = "", way, "socks5://[::1]:1080"
	opts.Resolver = unasked{records{starttls: []*net.SRV{{Target: "xmpp.example.org.", Port: 5223}}}, t}
	c, err := client.Dial(t.Context(), juliet, opts)
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, c.Wait(t.Context()))
	way.wg.Wait()
}
