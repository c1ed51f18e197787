package stream

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
)

const (
	tasks512 = "<tasks><task>UPGR-SCRAM-SHA-512</task></tasks>"
	next512  = "<next" + sasl2NS + " task='UPGR-SCRAM-SHA-512'/>"
	ask512   = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>"
	saltXML  = "<task-data" + sasl2NS + "><salt xmlns='urn:xmpp:scram-upgrade:0' iterations='$iterations'>$salt</salt></task-data>"
)

func hashXML(data string) string {
	return "<task-data" + sasl2NS + "><hash xmlns='urn:xmpp:scram-upgrade:0'>" + data + "</hash></task-data>"
}

// What a receiving entity makes of the ways in which a task can go (XEP-0388 §2.6.3, XEP-0480).
func TestXEP0480_2_ServerTasks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		play  []string // sent, answered, sent, answered …; "$hash" is the right one
		added bool
	}{
		{"done", []string{next512, saltXML, "$hash", success2("juliet@im.example.com", "") + bindOnly}, true},
		{"§4.8 authentication again", []string{authenticate2("PLAIN", plainData, ""), failedWith(UnsupportedStanzaType)}, false},
		{"§4.8 authentication again, later", []string{next512, saltXML, authenticate2("PLAIN", plainData, ""), failedWith(UnsupportedStanzaType)}, false},
		{"a stanza", []string{"<message/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")}, false},
		{"abort", []string{"<abort" + sasl2NS + "/>", failure2("aborted") + closingTag}, false},
		{"abort, later", []string{next512, saltXML, "<abort" + sasl2NS + "/>", failure2("aborted") + closingTag}, false},
		{"another task", []string{"<next" + sasl2NS + " task='UPGR-SCRAM-SHA-256'/>", failure2("malformed-request") + closingTag}, false},
		{"no hash", []string{next512, saltXML, "<task-data" + sasl2NS + "/>", failure2("malformed-request") + closingTag}, false},
		{"an empty hash", []string{next512, saltXML, hashXML(""), failure2("malformed-request") + closingTag}, false},
		{"a hash of another length", []string{next512, saltXML, hashXML("AAAA"), failure2("malformed-request") + closingTag}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			book := &upgradeBook{missing: []sasl.Hash{sasl.SHA512}}
			p, _ := authenticating2(t, receiving2(t, func(f *ServerSASL2) { f.Upgrader = book }), "",
				"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade><upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>")
			offer := sasl.Offer{Mechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN"}, Bindings: []string{sasl.TLSExporter, sasl.TLSServerEndPoint}}
			exchange, err := sasl.Select(offer, &sasl.Credentials{Username: "juliet", Password: password}, nil, &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256}})
			require.NoError(t, err)
			first, err := exchange.Start()
			require.NoError(t, err)
			p.send(authenticate2("SCRAM-SHA-256", encoded(first), ask512))
			p.expect("<challenge" + sasl2NS + ">$challenge</challenge>")
			final, err := exchange.Next(decoded(t, p.bound["challenge"]))
			require.NoError(t, err)
			p.send("<response" + sasl2NS + ">" + encoded(final) + "</response>")
			p.expect("<continue" + sasl2NS + "><additional-data>$proof</additional-data>" + tasks512 + "</continue>")
			require.NoError(t, exchange.Finish(decoded(t, p.bound["proof"])))

			for i := 0; i < len(tt.play); i += 2 {
				say := tt.play[i]
				if say == "$hash" {
					iterations, err := strconv.Atoi(p.bound["iterations"])
					require.NoError(t, err)
					salted, err := sasl.SHA512.SaltedPassword(password, decoded(t, p.bound["salt"]), iterations, nil)
					require.NoError(t, err)
					say = hashXML(encoded(salted))
				}
				p.send(say)
				p.expect(tt.play[i+1])
			}
			require.Equal(t, tt.added, len(book.added) == 1)
		})
	}
}

func decoded(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

// A client gives a server what is as good as its password for nothing but a proof that it knows that already,
// and for no work that the policy does not allow.
func TestSec_ClientTasks(t *testing.T) {
	salt := func(iterations, data string) string {
		return "<task-data" + sasl2NS + "><salt xmlns='urn:xmpp:scram-upgrade:0' iterations='" + iterations + "'>" + data + "</salt></task-data>"
	}
	const proven = "<additional-data>$proof</additional-data>"
	abort := "<abort" + sasl2NS + "/>" + closingTag
	hash := hashXML("$salted")
	once := func(data string) string { return "<continue" + sasl2NS + ">" + data + tasks512 + "</continue>" }
	in := "<success" + sasl2NS + ">" + juliet2 + "</success><stream:features/>"
	for _, tt := range []struct {
		name string
		play []string // sent, answered, …
		err  error    // nil: it is in
	}{
		{"done", []string{once(proven), next512, salt("4096", "QUJD"), hash, in, ""}, nil},
		{"the proof once more, as in XEP-0480 §2.3", []string{once(proven), next512, salt("4096", "QUJD"), hash, "<success" + sasl2NS + "><additional-data>$proof</additional-data>" + juliet2 + "</success><stream:features/>", ""}, nil},
		{"no proof", []string{once(""), closingTag}, sasl.ErrServerNotProven},
		{"a wrong proof", []string{once("<additional-data>dj1BQUFB</additional-data>"), closingTag}, sasl.ErrServerNotProven},
		{"the same task twice", []string{once(proven), next512, salt("4096", "QUJD"), hash, once(""), abort}, sasl.ErrNoMechanism},
		{"the same task twice, with the proof", []string{once(proven), next512, salt("4096", "QUJD"), hash, once(proven), abort}, sasl.ErrNoMechanism},
		{"a task that nobody knows", []string{"<continue" + sasl2NS + ">" + proven + "<tasks><task>TOTP-EXAMPLE</task></tasks></continue>", abort}, sasl.ErrNoMechanism},
		{"a task that was not asked for", []string{"<continue" + sasl2NS + ">" + proven + "<tasks><task>UPGR-SCRAM-SHA-256</task></tasks></continue>", abort}, sasl.ErrNoMechanism},
		{"too little work", []string{once(proven), next512, salt("1", "QUJD"), abort}, sasl.ErrIterations},
		{"too much work", []string{once(proven), next512, salt("2000000000", "QUJD"), abort}, sasl.ErrIterations},
		{"no salt", []string{once(proven), next512, salt("4096", ""), abort}, sasl.ErrMalformed},
		{"something else", []string{once(proven), next512, "<challenge" + sasl2NS + "/>", abort}, sasl.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := initiating2(new(keeper), nil)
			f := cfg.Features[0].(ClientSASL2)
			f.Bind, f.Keep, f.Ticket = nil, nil, nil
			cfg.Features[0], cfg.Until = f, Authenticated
			p, done := serving2(t, cfg, opensFrom)
			p.send(answers + "<stream:features><authentication" + sasl2NS + "><mechanism>SCRAM-SHA-256-PLUS</mechanism>" + ask512 + "</authentication>" +
				"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>")
			p.expect("<authenticate" + sasl2NS + " mechanism='SCRAM-SHA-256-PLUS'><initial-response>$first</initial-response>" + agentXML + ask512 + "</authenticate>")
			offer := sasl.Offer{Mechanisms: []string{sasl.SCRAMSHA256Plus}, Bindings: []string{sasl.TLSExporter}}
			channel := sasl.ServerChannel(p.nc.(*tls.Conn).ConnectionState(), nil)
			exchange, err := authenticators(t, nil)(example).Start(sasl.SCRAMSHA256Plus, offer, channel)
			require.NoError(t, err)
			challenge, _, err := exchange.Next(t.Context(), decoded(t, p.bound["first"]))
			require.NoError(t, err)
			p.send("<challenge" + sasl2NS + ">" + encoded(challenge) + "</challenge>")
			p.expect("<response" + sasl2NS + ">$final</response>")
			proof, ok, err := exchange.Next(t.Context(), decoded(t, p.bound["final"]))
			require.NoError(t, err)
			require.True(t, ok)
			p.bound["proof"] = encoded(proof)

			for i := 0; i < len(tt.play); i += 2 {
				go func() { _ = p.trySend(tt.play[i]) }()
				p.expect(tt.play[i+1])
			}
			if tt.err != nil {
				_ = p.nc.Close()
			}
			got := <-done
			if !errors.Is(got.err, tt.err) {
				t.Errorf("error = %v; want %v", got.err, tt.err)
			}
			if got.c != nil {
				got.c.Abort()
			}
		})
	}
}
