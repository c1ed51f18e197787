package stream

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestNext shows what Next makes of what a peer sends, for both roles.
func TestNext(t *testing.T) {
	const m = "<message><body>hi</body></message>"
	for _, tt := range []struct {
		name     string
		initiate bool
		sends    string
		want     []string // elements that Next returns
		answer   string   // what the peer gets
		end      error    // how it ends; nil if it goes on
		received bool
	}{
		{name: "C11.7 white space between stanzas", sends: m + "  \n\t " + m, want: []string{m, m}},
		{name: "C11.7 white space between stanzas", initiate: true, sends: " " + m + " ", want: []string{m}},
		{name: "C4.4 the peer closes", sends: m + closingTag, want: []string{m}, answer: closingTag, end: io.EOF},
		{name: "C4.4 the peer closes", initiate: true, sends: m + closingTag, want: []string{m}, answer: closingTag, end: io.EOF},
		{name: "C4.9.3.24 unknown element", sends: "<x xmlns='urn:x'/>", answer: failedWith(UnsupportedStanzaType), end: UnsupportedStanzaType},
		{name: "C4.9.3.24 unknown element in the content namespace", sends: "<pubsub/>", answer: failedWith(UnsupportedStanzaType), end: UnsupportedStanzaType},
		{name: "C4.9.3.24 features from a client", sends: "<stream:features/>", answer: failedWith(UnsupportedStanzaType), end: UnsupportedStanzaType},
		{name: "C4.8.4 unknown element from a server", initiate: true, sends: "<x xmlns='urn:x'/><pubsub/>" + m, want: []string{"<x xmlns='urn:x'/>", "<pubsub/>", m}},
		{name: "C4.3.5 empty features from a server", initiate: true, sends: "<stream:features/>" + m, want: []string{m}},
		{name: "C4.8.3 a stanza between servers", sends: "<message xmlns='jabber:server'/>", answer: failedWith(InvalidNamespace), end: InvalidNamespace},
		{name: "C4.8.3 a stanza between servers", initiate: true, sends: "<message xmlns='jabber:server'/>", answer: failedWith(InvalidNamespace), end: InvalidNamespace},
		{name: "C4.9.3.13", sends: "<message><body></message>", answer: failure0(NotWellFormed), end: NotWellFormed},
		{name: "C4.9.3.13", initiate: true, sends: "<message><foo:body/></message>", answer: failure0(NotWellFormed), end: NotWellFormed},
		{name: "C4.9.3.18", sends: "<message><!-- x --></message>", answer: failure0(RestrictedXML), end: RestrictedXML},
		{name: "C4.9.3.18", initiate: true, sends: "<message>&lol;</message>", answer: failure0(RestrictedXML), end: RestrictedXML},
		{name: "C4.9.3.1", sends: "text", answer: failure0(BadFormat), end: BadFormat},
		{name: "C13.12 too long", sends: "<message><body>" + strings.Repeat("x", 300_000), answer: failure0(PolicyViolation), end: PolicyViolation},
		{name: "C4.9.1.1 error from the peer", sends: m + failedWith(Conflict), want: []string{m}, answer: closingTag, end: Conflict, received: true},
		{name: "C4.9.1.1 error from the peer", initiate: true, sends: failedWith(SystemShutdown), answer: closingTag, end: SystemShutdown, received: true},
		{name: "C4.9.2 unknown condition", initiate: true, sends: failedWith("brain-melt"), answer: closingTag, end: UndefinedCondition, received: true},
		{name: "RFC 3921 session", sends: "<iq type='set' id='7' from='a@b'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>" + m, want: []string{m}, answer: "<iq type='result' id='7' to='a@b'/>"},
		{name: "C5 STARTTLS after negotiation", sends: startTLS, answer: failedWith(UnsupportedStanzaType), end: UnsupportedStanzaType},
	} {
		name := tt.name + ", receiving"
		if tt.initiate {
			name = tt.name + ", initiating"
		}
		t.Run(name, func(t *testing.T) {
			p, c := established(t, tt.initiate, func(cfg *Config) {
				if !tt.initiate { // it must not be possible on the way in, either
					cfg.Features = append(cfg.Features, StartTLS{})
				}
			})
			elements, end := reading(c)
			go func() { _ = p.trySend(tt.sends) }()
			p.expect(tt.answer)
			for i, want := range tt.want {
				if got := (<-elements).String(); got != want {
					t.Errorf("element %d = %s; want %s", i, got, want)
				}
			}
			if tt.end == nil {
				return
			}
			if tt.end != UnsupportedStanzaType && tt.end != InvalidNamespace {
				_ = p.nc.Close()
			} else {
				p.expectEnd()
			}
			err := <-end
			if !errors.Is(err, tt.end) {
				t.Errorf("Next: %v; want %v", err, tt.end)
			}
			if e, ok := errors.AsType[*Error](err); ok && e.Received != tt.received {
				t.Errorf("Received = %v", e.Received)
			}
			require.Equal(t, err, c.Err())
			<-c.Done()
		})
	}
}

// failure0 is the start of an error that has a text.
func failure0(c Condition) string {
	return "<stream:error><" + string(c) + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
}

// TestNext_Transport: the end of the transport without that of the stream is an
// error.
func TestNext_Transport(t *testing.T) {
	p, c := established(t, true, nil)
	_, end := reading(c)
	p.send("<message>")
	require.NoError(t, p.nc.Close())
	err := <-end
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	<-c.Done()
	_, err = c.Send(t.Context(), stanza.Message{}, stanza.Header{})
	require.ErrorIs(t, err, xmpp.ErrClosed)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, c.SendElement(t.Context(), stanza.Message{}), xmpp.ErrClosed)
	require.ErrorIs(t, c.KeepAlive(), xmpp.ErrClosed)
	require.ErrorIs(t, c.Close(t.Context()), io.ErrUnexpectedEOF)
	c.Fail(&Error{Condition: Conflict})
	c.Abort()
	require.ErrorIs(t, c.Err(), io.ErrUnexpectedEOF)
}

// TestSec_LimitsBefore: before authentication little is read, and few elements.
func TestSec_LimitsBefore(t *testing.T) {
	for name, flood := range map[string]string{
		"elements":   "<x xmlns='urn:x'>" + strings.Repeat("<a/>", 2500),
		"bytes":      "<x xmlns='urn:x'>" + strings.Repeat("x", 10_000),
		"depth":      strings.Repeat("<a>", 2500),
		"attributes": "<x" + strings.Repeat(" a='1'", 100),
		"auth":       auth("PLAIN", strings.Repeat("A", 12_000)),
	} {
		p, done := authenticating(t, receiving(t), "")
		go func() { _ = p.trySend(flood) }()
		p.expect(failure0(PolicyViolation))
		_ = p.nc.Close()
		require.Error(t, (<-done).err, name)
	}
	// Afterwards, that is nothing.
	p, c := established(t, false, nil)
	elements, _ := reading(c)
	go func() { _ = p.trySend("<message>" + strings.Repeat("<a/>", 2500) + "</message>") }()
	require.Equal(t, 2500, strings.Count((<-elements).String(), "<a/>"))
}

// TestLimits: what is configured holds, but never less than RFC 6120 §13.12 grants.
func TestLimits(t *testing.T) {
	p, c := established(t, false, func(cfg *Config) { cfg.Limits = Limits{Bytes: 100, Depth: 3} })
	elements, end := reading(c)
	long := "<message>" + strings.Repeat("x", 9_900) + "</message>"
	go func() { _ = p.trySend(long + "<message><a><b><c/></b></a></message>") }()
	require.Equal(t, long, (<-elements).String())
	p.expect(failure0(PolicyViolation))
	_ = p.nc.Close()
	require.ErrorIs(t, <-end, PolicyViolation)
}

// A slow feature of our own, for both roles: a question and an answer.
type greeting struct {
	served  chan string
	timeout time.Duration
}

func (greeting) Name() xml.Name        { return xml.Name{Space: "urn:example:greeting", Local: "greeting"} }
func (greeting) Possible(s State) bool { return s.Has(Authenticated) }
func (greeting) Offer(_ *Negotiation, w *stanza.Writer) {
	w.Element("urn:example:greeting", "greeting", "")
}
func (greeting) Wants(e stanza.Element) bool { return e.Is("urn:example:greeting", "hello") }
func (greeting) Standing()                   {}
func (g greeting) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	if err := n.Write(func(w *stanza.Writer) { w.Element("urn:example:greeting", "who", "") }); err != nil {
		return err
	}
	answer, err := n.Read(ctx)
	if err != nil {
		return err
	}
	g.served <- answer.Text()
	return n.Secured(nil) // which it cannot do
}

func (g greeting) Use(ctx context.Context, n *Negotiation, _ stanza.Element) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if _, err := n.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return n.Write(func(w *stanza.Writer) { w.Element("urn:example:greeting", "hello", "") })
}

// TestStanding: a feature may be begun after negotiation, but not change the
// state of the stream.
func TestStanding(t *testing.T) {
	g := greeting{served: make(chan string, 1)}
	ours, theirs := tcpPipe(t)
	cfg := plainReceiving(t)
	cfg.Features = append(cfg.Features, g)
	cfg.Features[0] = ServerSASL{Authenticator: authenticators(t, nil)}
	client, server := connect(t, ours, theirs, plainInitiating(), cfg)
	_, end := reading(server)
	got, _ := reading(client)
	require.NoError(t, client.SendElement(t.Context(), stanza.Marshal(struct {
		XMLName xml.Name `xml:"urn:example:greeting hello"`
	}{})))
	require.Equal(t, "<who xmlns='urn:example:greeting'/>", (<-got).String())
	require.NoError(t, client.SendElement(t.Context(), stanza.Marshal(struct {
		XMLName xml.Name `xml:"urn:example:greeting me"`
		Text    string   `xml:",chardata"`
	}{Text: "Juliet"})))
	require.Equal(t, "Juliet", <-g.served)
	require.ErrorIs(t, <-end, errEstablished)
	require.NoError(t, client.Close(t.Context()))
}

// TestRead_Narrower: a feature may wait for less time than all of negotiation may
// take, and the stream is as good as before then.
func TestRead_Narrower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := anonymous()
		cfg.Features = append(cfg.Features, greeting{timeout: time.Second})
		ours, theirs := net.Pipe()
		p := &peer{t: t, nc: theirs, bound: map[string]string{}}
		done := make(chan outcome, 1)
		go func() {
			c, err := Initiate(t.Context(), ours, cfg)
			done <- outcome{c, err}
		}()
		const opens = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces
		const answer = "<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces
		p.expect(opens)
		p.send(answer + "<stream:features><mechanisms" + saslNS + "><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>")
		p.expect(auth("ANONYMOUS", "="))
		p.send(saslSuccess)
		p.expect(opens)
		p.send(answer + "<stream:features><bind" + bindNS + "/><greeting xmlns='urn:example:greeting'/></stream:features>")
		p.expect("<iq type='set' id='$bind'><bind" + bindNS + "/></iq>")
		p.send(bindResult("$bind", "juliet@im.example.com/balcony") + "<mess")
		p.expect("<hello xmlns='urn:example:greeting'/>")
		go func() { _ = p.trySend("age/>") }()
		got := <-done
		require.NoError(t, got.err)
		e, err := got.c.Next()
		require.NoError(t, err)
		require.Equal(t, "<message/>", e.String())
		got.c.Abort()
		<-got.c.Done()
	})
}
