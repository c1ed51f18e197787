package stream

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestAnnounce: what a server only shows is seen by the client, when its time has
// come.
func TestAnnounce(t *testing.T) {
	rosterVersion, err := stanza.ParseElement([]byte("<ver xmlns='urn:xmpp:features:rosterver'/>"))
	require.NoError(t, err)
	serverCfg := receiving(t)
	serverCfg.Features = append(serverCfg.Features, Announce{Payload: rosterVersion, When: Authenticated})
	clientCfg := initiating()
	clientCfg.Features = append(clientCfg.Features, Announce{Payload: rosterVersion}) // no harm
	a, b := net.Pipe()
	client, server := connect(t, a, b, clientCfg, serverCfg)
	defer client.Abort()
	defer server.Abort()
	require.False(t, client.Features().Child("urn:xmpp:features:rosterver", "ver").IsZero())
	require.True(t, server.Features().IsZero())
	require.Equal(t, "pipe", server.NetRemoteAddr().String())

	p, _ := authenticating(t, serverCfg, "") // expects nothing but SASL
	p.send("<ver xmlns='urn:xmpp:features:rosterver'/>")
	p.expect(failedWith(UnsupportedStanzaType))

	require.Equal(t, xml.Name{}, Announce{Payload: stanza.Element{}}.Name())
}

// A feature that cannot write what it offers is the server's mistake.
func TestOffer_Broken(t *testing.T) {
	cfg := plainReceiving(t)
	cfg.Features = append(cfg.Features, Announce{Payload: stanza.Element{}})
	p, done := negotiating(t, false, cfg)
	p.send(clientOpens)
	p.expect(serverOpens + failedWith(InternalServerError))
	p.expectEnd()
	wantError(t, (<-done).err, InternalServerError)
}

// careless is a feature for both roles whose part is a function.
type careless struct {
	do func(n *Negotiation) error
}

var carelessName = xml.Name{Space: "urn:example:careless", Local: "careless"}

func (careless) Name() xml.Name      { return carelessName }
func (careless) Possible(State) bool { return true }
func (careless) Offer(_ *Negotiation, w *stanza.Writer) {
	w.Element(carelessName.Space, "careless", "")
}
func (careless) Wants(e stanza.Element) bool { return e.Is(carelessName.Space, "careless") }

func (f careless) Serve(_ context.Context, n *Negotiation, _ stanza.Element) error { return f.do(n) }
func (f careless) Use(_ context.Context, n *Negotiation, _ stanza.Element) error   { return f.do(n) }

// TestNegotiation_Twice: what has been agreed is not agreed again, and an error of
// a feature closes the stream without telling more.
func TestNegotiation_Twice(t *testing.T) {
	for name, do := range map[string]func(n *Negotiation) error{
		"authenticated": func(n *Negotiation) error {
			return errors.Join(n.Authenticated(juliet), n.Authenticated(juliet))
		},
		"bound": func(n *Negotiation) error {
			full := jid.MustParse("juliet@im.example.com/x")
			return errors.Join(n.Bound(full), n.Bound(full))
		},
		"TLS without a handshake": func(n *Negotiation) error {
			return n.Secured(tls.Client(n.Transport(), &tls.Config{InsecureSkipVerify: true}))
		},
		"not XML": func(n *Negotiation) error {
			return n.Write(func(w *stanza.Writer) { w.Start("urn:x", "<") })
		},
		"a text of its own": func(n *Negotiation) error {
			if n.Initiating() || n.TLS() != nil || n.Channel() != nil || n.Domain() != example || !n.Account().IsZero() || n.State() != 0 {
				return nil
			}
			return errors.New("secret")
		},
	} {
		cfg := plainReceiving(t)
		cfg.Features = []Feature{careless{do}}
		p, done := negotiating(t, false, cfg)
		p.send(clientOpens)
		p.expect(serverOpens + "<stream:features><careless xmlns='urn:example:careless'/></stream:features>")
		p.send("<careless xmlns='urn:example:careless'/>")
		p.expect(closingTag)
		p.expectEnd()
		require.Error(t, (<-done).err, name)
	}
}

// TestNegotiation_Unfinished: if all features are used and something is missing
// still, the stream error says what.
func TestNegotiation_Unfinished(t *testing.T) {
	for _, tt := range []struct {
		until State
		agree func(n *Negotiation) error
		want  string
	}{
		{until: Secure, want: "no usable offer of TLS"},
		{until: Authenticated, want: "no usable offer of authentication"},
		{until: Authenticated | Bound, agree: func(n *Negotiation) error { return n.Bound(juliet) }, want: "no usable offer of authentication"},
		{until: Bound, want: "no usable offer of resource binding"},
		{until: 1 << 5, want: "no usable offer of state 0x20"},
	} {
		if tt.agree == nil {
			tt.agree = func(*Negotiation) error { return nil }
		}
		cfg := plainInitiating()
		cfg.Features, cfg.Until = []Feature{careless{tt.agree}}, tt.until
		p, done := negotiating(t, true, cfg)
		p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
		p.send("<stream:stream id='1' version='1.0'" + namespaces + "<stream:features><careless xmlns='urn:example:careless'/></stream:features>")
		p.expect(failedWithText(UnsupportedFeature, tt.want))
		p.expectEnd()
		wantError(t, (<-done).err, UnsupportedFeature)
	}
}

// TestServerSASL_NobodyHere: on a domain without accounts nothing is offered, and
// nothing works.
func TestServerSASL_NobodyHere(t *testing.T) {
	cfg := plainReceiving(t)
	cfg.Features[0] = ServerSASL{Authenticator: func(jid.JID) *sasl.Authenticator { return nil }}
	p, _ := negotiating(t, false, cfg)
	p.send(clientOpens)
	p.expect(serverOpens + "<stream:features/>")
	p.send(plainAuth)
	p.expect(saslFailure("invalid-mechanism"))
}

// TestLifetime: the context of a standing feature ends with the stream.
func TestLifetime(t *testing.T) {
	_, c := established(t, false, nil)
	var ctx context.Context = lifetime{c}
	_, bounded := ctx.Deadline()
	require.False(t, bounded)
	require.NoError(t, ctx.Err())
	require.Nil(t, ctx.Value("key"))
	c.Abort()
	<-ctx.Done()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
}

// TestFlush waits for all that was queued, and no longer than the stream lives.
func TestFlush(t *testing.T) {
	p, c := established(t, false, nil)
	require.NoError(t, c.Flush(t.Context()))
	require.NoError(t, c.TrySend(hello, stanza.Header{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Flush(ctx), context.Canceled)
	go p.expect(helloXML)
	require.NoError(t, c.Flush(t.Context()))
	require.NoError(t, c.TrySend(hello, stanza.Header{}))
	c.Abort()
	require.Error(t, c.Flush(t.Context()))
}

func TestCondition(t *testing.T) {
	require.EqualError(t, HostUnknown, "host-unknown")
	require.False(t, Condition("").defined())
}
