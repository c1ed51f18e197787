package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// defaultPort is that of streams from clients (RFC 6120 §14.7).
const defaultPort = 5222

// A target is where a server may be reached.
type target struct {
	host   string // a name without the final dot, or an IP address without brackets
	port   uint16
	direct bool // TLS from the first byte
	strict bool // no plain text, whatever the options say
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
	t := target{host: unbracketed(s), port: defaultPort, direct: direct}
	if _, err := netip.ParseAddr(t.host); err == nil && validHost(t.host) && isASCII(t.host) { // a zone may be anything
		return t, nil
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return target{}, errAddress
		}
		t.host, t.port = host, uint16(n)
	}
	if !validHost(t.host) {
		return target{}, errAddress
	}
	if !isASCII(t.host) { // else let the resolver judge: my_host
		var err error
		if t.host, err = dnsName(t.host); err != nil {
			return target{}, err
		}
	}
	return t, nil
}

// validHost reports whether a name can be looked up and be written to a log: it may have
// letters beyond ASCII, but nothing that controls, separates or cannot be seen.
func validHost(s string) bool {
	return s != "" && len(s) <= maxHost && utf8.ValidString(s) && !strings.ContainsAny(s, " /@[]") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// maxHost is longer than any name in the DNS (RFC 1035 §2.3.4), in whatever form.
const maxHost = 1024

// dnsName returns what the DNS and the dialer call a domain: its A-labels, or
// the IP address that it is.
func dnsName(domain string) (string, error) {
	if addr := unbracketed(domain); isIP(addr) {
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

// isIP reports whether s is an IP address. A zone belongs to this machine, and to no domain.
func isIP(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

// unbracketed returns s without the brackets that an IPv6 address has in URLs and JIDs.
func unbracketed(s string) string {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			return inner
		}
	}
	return s
}
