package client_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
)

// exampleServer is what the examples of this package log in to.
type exampleServer struct {
	address string      // where it listens, on loopback
	tls     *tls.Config // trusts its certificate
	stop    func()
}

func startServer() *exampleServer {
	p := startPeer()
	addr, stop := listen(p.serve)
	return &exampleServer{
		address: addr,
		tls:     &tls.Config{RootCAs: p.ca.pool()},
		stop: func() {
			p.stop()
			stop()
		},
	}
}

// startSOCKS starts a SOCKS5 proxy (RFC 1928) through which every name leads to
// one address. It tells the name it was asked for.
func startSOCKS(to string) (addr string, names <-chan string, stop func()) {
	asked := make(chan string, 1)
	addr, stop = listen(func(nc net.Conn) {
		buf := make([]byte, 262)
		if _, err := io.ReadFull(nc, buf[:3]); err != nil { // version 5, one method: none
			return
		}
		_, _ = nc.Write([]byte{5, 0})
		if _, err := io.ReadFull(nc, buf[:5]); err != nil || buf[3] != 3 { // connect to a name
			return
		}
		n := int(buf[4])
		if _, err := io.ReadFull(nc, buf[:n+2]); err != nil {
			return
		}
		asked <- string(buf[:n])
		out, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer out.Close()
		_, _ = nc.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = io.Copy(out, nc)
			_ = out.(*net.TCPConn).CloseWrite()
		})
		_, _ = io.Copy(nc, out)
		_ = nc.(*net.TCPConn).CloseWrite()
		wg.Wait()
	})
	return addr, asked, stop
}
