package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// defaultPort is that of streams from clients (RFC 6120 §14.7).
const defaultPort = 5222

// A target is where a server may be reached.
type target struct {
	host   string // a name without the final dot, or an IP address without brackets
	port   uint16
	direct bool // TLS from the first byte
}

// address returns the target as package net wants it.
func (t target) address() string {
	return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
}

// String returns the target for people.
func (t target) String() string {
	if t.direct {
		return t.address() + " (direct TLS)"
	}
	return t.address()
}

var errAddress = errors.New(`not of the form "host:port"`)

// parseTarget reads "host:port". The port may be absent, and so may the
// brackets of an IPv6 address then.
func parseTarget(s string, direct bool) (target, error) {
	t := target{host: strings.Trim(s, "[]"), port: defaultPort, direct: direct}
	if _, err := netip.ParseAddr(t.host); err == nil {
		return t, nil
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return target{}, errAddress
		}
		t.host, t.port = host, uint16(n)
	}
	if t.host == "" || strings.ContainsAny(t.host, " /@[]") {
		return target{}, errAddress
	}
	if strings.ContainsFunc(t.host, func(r rune) bool { return r >= 0x80 }) { // else let the resolver judge: my_host
		var err error
		if t.host, err = dnsName(t.host); err != nil {
			return target{}, err
		}
	}
	return t, nil
}

// dnsName returns what the DNS and the dialer call a domain: its A-labels, or
// the IP address that it is.
func dnsName(domain string) (string, error) {
	if addr := strings.Trim(domain, "[]"); isIP(addr) {
		return addr, nil
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err == nil && name == "" {
		err = errNoName
	}
	if err != nil {
		return "", fmt.Errorf("%.40q is no name for the DNS: %w", domain, err)
	}
	return name, nil
}

var errNoName = errors.New("it is empty")

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
