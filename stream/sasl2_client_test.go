package stream

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

const (
	sasl2NS   = " xmlns='urn:xmpp:sasl:2'"
	agentXML  = "<user-agent id='" + agentID + "'><software>Balcony</software><device>lute</device></user-agent>"
	juliet2   = "<authorization-identifier>juliet@im.example.com</authorization-identifier>"
	bound2    = "<authorization-identifier>juliet@im.example.com/Balcony/abc</authorization-identifier>"
	answers   = "<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces
	opensTo   = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces
	opensFrom = xmlDecl + "<stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' xml:lang='en'" + namespaces
)

// anonymous2 is a client that says no more than it has to, so that a script can follow it.
func anonymous2(bind *Bind2) *Config {
	cfg := anonymous()
	cfg.Features[0] = ClientSASL2{Credentials: sasl.Credentials{Anonymous: true}, Bind: bind}
	return cfg
}

// offered2 returns a scripted server, without TLS, that has offered ANONYMOUS and what comes inline.
func offered2(t testing.TB, cfg *Config, inline string) (*peer, <-chan outcome) {
	p, done := negotiating(t, true, cfg)
	p.expect(opensTo)
	p.send(answers + "<stream:features><authentication" + sasl2NS + "><mechanism>ANONYMOUS</mechanism>" + inline + "</authentication></stream:features>")
	return p, done
}

// serving2 returns a scripted server, over TLS, to which a client has opened its stream.
func serving2(t testing.TB, cfg *Config, opens string) (*peer, <-chan outcome) {
	ours, theirs := net.Pipe()
	p, done := against(t, TLSClient(ours, clientTLS(), example), theirs, true, cfg)
	p.startTLS(false)
	p.expect(opens)
	return p, done
}

// initiating2 is a client of juliet that knows SASL2 alone.
func initiating2(k *keeper, policy *sasl.Policy) *Config {
	return &Config{Domain: example, Account: juliet, Features: k.features(policy)[1:2]}
}

// Mechanisms that bind without the types they bind with, or the other way round: somebody has left them out
// (XEP-0440 §4).
func TestClientS11_SASL2BindingsLeftOut(t *testing.T) {
	const types = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"
	for _, features := range []string{
		"<authentication" + sasl2NS + "><mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism></authentication>",
		"<authentication" + sasl2NS + "><mechanism>SCRAM-SHA-256</mechanism></authentication>" + types,
	} {
		p, done := serving2(t, initiating2(new(keeper), nil), opensFrom)
		p.send(answers + "<stream:features>" + features + "</stream:features>")
		p.expect(closingTag)
		_ = p.nc.Close()
		require.ErrorIs(t, (<-done).err, sasl.ErrDowngrade)
	}
}

// What was not asked for does not happen, whatever the server says.
func TestSec_SASL2Unasked(t *testing.T) {
	enabled := "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>"
	for _, tt := range []struct {
		name, inline string
		bind         *Bind2
		asks, says   string
		bound        bool
	}{
		{"a resource", "", nil, "", "<bound xmlns='urn:xmpp:bind:0'/>", false},
		{"a resource with acknowledgements", "", nil, "", "<bound xmlns='urn:xmpp:bind:0'>" + enabled + "</bound>", false},
		{"a resource that was not offered", "", &Bind2{}, "", "<bound xmlns='urn:xmpp:bind:0'>" + enabled + "</bound>", false},
		{"acknowledgements that were not wanted", "<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind></inline>",
			&Bind2{}, "<bind xmlns='urn:xmpp:bind:0'/>", "<bound xmlns='urn:xmpp:bind:0'>" + enabled + "</bound>", true},
		{"acknowledgements that were not offered", "<inline><bind xmlns='urn:xmpp:bind:0'/></inline>",
			&Bind2{Management: &Management{}}, "<bind xmlns='urn:xmpp:bind:0'/>", "<bound xmlns='urn:xmpp:bind:0'>" + enabled + "</bound>", true},
		{"a session", "<inline><sm xmlns='urn:xmpp:sm:3'/></inline>", nil, "", "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := anonymous2(tt.bind)
			cfg.Until = Authenticated
			p, done := offered2(t, cfg, tt.inline)
			p.expect("<authenticate" + sasl2NS + " mechanism='ANONYMOUS'><initial-response/>" + tt.asks + "</authenticate>")
			p.send("<success" + sasl2NS + ">" + bound2 + tt.says + "</success>")
			go func() { _ = p.trySend("<stream:features/>") }()
			got := <-done
			require.NoError(t, got.err)
			require.Equal(t, tt.bound, got.c.State().Has(Bound))
			require.False(t, got.c.Managed())
			require.False(t, got.c.Resumed())
			got.c.Abort()
		})
	}
}

// What leaves together with the header is hidden in a trace as well: without channel binding, the proof of
// a token is as good as the token to who reads it.
func TestClientS22_PipelinedRedacted(t *testing.T) {
	h, k := newHall(t), new(keeper)
	cfg := &Config{Domain: example, Account: juliet, Features: k.features(nil)}
	for range 2 { // with a password, then with a token
		var client, server notebook
		h.cfg.Trace = server.trace()
		c, s, err := h.connect(cfg, client.trace())
		require.NoError(t, err)
		c.Abort()
		s.Abort()
		<-c.Done()
		<-s.Done()
		for _, book := range []*notebook{&client, &server} {
			everything := strings.Join(book.lines, "\n")
			require.Contains(t, everything, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='")
			require.Contains(t, everything, "<success xmlns='urn:xmpp:sasl:2'>")
			require.Contains(t, everything, "features")
			for _, secret := range []string{k.ticket.Token.Secret, "initial-response", "additional-data", "<token"} {
				require.NotContains(t, everything, secret)
			}
		}
	}
}

// A ticket that is printed or logged shows nothing of the token.
func TestClientS22_TicketIsNotPrinted(t *testing.T) {
	ticket := Ticket{Token: sasl.Token{Secret: "hunter2", Mechanism: sasl.HTSHA256Expr}}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{ticket, &ticket, ticket.Token, &ticket.Token} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&log, verb, v)
		}
		logger.Info("login", "value", v)
	}
	require.NotContains(t, log.String(), "hunter2")
	require.NotContains(t, log.String(), fmt.Sprintf("%x", "hunter2"))
}

// When a session was resumed, nothing follows success but what the session goes on with.
func TestXEP0198_9_2_NoFeatures(t *testing.T) {
	previous, err := Restore(&Saved{ID: "before", JID: jid.MustParse("juliet@im.example.com/Balcony/abc")})
	require.NoError(t, err)
	cfg := anonymous2(&Bind2{})
	cfg.Previous = previous
	p, done := offered2(t, cfg, "<inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'/></inline>")
	p.expect("<authenticate" + sasl2NS + " mechanism='ANONYMOUS'><initial-response/><resume xmlns='urn:xmpp:sm:3' h='0' previd='before'/><bind xmlns='urn:xmpp:bind:0'/></authenticate>")
	p.send("<success" + sasl2NS + ">" + juliet2 + "<resumed xmlns='urn:xmpp:sm:3' previd='before' h='0'/></success>")
	select {
	case got := <-done:
		require.NoError(t, got.err)
		require.True(t, got.c.Resumed())
		go func() { _ = p.trySend("<stream:features/><message id='1'/>") }() // some send features nevertheless
		e, err := got.c.Next()
		require.NoError(t, err)
		require.Equal(t, "1", e.Attr("id"))
		got.c.Abort()
	case <-time.After(5 * time.Second):
		_ = p.nc.Close()
		t.Fatalf("waits for features: %v", (<-done).err)
	}
	_, _ = io.Copy(io.Discard, p.nc)
}
