package stream

import (
	"errors"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The receiving entity says what it takes, once somebody has logged in.
func TestXEP0478_4_1_Announced(t *testing.T) {
	for _, tt := range []struct {
		limits Limits
		idle   time.Duration
		want   string
	}{
		{want: "<max-bytes>262144</max-bytes>"},
		{limits: Limits{Bytes: 1 << 20}, want: "<max-bytes>1048576</max-bytes>"},
		{limits: Limits{Bytes: 5}, want: "<max-bytes>10000</max-bytes>"},
		{limits: Limits{Bytes: -5}, want: "<max-bytes>262144</max-bytes>"},
		{idle: 30 * time.Minute, want: "<max-bytes>262144</max-bytes><idle-seconds>1800</idle-seconds>"},
		{idle: 100 * time.Millisecond, want: "<max-bytes>262144</max-bytes><idle-seconds>1</idle-seconds>"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			cfg := plainReceiving(t)
			cfg.Limits, cfg.IdleTimeout = tt.limits, tt.idle
			cfg.Features = []Feature{
				AnnounceLimits{},
				ServerSASL{Authenticator: authenticators(t, func(o *sasl.Options) { o.AllowAnonymous = true })},
				Bind{},
			}
			p, done := negotiating(t, false, cfg)
			p.send(clientOpens)
			p.expect(serverOpens + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
				"<mechanism>SCRAM-SHA-256</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>")
			p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
			p.expect(saslSuccess)
			p.send(clientOpens)
			p.bound = map[string]string{}
			p.expect(serverOpens + "<stream:features><limits xmlns='urn:xmpp:stream-limits:0'>" + tt.want + "</limits>" +
				"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>")
			require.NoError(t, p.nc.Close())
			require.Error(t, (<-done).err)
		})
	}
}

// announcing logs in a client of ours at a scripted server that announces limits.
func announcing(t *testing.T, limits string, change func(*Config)) (*peer, *Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	cfg := anonymous()
	if change != nil {
		change(cfg)
	}
	p, done := against(t, ours, theirs, true, cfg)
	const opens = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces
	const answer = "<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces
	p.expect(opens)
	p.send(answer + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>" +
		"<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>11111</max-bytes><idle-seconds>11</idle-seconds></limits></stream:features>")
	p.expect("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
	p.send(saslSuccess)
	p.expect(opens)
	p.send(answer + "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" + limits + "</stream:features>")
	p.expect("<iq type='set' id='$bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	p.send("<iq type='result' id='$bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@im.example.com/balcony</jid></bind></iq>")
	got := <-done
	require.NoError(t, got.err)
	t.Cleanup(func() {
		got.c.Abort()
		<-got.c.Done()
	})
	return p, got.c
}

func limitsOf(children string) string {
	return "<limits xmlns='urn:xmpp:stream-limits:0'>" + children + "</limits>"
}

// What the initiating entity makes of an announcement: those before login are over, and
// what is no number says nothing.
func TestXEP0478_5_Heeded(t *testing.T) {
	for _, tt := range []struct {
		limits string
		idle   time.Duration // ours
		most   int
		want   time.Duration
	}{
		{limits: "", idle: time.Minute, want: time.Minute},
		{limits: limitsOf(""), idle: time.Minute, want: time.Minute},
		{limits: limitsOf("<max-bytes>20000</max-bytes><idle-seconds>1800</idle-seconds>"), idle: time.Minute, most: 20000, want: time.Minute},
		{limits: limitsOf("<idle-seconds>\n 40 </idle-seconds>"), idle: time.Minute, want: 30 * time.Second},
		{limits: limitsOf("<idle-seconds>1</idle-seconds>"), idle: time.Minute, want: minIdle},
		{limits: limitsOf("<idle-seconds>1</idle-seconds>"), idle: time.Second, want: time.Second},
		{limits: limitsOf("<idle-seconds>30</idle-seconds>"), want: 0},
		{limits: limitsOf("<max-bytes>9999</max-bytes>"), most: minBytes},
		{limits: limitsOf("<max-bytes>0</max-bytes><idle-seconds>0</idle-seconds>"), idle: time.Minute, want: time.Minute},
		{limits: limitsOf("<max-bytes>-1</max-bytes><idle-seconds>-1</idle-seconds>"), idle: time.Minute, want: time.Minute},
		{limits: limitsOf("<max-bytes>+20000</max-bytes>")},
		{limits: limitsOf("<max-bytes>2e4</max-bytes>")},
		{limits: limitsOf("<max-bytes>0x10000</max-bytes>")},
		{limits: limitsOf("<max-bytes>2147483647</max-bytes><idle-seconds>2147483647</idle-seconds>"), idle: time.Minute,
			most: math.MaxInt32, want: time.Minute},
		{limits: limitsOf("<max-bytes>2147483648</max-bytes><idle-seconds>99999999999999999999</idle-seconds>"), idle: time.Minute, want: time.Minute},
		{limits: "<limits xmlns='urn:xmpp:other'><max-bytes>20000</max-bytes></limits>"},
		{limits: limitsOf("<max-bytes xmlns='urn:xmpp:other'>20000</max-bytes>")},
	} {
		t.Run(tt.limits, func(t *testing.T) {
			_, c := announcing(t, tt.limits, func(cfg *Config) { cfg.IdleTimeout = tt.idle })
			if c.out.most != tt.most || c.idle != tt.want {
				t.Errorf("the most is %d, and idle after %v; want %d, %v", c.out.most, c.idle, tt.most, tt.want)
			}
		})
	}
}

// A stanza that the server does not take is not sent, and the stream goes on.
func TestXEP0478_5_TooLarge(t *testing.T) {
	p, c := announcing(t, limitsOf("<max-bytes>10000</max-bytes>"), nil)
	send := func(total int) error {
		m := stanza.Message{Body: stanza.Plain("x")}
		h := stanza.Header{Kind: stanza.KindMessage, ID: "1"}
		short, err := stanza.AppendWith(nil, m, h)
		require.NoError(t, err)
		m.Body = stanza.Plain(strings.Repeat("x", 1+total-len(short)))
		_, err = c.Send(t.Context(), m, h)
		return err
	}
	if err := send(10_001); !errors.Is(err, ErrTooLarge) || !xmpp.SafeToRetry(err) {
		t.Errorf("Send of 10001 bytes = %v, want %v", err, ErrTooLarge)
	}
	require.NoError(t, send(10_000))
	p.expect("<message id='1'><body>xxx")
}

// A client probes early enough for a server that does not wait as long as it would.
func TestXEP0478_4_1_Idle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := announcing(t, limitsOf("<idle-seconds>40</idle-seconds>"), func(cfg *Config) {
			cfg.IdleTimeout, cfg.ProbeTimeout = 5*time.Minute, 20*time.Second
		})
		begin := time.Now()
		_, end := reading(c)
		_ = p.nc.SetReadDeadline(time.Time{})
		buf := make([]byte, 4096)
		n, err := p.nc.Read(buf)
		if took := time.Since(begin); took != 30*time.Second || !strings.Contains(string(buf[:n]), "<ping xmlns='urn:xmpp:ping'/>") {
			t.Errorf("got %s, %v after %v; want a ping after 30 s", buf[:n], err, took)
		}
		if err := <-end; !errors.Is(err, ErrSilent) {
			t.Errorf("the end is %v, want %v", err, ErrSilent)
		}
	})
}

// A session that goes on without another word on limits has those it had.
func TestLimitsOfResumed(t *testing.T) {
	old := &Conn{idle: time.Minute, out: &outbox{most: 20_000}}
	for _, tt := range []struct {
		limits string
		most   int
		idle   time.Duration
	}{
		{"", 20_000, time.Minute},
		{limitsOf("<max-bytes>30000</max-bytes>"), 30_000, time.Hour},
		{limitsOf(""), 0, time.Hour},
	} {
		e, err := stanza.ParseElement([]byte("<features>" + tt.limits + "</features>"))
		require.NoError(t, err)
		c := &Conn{idle: time.Hour, out: &outbox{}}
		n := &Negotiation{c: c, resumed: old, limits: e.Child(nsLimits, "limits")}
		n.heed()
		if c.out.most != tt.most || c.idle != tt.idle {
			t.Errorf("after %q the most is %d, and idle after %v; want %d, %v", tt.limits, c.out.most, c.idle, tt.most, tt.idle)
		}
	}
}

// What one side of ours announces the other one reads.
func TestLimitsRoundTrip(t *testing.T) {
	for _, bytes := range []int{minBytes, 123_456, 1 << 20} {
		a, b := net.Pipe()
		server := receiving(t)
		server.Limits.Bytes, server.IdleTimeout = bytes, 80*time.Second
		server.Features = append(server.Features, AnnounceLimits{})
		cfg := initiating()
		cfg.IdleTimeout = time.Hour
		c, s := connect(t, a, b, cfg, server)
		if c.out.most != bytes || c.idle != time.Minute || s.out.most != 0 {
			t.Errorf("the most is %d, and idle after %v; want %d, 1m0s", c.out.most, c.idle, bytes)
		}
		c.Abort()
		s.Abort()
	}
}

// Whatever is announced, what every entity must take can be sent.
func FuzzAnnouncedLimits(f *testing.F) {
	f.Add("<max-bytes>20000</max-bytes><idle-seconds>30</idle-seconds>")
	f.Add("<max-bytes>1</max-bytes><max-bytes> 2</max-bytes>")
	f.Fuzz(func(t *testing.T, children string) {
		e, err := stanza.ParseElement([]byte("<features xmlns='jabber:client'>" + limitsOf(children) + "</features>"))
		if err != nil {
			return
		}
		c := &Conn{idle: time.Hour, out: &outbox{}}
		n := &Negotiation{c: c, limits: e.Child(nsLimits, "limits")}
		n.heed()
		if most := c.out.most; most != 0 && most < minBytes || c.idle < minIdle || c.idle > time.Hour {
			t.Errorf("the most is %d, and idle after %v", most, c.idle)
		}
		most := announced(n.limits, "max-bytes")
		if text := n.limits.Child(nsLimits, "max-bytes").Text(); most > 0 && !strings.Contains(text, strconv.Itoa(most)) {
			t.Errorf("%q is %d", text, most)
		}
		if err := c.out.refusal(minBytes); err != nil {
			t.Error(err)
		}
	})
}
