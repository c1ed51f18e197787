package client

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// A dialer is what [Options.Dialer] is.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// errProxy quotes nothing: there may be a password in it.
var errProxy = errors.New(`Options.Proxy is not of the form "socks5://user:password@host:port" or "http://user:password@host:port"`)

// through returns a dialer whose connections go through the proxy. That itself is reached
// with forward.
func through(address string, forward dialer) (dialer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errProxy
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 || !validHost(u.Hostname()) {
		return nil, errProxy
	}
	address = net.JoinHostPort(u.Hostname(), u.Port())
	password, _ := u.User.Password()
	switch u.Scheme {
	case "socks5":
		var auth *proxy.Auth
		if u.User != nil {
			auth = &proxy.Auth{User: u.User.Username(), Password: password}
		}
		d, err := proxy.SOCKS5("tcp", address, auth, contextual{forward})
		if err != nil {
			return nil, errProxy
		}
		if d, ok := d.(dialer); ok {
			return d, nil
		}
	case "http":
		p := &httpProxy{address: address, forward: forward}
		if u.User != nil {
			p.credentials = base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		}
		return p, nil
	}
	return nil, errProxy
}

// contextual is a dialer as package proxy takes one.
type contextual struct{ dialer }

// Dial is never called: the dialer has DialContext.
func (d contextual) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// An httpProxy connects by the method CONNECT (RFC 9110 §9.3.6).
type httpProxy struct {
	address     string
	credentials string // of Basic authentication (RFC 7617); empty: there are none
	forward     dialer
}

// maxAnswer bounds what a proxy may say before the connection is there.
const maxAnswer = 16 << 10

// DialContext has the proxy connect to the address, and resolve the name in it.
func (p *httpProxy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := p.forward.DialContext(ctx, network, p.address)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", p.address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	err = p.connect(nc, address)
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("proxy %s: %w", p.address, err)
	}
	return nc, nil
}

// connect asks for the connection and reads the answer. Behind it nothing may come yet:
// XMPP and TLS begin with us.
func (p *httpProxy) connect(nc net.Conn, address string) error {
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if p.credentials != "" {
		request += "Proxy-Authorization: Basic " + p.credentials + "\r\n"
	}
	if _, err := io.WriteString(nc, request+"\r\n"); err != nil {
		return err
	}
	buffered := bufio.NewReader(io.LimitReader(nc, maxAnswer))
	r := textproto.NewReader(buffered)
	line, err := r.ReadLine()
	if err == nil {
		_, err = r.ReadMIMEHeader()
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	version, status, _ := strings.Cut(line, " ")
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(version, "HTTP/1."):
		return errors.New("it does not speak HTTP")
	case !strings.HasPrefix(status, "2"):
		return fmt.Errorf("it answers %.60q", status)
	case buffered.Buffered() > 0:
		return errors.New("it goes on after its answer")
	}
	return nil
}
