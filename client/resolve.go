package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// The SRV services of clients.
const (
	serviceTLS      = "xmpps-client" // TLS from the first byte (XEP-0368)
	serviceStartTLS = "xmpp-client"  // RFC 6120 §3.2.1
)

// An addressResolver is what a Resolver may be as well. The network is "ip6" or "ip4".
type addressResolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// namesLeft is the resolver for a dialer that is not ours: it leaves names to it.
type namesLeft struct{ srv *net.Resolver }

func (r namesLeft) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	return r.srv.LookupSRV(ctx, service, proto, name)
}

// maxTargets bounds how many servers of one name are tried.
const maxTargets = 16

// targets returns the servers to try for the account, in order, those of one priority
// together; at least one unless there is an error.
func (d *dialing) targets(ctx context.Context) ([][]target, error) {
	if a := d.opts.Address; a != "" { // RFC 6120 §3.2.3
		t, err := parseTarget(a, d.opts.DirectTLS)
		if err != nil {
			return nil, fmt.Errorf("Options.Address %.60q: %w", a, err)
		}
		return [][]target{{t}}, nil
	}
	return d.find(ctx, d.domain)
}

// find returns the servers for a name, as targets does.
func (d *dialing) find(ctx context.Context, name string) ([][]target, error) {
	fallback := [][]target{{{host: name, port: defaultPort}}} // RFC 6120 §3.2.2
	if isIP(name) || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return fallback, nil // not in the DNS (RFC 6761 §6.3)
	}
	d.event("resolve", name)
	var direct, starttls answer
	var wg sync.WaitGroup
	wg.Go(func() { direct = d.lookup(ctx, serviceTLS, name) })
	wg.Go(func() { starttls = d.lookup(ctx, serviceStartTLS, name) })
	wg.Wait()
	records := slices.Concat(direct.records, starttls.records)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", name, classify(ctx, context.Cause(ctx)))
	case len(records) > 0:
		return order(records, random), nil
	case direct.none || starttls.none:
		// The domain knows of SRV records and has no server: going on to its
		// A and AAAA records would be wrong (RFC 2782, XEP-0368 §3).
		return nil, fmt.Errorf("%s: %w", name, &kindError{ErrHostNotFound, errNoService})
	}
	return fallback, nil
}

var errNoService = errors.New("the DNS says that it has none")

// An answer is what the DNS says about one service.
type answer struct {
	records []record
	none    bool // the service is decidedly not available (RFC 2782)
}

// A record is one SRV record.
type record struct {
	target
	priority, weight uint16
}

// lookup asks for the records of a service. A failure counts as no answer:
// RFC 6120 §3.2.1 wants the fallback tried then as well, and whoever answers there has to
// have the domain's certificate.
func (d *dialing) lookup(ctx context.Context, service, name string) (a answer) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	_, found, err := d.opts.Resolver.LookupSRV(ctx, service, "tcp", name+".")
	if err != nil && !isNotFound(err) {
		d.opts.Logger.Debug("an SRV lookup failed", "peer", name, "err", oneLine(err.Error()))
	}
	for _, srv := range found { // some may have come in spite of an error
		host := strings.TrimSuffix(srv.Target, ".")
		if host == "" {
			a.none = true
			continue
		}
		if srv.Port == 0 || !validHost(host) {
			continue
		}
		a.records = append(a.records, record{
			target:   target{host: host, port: srv.Port, direct: service == serviceTLS},
			priority: srv.Priority,
			weight:   srv.Weight,
		})
	}
	return a
}

// order returns the targets in the order in which to try them: by priority, and
// within one at random, in proportion to the weights (RFC 2782). The random
// function returns a number from 0 to max.
func order(records []record, random func(max int) int) (groups [][]target) {
	rest := slices.Clone(records)
	slices.SortStableFunc(rest, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(min(a.weight, 1), min(b.weight, 1)))
	})
	rest = rest[:min(len(rest), maxTargets)]
	for len(rest) > 0 {
		end := 0
		for end < len(rest) && rest[end].priority == rest[0].priority {
			end++
		}
		groups = append(groups, shuffle(rest[:end:end], random))
		rest = rest[end:]
	}
	return groups
}

// shuffle orders the records of one priority, of which those without weight come first.
func shuffle(rest []record, random func(max int) int) []target {
	targets := make([]target, 0, len(rest))
	for len(rest) > 0 {
		sum := 0
		for _, r := range rest {
			sum += int(r.weight)
		}
		at, chosen := random(sum), 0
		for running := int(rest[0].weight); running < at; running += int(rest[chosen].weight) {
			chosen++
		}
		targets = append(targets, rest[chosen].target)
		rest = slices.Delete(rest, chosen, chosen+1)
	}
	return targets
}

// random returns a random number from 0 to max.
func random(max int) int {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(max)+1))
	if err != nil {
		return 0 // never: crypto/rand does not fail
	}
	return int(n.Int64())
}
