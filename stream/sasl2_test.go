package stream

import (
	"context"
	"crypto/tls"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// agentID is a random UUID.
const agentID = "d4565fa7-4d72-4749-b3d3-740edbf87770"

// tokenBook is a [TokenStore].
type tokenBook struct {
	mu   sync.Mutex
	all  map[string][]sasl.Token
	fail error

	failSet error // of SetTokens alone, which then changes nothing
}

func (b *tokenBook) Tokens(_ context.Context, account jid.JID, client string) ([]sasl.Token, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[account.String()+" "+client], b.fail
}

func (b *tokenBook) SetTokens(_ context.Context, account jid.JID, client string, tokens []sasl.Token) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failSet != nil {
		return b.failSet
	}
	if b.all == nil {
		b.all = make(map[string][]sasl.Token)
	}
	b.all[account.String()+" "+client] = tokens
	return b.fail
}

// A hall is a server with SASL2 and sessions that can be resumed.
type hall struct {
	t      *testing.T
	cfg    *Config
	tokens *tokenBook

	mu   sync.Mutex
	lost map[string]*Conn // by id
}

func newHall(t *testing.T) *hall {
	h := &hall{t: t, tokens: &tokenBook{}, lost: map[string]*Conn{}}
	auth := authenticators(t, nil)
	h.cfg = &Config{DefaultHost: example, Features: []Feature{
		StartTLS{Config: ServerTLS(serverTLS())},
		ServerSASL2{
			Authenticator: auth,
			Tokens:        h.tokens,
			Resume:        &Resume{Find: h.find},
			Management:    &Management{ResumeFor: 1 << 40},
			Bind: func(_ context.Context, account jid.JID, tag string) (jid.JID, error) {
				return account.WithResource(tag + "/abc")
			},
		},
		ServerSASL{Authenticator: auth},
		Resume{Find: h.find},
		Bind{},
		Management{ResumeFor: 1 << 40},
	}}
	return h
}

func (h *hall) find(_ context.Context, _ jid.JID, id string) (*Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.lost[id]
	delete(h.lost, id)
	return c, nil
}

// connect lets a client in by TLS from the first byte; what it sees of the stream goes to trace.
func (h *hall) connect(cfg *Config, trace *xmpp.Trace) (client, server *Conn, err error) {
	h.t.Helper()
	near, far := bufpipe.New()
	served := make(chan *Conn, 1)
	go func() {
		c, err := Accept(h.t.Context(), TLSServer(far, ServerTLS(serverTLS())), h.cfg)
		if err == nil {
			go func() {
				for {
					if _, err := c.Next(); err != nil {
						return
					}
				}
			}()
		}
		served <- c
	}()
	tc := TLSClient(near, clientTLS(), example)
	require.NoError(h.t, tc.HandshakeContext(h.t.Context()))
	own := *cfg
	own.Trace = trace
	client, err = Initiate(h.t.Context(), tc, &own)
	server = <-served
	return client, server, err
}

// keeper keeps the ticket of a client.
type keeper struct {
	ticket *Ticket
	kept   int
}

func (k *keeper) features(policy *sasl.Policy) []Feature {
	return []Feature{
		StartTLS{Config: clientTLS()},
		ClientSASL2{
			Credentials: sasl.Credentials{Username: "juliet", Password: password}, Policy: policy,
			Agent:  UserAgent{ID: agentID, Software: "Balcony", Device: "lute"},
			Bind:   &Bind2{Tag: "Balcony", Management: &Management{ResumeFor: 1 << 40}},
			Ticket: func() *Ticket { return k.ticket },
			Keep:   func(t *Ticket) { k.ticket = t; k.kept++ },
		},
		ClientSASL{Credentials: sasl.Credentials{Username: "juliet", Password: password}, Policy: policy},
		Resume{}, Bind{}, Management{ResumeFor: 1 << 40},
	}
}

// transcript notes what is sent and received.
type transcript struct {
	mu    sync.Mutex
	lines []string
	turns string
	bound string // the turns when a resource was bound, or a session resumed
}

func (tr *transcript) trace() *xmpp.Trace {
	note := func(who string) func([]byte) {
		return func(b []byte) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.lines = append(tr.lines, who+": "+string(b))
			if n := len(tr.turns); n == 0 || tr.turns[n-1:] != who {
				tr.turns += who
			}
		}
	}
	return &xmpp.Trace{Sent: note("C"), Received: note("S"), Event: func(name, _ string) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		if name == "bound" {
			tr.bound = tr.turns
		}
	}}
}

// From the first login to the third, each cheaper: a password, a token with a new session, a
// token with the session before, in one journey there and back after TLS.
func TestOneRoundTrip(t *testing.T) {
	h, k := newHall(t), new(keeper)
	cfg := &Config{Domain: example, Account: juliet, Features: k.features(nil), Survive: true}

	first := new(transcript)
	c, s, err := h.connect(cfg, first.trace())
	require.NoError(t, err)
	require.Equal(t, "juliet@im.example.com/Balcony/abc", c.LocalAddr().String())
	require.True(t, c.Managed())
	require.True(t, s.Managed())
	require.NotNil(t, k.ticket)
	require.Equal(t, sasl.HTSHA256Expr, k.ticket.Token.Mechanism)
	require.Len(t, h.tokens.all[juliet.String()+" "+agentID], 1)
	require.Equal(t, "CSCSCS", first.bound, "header, SCRAM's two messages, and all the rest with the last")
	for _, line := range first.lines {
		require.NotContains(t, line, k.ticket.Token.Secret, "a token in a trace")
	}
	c.Cut()
	_, _ = c.Next()
	<-s.Done()
	secret := k.ticket.Token.Secret

	second := new(transcript)
	c2, s2, err := h.connect(cfg, second.trace())
	require.NoError(t, err)
	require.Equal(t, "CS", second.bound)
	require.False(t, c2.Resumed())
	require.True(t, c2.Managed())
	require.Equal(t, secret, k.ticket.Token.Secret, "not half spent yet")
	require.Equal(t, 1, k.ticket.Count)
	m := stanza.Message{To: juliet}
	_, err = c2.Send(t.Context(), m, m.Header())
	require.NoError(t, err)
	c2.Cut()
	_, _ = c2.Next()
	<-s2.Done()
	h.mu.Lock()
	id, _, _ := s2.Resumable()
	h.lost[id] = s2
	h.mu.Unlock()

	third := new(transcript)
	resuming := *cfg
	resuming.Previous = c2
	c3, s3, err := h.connect(&resuming, third.trace())
	require.NoError(t, err)
	require.Equal(t, "CS", third.bound)
	require.True(t, c3.Resumed())
	require.True(t, s3.Resumed())
	require.Equal(t, c2.LocalAddr(), c3.LocalAddr())
	c3.Abort()
	s3.Abort()
	_, _ = c3.Next()
}

// A server that says success and has proven nothing is not believed (S-list: what others accept).
func TestClientS10_SASL2WithoutServerSignature(t *testing.T) {
	for _, data := range []string{"", "<additional-data/>", "<additional-data>dj1BQUFB</additional-data>"} {
		k := new(keeper)
		cfg := &Config{Domain: example, Account: juliet, Features: k.features(nil)[1:], InsecurePlaintext: true}
		p, done := negotiating(t, true, cfg)
		p.expect("<?xml version='1.0'?><stream:stream to='im.example.com' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
		p.send("<stream:stream from='im.example.com' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features>" +
			"<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism></authentication></stream:features>")
		p.expect("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'><initial-response>$initial</initial-response>" +
			"<user-agent id='" + agentID + "'><software>Balcony</software><device>lute</device></user-agent></authenticate>")
		p.send("<success xmlns='urn:xmpp:sasl:2'>" + data + "<authorization-identifier>juliet@im.example.com</authorization-identifier></success><stream:features/>")
		go func() { _, _ = io.Copy(io.Discard, p.nc) }()
		result := <-done
		require.Error(t, result.err)
		require.Nil(t, result.c)
		_ = p.nc.Close()
	}
}

// A man in the middle whose certificate the client trusts can relay everything, and is found out.
func TestSec_ManInTheMiddle(t *testing.T) {
	for _, ticket := range []bool{false, true} {
		h, k := newHall(t), new(keeper)
		cfg := &Config{Domain: example, Account: juliet, Features: k.features(nil)}
		if ticket {
			c, s, err := h.connect(cfg, nil)
			require.NoError(t, err)
			c.Abort()
			s.Abort()
			_, _ = c.Next()
			require.True(t, k.ticket.fresh())
		}
		near, a := bufpipe.New()
		b, far := bufpipe.New()
		go func() { _, _ = Accept(t.Context(), TLSServer(far, ServerTLS(serverTLS())), h.cfg) }()
		go func() { // with a certificate and a key of its own
			front := tls.Server(a, serverTLS())
			back := tls.Client(b, &tls.Config{RootCAs: authority().pool, ServerName: "im.example.com", NextProtos: []string{"xmpp-client"}})
			go func() { _, _ = io.Copy(back, front); back.Close() }()
			_, _ = io.Copy(front, back)
			front.Close()
		}()
		_, err := Initiate(t.Context(), TLSClient(near, clientTLS(), example), cfg)
		require.ErrorIs(t, err, sasl.ErrNotAuthorized, "%v", err)
	}
}
