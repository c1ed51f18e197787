//go:build unix

package interop

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy is the way of somebody's client to a server, which can be lost.
type proxy struct {
	address string // host:port, where the client connects

	mu      sync.Mutex // guards the fields below
	links   []*link
	running sync.WaitGroup
}

// A link is a connection by way of a proxy.
type link struct {
	client, server net.Conn

	mu   sync.Mutex // guards lost
	lost bool       // what the server says goes nowhere
}

// startProxy starts a proxy to a server. It ends with the test.
func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{address: ln.Addr().String()}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			p.carry(&link{client: client, server: server})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		accepting.Wait()
		p.cut()
		p.running.Wait()
	})
	return p
}

func (p *proxy) carry(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = append(p.links, l)
	p.running.Go(func() {
		_, _ = io.Copy(l.server, l.client)
		l.close()
	})
	p.running.Go(func() {
		_, _ = io.Copy(l, l.server)
		l.close()
	})
}

// Write implements [io.Writer]: it is what the server says.
func (l *link) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return len(b), nil
	}
	return l.client.Write(b)
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// hush loses whatever the server says from now on the connections that there are, which neither side notices.
func (p *proxy) hush() {
	p.each(func(l *link) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lost = true
	})
}

// cut cuts the connections that there are.
func (p *proxy) cut() { p.each((*link).close) }

func (p *proxy) each(f func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		f(l)
	}
}
