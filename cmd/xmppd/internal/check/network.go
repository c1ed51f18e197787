package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// ports looks whether doors can be opened, or are open already by the server that runs.
func (x *checker) ports() {
	var ours config.Listen
	if x.running != nil {
		l := x.running.Listening
		ours = config.Listen{C2S: l.C2S, C2STLS: l.C2STLS, Metrics: l.Metrics}
	}
	if len(x.Listen.C2S)+len(x.Listen.C2STLS) == 0 {
		x.bad("listen", `write c2s = [":5222"] below [listen]`, "clients cannot come at all")
	}
	for _, kind := range []struct {
		key   string
		want  []string
		there []string
	}{{"listen.c2s", x.Listen.C2S, ours.C2S}, {"listen.c2s_tls", x.Listen.C2STLS, ours.C2STLS}, {"listen.metrics", x.Listen.Metrics, ours.Metrics}} {
		for i, a := range kind.want {
			x.port(fmt.Sprintf("%s[%d] %s", kind.key, i, a), a, i < len(kind.there) && samePort(kind.there[i], a))
		}
	}
	if !x.everywhere() {
		x.local()
	}
}

// port looks at one address.
func (x *checker) port(subject, address string, ours bool) {
	if ours {
		x.ok(subject, "the server that runs has it")
		return
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		x.bad(subject, config.ListenRemedy(err), "%v", err)
		return
	}
	ln.Close()
	x.ok(subject, "it is free")
}

// samePort reports whether an address that is open is the one that was asked for; of port 0 any.
func samePort(open, asked string) bool {
	_, a, _ := net.SplitHostPort(open)
	_, b, _ := net.SplitHostPort(asked)
	return a == b || b == "0"
}

// everywhere reports whether clients of other machines can come.
func (x *checker) everywhere() bool {
	return slices.ContainsFunc(slices.Concat(x.Listen.C2S, x.Listen.C2STLS), func(a string) bool {
		host, _, _ := net.SplitHostPort(a)
		ip, err := netip.ParseAddr(host)
		return host != "localhost" && (err != nil || !ip.IsLoopback())
	})
}

// local tells who serves a domain of the world for one machine only.
func (x *checker) local() {
	for _, h := range x.Hosts {
		if !special(certs.Name(h.Domain)) {
			x.warn("listen", `write c2s = [":5222"] and c2s_tls = [":5223"] below [listen]`, "%s is served for this machine only", h.Domain)
			return
		}
	}
}

// special reports whether a name is none that the DNS of the world knows (RFC 2606, RFC 6761, RFC 6762, RFC 8375).
func special(name string) bool {
	if net.ParseIP(name) != nil || !strings.Contains(name, ".") {
		return true
	}
	for _, of := range []string{"localhost", "test", "example", "invalid", "local", "internal", "home.arpa", "example.com", "example.net", "example.org"} {
		if name == of || strings.HasSuffix(name, "."+of) {
			return true
		}
	}
	return false
}

// dns looks whether clients find the way (RFC 6120 §3.2, XEP-0368).
func (x *checker) dns(ctx context.Context, i int) {
	name := certs.Name(x.Hosts[i].Domain)
	subject := "DNS " + name
	if special(name) {
		x.ok(subject, "a name that the DNS is not asked for; tell clients the address")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found := x.srv(ctx, subject, "xmpp-client", name, x.Listen.C2S)
	found = x.srv(ctx, subject, "xmpps-client", name, x.Listen.C2STLS) || found
	if found {
		return
	}
	record := fmt.Sprintf("add the record _xmpp-client._tcp.%s. SRV 0 5 5222 and the name of the machine", name)
	all, err := x.resolver.LookupNetIP(ctx, "ip", name)
	switch {
	case err != nil:
		x.bad(subject, record, "clients do not find the server: %v", err)
	case !slices.ContainsFunc(x.Listen.C2S, func(a string) bool { return samePort(":5222", a) }):
		x.warn(subject, record, "there is no SRV record, and nothing listens on port 5222, where clients then try")
	default:
		x.ok(subject, "there is no SRV record; clients try %v, port 5222", all)
	}
}

// srv looks at the SRV records of a service, and reports whether there are any.
func (x *checker) srv(ctx context.Context, subject, service, name string, listen []string) bool {
	_, records, err := x.resolver.LookupSRV(ctx, service, "tcp", name+".")
	if e, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !e.IsNotFound) {
		x.warn(subject, "ask again", "the DNS could not be asked for _%s._tcp: %v", service, err)
		return false
	}
	for _, r := range records {
		at := fmt.Sprintf("_%s._tcp leads to %s port %d", service, r.Target, r.Port)
		addresses, err := x.resolver.LookupNetIP(ctx, "ip", r.Target)
		switch {
		case r.Target == ".":
			x.bad(subject, fmt.Sprintf("remove the record _%s._tcp.%s", service, name), "it says that there is no such service")
		case err != nil:
			x.bad(subject, "add an A or AAAA record for "+r.Target, "%s, which has no address: %v", at, err)
		case len(listen) == 0:
			x.warn(subject, "remove the record, or listen there", "%s, but nothing listens for it here", at)
		case !slices.ContainsFunc(listen, func(a string) bool { return samePort(net.JoinHostPort("", strconv.Itoa(int(r.Port))), a) }):
			x.warn(subject, "write the port into the record or into the file, unless something in between changes it", "%s, and xmppd listens on %s", at, strings.Join(listen, ", "))
		default:
			x.ok(subject, "%s, %v", at, addresses)
		}
	}
	return len(records) > 0
}
