package stream

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const smEnable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"

// managing is a receiving entity that the scripted peer has enabled acknowledgements with.
func managing(t *testing.T) (*peer, *Conn, <-chan stanza.Element, <-chan error) {
	p, c := established(t, false, func(cfg *Config) {
		cfg.Features = append(cfg.Features, hidden{Management{ResumeFor: time.Minute}})
	})
	got, end := reading(c)
	p.send(smEnable)
	p.expect("<enabled xmlns='urn:xmpp:sm:3' id='$smid' resume='true' max='60'/>")
	return p, c, got, end
}

// hidden is a feature that is not offered, so that the script's features stay as they are.
type hidden struct{ Management }

func (hidden) Offer(*Negotiation, *stanza.Writer) {}

// Stanzas are counted, from the moment when both sides know that they are, and nothing else is.
func TestXEP0198_4_Acknowledgements(t *testing.T) {
	p, c, got, _ := managing(t)
	p.send("<r xmlns='urn:xmpp:sm:3'/>")
	p.expect("<a xmlns='urn:xmpp:sm:3' h='0'/>")
	p.send("<message id='1'/> <presence/><r xmlns='urn:xmpp:sm:3'/>")
	p.expect("<a xmlns='urn:xmpp:sm:3' h='2'/>")
	require.Equal(t, "1", (<-got).Attr("id"))
	<-got

	m := stanza.Message{ID: "a"}
	first, err := c.Send(t.Context(), m, m.Header())
	require.NoError(t, err)
	p.expect("<message id='a'/><r xmlns='urn:xmpp:sm:3'/>")
	m.ID = "b"
	second, err := c.Send(t.Context(), m, m.Header())
	require.NoError(t, err)
	p.expect("<message id='b'/>")
	for _, r := range []xmpp.Receipt{first, second} {
		_, err = r.Await(t.Context(), xmpp.Sent)
		require.NoError(t, err)
	}
	require.Equal(t, xmpp.Sent, first.Stage())
	p.send("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	stage, err := first.Await(t.Context(), xmpp.Acked)
	require.NoError(t, err)
	require.Equal(t, xmpp.Acked, stage)
	require.Equal(t, xmpp.Sent, second.Stage())
	p.expect("<r xmlns='urn:xmpp:sm:3'/>") // one is left
	p.send("<a xmlns='urn:xmpp:sm:3' h='2'/>")
	_, err = second.Await(t.Context(), xmpp.Acked)
	require.NoError(t, err)
}

// An answer of the stream itself is a stanza as any other (libpurple asks for a session behind <enable/>, and
// counts the answer).
func TestXEP0198_4_AnswersCount(t *testing.T) {
	p, c := established(t, false, func(cfg *Config) {
		cfg.Features = append(cfg.Features, hidden{Management{}})
	})
	got, _ := reading(c)
	p.send("<enable xmlns='urn:xmpp:sm:3'/><iq type='set' id='2'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>")
	p.expect("<enabled xmlns='urn:xmpp:sm:3'/><iq type='result' id='2'/><r xmlns='urn:xmpp:sm:3'/>")
	p.send("<a xmlns='urn:xmpp:sm:3' h='1'/><message id='1'/>")
	require.Equal(t, "1", (<-got).Attr("id"))
}

// A peer that acknowledges more than it was sent is mistaken, or worse (S17).
func TestClientS17_HandledTooHigh(t *testing.T) {
	for h, want := range map[string]string{
		"1": "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
			"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>you acknowledged 1 stanzas, but I only sent you 0 so far</text>" +
			"<handled-count-too-high xmlns='urn:xmpp:sm:3' h='1' send-count='0'/></stream:error>",
		"4294967295": "<stream:error><undefined-condition",
		"4294967296": "<stream:error><bad-format",
		"-1":         "<stream:error><bad-format",
		"":           "<stream:error><bad-format",
	} {
		t.Run(h, func(t *testing.T) {
			p, c, _, end := managing(t)
			p.send("<a xmlns='urn:xmpp:sm:3' h='" + h + "'/>")
			p.expect(want)
			_ = p.nc.Close()
			<-end
			id, _, _ := c.Resumable()
			require.Empty(t, id)
		})
	}
}

// Enabled twice is against the rules; asked for too late, resumption is refused and nothing ends.
func TestXEP0198_3_Order(t *testing.T) {
	p, _, got, end := managing(t)
	p.send("<resume xmlns='urn:xmpp:sm:3' previd='$smid' h='0'/>")
	p.expect("<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
	p.send("<message/>")
	<-got
	p.send(smEnable)
	p.expect("<stream:error><policy-violation")
	_ = p.nc.Close()
	<-end
}

// The last word before the end of the stream says how much has arrived (§4).
func TestXEP0198_4_LastWord(t *testing.T) {
	p, c, got, end := managing(t)
	p.send("<message/>")
	<-got
	closed := make(chan error, 1)
	go func() { closed <- c.Close(context.Background()) }()
	p.expect("<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>")
	p.send("</stream:stream>")
	require.NoError(t, <-closed)
	<-end
}

// A client asks for it behind binding. What comes before the answer is not counted, and not lost; a
// refusal changes nothing.
func TestXEP0198_3_Client(t *testing.T) {
	for _, answer := range []string{
		"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='300' location='b.example:5222'/>",
		"<enabled xmlns='urn:xmpp:sm:3'/>",
		"<failed xmlns='urn:xmpp:sm:3'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
	} {
		cfg := anonymous()
		cfg.Features = append(cfg.Features, Management{ResumeFor: time.Minute})
		p, done := negotiating(t, true, cfg)
		p.actServerOffering("<sm xmlns='urn:xmpp:sm:3'/>")
		p.expect("<enable xmlns='urn:xmpp:sm:3' resume='true' max='60'/>")
		p.send("<message id='early'/>" + answer)
		result := <-done
		require.NoError(t, result.err)
		c := result.c
		got, end := reading(c)
		require.Equal(t, "early", (<-got).Attr("id"))
		id, most, location := c.Resumable()
		switch {
		case answer[1] == 'f':
			require.False(t, c.Managed())
		case len(answer) < 60:
			require.True(t, c.Managed())
			require.Empty(t, id)
		default:
			require.Equal(t, "x", id)
			require.Equal(t, 300*time.Second, most)
			require.Equal(t, "b.example:5222", location)
		}
		if c.Managed() {
			p.send("<message id='late'/><r xmlns='urn:xmpp:sm:3'/>")
			p.expect("<a xmlns='urn:xmpp:sm:3' h='1'/>")
		}
		c.Abort()
		<-end
	}
}

// A token is good for the client that it was given to, over TLS, with the mechanism that it was made for; it
// is counted, and it can be given back (S12).
func TestClientS12_Token(t *testing.T) {
	h, k := newHall(t), new(keeper)
	cfg := &Config{Domain: example, Account: juliet, Features: k.features(nil)}
	leave := func(c, s *Conn) {
		c.Abort()
		s.Abort()
		_, _ = c.Next()
	}
	c, s, err := h.connect(cfg, nil)
	require.NoError(t, err)
	leave(c, s)
	stolen := *k.ticket
	for n := 1; n <= 2; n++ {
		c, s, err = h.connect(cfg, nil)
		require.NoError(t, err)
		require.Equal(t, sasl.HTSHA256Expr, c.Mechanism())
		require.Equal(t, n, k.ticket.Count)
		leave(c, s)
	}

	thief := &keeper{ticket: &stolen}
	features := thief.features(nil)
	f := features[1].(ClientSASL2)
	f.Agent.ID = "0d38d8a5-2f1c-4d9c-9a3e-6f3d1c6b7a10"
	f.Credentials.Password = "a guess"
	features[1] = f
	_, _, err = h.connect(&Config{Domain: example, Account: juliet, Features: features[:2]}, nil)
	require.ErrorIs(t, err, sasl.ErrNotAuthorized)
	require.Nil(t, thief.ticket)

	require.Empty(t, sasl.TokenMechanisms(nil), "in the clear")
	_, err = sasl.NewTokenClient("juliet", stolen.Token, nil)
	require.ErrorIs(t, err, sasl.ErrNoMechanism)

	require.NoError(t, h.tokens.SetTokens(t.Context(), jid.MustParse(juliet.String()), agentID, nil)) // as by a change of the password
	c, s, err = h.connect(cfg, nil)
	require.NoError(t, err)
	require.Equal(t, sasl.SCRAMSHA256Plus, c.Mechanism(), "back to the password")
	leave(c, s)
}
