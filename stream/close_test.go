package stream

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var hello = stanza.Message{Body: stanza.Plain("hello")}

const helloXML = "<message><body>hello</body></message>"

// TestC4_4_Close: what is queued leaves, then the closing tag; what the peer still
// sends is read; then the transport is closed.
func TestC4_4_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, true, nil)
		elements, end := reading(c)
		for range 3 {
			_, err := c.Send(t.Context(), hello, stanza.Header{})
			require.NoError(t, err)
		}
		closed := make(chan error, 1)
		go func() { closed <- c.Close(t.Context()) }()
		p.expect(strings.Repeat(helloXML, 3) + closingTag)
		p.send("<message id='late'/>")
		require.Equal(t, "<message id='late'/>", (<-elements).String())
		_, err := c.Send(t.Context(), hello, stanza.Header{})
		require.ErrorIs(t, err, xmpp.ErrClosed)
		require.True(t, xmpp.SafeToRetry(err))
		synctest.Wait()
		select {
		case err := <-closed:
			t.Fatalf("Close = %v before the peer has closed", err)
		default:
		}
		p.send(closingTag)
		p.expectEnd()
		require.NoError(t, <-closed)
		require.Equal(t, io.EOF, <-end)
		require.Equal(t, io.EOF, c.Err())
	})
}

// TestC4_4_Both: both sides close at the same time, many times over.
func TestC4_4_Both(t *testing.T) {
	client, server := connected(t)
	_, clientEnd := reading(client)
	_, serverEnd := reading(server)
	var wg sync.WaitGroup
	for _, c := range []*Conn{client, server, client, server} {
		wg.Go(func() {
			if err := c.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, io.EOF, <-clientEnd)
	require.Equal(t, io.EOF, <-serverEnd)
}

// TestC4_4_CloseNotify: TLS ends properly too, so that nobody can cut the stream
// short unnoticed, in whatever way it ends.
func TestC4_4_CloseNotify(t *testing.T) {
	for name, end := range map[string]func(*Conn, *peer){
		"we close": func(c *Conn, p *peer) {
			go func() { _ = c.Close(p.t.Context()) }()
			p.expect(closingTag)
			p.send(closingTag)
		},
		"the peer closes": func(_ *Conn, p *peer) {
			p.send(closingTag)
			p.expect(closingTag)
		},
		"error": func(c *Conn, p *peer) {
			c.Fail(&Error{Condition: Conflict})
			p.expect(failedWith(Conflict))
			p.send(closingTag)
		},
		"the peer breaks the rules": func(_ *Conn, p *peer) {
			p.send("<x/>")
			p.expect(failedWith(UnsupportedStanzaType))
		},
		"silent peer": func(c *Conn, p *peer) {
			ctx, cancel := context.WithCancel(p.t.Context())
			go func() { _ = c.Close(ctx) }()
			p.expect(closingTag)
			require.NoError(p.t, c.out.idle(p.t.Context()))
			cancel()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, done := binding7(t, receiving(t))
			p.send(bindRequest("1", "<resource>balcony</resource>"))
			p.expect(bindResult("1", "juliet@im.example.com/balcony"))
			c := (<-done).c
			_, ended := reading(c)
			end(c, p)
			rest, err := io.ReadAll(p.nc)
			require.NoError(t, err)
			require.Empty(t, rest)
			require.True(t, p.wire.endsTLS(), "no close_notify")
			_ = p.nc.Close()
			require.Error(t, <-ended)
			<-c.Done()
		})
	}
}

// TestC4_4_SilentPeer: a peer that does not answer is given up.
func TestC4_4_SilentPeer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration // of Config
		context time.Duration
		want    time.Duration
		err     error
	}{
		{name: "default", want: 5 * time.Second, err: ErrCloseTimeout},
		{name: "configured", timeout: 40 * time.Second, want: 40 * time.Second, err: ErrCloseTimeout},
		{name: "context", context: 2 * time.Second, want: 2 * time.Second, err: context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, c := established(t, true, func(cfg *Config) { cfg.CloseTimeout = tt.timeout })
				_, end := reading(c)
				ctx := t.Context()
				if tt.context > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.context)
					defer cancel()
				}
				began := time.Now()
				go p.expect(closingTag)
				require.ErrorIs(t, c.Close(ctx), tt.err)
				if took := time.Since(began); took != tt.want {
					t.Errorf("took %v; want %v", took, tt.want)
				}
				require.ErrorIs(t, <-end, ErrCloseTimeout)
				<-c.Done()
				require.ErrorIs(t, c.Close(t.Context()), ErrCloseTimeout) // idempotent
			})
		})
	}
}

// TestC4_4_StuckPeer: nothing waits behind a peer that has stopped reading.
func TestC4_4_StuckPeer(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(*Conn)
		want time.Duration
		err  error
	}{
		"Close": {func(c *Conn) { _ = c.Close(context.Background()) }, 5 * time.Second, ErrCloseTimeout},
		"Close with a context": {func(c *Conn) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = c.Close(ctx)
		}, time.Second, ErrCloseTimeout},
		"Fail":  {func(c *Conn) { c.Fail(&Error{Condition: PolicyViolation}) }, 2 * time.Second, PolicyViolation},
		"Abort": {(*Conn).Abort, 0, xmpp.ErrClosed},
	} {
		for _, overTLS := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var c *Conn
				if overTLS {
					_, c = connected(t)
				} else {
					_, c = established(t, false, nil)
				}
				_, ended := reading(c)
				receipt, err := c.Send(t.Context(), hello, stanza.Header{})
				require.NoError(t, err)
				synctest.Wait() // it is stuck now
				began := time.Now()
				end.do(c)
				<-c.Done()
				if took := time.Since(began); took != end.want {
					t.Errorf("%s, over TLS %v, took %v; want %v", name, overTLS, took, end.want)
				}
				require.ErrorIs(t, <-ended, end.err)
				require.Equal(t, xmpp.Failed, receipt.Stage())
			})
		}
	}
}

// TestC4_4_NobodyReads: Close works, after its timeout, without anyone in Next.
func TestC4_4_NobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, nil)
		go func() {
			p.expect(closingTag)
			_ = p.trySend(closingTag)
		}()
		require.ErrorIs(t, c.Close(t.Context()), ErrCloseTimeout)
		_, err := c.Next()
		require.ErrorIs(t, err, ErrCloseTimeout)
	})
}

// TestFail: what was queued leaves first, what arrives later does not count, and
// only the first error does.
func TestFail(t *testing.T) {
	p, c := established(t, false, nil)
	elements, end := reading(c)
	_, err := c.Send(t.Context(), hello, stanza.Header{})
	require.NoError(t, err)
	first := &Error{Condition: SeeOtherHost, Host: "[2001:41D0:1:A49b::1]:9222", Text: "elsewhere", Lang: "en"}
	c.Fail(first)
	c.Fail(&Error{Condition: Conflict})
	require.ErrorIs(t, c.TrySend(hello, stanza.Header{}), xmpp.ErrClosed)
	p.expect(helloXML + "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:41D0:1:A49b::1]:9222</see-other-host>" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>elsewhere</text></stream:error></stream:stream>")
	p.send("<message/><presence/>" + closingTag)
	p.expectEnd()
	require.Equal(t, error(first), <-end)
	require.Empty(t, elements)
	require.Equal(t, error(first), c.Err())
	require.Equal(t, error(first), c.Close(t.Context()))
}

// TestFail_Closing: a stream that is closing can say nothing more.
func TestFail_Closing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, nil)
		_, end := reading(c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go p.expect(closingTag)
		began := time.Now()
		go func() { _ = c.Close(t.Context()) }()
		<-ctx.Done()
		c.Fail(&Error{Condition: Conflict})
		require.ErrorIs(t, <-end, ErrCloseTimeout)
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}

// TestFail_BadText: an error that cannot be written still ends the stream.
func TestFail_BadText(t *testing.T) {
	p, c := established(t, false, nil)
	_, end := reading(c)
	c.Fail(&Error{Condition: Conflict, Text: "\x00"})
	p.expect(failedWith(Conflict))
	require.NoError(t, p.nc.Close())
	wantError(t, <-end, Conflict)
}

// TestAbort: the transport is closed at once.
func TestAbort(t *testing.T) {
	p, c := established(t, false, nil)
	_, end := reading(c)
	c.Abort()
	c.Abort()
	p.expectEnd()
	err := <-end
	require.ErrorIs(t, err, xmpp.ErrClosed)
	require.Equal(t, "stream: the stream was aborted", err.Error())
	<-c.Done()
	require.ErrorIs(t, c.Err(), xmpp.ErrClosed)
}

// TestC4_9_1_1_ErrorReadable: over TCP an error reaches a peer that is in the middle
// of sending something long; closing with unread data would have cost it that.
func TestC4_9_1_1_ErrorReadable(t *testing.T) {
	ours, theirs := tcpPipe(t)
	p, c := establishedOver(t, ours, theirs, false, nil)
	_, end := reading(c)
	p.send("<message><body>" + strings.Repeat("x", 2<<20))
	p.expect(failure0(PolicyViolation))
	require.NoError(t, p.nc.Close())
	wantError(t, <-end, PolicyViolation)
}

// TestC4_9_3_Conditions: every condition can be sent and
// is read back as the same error.
func TestC4_9_3_Conditions(t *testing.T) {
	for _, e := range []Error{
		{Condition: BadFormat}, {Condition: BadNamespacePrefix}, {Condition: Conflict}, {Condition: ConnectionTimeout},
		{Condition: HostGone}, {Condition: HostUnknown}, {Condition: ImproperAddressing}, {Condition: InternalServerError},
		{Condition: InvalidFrom}, {Condition: InvalidNamespace}, {Condition: InvalidXML}, {Condition: NotAuthorized},
		{Condition: NotWellFormed}, {Condition: PolicyViolation}, {Condition: RemoteConnectionFailed}, {Condition: Reset},
		{Condition: ResourceConstraint}, {Condition: RestrictedXML}, {Condition: SystemShutdown}, {Condition: UndefinedCondition},
		{Condition: UnsupportedEncoding}, {Condition: UnsupportedFeature}, {Condition: UnsupportedStanzaType}, {Condition: UnsupportedVersion},
		{Condition: SeeOtherHost, Host: "[2001:41D0:1:A49b::1]:9222"},
		{Condition: Conflict, Text: "a < b", Lang: "en"},
	} {
		client, server := connected(t)
		_, clientEnd := reading(client)
		_, serverEnd := reading(server)
		server.Fail(&e)
		wantError(t, <-serverEnd, e.Condition)
		got, ok := errors.AsType[*Error](<-clientEnd)
		require.True(t, ok)
		want := e
		want.Received = true
		require.Equal(t, &want, got)
		require.ErrorIs(t, got, e.Condition)
	}
}

// TestC4_9_4_App: an application-specific condition travels along.
func TestC4_9_4_App(t *testing.T) {
	client, server := connected(t)
	_, clientEnd := reading(client)
	_, serverEnd := reading(server)
	app, err := stanza.ParseElement([]byte("<app-error xmlns='http://example.org/ns'><x/></app-error>"))
	require.NoError(t, err)
	server.Fail(&Error{Condition: UndefinedCondition, App: app})
	require.Error(t, <-serverEnd)
	got, _ := errors.AsType[*Error](<-clientEnd)
	require.Equal(t, UndefinedCondition, got.Condition)
	require.Equal(t, app.String(), got.App.(stanza.Element).String())
}

func TestError_HostPort(t *testing.T) {
	for _, tt := range []struct{ in, host, port string }{
		{"[2001:41D0:1:A49b::1]:9222", "2001:41D0:1:A49b::1", "9222"},
		{"[2001:41D0:1:A49b::1]", "2001:41D0:1:A49b::1", ""},
		{"other.example:5269", "other.example", "5269"},
		{"other.example", "other.example", ""},
		{"192.0.2.1", "192.0.2.1", ""},
		{"", "", ""},
	} {
		if host, port := (&Error{Host: tt.in}).HostPort(); host != tt.host || port != tt.port {
			t.Errorf("HostPort of %q = %q, %q; want %q, %q", tt.in, host, port, tt.host, tt.port)
		}
	}
}

func TestError_Error(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&Error{Condition: Conflict}, "stream: conflict"},
		{&Error{Condition: Conflict, Text: "replaced", Received: true}, "stream: the peer reports conflict: replaced"},
		{&AuthError{Condition: "not-authorized"}, "stream: authentication failed: not-authorized"},
		{&AuthError{Condition: "account-disabled", Text: "call us"}, "stream: authentication failed: account-disabled: call us"},
		{transportError{"starttls", ErrInjected}, "stream: starttls: data between a stream and its restart"},
		{closedError{}, "stream: the stream is closed"},
		{closedError{io.EOF}, "stream: the stream is closed"},
		{closedError{ErrWriteTimeout}, "stream: the peer does not read"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q; want %q", got, tt.want)
		}
	}
}

// TestParseError reads what others write.
func TestParseError(t *testing.T) {
	const ns = " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
	for _, tt := range []struct {
		in   string
		want Condition
	}{
		{"<conflict" + ns, Conflict},
		{"<xml-not-well-formed" + ns, NotWellFormed},
		{"<text" + ns + "<conflict" + ns, Conflict},
		{"<from-the-future" + ns, UndefinedCondition},
		{"<conflict xmlns='urn:x'/>", UndefinedCondition},
		{"", UndefinedCondition},
	} {
		e, err := stanza.ParseElement([]byte("<error xmlns='http://etherx.jabber.org/streams'>" + tt.in + "</error>"))
		require.NoError(t, err)
		if got := parseError(e).Condition; got != tt.want {
			t.Errorf("parseError(%s) = %s; want %s", tt.in, got, tt.want)
		}
	}
	e, err := stanza.ParseElement([]byte("<error xmlns='http://etherx.jabber.org/streams'><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\n [2001:db8::1]:9222\n</see-other-host></error>"))
	require.NoError(t, err)
	require.Equal(t, "[2001:db8::1]:9222", parseError(e).Host)
}
