package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// A zone is a resolver that knows what it holds, by full name.
type zone map[string][]*net.SRV

// servfail is a name that cannot be resolved for now.
var servfail []*net.SRV

func (z zone) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	owner := fmt.Sprintf("_%s._%s.%s", service, proto, name)
	records, ok := z[owner]
	switch {
	case !ok:
		return "", nil, &net.DNSError{Err: "no such host", Name: owner, IsNotFound: true}
	case records == nil:
		return "", nil, &net.DNSError{Err: "server misbehaving", Name: owner, IsTemporary: true}
	}
	return owner, records, nil
}

func find(t *testing.T, z zone, account string, o Options) ([][]target, error) {
	t.Helper()
	o.Resolver, o.Password = z, "secret"
	opts := o.withDefaults()
	d, err := newDialing(jid.MustParse(account), &opts)
	if err != nil {
		return nil, err
	}
	return d.targets(t.Context())
}

// Where a server is looked for, and in what order: RFC 6120 §3.2, XEP-0368 §3,
// RFC 2782.
func TestC3_2_Resolution(t *testing.T) {
	const starttls, direct = "_xmpp-client._tcp.example.org.", "_xmpps-client._tcp.example.org."
	none := []*net.SRV{{Target: ".", Port: 0}}
	for _, tt := range []struct {
		name    string
		account string // juliet@example.org if empty
		zone    zone
		opts    Options
		want    string
		err     error
	}{
		{name: "no records", want: "example.org:5222"},
		{name: "both kinds, one order", zone: zone{
			starttls: {{Target: "b.example.org.", Port: 5222, Priority: 10}, {Target: "d.example.org.", Port: 80, Priority: 30}},
			direct:   {{Target: "a.example.org.", Port: 443, Priority: 5}, {Target: "c.example.org.", Port: 5223, Priority: 20}},
		}, want: "a.example.org:443 (direct TLS); b.example.org:5222; c.example.org:5223 (direct TLS); d.example.org:80"},
		{name: "direct TLS only", zone: zone{direct: {{Target: "a.example.org.", Port: 443}}}, want: "a.example.org:443 (direct TLS)"},
		{name: "STARTTLS only", zone: zone{starttls: {{Target: "a.example.org", Port: 5222}}}, want: "a.example.org:5222"},
		{name: "no service", zone: zone{starttls: none}, err: ErrHostNotFound},
		{name: "no service of either kind", zone: zone{starttls: none, direct: none}, err: ErrHostNotFound},
		{name: "no direct TLS", zone: zone{direct: none, starttls: {{Target: "a.example.org.", Port: 5222}}}, want: "a.example.org:5222"},
		{name: "no direct TLS, nothing else", zone: zone{direct: none}, err: ErrHostNotFound}, // XEP-0368 §3: no A/AAAA fallback
		{name: "no STARTTLS", zone: zone{starttls: none, direct: {{Target: "a.example.org.", Port: 443}}}, want: "a.example.org:443 (direct TLS)"},
		{name: "DNS out of order", zone: zone{starttls: servfail, direct: servfail}, want: "example.org:5222"},
		{name: "half of the DNS out of order", zone: zone{starttls: servfail, direct: {{Target: "a.example.org.", Port: 443}}},
			want: "a.example.org:443 (direct TLS)"},
		{name: "port 0", zone: zone{starttls: {{Target: "a.example.org.", Port: 0}, {Target: "b.example.org.", Port: 1}}}, want: "b.example.org:1"},
		{name: "nothing but port 0", zone: zone{starttls: {{Target: "a.example.org.", Port: 0}}}, want: "example.org:5222"},
		{name: "names that are none", zone: zone{starttls: {{Target: "a\nlevel=ERROR.", Port: 1}, {Target: "a\x1b[2J.", Port: 1},
			{Target: "a b.", Port: 1}, {Target: "a\u202eb.", Port: 1}, {Target: "a\xff.", Port: 1}, {Target: strings.Repeat("a", 2000), Port: 1},
			{Target: "good.", Port: 1}}}, want: "good:1"},
		{name: "an empty answer", zone: zone{starttls: {}, direct: {}}, want: "example.org:5222"},

		{name: "IDN", account: "julia@bücher.example", zone: zone{
			"_xmpp-client._tcp.xn--bcher-kva.example.": {{Target: "xmpp.xn--bcher-kva.example.", Port: 5222}},
		}, want: "xmpp.xn--bcher-kva.example:5222"},
		{name: "IDN without records", account: "julia@bücher.example", want: "xn--bcher-kva.example:5222"},
		{name: "IPv4", account: "juliet@192.0.2.1", want: "192.0.2.1:5222"},
		{name: "IPv6", account: "juliet@[2001:db8::1]", want: "[2001:db8::1]:5222"},
		{name: "localhost", account: "juliet@localhost", zone: zone{"_xmpp-client._tcp.localhost.": none}, want: "localhost:5222"},
		{name: "below localhost", account: "juliet@a.localhost", zone: zone{"_xmpp-client._tcp.a.localhost.": none}, want: "a.localhost:5222"},
		{name: "single label", account: "juliet@chat", want: "chat:5222"},

		{name: "address", opts: Options{Address: "xmpp.example.net:15222"}, zone: zone{starttls: none}, want: "xmpp.example.net:15222"},
		{name: "address with direct TLS", opts: Options{Address: "192.0.2.1:443", DirectTLS: true}, want: "192.0.2.1:443 (direct TLS)"},
		{name: "address without port", opts: Options{Address: "xmpp.example.net"}, want: "xmpp.example.net:5222"},
		{name: "IPv6 address", opts: Options{Address: "[2001:db8::1]:5223"}, want: "[2001:db8::1]:5223"},
		{name: "IPv6 address without port", opts: Options{Address: "2001:db8::1"}, want: "[2001:db8::1]:5222"},
		{name: "IPv6 address of a link", opts: Options{Address: "[fe80::1%eth0]:5223"}, want: "[fe80::1%eth0]:5223"},
		{name: "IPv6 address of no link", opts: Options{Address: "fe80::1%a\nb"}, err: errAddress},
		{name: "IDN address", opts: Options{Address: "bücher.example:5223"}, want: "xn--bcher-kva.example:5223"},
		{name: "address of a container", opts: Options{Address: "xmpp_server:5222"}, want: "xmpp_server:5222"},
		{name: "no address", opts: Options{Address: "xmpp://example.org"}, err: errAddress},
		{name: "port that is none", opts: Options{Address: "example.org:https"}, err: errAddress},
		{name: "port 0", opts: Options{Address: "example.org:0"}, err: errAddress},
		{name: "control characters", opts: Options{Address: "a\tb:5222"}, err: errAddress},
		{name: "port only", opts: Options{Address: ":5222"}, err: errAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account := "juliet@example.org"
			if tt.account != "" {
				account = tt.account
			}
			groups, err := find(t, tt.zone, account, tt.opts)
			if got := written(groups); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %s, %v; want %s, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// written returns targets as a text, with a semicolon between priorities.
func written(groups [][]target) string {
	var parts []string
	for _, g := range groups {
		var list []string
		for _, t := range g {
			list = append(list, t.String())
		}
		parts = append(parts, strings.Join(list, ", "))
	}
	return strings.Join(parts, "; ")
}

// Within a priority the order is random, in proportion to the weights; one of
// weight 0 has a small chance among others (RFC 2782).
func TestRFC2782_Weights(t *testing.T) {
	records := []record{
		{target: target{host: "a"}, priority: 1, weight: 60},
		{target: target{host: "b"}, priority: 1, weight: 30},
		{target: target{host: "c"}, priority: 1, weight: 9},
		{target: target{host: "zero"}, priority: 1, weight: 0},
		{target: target{host: "last"}, priority: 2, weight: 65535},
	}
	const rounds = 20_000
	first := make(map[string]int)
	for range rounds {
		groups := order(records, random)
		if len(groups) != 2 || len(groups[0]) != 4 || len(groups[1]) != 1 || groups[1][0].host != "last" {
			t.Fatalf("order = %v, want all five, the other priority last", groups)
		}
		first[groups[0][0].host]++
	}
	for host, want := range map[string]int{"a": 60, "b": 30, "c": 9, "zero": 1} {
		// One standard deviation is at most 0.35 %.
		if got := float64(first[host]) * 100 / rounds; got < float64(want)-2.1 || got > float64(want)+2.1 {
			t.Errorf("%s came first in %.1f %% of %d rounds, want about %d %%", host, got, rounds, want)
		}
	}

	// The numbers of the RFC's algorithm: 0 to the sum, inclusive.
	order(records, func(max int) int {
		switch max {
		case 60 + 30 + 9, 30 + 9, 30, 0, 65535: // a, c, b and zero are taken out in turn
		default:
			t.Errorf("asked for a random number up to %d", max)
		}
		return min(max, 60)
	})
	if got := order(records, func(max int) int { return 0 }); got[0][0].host != "zero" {
		t.Errorf("with 0 the first is %v, want the one of weight 0", got[0][0])
	}
	if got := order(records[:3], func(max int) int { return max }); written(got) != "c:0, b:0, a:0" {
		t.Errorf("with the highest numbers the order is %v, want c, b, a", got)
	}
}

func TestResolutionIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	cancel(why)
	_, err := Dial(ctx, jid.MustParse("juliet@example.org"), &Options{Password: "secret", Resolver: zone{}})
	if want := "client: dial juliet@example.org: example.org: changed my mind"; !errors.Is(err, why) || err.Error() != want {
		t.Errorf("Dial = %v, want %s", err, want)
	}
}
