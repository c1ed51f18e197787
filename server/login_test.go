package server

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestC7_7_1_ClientSubmittedResource(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	for wish, want := range map[string]string{"balcony": "balcony", "Bal Cony/x@y": "Bal Cony/x@y", "a\u00a0b": "a b"} {
		if got := h.login("juliet", wish).addr.Resourcepart(); got != want {
			t.Errorf("wished for %q: got %q, want %q", wish, got, want)
		}
	}
}

// A resource of the server's is random.
func TestC7_6_ServerGeneratedResource(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	a, b := h.login("juliet", ""), h.login("juliet", "")
	if len(a.addr.Resourcepart()) < 20 || a.addr == b.addr {
		t.Errorf("got %s and %s, want random resources", a.addr, b.addr)
	}
}

// A resource that is taken gets something random appended; the session that has
// it stays.
func TestC7_7_2_2_Conflict(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	long := strings.Repeat("x", 1023)
	for _, wish := range []string{"balcony", long} {
		first, second := h.login("juliet", wish), h.login("juliet", wish)
		if first.addr.Resourcepart() != wish || second.addr == first.addr || len(second.addr.Resourcepart()) < 20 {
			t.Errorf("got %s and %s", first.addr, second.addr)
		}
		if wish != long && !strings.HasPrefix(second.addr.Resourcepart(), wish+" ") {
			t.Errorf("got %s, want the wish at its beginning", second.addr)
		}
		first.expect()
		second.expect()
	}
}

// Too many sessions of one account: refused, and the stream goes on.
func TestC7_6_2_1_ResourceConstraint(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Limits.SessionsPerAccount = 1 })
	first := h.login("juliet", "balcony")
	c := h.connect()
	c.open("capulet.example")
	c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	c.open("capulet.example")
	got := c.tryBind("chamber")
	c.compare([]stanza.Element{got}, []string{"<iq type='error' id='bind'>" + stanzaError("wait", "resource-constraint") + "</iq>"})
	first.close()
	c.bind("chamber")
	require.Equal(t, "chamber", c.addr.Resourcepart())
}

// Every mechanism that is offered works, over TLS and without.
func TestC6_4_Mechanisms(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	plain := []string{sasl.SCRAMSHA512, sasl.SCRAMSHA256, sasl.SCRAMSHA1}
	for _, secure := range []bool{false, true} {
		want := plain
		if secure {
			want = slices.Concat([]string{sasl.SCRAMSHA512Plus, sasl.SCRAMSHA256Plus, sasl.SCRAMSHA1Plus}, plain, []string{sasl.Plain})
		}
		for _, mechanism := range want {
			c := h.connect()
			c.open("capulet.example")
			if secure {
				c.starttls(h, "capulet.example")
				c.open("capulet.example")
			}
			if got := c.offer().Mechanisms; !slices.Equal(got, want) {
				t.Fatalf("TLS %v: offered %q, want %q", secure, got, want)
			}
			c.authenticate(h.addr("juliet"), mechanism)
			c.open("capulet.example")
			c.bind("")
		}
	}
}

// Only what the options list is offered.
func TestC6_3_3_ChosenMechanisms(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Mechanisms = []string{sasl.SCRAMSHA256} })
	c := h.connect()
	c.open("capulet.example")
	require.Equal(t, []string{sasl.SCRAMSHA256}, c.offer().Mechanisms)
}

// TLS is required unless the options say otherwise; the account is not asked for
// before it.
func TestC5_3_1_TLSRequired(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.InsecurePlaintext = false })
	c := h.connect()
	c.open("capulet.example")
	require.Empty(t, c.offer().Mechanisms)
	starttls := c.feat.Child("urn:ietf:params:xml:ns:xmpp-tls", "starttls")
	require.Equal(t, "required", starttls.First().Name().Local)
	c.raw("<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>AGp1bGlldABiNGxjMG55</auth>")
	require.Equal(t, "encryption-required", c.next().First().Name().Local)

	c.starttls(h, "capulet.example")
	c.open("capulet.example")
	require.Zero(t, c.feat.Child("urn:ietf:params:xml:ns:xmpp-tls", "starttls"))
	c.authenticate(h.addr("juliet"), sasl.Plain)
	c.open("capulet.example")
	c.bind("balcony")
	c.expect()
	c.close()
}

// Direct TLS (XEP-0368), on a connection that is already there.
func TestXEP0368_DirectTLS(t *testing.T) {
	h := newHouse(t, []string{"romeo@montague.example"}, func(o *Options) { o.InsecurePlaintext = false })
	c := h.connectTLS("montague.example")
	require.Equal(t, "xmpp-client", c.nc.(*tls.Conn).ConnectionState().NegotiatedProtocol)
	c.open("montague.example")
	require.Zero(t, c.feat.Child("urn:ietf:params:xml:ns:xmpp-tls", "starttls"), "no TLS within TLS")
	c.authenticate(h.addr("romeo@montague.example"), sasl.SCRAMSHA256Plus)
	c.open("montague.example")
	c.bind("orchard")
	c.expect()
	c.close()
}

// An unknown account looks like a wrong password, with a salt that stays the same.
func TestSec_UserEnumeration(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	challenge := func(name, mechanism string) string {
		c := h.connect()
		c.open("capulet.example")
		c.raw("<auth xmlns='" + nsSASL + "' mechanism='" + mechanism + "'>" + encode([]byte("n,,n="+name+",r=abc")) + "</auth>")
		e := c.next()
		require.Equal(t, "challenge", e.Name().Local)
		raw := decode(t, e.Text())
		fields := strings.Split(raw, ",")
		require.GreaterOrEqual(t, len(fields), 3)
		return fields[1] + "," + fields[2] // salt and iterations
	}
	for _, m := range []string{sasl.SCRAMSHA1, sasl.SCRAMSHA256, sasl.SCRAMSHA512} {
		real, fake := challenge("juliet", m), challenge("nobody", m)
		require.Equal(t, len(real), len(fake), "%s and %s", real, fake)
		require.Equal(t, real, challenge("juliet", m))
		require.Equal(t, fake, challenge("nobody", m))
		require.Equal(t, real, challenge("JULIET", m), "localparts do not know case")
		require.Equal(t, fake, challenge("NOBODY", m))
	}
	for _, who := range []string{"juliet", "nobody"} {
		c := h.connect()
		c.open("capulet.example")
		e := c.exchange(h.addr(who), sasl.SCRAMSHA1, "", "wrong")
		require.Equal(t, "<failure xmlns='"+nsSASL+"'><not-authorized/></failure>", e.String())
	}
}

// Who proves to be one account cannot act as another (C6.3.8), by any mechanism.
func TestSec_AuthzidMatrix(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo", "juliet@montague.example"})
	for _, mechanism := range []string{sasl.Plain, sasl.SCRAMSHA1, sasl.SCRAMSHA256, sasl.SCRAMSHA512, sasl.SCRAMSHA1Plus, sasl.SCRAMSHA256Plus} {
		for authzid, want := range map[string]string{
			"":                               "",
			"juliet@capulet.example":         "",
			"Juliet@Capulet.example":         "",
			"romeo@capulet.example":          "invalid-authzid",
			"juliet@montague.example":        "invalid-authzid",
			"juliet":                         "invalid-authzid",
			"juliet@capulet.example/balcony": "invalid-authzid",
			"capulet.example":                "invalid-authzid",
			"@":                              "invalid-authzid",
		} {
			c := h.connect()
			c.open("capulet.example")
			c.starttls(h, "capulet.example")
			c.open("capulet.example")
			e := c.exchange(h.addr("juliet"), mechanism, authzid, password)
			got := ""
			if e.Name().Local == "failure" {
				got = e.First().Name().Local
			}
			if got != want {
				t.Errorf("%s, authzid %q: got %q, want %q", mechanism, authzid, got, want)
			}
			if got != "" {
				continue
			}
			c.r.Restart()
			c.open("capulet.example")
			c.bind("")
			if got := c.addr.Bare(); got != h.addr("juliet") {
				t.Errorf("%s, authzid %q: logged in as %s", mechanism, authzid, got)
			}
		}
	}
}

// A mechanism that was not offered is not accepted.
func TestSec_MechanismNotOffered(t *testing.T) {
	h := newHouse(t, []string{"juliet"}, func(o *Options) { o.Mechanisms = []string{sasl.SCRAMSHA256} })
	for mechanism, data := range map[string]string{
		"PLAIN":             encode([]byte("\x00juliet\x00" + password)),
		"SCRAM-SHA-1":       encode([]byte("n,,n=juliet,r=abc")),
		"SCRAM-SHA-1-PLUS":  encode([]byte("p=tls-exporter,,n=juliet,r=abc")),
		"ANONYMOUS":         "=",
		"EXTERNAL":          "=",
		"scram-sha-256":     encode([]byte("n,,n=juliet,r=abc")),
		"":                  "=",
		"X-OAUTH2":          "=",
		"DIGEST-MD5":        "=",
		"SCRAM-SHA-256\n":   "=",
		"SCRAM-SHA-256\"/>": "=",
	} {
		c := h.connect()
		c.open("capulet.example")
		c.raw("<auth xmlns='" + nsSASL + "' mechanism='" + strings.NewReplacer("\"", "&quot;", ">", "&gt;", "\n", "&#10;").Replace(mechanism) + "'>" + data + "</auth>")
		e := c.next()
		if e.Name().Local != "failure" || e.First().Name().Local == "" {
			t.Errorf("%q: got %s, want a failure", mechanism, e)
		}
	}
}

// PLAIN is not accepted in the clear, even where streams without TLS are.
func TestSec_PlainInTheClear(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	c := h.connect()
	c.open("capulet.example")
	require.NotContains(t, c.offer().Mechanisms, sasl.Plain)
	c.raw("<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + encode([]byte("\x00juliet\x00"+password)) + "</auth>")
	require.Equal(t, "failure", c.next().Name().Local)
}

// The stream cannot move to another domain once it is authenticated.
func TestSec_VirtualHostSwitch(t *testing.T) {
	h := newHouse(t, []string{"juliet", "juliet@montague.example"})
	c := h.connect()
	c.open("capulet.example")
	c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	c.raw("<stream:stream to='montague.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	_, err := c.r.Header()
	require.NoError(t, err)
	require.Equal(t, "not-authorized", c.next().First().Name().Local)
}

// What came before TLS is never executed.
func TestSec_StartTLSInjection(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.online("romeo", "orchard", "")
	c := h.connect()
	c.open("capulet.example")
	// One segment: the request for TLS, and what somebody on the way put behind it.
	go c.nc.Write([]byte("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message to='romeo@capulet.example'><body>injected</body></message><iq type='set' id='evil'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"))
	require.Equal(t, "proceed", c.next().Name().Local)
	cfg := h.ca.ClientConfig()
	cfg.ServerName = "capulet.example"
	tc := tls.Client(c.nc, cfg)
	require.NoError(t, tc.HandshakeContext(t.Context()))
	c.nc = tc
	c.r.Reset(tc)
	c.open("capulet.example")
	c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
	c.open("capulet.example")
	c.bind("balcony")
	c.expect()
	romeo.expect()
}

// Nothing but negotiation is processed before a resource is bound (C4.3.5, C7.1).
func TestC7_1_StanzaBeforeBind(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	romeo := h.online("romeo", "orchard", "")
	for _, authenticated := range []bool{false, true} {
		c := h.connect()
		c.open("capulet.example")
		if authenticated {
			c.authenticate(h.addr("juliet"), sasl.SCRAMSHA1)
			c.open("capulet.example")
		}
		c.raw("<message to='romeo@capulet.example'><body>early</body></message>")
		require.Equal(t, "not-authorized", c.next().First().Name().Local)
		romeo.expect()
	}
}
