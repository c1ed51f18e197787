package stream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// TestC6_3_4_NoPlainBeforeTLS: where TLS is missing, PLAIN is neither offered nor
// taken, even on a stream that does without TLS.
func TestC6_3_4_NoPlainBeforeTLS(t *testing.T) {
	p, _ := negotiating(t, false, plainReceiving(t))
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features><mechanisms" + saslNS + "><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>")
	p.send(plainAuth)
	p.expect(saslFailure("encryption-required"))
}

// TestClientS6_NoTLS: a server, or somebody in between, that does not offer TLS or
// refuses it gets no credentials, and nothing else.
func TestClientS6_NoTLS(t *testing.T) {
	const mechanisms = "<mechanisms" + saslNS + "><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-256</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms>"
	for _, tt := range []struct {
		name, features, then, answer string
		err                          error
	}{
		{name: "stripped", features: mechanisms, err: ErrNoTLS},
		{name: "nothing at all", err: ErrNoTLS},
		{name: "bound at once", features: "<bind" + bindNS + "/>", err: ErrNoTLS},
		{name: "another namespace", features: mechanisms + "<starttls xmlns='urn:x'/>", err: ErrNoTLS},
		{name: "refused", features: mechanisms + startTLS, then: startTLS, answer: failure, err: ErrTLSRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := initiating()
			c := cfg.Features[1].(ClientSASL)
			c.Credentials.Anonymous, c.Policy = true, &sasl.Policy{AllowPlain: true}
			cfg.Features[1] = c
			p, done := negotiating(t, true, cfg)
			p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
			p.send("<stream:stream id='1' version='1.0'" + namespaces + "<stream:features>" + tt.features + "</stream:features>")
			p.expect(tt.then)
			p.send(tt.answer)
			p.expect(closingTag)
			p.expectEnd()
			require.ErrorIs(t, (<-done).err, tt.err)
		})
	}
}

// TestClientS10_NotProven: a server that says the password is right without having
// shown that it knows it is not believed.
func TestClientS10_NotProven(t *testing.T) {
	for name, data := range map[string]string{
		"nothing": "", "empty": "=", "too early": b64("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), "an error": b64("e=other-error"),
	} {
		p, done := offered(t, plainInitiating(), "SCRAM-SHA-256")
		p.expect("<auth" + saslNS + " mechanism='SCRAM-SHA-256'>$first</auth>")
		p.send("<success" + saslNS + ">" + data + "</success>")
		p.expect(closingTag)
		p.expectEnd()
		require.ErrorIs(t, (<-done).err, sasl.ErrServerNotProven, name)
	}
}

// TestClientS14_RestrictedXML: a client does not put up with more than a server.
func TestClientS14_RestrictedXML(t *testing.T) {
	for _, tt := range []struct {
		sends string
		want  Condition
	}{
		{"<!DOCTYPE x>", RestrictedXML},
		{"<message><?pi?></message>", RestrictedXML},
		{"<!-- x -->", RestrictedXML},
		{"<message><body>&lol;</body></message>", RestrictedXML},
		{"<message a='1' a='2'/>", NotWellFormed},
		{"<message><x:y/></message>", NotWellFormed},
		{"<message><body>\xff</body></message>", UnsupportedEncoding},
		{"<message><body>&#0;</body></message>", NotWellFormed},
	} {
		p, c := established(t, true, nil)
		_, end := reading(c)
		go func() { _ = p.trySend(tt.sends) }()
		p.expect(failure0(tt.want))
		_ = p.nc.Close()
		wantError(t, <-end, tt.want)
	}
}

// TestClientS15_Limits: nor does it keep more than it has to.
func TestClientS15_Limits(t *testing.T) {
	for name, flood := range map[string]string{
		"bytes":      "<message><body>" + strings.Repeat("x", 300<<10),
		"depth":      "<message>" + strings.Repeat("<a>", 200),
		"elements":   "<message>" + strings.Repeat("<a/>", 20_000),
		"attributes": "<message " + manyAttributes(100),
	} {
		p, c := established(t, true, nil)
		_, end := reading(c)
		go func() { _ = p.trySend(flood) }()
		p.expect(failure0(PolicyViolation))
		_ = p.nc.Close()
		require.ErrorIs(t, <-end, PolicyViolation, name)
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(" a" + strings.Repeat("b", b.Len()/10) + "='1'")
	}
	return b.String() + "/>"
}
