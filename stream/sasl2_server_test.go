package stream

import (
	"context"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// receiving2 is a server for im.example.com that has SASL2 alone, as far as change leaves it at that.
func receiving2(t testing.TB, change func(*ServerSASL2)) *Config {
	cfg := receiving(t)
	f := ServerSASL2{Authenticator: authenticators(t, nil)}
	if change != nil {
		change(&f)
	}
	cfg.Features = []Feature{cfg.Features[0], f, Bind{}}
	return cfg
}

const (
	offers2    = "<mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism>"
	bindings2  = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>"
	bindOnly   = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
	plainData  = "AGp1bGlldAByMG0zMG15cjBtMzA="
	agentOnly  = "<user-agent id='" + agentID + "'/>"
	challenge2 = "<challenge" + sasl2NS + "/>"
)

func failure2(condition string) string {
	return "<failure" + sasl2NS + "><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
}

// authenticate2 is a client's request; inline is what comes behind the data.
func authenticate2(mechanism, data, inline string) string {
	return "<authenticate" + sasl2NS + " mechanism='" + mechanism + "'><initial-response>" + data + "</initial-response>" + inline + "</authenticate>"
}

// success2 is a server's answer with what came of inline requests.
func success2(who, inline string) string {
	return "<success" + sasl2NS + "><authorization-identifier>" + who + "</authorization-identifier>" + inline + "</success>"
}

// authenticating2 returns a scripted client, over TLS, at the point where it has to say who it is.
func authenticating2(t testing.TB, cfg *Config, from, inline string) (*peer, <-chan outcome) {
	p, done := negotiating(t, false, cfg)
	p.secured()
	delete(p.bound, "id")
	to := ""
	if from != "" {
		to, from = " to='"+from+"'", " from='"+from+"'"
	}
	p.send("<stream:stream" + from + " to='im.example.com' version='1.0'" + namespaces)
	p.expect(xmlDecl + "<stream:stream from='im.example.com'" + to + " id='$id' version='1.0' xml:lang='en'" + namespaces)
	p.expect("<stream:features><authentication" + sasl2NS + ">" + offers2 + inline + "</authentication>" + bindings2 + "</stream:features>")
	return p, done
}

// What a receiving entity answers to one element of SASL2 after another. Each row is a stream of its own.
func TestXEP0388_ServerSASL2(t *testing.T) {
	right := authenticate2("PLAIN", plainData, "")
	wrong := authenticate2("PLAIN", b64("\x00juliet\x00wrong"), "")
	open := "<authenticate" + sasl2NS + " mechanism='PLAIN'/>"
	in := success2("juliet@im.example.com", "") + bindOnly
	for _, tt := range []struct {
		name string
		play []string // sent, answered, sent, answered …
	}{
		{"§2.6.1 success", []string{right, in}},
		{"§2.2 no initial response", []string{open, challenge2, "<response" + sasl2NS + ">" + plainData + "</response>", in}},
		{"§2.2 an empty initial response", []string{authenticate2("PLAIN", "", ""), failure2("malformed-request")}},
		{"§2.6.2 wrong password, then the right one", []string{wrong, failure2("not-authorized"), right, in}},
		{"an unknown account looks the same", []string{authenticate2("PLAIN", b64("\x00tybalt\x00"+password), ""), failure2("not-authorized")}},
		{"§2.3 a mechanism that was not offered", []string{authenticate2("SCRAM-SHA-1", "bixhPWE=", ""), failure2("invalid-mechanism")}},
		{"§2.3 a mechanism for tokens that was not offered", []string{authenticate2("HT-SHA-256-NONE", "AAAA", agentOnly+"<fast xmlns='urn:xmpp:fast:0'/>"), failure2("invalid-mechanism")}},
		{"§2.3 no mechanism", []string{"<authenticate" + sasl2NS + "/>", failure2("invalid-mechanism")}},
		{"not base64", []string{authenticate2("PLAIN", "!!!", ""), failure2("incorrect-encoding")}},
		{"line ends", []string{authenticate2("PLAIN", "AGp1bGlldAByMG0z\nMG15cjBtMzA=", ""), failure2("incorrect-encoding")}},
		{"abort", []string{open, challenge2, "<abort" + sasl2NS + "/>", failure2("aborted"), right, in}},
		{"abort of nothing", []string{"<abort" + sasl2NS + "/>", failure2("aborted")}},
		{"a response to nothing", []string{"<response" + sasl2NS + "/>", failure2("malformed-request")}},
		{"a task that nobody asked for", []string{"<next" + sasl2NS + " task='UPGR-SCRAM-SHA-512'/>", failure2("malformed-request")}},
		{"§2.4 a second request meanwhile", []string{open, challenge2, right, failedWith(UnsupportedStanzaType)}},
		{"§2.4 a stanza meanwhile", []string{open, challenge2, "<message/>", failedWithText(NotAuthorized, "stanza before the end of negotiation")}},
		{"§4.8 again after success", []string{right, in, right, failedWith(UnsupportedStanzaType)}},
		{"§4.8 a response after success", []string{right, in, "<response" + sasl2NS + "/>", failedWith(UnsupportedStanzaType)}},
		{"requests inline that were not offered", []string{authenticate2("PLAIN", plainData, agentOnly+"<bind xmlns='urn:xmpp:bind:0'/>"+
			"<resume xmlns='urn:xmpp:sm:3' h='0' previd='x'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"+
			"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>"), in}},
		{"retries", []string{
			wrong, failure2("not-authorized"), wrong, failure2("not-authorized"), wrong, failure2("not-authorized"),
			wrong, failure2("not-authorized") + failedWithText(PolicyViolation, "too many failed attempts"),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := authenticating2(t, receiving2(t, nil), "", "")
			for i := 0; i < len(tt.play); i += 2 {
				p.send(tt.play[i])
				p.expect(tt.play[i+1])
			}
		})
	}
}

// The account in the header is that of who logs in (XEP-0388 §2.3, §4.4).
func TestXEP0388_2_3_From(t *testing.T) {
	anyone := func(f *ServerSASL2) {
		f.Authenticator = authenticators(t, func(o *sasl.Options) {
			o.Authorize = func(context.Context, sasl.Identity) error { return nil }
		})
	}
	as := func(authzid string) string {
		return authenticate2("PLAIN", b64(authzid+"\x00juliet\x00"+password), "")
	}
	for _, tt := range []struct{ from, authzid, want string }{
		{"juliet@im.example.com", "", success2("juliet@im.example.com", "")},
		{"nurse@im.example.com", "", failedWithText(InvalidFrom, "the header is from another account")},
		{"", "nurse@im.example.com", success2("nurse@im.example.com", "")},
		{"nurse@im.example.com", "nurse@im.example.com", success2("nurse@im.example.com", "")},
		{"juliet@im.example.com", "nurse@im.example.com", failure2("invalid-authzid")},
		{"juliet@im.example.com", "juliet@other.example", failure2("invalid-authzid")},
	} {
		t.Run(tt.from+" as "+tt.authzid, func(t *testing.T) {
			p, _ := authenticating2(t, receiving2(t, anyone), tt.from, "")
			p.send(as(tt.authzid))
			p.expect(tt.want)
		})
	}
}

// Without TLS nobody gets anywhere.
func TestSec_SASL2NeedsTLS(t *testing.T) {
	p, _ := negotiating(t, false, receiving2(t, nil))
	p.send(clientOpens)
	p.expect(serverOpens + startTLSOnly)
	p.send(authenticate2("PLAIN", plainData, ""))
	p.expect(failure2("encryption-required"))
}

// A server that has no mechanism for a channel does not offer SASL2 on it (XEP-0388 §2.1).
func TestXEP0388_2_1_NoMechanisms(t *testing.T) {
	cfg := receiving2(t, func(f *ServerSASL2) {
		f.Authenticator = authenticators(t, func(o *sasl.Options) { o.Mechanisms = []string{sasl.SCRAMSHA256Plus} })
		f.Bind = assign
	})
	cfg.InsecurePlaintext = true
	cfg.Features = cfg.Features[1:]
	p, _ := negotiating(t, false, cfg)
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features/>")
}

// assign is a ServerSASL2.Bind.
func assign(_ context.Context, account jid.JID, tag string) (jid.JID, error) {
	return account.WithResource(tag + "/abc")
}

// What a receiving entity does inline (XEP-0386, XEP-0198 §9).
func TestXEP0386_ServerInline(t *testing.T) {
	const (
		inline = "<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:csi:0'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/></inline>"
		bind   = "<bind xmlns='urn:xmpp:bind:0'><tag>Balcony</tag>"
		bound  = "<bound xmlns='urn:xmpp:bind:0'>"
		full   = "juliet@im.example.com/Balcony/abc"
		none   = "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
		bad    = "<failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
		resume = "<resume xmlns='urn:xmpp:sm:3' h='0' previd='"
		enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
	)
	lost := func() *Conn {
		c, err := Restore(&Saved{ID: "before", JID: jid.MustParse("juliet@im.example.com/before")})
		require.NoError(t, err)
		return c
	}
	managedFeatures := "<stream:features/>"
	for _, tt := range []struct {
		name, ask, want string
		bound, managed  bool
		inactive        bool
		resumed         bool
	}{
		{name: "bind", ask: bind + "</bind>", want: success2(full, bound[:len(bound)-1]+"/>") + "<stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>", bound: true},
		{name: "bind, enable and inactive", ask: bind + enable + "<inactive xmlns='urn:xmpp:csi:0'/></bind>",
			want: success2(full, bound+"<enabled xmlns='urn:xmpp:sm:3' id='$smid' resume='true' max='60'/></bound>") + managedFeatures, bound: true, managed: true, inactive: true},
		{name: "active", ask: bind + "<active xmlns='urn:xmpp:csi:0'/></bind>", want: success2(full, bound[:len(bound)-1]+"/>"), bound: true},
		{name: "what nobody knows", ask: bind + "<enable xmlns='urn:xmpp:unknown'/></bind>", want: success2(full, bound[:len(bound)-1]+"/>"), bound: true},
		{name: "a tag that is no resource", ask: "<bind xmlns='urn:xmpp:bind:0'><tag>" + strings.Repeat("x", 1024) + "</tag></bind>",
			want: success2("juliet@im.example.com//abc", bound[:len(bound)-1]+"/>"), bound: true},
		{name: "resume", ask: resume + "before'/>" + bind + enable + "</bind>",
			want: success2("juliet@im.example.com/before", "<resumed xmlns='urn:xmpp:sm:3' previd='before' h='0'/>"), bound: true, managed: true, resumed: true},
		{name: "resume what is gone, and bind", ask: resume + "gone'/>" + bind + enable + "</bind>",
			want: success2(full, none+bound+"<enabled xmlns='urn:xmpp:sm:3' id='$smid' resume='true' max='60'/></bound>") + managedFeatures, bound: true, managed: true},
		{name: "resume without an id, and nothing else", ask: "<resume xmlns='urn:xmpp:sm:3' h='0'/>",
			want: success2("juliet@im.example.com", bad) + "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"},
		{name: "resume with a count that was never reached", ask: "<resume xmlns='urn:xmpp:sm:3' h='9' previd='before'/>" + bind + "</bind>",
			want: "<stream:error><undefined-condition"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inactive := false
			cfg := receiving2(t, func(f *ServerSASL2) {
				f.Bind = assign
				f.Management = &Management{ResumeFor: time.Minute}
				f.Inline = []BindFeature{{xml.Name{Space: nsCSI, Local: "inactive"}, func(context.Context, stanza.Element) { inactive = true }}}
				f.Resume = &Resume{Find: func(_ context.Context, account jid.JID, id string) (*Conn, error) {
					require.Equal(t, juliet, account)
					if id != "before" {
						return nil, nil
					}
					return lost(), nil
				}}
			})
			cfg.Features = append(cfg.Features, Management{ResumeFor: time.Minute})
			p, done := authenticating2(t, cfg, "", inline)
			p.send(authenticate2("PLAIN", plainData, agentOnly+tt.ask))
			p.expect(tt.want)
			if !tt.bound {
				return
			}
			got := <-done
			require.NoError(t, got.err)
			require.Equal(t, tt.managed, got.c.Managed())
			require.Equal(t, tt.resumed, got.c.Resumed())
			require.Equal(t, tt.inactive, inactive)
			if tt.managed { // counted from right behind success, and nothing in between
				_, _ = reading(got.c)
				p.send("<message/><r xmlns='urn:xmpp:sm:3'/>")
				p.expect("<a xmlns='urn:xmpp:sm:3' h='1'/>")
			}
			got.c.Abort()
		})
	}
}
