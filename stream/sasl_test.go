package stream

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const saslNS = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"

func saslFailure(condition string) string {
	return "<failure" + saslNS + "><" + condition + "/></failure>"
}

func auth(mechanism, data string) string {
	return "<auth" + saslNS + " mechanism='" + mechanism + "'>" + data + "</auth>"
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// authenticating returns a scripted client at the point where it has to say who it is.
func authenticating(t testing.TB, cfg *Config, from string) (*peer, <-chan outcome) {
	p, done := negotiating(t, false, cfg)
	p.secured()
	delete(p.bound, "id")
	to := ""
	if from != "" {
		to = " to='" + strings.SplitN(from, "/", 2)[0] + "'"
		from = " from='" + from + "'"
	}
	p.send("<stream:stream" + from + " to='im.example.com' version='1.0' xml:lang='de-CH'" + namespaces)
	p.expect(xmlDecl + "<stream:stream from='im.example.com'" + to + " id='$id' version='1.0' xml:lang='en'" + namespaces)
	p.expect("<stream:features><mechanisms" + saslNS + "><mechanism>$mech1</mechanism><mechanism>$mech2</mechanism><mechanism>PLAIN</mechanism></mechanisms>" +
		"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding></stream:features>")
	return p, done
}

// TestC6_ServerSASL shows what a receiving entity answers to one element of SASL
// after another. Each row is a stream of its own.
func TestC6_ServerSASL(t *testing.T) {
	wrong := auth("PLAIN", b64("\x00juliet\x00wrong"))
	for _, tt := range []struct {
		name string
		play []string // sent, answered, sent, answered …
	}{
		{"C6.4.6 success", []string{plainAuth, saslSuccess}},
		{"C6.3.10 no initial response", []string{
			auth("PLAIN", ""), "<challenge" + saslNS + "/>",
			"<response" + saslNS + ">AGp1bGlldAByMG0zMG15cjBtMzA=</response>", saslSuccess,
		}},
		{"C6.4.2 zero-length initial response", []string{auth("PLAIN", "="), saslFailure("malformed-request")}},
		{"C6.5.10 wrong password, then the right one", []string{wrong, saslFailure("not-authorized"), plainAuth, saslSuccess}},
		{"C6.5.10 an unknown account looks the same", []string{auth("PLAIN", b64("\x00tybalt\x00"+password)), saslFailure("not-authorized")}},
		{"C6.5.7 mechanism not offered", []string{auth("SCRAM-SHA-1", "bixhPWE="), saslFailure("invalid-mechanism")}},
		{"C6.5.7 ANONYMOUS not offered (CVE-2017-10807)", []string{auth("ANONYMOUS", ""), saslFailure("invalid-mechanism")}},
		{"C6.5.7 EXTERNAL without a certificate", []string{auth("EXTERNAL", "="), saslFailure("invalid-mechanism")}},
		{"C6.5.7 unknown mechanism", []string{auth("X-YZZY", ""), saslFailure("invalid-mechanism")}},
		{"C6.5.7 no mechanism", []string{"<auth" + saslNS + "/>", saslFailure("invalid-mechanism")}},
		{"C6.5.5 not base64", []string{auth("PLAIN", "!!!"), saslFailure("incorrect-encoding")}},
		{"C13.9.1 a pad in front", []string{auth("PLAIN", "=AAA"), saslFailure("incorrect-encoding")}},
		{"C13.9.1 a pad inside", []string{auth("PLAIN", "BBBB=CCC"), saslFailure("incorrect-encoding")}},
		{"C13.9.1 padding bits not zero", []string{auth("PLAIN", "AGp1bGlldAByMG0zMG15cjBtMzB="), saslFailure("incorrect-encoding")}},
		{"C13.9.1 no padding", []string{auth("PLAIN", "AGp1bGlldAByMG0zMG15cjBtMzA"), saslFailure("incorrect-encoding")}},
		{"C13.9.1 line ends", []string{auth("PLAIN", "AGp1bGlldAByMG0z\nMG15cjBtMzA="), saslFailure("incorrect-encoding")}},
		{"C13.9.1 spaces", []string{auth("PLAIN", " AGp1bGlldAByMG0zMG15cjBtMzA="), saslFailure("incorrect-encoding")}},
		{"C13.9.1 URL alphabet", []string{auth("PLAIN", "AGp1bGlldABy-_-_"), saslFailure("incorrect-encoding")}},
		{"C6.5.8 an element inside", []string{auth("PLAIN", "<x/>"), saslFailure("malformed-request")}},
		{"C6.4.4 abort", []string{auth("PLAIN", ""), "<challenge" + saslNS + "/>", "<abort" + saslNS + "/>", saslFailure("aborted"), plainAuth, saslSuccess}},
		{"C6.4.4 abort of nothing", []string{"<abort" + saslNS + "/>", saslFailure("aborted")}},
		{"C6.4.3 response to nothing", []string{"<response" + saslNS + "/>", saslFailure("malformed-request")}},
		{"C6.4.2 a second auth discards the first", []string{
			auth("PLAIN", ""), "<challenge" + saslNS + "/>", plainAuth, saslSuccess,
		}},
		{"C6.3.8 authzid: the own bare JID", []string{auth("PLAIN", b64("juliet@im.example.com\x00juliet\x00"+password)), saslSuccess}},
		{"C6.3.8 authzid: somebody else", []string{auth("PLAIN", b64("nurse@im.example.com\x00juliet\x00"+password)), saslFailure("invalid-authzid")}},
		{"C6.3.8 authzid: another domain", []string{auth("PLAIN", b64("juliet@other.example\x00juliet\x00"+password)), saslFailure("invalid-authzid")}},
		{"C6.3.8 authzid: a full JID", []string{auth("PLAIN", b64("juliet@im.example.com/x\x00juliet\x00"+password)), saslFailure("invalid-authzid")}},
		{"C6.3.8 authzid: a username", []string{auth("PLAIN", b64("juliet\x00juliet\x00"+password)), saslFailure("invalid-authzid")}},
		{"C6.4.5 retries", []string{
			wrong, saslFailure("not-authorized"), wrong, saslFailure("not-authorized"), wrong, saslFailure("not-authorized"),
			wrong, saslFailure("not-authorized") + failedWithText(PolicyViolation, "too many failed attempts"),
		}},
		{"C6.4.5 an exchange that is begun again counts", []string{
			auth("PLAIN", ""), "<challenge" + saslNS + "/>", auth("PLAIN", ""), "<challenge" + saslNS + "/>",
			auth("PLAIN", ""), "<challenge" + saslNS + "/>", auth("PLAIN", ""), "<challenge" + saslNS + "/>",
			auth("PLAIN", ""), failedWithText(PolicyViolation, "too many failed attempts"),
		}},
		{"C4.3.5 a stanza instead", []string{"<message/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")}},
		{"C4.3.5 a stanza meanwhile", []string{auth("PLAIN", ""), "<challenge" + saslNS + "/>", "<message/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")}},
		{"C4.9.3.24 something else meanwhile", []string{auth("PLAIN", ""), "<challenge" + saslNS + "/>", "<x/>", failedWith(UnsupportedStanzaType)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := authenticating(t, receiving(t), "")
			for i := 0; i < len(tt.play); i += 2 {
				p.send(tt.play[i])
				p.expect(tt.play[i+1])
			}
		})
	}
}

// TestC6_4_6_Restart: after success the stream starts anew, with a new id.
func TestC6_4_6_Restart(t *testing.T) {
	p, done := authenticating(t, receiving(t), "juliet@im.example.com")
	first := p.bound["id"]
	// The header may stand right behind the last element.
	p.send(plainAuth)
	p.expect(saslSuccess)
	delete(p.bound, "id")
	p.send(clientOpens)
	p.expect(serverOpens + bindFeatures)
	if p.bound["id"] == first {
		t.Errorf("stream id %q was used again (C4.7.3)", first)
	}
	p.send(plainAuth) // C6.3.2: not again
	p.expect(failedWith(UnsupportedStanzaType))
	_ = p.nc.Close()
	require.Error(t, (<-done).err)
}

// TestC6_4_6_Pipelined: a client need not wait for what it knows.
func TestC6_4_6_Pipelined(t *testing.T) {
	p, _ := authenticating(t, receiving(t), "")
	delete(p.bound, "id")
	go func() { _ = p.trySend(plainAuth + clientOpens) }()
	p.expect(saslSuccess + serverOpens + bindFeatures)
}

// TestSec_HostPinned: after authentication the stream stays at its domain
// (Prosody, CVE-2018-10847).
func TestSec_HostPinned(t *testing.T) {
	for _, tt := range []struct{ to, want string }{
		{" to='im.example.com'", bindFeatures},
		{" to='IM.example.com.'", bindFeatures},
		{"", bindFeatures},
		{" to='other.example'", failedWithText(NotAuthorized, "not the domain of the authenticated account")},
		{" to='unknown.example'", failedWithText(NotAuthorized, "not the domain of the authenticated account")},
	} {
		cfg := receiving(t)
		cfg.DefaultHost = jid.MustParse("other.example")
		cfg.Hosts = func(d jid.JID) bool { return d == example || d == cfg.DefaultHost }
		p, _ := authenticating(t, cfg, "")
		p.send(plainAuth)
		p.expect(saslSuccess)
		delete(p.bound, "id")
		p.send("<stream:stream" + tt.to + " version='1.0'" + namespaces)
		p.expect(serverOpens + tt.want)
	}
}

// TestC6_4_6_From: who says in the header to be somebody else is not let in.
func TestC6_4_6_From(t *testing.T) {
	for _, tt := range []struct{ from, want string }{
		{"juliet@im.example.com", saslSuccess},
		{"juliet@im.example.com/balcony", saslSuccess},
		{"im.example.com", saslSuccess},
		{"nurse@im.example.com", failedWithText(InvalidFrom, "the header is from another account")},
		{"juliet@other.example", failedWithText(InvalidFrom, "the header is from another account")},
	} {
		p, _ := authenticating(t, receiving(t), tt.from)
		p.send(plainAuth)
		p.expect(tt.want)
	}
}

// TestC4_7_1_RestartFrom: nor does it change who that is when the stream starts anew.
func TestC4_7_1_RestartFrom(t *testing.T) {
	for _, tt := range []struct{ from, want string }{
		{"juliet@im.example.com", bindFeatures},
		{"juliet@im.example.com/balcony", bindFeatures},
		{"nurse@im.example.com", failedWithText(InvalidFrom, "the header is from another account")},
	} {
		p, _ := authenticating(t, receiving(t), "")
		p.send(plainAuth)
		p.expect(saslSuccess)
		delete(p.bound, "id")
		p.send("<stream:stream from='" + tt.from + "' to='im.example.com' version='1.0'" + namespaces)
		addr := jid.MustParse(tt.from).Bare()
		p.expect(strings.Replace(serverOpens, " id=", " to='"+addr.String()+"' id=", 1) + tt.want)
	}
}

// TestC6_3_8_Authzid: where Authorize allows it, an account acts as another one
// of the same domain.
func TestC6_3_8_Authzid(t *testing.T) {
	cfg := receiving(t)
	cfg.Features[1] = ServerSASL{Authenticator: authenticators(t, func(o *sasl.Options) {
		o.Authorize = func(context.Context, sasl.Identity) error { return nil }
	})}
	p, done := authenticating(t, cfg, "juliet@im.example.com")
	p.send(auth("PLAIN", b64("nurse@im.example.com\x00juliet\x00"+password)))
	p.expect(saslSuccess)
	p.send(clientOpens)
	p.bound = map[string]string{}
	p.expect(serverOpens + bindFeatures)
	p.send("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>kitchen</resource></bind></iq>")
	p.expect("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>nurse@im.example.com/kitchen</jid></bind></iq>")
	require.Equal(t, "nurse@im.example.com/kitchen", (<-done).c.RemoteAddr().String())

	p, _ = authenticating(t, cfg, "")
	p.send(auth("PLAIN", b64("nurse@other.example\x00juliet\x00"+password)))
	p.expect(saslFailure("invalid-authzid"))
}

func TestAccountOf(t *testing.T) {
	for _, tt := range []struct {
		username, authzid, want string
		err                     error
	}{
		{username: "juliet", want: "juliet@im.example.com"},
		{username: "Juliet", want: "juliet@im.example.com"},
		{username: "juliet", authzid: "Juliet@IM.example.com", want: "juliet@im.example.com"},
		{username: "juliet", authzid: "nurse@im.example.com", want: "nurse@im.example.com"}, // Authorize has allowed it
		{username: "juliet capulet", err: sasl.ErrNotAuthorized},
		{username: "juliet@im.example.com", err: sasl.ErrNotAuthorized},
		{username: "juliet/x", err: sasl.ErrNotAuthorized},
		{username: strings.Repeat("x", 1024), err: sasl.ErrNotAuthorized},
		{username: "", err: sasl.ErrNotAuthorized},
		{username: "juliet", authzid: "im.example.com", err: sasl.ErrInvalidAuthzid},
		{username: "juliet", authzid: "nurse@other.example", err: sasl.ErrInvalidAuthzid},
		{username: "juliet", authzid: "nurse@im.example.com/x", err: sasl.ErrInvalidAuthzid},
		{username: "juliet", authzid: "@", err: sasl.ErrInvalidAuthzid},
	} {
		_, got, err := accountOf(sasl.Identity{Username: tt.username, Authzid: tt.authzid}, example)
		if !errors.Is(err, tt.err) || err == nil && got.String() != tt.want {
			t.Errorf("accountOf(%.40q, %q) = %v, %v; want %s, %v", tt.username, tt.authzid, got, err, tt.want, tt.err)
		}
	}
}

func TestAuthorize(t *testing.T) {
	authorize := Authorize(example)
	for _, tt := range []struct {
		username, authzid string
		want              error
	}{
		{"juliet", "", nil},
		{"juliet", "juliet@im.example.com", nil},
		{"juliet", "nurse@im.example.com", sasl.ErrInvalidAuthzid},
		{"juliet", "juliet", sasl.ErrInvalidAuthzid},
		{"@", "juliet@im.example.com", sasl.ErrNotAuthorized},
	} {
		if err := authorize(t.Context(), sasl.Identity{Username: tt.username, Authzid: tt.authzid}); !errors.Is(err, tt.want) {
			t.Errorf("Authorize(%q, %q) = %v; want %v", tt.username, tt.authzid, err, tt.want)
		}
	}
}

// offered returns a scripted server, without TLS, that has offered mechanisms.
func offered(t testing.TB, cfg *Config, mechanisms ...string) (*peer, <-chan outcome) {
	p, done := negotiating(t, true, cfg)
	p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
	p.send("<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces +
		"<stream:features><mechanisms" + saslNS + "><mechanism>" + strings.Join(mechanisms, "</mechanism><mechanism>") + "</mechanism></mechanisms></stream:features>")
	return p, done
}

// anonymous is a client that can only say so.
func anonymous() *Config {
	cfg := plainInitiating()
	cfg.Account = jid.JID{}
	cfg.Features[0] = ClientSASL{Credentials: sasl.Credentials{Anonymous: true}}
	return cfg
}

// TestC6_ClientSASL shows what an initiating entity makes of the server's
// answers.
func TestC6_ClientSASL(t *testing.T) {
	scram := "<auth" + saslNS + " mechanism='SCRAM-SHA-256'>$first</auth>"
	for _, tt := range []struct {
		name      string
		cfg       *Config
		mechanism string
		says      string // the initiating entity
		answer    string
		then      string
		err       error
	}{
		{
			name: "C6.5 failure", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<failure" + saslNS + "><account-disabled/><text xml:lang='en'>Call 212-555-1212 for assistance.</text></failure>",
			then:   closingTag, err: sasl.ErrAccountDisabled,
		}, {
			name: "C6.5 unknown failure", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<failure" + saslNS + "><bad-hair-day/></failure>",
			then:   closingTag, err: sasl.ErrNotAuthorized,
		}, {
			name: "C6.4.6 success without proof", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<success" + saslNS + "/>",
			then:   closingTag, err: sasl.ErrServerNotProven,
		}, {
			name: "C13.9.1 success not in base64", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<success" + saslNS + ">dj1\n</success>",
			then:   closingTag, err: sasl.ErrIncorrectEncoding,
		}, {
			name: "C13.9.1 challenge not in base64", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<challenge" + saslNS + ">BBBB=CCC</challenge>",
			then:   "<abort" + saslNS + "/>" + closingTag, err: sasl.ErrIncorrectEncoding,
		}, {
			name: "C6.4.4 abort", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<challenge" + saslNS + "/>",
			then:   "<abort" + saslNS + "/>" + closingTag,
		}, {
			name: "S6 PLAIN is not used without TLS", cfg: plainInitiating(), mechanism: "PLAIN",
			then: closingTag, err: sasl.ErrNoMechanism,
		}, {
			name: "C6.3.3 nothing known", cfg: plainInitiating(), mechanism: "X-YZZY",
			then: closingTag, err: sasl.ErrNoMechanism,
		}, {
			name: "C4.9 stream error", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: failedWith(PolicyViolation),
			then:   closingTag, err: PolicyViolation,
		}, {
			name: "something else", cfg: plainInitiating(), mechanism: "SCRAM-SHA-256", says: scram,
			answer: "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
			then:   failedWith(UnsupportedStanzaType), err: UnsupportedStanzaType,
		}, {
			name: "S7 data behind success", cfg: anonymous(), mechanism: "ANONYMOUS", says: auth("ANONYMOUS", "="),
			answer: "<success" + saslNS + "/><stream:features/>",
			then:   "", err: ErrInjected,
		}, {
			name: "C6.4.2 an empty initial response is an equals sign", cfg: anonymous(), mechanism: "ANONYMOUS", says: auth("ANONYMOUS", "="),
			answer: "<success" + saslNS + "/>",
			then:   xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, done := offered(t, tt.cfg, tt.mechanism)
			p.expect(tt.says)
			if tt.answer != "" {
				go func() { _ = p.trySend(tt.answer) }()
			}
			if p.expect(tt.then); tt.then == "" {
				p.expectEnd()
			}
			_ = p.nc.Close()
			got := <-done
			if got.err == nil || tt.err != nil && !errors.Is(got.err, tt.err) {
				t.Errorf("error = %v; want %v", got.err, tt.err)
			}
			if strings.Contains(got.err.Error(), password) {
				t.Errorf("the password is in %q", got.err)
			}
		})
	}
}

// TestC6_4_5_Retry: a client whose password was mistyped tries again on the same
// stream.
func TestC6_4_5_Retry(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wrong int // attempts with a wrong password
		err   error
	}{
		{name: "third time lucky", wrong: 2},
		{name: "gives up", wrong: 3, err: sasl.ErrNotAuthorized},
		{name: "too often", wrong: 10, err: PolicyViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			attempts := 0
			cfg := initiating()
			cfg.Features[1] = ClientSASL{
				Credentials: sasl.Credentials{Username: "juliet", Password: "wrong"},
				Retry: func(_ context.Context, failure *AuthError) *sasl.Credentials {
					require.ErrorIs(t, failure, sasl.ErrNotAuthorized)
					attempts++
					switch {
					case attempts == 3 && tt.err == sasl.ErrNotAuthorized:
						return nil
					case attempts < tt.wrong:
						return &sasl.Credentials{Username: "juliet", Password: "wrong again"}
					}
					return &sasl.Credentials{Username: "juliet", Password: password}
				},
			}
			a, b := net.Pipe()
			accepted := make(chan outcome, 1)
			go func() {
				c, err := Accept(t.Context(), b, receiving(t))
				accepted <- outcome{c, err}
			}()
			c, err := Initiate(t.Context(), a, cfg)
			if !errors.Is(err, tt.err) {
				t.Errorf("Initiate: %v; want %v", err, tt.err)
			}
			if c != nil {
				c.Abort()
			}
			if s := <-accepted; s.c != nil {
				s.c.Abort()
			}
		})
	}
}

// TestSec_ChannelBinding: both sides bind to the TLS connection between them, with
// each of the types.
func TestSec_ChannelBinding(t *testing.T) {
	for _, binding := range []string{sasl.TLSExporter, sasl.TLSServerEndPoint} {
		for _, direct := range []bool{false, true} {
			clientCfg, serverCfg := initiating(), receiving(t)
			serverCfg.Features[1] = ServerSASL{Authenticator: authenticators(t, func(o *sasl.Options) {
				o.OmitDowngradeProtection = true // the client does not use the offer as it is
			})}
			clientCfg.Features[1] = bindingOnly{clientCfg.Features[1].(ClientSASL), binding}
			a, b := net.Pipe()
			var ca, cb net.Conn = a, b
			if direct {
				ca, cb = TLSClient(a, clientTLS(), example), TLSServer(b, ServerTLS(serverTLS()))
			}
			client, server := connect(t, ca, cb, clientCfg, serverCfg)
			require.Equal(t, juliet, server.RemoteAddr().Bare())
			client.Abort()
			server.Abort()
		}
	}
}

// bindingOnly uses SCRAM-SHA-256-PLUS with one type of channel binding.
type bindingOnly struct {
	ClientSASL
	binding string
}

func (f bindingOnly) Use(ctx context.Context, n *Negotiation, offer stanza.Element) error {
	o := readOffer(n.Features())
	o.Bindings = []string{f.binding}
	policy := &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256Plus}}
	exchange, err := sasl.Select(o, &f.Credentials, n.Channel(), policy)
	if err != nil {
		return err
	}
	failure, err := authenticate(ctx, n, exchange)
	if failure != nil {
		return failure
	}
	if err != nil {
		return err
	}
	return n.Authenticated(n.Account())
}
