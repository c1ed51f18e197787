package stream

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// A notebook is a trace that keeps what it sees.
type notebook struct {
	mu    sync.Mutex
	lines []string
}

func (b *notebook) note(prefix string) func([]byte) {
	return func(part []byte) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines = append(b.lines, prefix+string(part))
	}
}

func (b *notebook) trace() *xmpp.Trace {
	return &xmpp.Trace{
		Received: b.note("< "),
		Sent:     b.note("> "),
		Event: func(name, detail string) {
			b.note("* ")([]byte(name + ": " + detail))
		},
	}
}

// TestTrace shows all that a client's trace sees of a stream.
func TestTrace(t *testing.T) {
	var book notebook
	clientCfg := plainInitiating()
	clientCfg.Trace = book.trace()
	a, b := net.Pipe()
	client, server := connect(t, a, b, clientCfg, plainReceiving(t))
	_, clientEnd := reading(client)
	_, serverEnd := reading(server)
	require.NoError(t, server.TrySend(hello, hello.Header()))
	_, err := client.Send(t.Context(), hello, hello.Header())
	require.NoError(t, err)
	require.NoError(t, client.Close(t.Context()))
	<-clientEnd
	<-serverEnd

	want := []string{
		"> <?xml version='1.0'?><stream:stream to='im.example.com' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
		"< <stream xmlns='http://etherx.jabber.org/streams' from='im.example.com' id='$id' version='1.0' xml:lang='en'>",
		"< <features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms></features>",
		"> <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>[removed]</auth>",
		"< <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>[removed]</challenge>",
		"> <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>[removed]</response>",
		"< <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>[removed]</success>",
		"* sasl: SCRAM-SHA-256",
		"* authenticated: juliet@im.example.com",
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	got := slices.Clone(book.lines)
	got[1] = strings.Replace(got[1], "id='"+strings.Split(strings.Split(got[1], "id='")[1], "'")[0], "id='$id", 1)
	require.Equal(t, want, got[:len(want)])
	for _, line := range []string{"> " + helloXML, "< " + helloXML, "> " + closingTag, "< " + closingTag} {
		require.Contains(t, got, line)
	}
	require.Contains(t, strings.Join(got, "\n"), "* bound: juliet@im.example.com/")
}

// TestTrace_Active: a trace sees parts only while it wants to, and events always.
func TestTrace_Active(t *testing.T) {
	var book notebook
	var active atomic.Bool
	cfg := plainReceiving(t)
	cfg.Trace = book.trace()
	cfg.Trace.Active = active.Load
	a, b := net.Pipe()
	client, server := connect(t, a, b, plainInitiating(), cfg)
	got, clientEnd := reading(client)
	_, serverEnd := reading(server)
	say := func() {
		require.NoError(t, server.TrySend(hello, hello.Header()))
		<-got
	}
	say()
	book.mu.Lock()
	before := strings.Join(book.lines, "\n")
	book.mu.Unlock()
	require.NotContains(t, before, "<")
	require.NotContains(t, before, ">")
	require.Contains(t, before, "* bound: juliet@im.example.com/")
	active.Store(true)
	say()
	require.NoError(t, client.Close(t.Context()))
	<-clientEnd
	<-serverEnd
	book.mu.Lock()
	defer book.mu.Unlock()
	for _, line := range []string{"> " + helloXML, "> " + closingTag, "< " + closingTag} {
		require.Contains(t, book.lines, line)
	}
}

// TestTrace_TLS: what TLS has become is an event.
func TestTrace_TLS(t *testing.T) {
	var book notebook
	serverCfg := receiving(t)
	serverCfg.Trace = book.trace()
	a, b := net.Pipe()
	client, server := connect(t, a, b, initiating(), serverCfg)
	client.Abort()
	server.Abort()
	book.mu.Lock()
	defer book.mu.Unlock()
	require.Contains(t, strings.Join(book.lines, "\n"), "* tls: TLS 1.3, TLS_")
}

// TestClientS22_Redacted: nothing secret is shown, in whatever element it is and however it is written.
func TestClientS22_Redacted(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{auth("PLAIN", "AGp1bGlldAByMG0zMG15cjBtMzA="), auth("PLAIN", removed)},
		{"<auth" + saslNS + " mechanism='PLAIN' initial='AGp1bGlldAA='><x>AGp1</x></auth>", auth("PLAIN", removed)},
		{saslFailure("not-authorized"), saslFailure("not-authorized")},
		{"<abort" + saslNS + "/>", "<abort" + saslNS + "/>"},
		{
			"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AGp1bG</initial-response><user-agent id='d4'/></authenticate>",
			"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>[removed]</authenticate>",
		}, {
			"<success xmlns='urn:xmpp:sasl:2'><additional-data>dj1</additional-data><token xmlns='urn:xmpp:fast:0' token='secret'/></success>",
			"<success xmlns='urn:xmpp:sasl:2'>[removed]</success>",
		}, {
			"<iq type='result'><token xmlns='urn:xmpp:fast:0' expiry='2025' token='secret'/></iq>",
			"<iq type='result'><token xmlns='urn:xmpp:fast:0'>[removed]</token></iq>",
		}, {
			"<iq type='set' id='1'><query xmlns='jabber:iq:auth'><username>bill</username><password>Calli0pe</password><digest>48fc78be</digest><resource>globe</resource></query></iq>",
			"<iq type='set' id='1'><query xmlns='jabber:iq:auth'><username>bill</username><password>[removed]</password><digest>[removed]</digest><resource>globe</resource></query></iq>",
		}, {
			"<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>bill</username><password>Cal<x/>li0pe</password></query></iq>",
			"<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>bill</username><password>[removed]</password></query></iq>",
		}, {
			"<iq type='set'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>bill</value></field><field var='password'><value>Calli0pe</value></field></x></query></iq>",
			"<iq type='set'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>bill</value></field><field var='password'>[removed]</field></x></query></iq>",
		}, {
			"<message><x xmlns='jabber:x:data'><field type='text-private' var='pin'><value>1234</value></field></x></message>",
			"<message><x xmlns='jabber:x:data'><field type='text-private' var='pin'>[removed]</field></x></message>",
		}, {
			"<iq type='set' to='example.com' id='pa1'><preauth xmlns='urn:xmpp:pars:0' token='TOKEN'/></iq>",
			"<iq type='set' to='example.com' id='pa1'><preauth xmlns='urn:xmpp:pars:0'>[removed]</preauth></iq>",
		}, {
			"<handshake xmlns='jabber:component:accept'>d41d8cd9</handshake>",
			"<handshake xmlns='jabber:component:accept'>[removed]</handshake>",
		},
		{
			opensFrom + "<authenticate" + sasl2NS + " mechanism='HT-SHA-256-NONE'><initial-response>AGp1</initial-response></authenticate>",
			opensFrom + "<authenticate" + sasl2NS + " mechanism='HT-SHA-256-NONE'>[removed]</authenticate>",
		}, {
			xmlDecl + "<stream:stream xml:lang='a>b'" + namespaces + "<authenticate" + sasl2NS + "><initial-response>AGp1</initial-response></authenticate>",
			xmlDecl + "<stream:stream xml:lang='a>b'" + namespaces + "<authenticate" + sasl2NS + ">[removed]</authenticate>",
		}, {
			opensFrom + "<stream:features><authentication" + sasl2NS + "/></stream:features>",
			opensFrom + "<stream:features><authentication" + sasl2NS + "/></stream:features>",
		}, {
			"<success" + sasl2NS + "><additional-data>dj1</additional-data></success><stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>",
			"<success" + sasl2NS + ">[removed]</success><stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>",
		},
		{"<success" + sasl2NS + "><additional-data>dj1</additional-data></success><stream:features/>", "<success" + sasl2NS + ">[removed]</success><stream:features/>"},
		{xmlDecl + "<stream:stream" + sasl2NS + " from='", xmlDecl + "<stream:stream" + sasl2NS + " from='"},
		{helloXML, helloXML},
		{closingTag, closingTag},
		{" ", " "},
	} {
		if got := string(redacted([]byte(tt.in))); got != tt.want {
			t.Errorf("redacted(%s)\n\t= %s\n\twant %s", tt.in, got, tt.want)
		}
	}
}

// TestClientS22_NoSecrets: neither the trace nor a printed value shows the password
// or what it became.
func TestClientS22_NoSecrets(t *testing.T) {
	var book notebook
	clientCfg, serverCfg := initiating(), receiving(t)
	feature := clientCfg.Features[1].(ClientSASL)
	feature.Policy = &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
	clientCfg.Features[1] = feature
	clientCfg.Trace, serverCfg.Trace = book.trace(), book.trace()
	a, b := net.Pipe()
	client, server := connect(t, a, b, clientCfg, serverCfg)
	client.Abort()
	server.Abort()
	<-client.Done()
	<-server.Done()
	everything := strings.Join(append(book.lines, sprintAll(feature, clientCfg)...), "\n")
	for _, secret := range []string{password, "AGp1bGlldAByMG0zMG15cjBtMzA="} {
		if strings.Contains(everything, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func sprintAll(values ...any) (out []string) {
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
	}
	return out
}
