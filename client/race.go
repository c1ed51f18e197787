package client

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// attemptDelay is between the starts of two attempts (RFC 8305 §5).
	attemptDelay = 250 * time.Millisecond
	// resolutionDelay is how long the answers that are preferred may come after others (§3).
	resolutionDelay = 50 * time.Millisecond
	// maxAddresses bounds those of one name and one family.
	maxAddresses = 8
)

// A race connects to one of several targets of the same priority: whoever accepts
// first wins (RFC 8305, XEP-0495). All names are looked up at once, and attempts start one after
// another without waiting for the end of the one before, IPv6 and IPv4 in turn, so that an
// address that swallows packets costs a quarter of a second and not a timeout.
//
// Its fields belong to the goroutine that runs it.
type race struct {
	d       *dialing
	runners []*runner
	answers chan answered
	arrived chan arrival
	quit    chan struct{} // closed when nobody receives any more
	wg      sync.WaitGroup

	pending int              // look-ups and attempts that have not ended
	begun   bool             // the answers to wait for are there, or took too long
	hold    <-chan time.Time // until then nothing starts; nil: now
	turn    int              // the family that is next
}

// The families, in the order of preference.
const (
	ipv6 = iota
	ipv4
)

// A runner is a target in a race.
type runner struct {
	target
	addrs   [2][]netip.Addr // still to be tried, by family; a zero one is for the dialer to find
	looking int             // look-ups that have not ended
	running int             // attempts that have not ended
	failure error           // of a look-up, the one that tells most
	errs    failures        // of its attempts
}

// failures are those of all addresses of a target.
type failures []error

// Error implements [error].
func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(slices.Compact(texts), ", ")
}

func (f failures) Unwrap() []error { return f }

// An answered look-up.
type answered struct {
	runner *runner
	family int
	addrs  []netip.Addr
	err    error
}

// An arrival is the end of an attempt, and the connection if it has one.
type arrival struct {
	runner *runner
	nc     net.Conn
	end    time.Time // of the time for this attempt; zero: there is no bound
	err    error
}

// race connects to one of the targets, or to none. rest is what is left to try after
// that one, errs why what is left out cannot be reached. When it returns, all other
// connections are closed.
func (d *dialing) race(ctx context.Context, targets []target) (winner *arrival, rest []target, errs []error) {
	r := &race{d: d, answers: make(chan answered), arrived: make(chan arrival), quit: make(chan struct{})}
	running, cancel := context.WithCancel(ctx)
	defer r.wg.Wait()
	defer cancel()
	defer close(r.quit)
	for _, t := range targets {
		r.enter(running, t)
	}
	r.begin()
	winner = r.run(running)
	for _, x := range r.runners {
		switch {
		case winner != nil && x == winner.runner:
		case x.exhausted():
			errs = append(errs, &attemptError{x.target, x.errs})
		case ctx.Err() != nil:
			errs = append(errs, &attemptError{x.target, append(x.errs, classify(ctx, context.Cause(ctx)))})
		default:
			rest = append(rest, x.target)
		}
	}
	return winner, rest, errs
}

// run starts what may start and waits for what comes, until somebody has won or
// nobody can win any more.
func (r *race) run(ctx context.Context) *arrival {
	for {
		for r.begun && r.hold == nil && ctx.Err() == nil && r.start(ctx) {
		}
		if r.pending == 0 {
			return nil
		}
		select {
		case a := <-r.answers:
			r.heard(ctx, a)
		case a := <-r.arrived:
			r.pending--
			a.runner.running--
			if a.err == nil {
				return &a
			}
			a.runner.errs = append(a.runner.errs, a.err)
			if r.begun {
				r.hold = nil
			}
		case <-r.hold:
			r.begun, r.hold = true, nil
		}
	}
}

// enter lets a target take part. Without a resolver for it, its name is the dialer's
// to resolve.
func (r *race) enter(ctx context.Context, t target) {
	x := &runner{target: t}
	r.runners = append(r.runners, x)
	addr, err := netip.ParseAddr(t.host)
	switch {
	case r.d.addresses == nil:
		x.addrs[ipv6] = []netip.Addr{{}} // any family, but the same for all
	case err == nil && addr.Is4():
		x.addrs[ipv4] = []netip.Addr{addr}
	case err == nil:
		x.addrs[ipv6] = []netip.Addr{addr}
	default:
		r.look(ctx, x, ipv6)
		r.look(ctx, x, ipv4)
	}
}

// look asks for the addresses of one family.
func (r *race) look(ctx context.Context, x *runner, family int) {
	r.pending++
	x.looking++
	r.wg.Go(func() {
		ctx, cancel := r.d.bound(ctx)
		defer cancel()
		addrs, err := r.d.addresses.LookupNetIP(ctx, [...]string{"ip6", "ip4"}[family], x.host)
		if err != nil {
			err = classify(ctx, err)
		}
		select {
		case r.answers <- answered{x, family, addrs, err}:
		case <-r.quit:
		}
	})
}

// heard takes in the answer to a look-up.
func (r *race) heard(ctx context.Context, a answered) {
	r.pending--
	x := a.runner
	x.looking--
	for _, addr := range a.addrs {
		if addr = addr.Unmap(); addr.IsValid() && addr.Is4() == (a.family == ipv4) && len(x.addrs[a.family]) < maxAddresses {
			x.addrs[a.family] = append(x.addrs[a.family], addr)
		}
	}
	if a.err != nil && (x.failure == nil || isNotFound(x.failure)) {
		x.failure = a.err
	}
	if x.exhausted() && len(x.errs) == 0 {
		if x.failure == nil {
			x.failure = classify(ctx, &net.DNSError{Err: "no such host", Name: x.host, IsNotFound: true})
		}
		x.errs = failures{x.failure}
	}
	r.begin()
}

// begin decides whether attempts may start yet: as soon as it is known what would be
// first, or a little after anything else is.
func (r *race) begin() {
	if r.begun {
		return
	}
	for _, x := range r.runners {
		if x.exhausted() {
			continue
		}
		if len(x.addrs[ipv6]) > 0 || x.looking == 0 {
			r.begun, r.hold = true, nil
			return
		}
		break
	}
	if r.hold == nil && slices.ContainsFunc(r.runners, (*runner).hasAddress) {
		r.hold = time.After(resolutionDelay)
	}
}

// start starts the next attempt. It reports false if there is no address left.
func (r *race) start(ctx context.Context) bool {
	for _, family := range [...]int{r.turn, 1 - r.turn} {
		for _, x := range r.runners {
			if len(x.addrs[family]) == 0 {
				continue
			}
			addr := x.addrs[family][0]
			x.addrs[family] = x.addrs[family][1:]
			r.turn = 1 - family
			r.attempt(ctx, x, addr)
			r.hold = time.After(attemptDelay)
			return true
		}
	}
	return false
}

// attempt connects to one address.
func (r *race) attempt(ctx context.Context, x *runner, addr netip.Addr) {
	r.pending++
	x.running++
	address, detail := x.address(), x.String()
	if addr.IsValid() && addr.String() != x.host {
		address = net.JoinHostPort(addr.String(), strconv.Itoa(int(x.port)))
		detail += " at " + addr.String()
	}
	r.d.event("connect", detail)
	ctx, cancel := r.d.bound(ctx)
	r.wg.Go(func() {
		defer cancel()
		a := arrival{runner: x}
		a.end, _ = ctx.Deadline()
		if a.nc, a.err = r.d.dialer.DialContext(ctx, "tcp", address); a.err != nil {
			a.err = classify(ctx, a.err)
		}
		select {
		case r.arrived <- a:
		case <-r.quit:
			if a.nc != nil {
				_ = a.nc.Close()
			}
		}
	})
}

// hasAddress reports whether there is one to try.
func (x *runner) hasAddress() bool { return len(x.addrs[ipv6])+len(x.addrs[ipv4]) > 0 }

// exhausted reports whether the target cannot win any more.
func (x *runner) exhausted() bool { return !x.hasAddress() && x.looking == 0 && x.running == 0 }
