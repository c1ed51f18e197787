//go:build unix

package interop

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestResumeOnProsody(t *testing.T)  { testResume(t, startProsody(t)) }
func TestResumeOnEjabberd(t *testing.T) { testResume(t, startEjabberd(t)) }

// testResume cuts the link at a sample of bytes of a conversation, in both directions: messages arrive once
// and in order, or their sender knows better.
func testResume(t *testing.T, p *peer) {
	whole, _ := talkWithFault(t, p, xmpptest.Fault{})
	const cuts = 12
	resumed := 0
	for n := range int64(cuts) {
		up, down := whole.Up*(n+1)/(cuts+1), whole.Down*(n+1)/(cuts+1)
		_, a := talkWithFault(t, p, xmpptest.Fault{CutUp: up})
		_, b := talkWithFault(t, p, xmpptest.Fault{CutDown: down})
		resumed += a + b
	}
	t.Logf("resumed %d times in %d cuts", resumed, 2*cuts)
	require.NotZero(t, resumed)
}

// told is how many messages go each way.
const told = 20

// talkWithFault has the user, whose link has a fault, and the bot write to each other.
func talkWithFault(t *testing.T, p *peer, f xmpptest.Fault) (traffic xmpptest.Traffic, resumed int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	what := fmt.Sprintf("%+v", f)
	link := xmpptest.NewLink(new(net.Dialer), f)
	user, fromBot := dialPeer(ctx, t, p, userAccount, userPassword, link)
	defer user.Close(ctx)
	bot, fromUser := dialPeer(ctx, t, p, botAccount, botPassword, new(net.Dialer))
	defer bot.Close(ctx)
	send := func(c *client.Client, to string) (receipts []xmpp.Receipt) {
		for n := range told {
			r, err := c.Send(ctx, stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(fmt.Sprint(n))})
			require.NoError(t, err, what)
			receipts = append(receipts, r)
		}
		return receipts
	}
	up, down := send(user, bot.LocalAddr().String()), send(bot, user.LocalAddr().String())
	fromUser.check(ctx, t, what+", up", up)
	fromBot.check(ctx, t, what+", down", down)
	fromBot.mu.Lock()
	defer fromBot.mu.Unlock()
	return link.Traffic()[0], fromBot.resumed
}

// heard is what a client has got.
type heard struct {
	mu   sync.Mutex
	all  []string
	news chan struct{}

	resumed int // times
}

func dialPeer(ctx context.Context, t *testing.T, p *peer, account, password string, d xmpptest.Dialer) (*client.Client, *heard) {
	t.Helper()
	h := &heard{news: make(chan struct{}, 1)}
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		h.mu.Lock()
		h.all = append(h.all, m.Body.String())
		h.mu.Unlock()
		select {
		case h.news <- struct{}{}:
		default:
		}
		return nil
	})
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if e.Status == xmpp.Resumed {
			h.resumed++
		}
		return nil
	})
	opts := &client.Options{
		Address: p.startTLS, TLS: p.ca.ClientConfig(), Password: password, Handler: mux, Dialer: d,
		Reconnect: client.Backoff{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond},
	}
	for {
		c, err := client.Dial(ctx, jid.MustParse(account+"/r"), opts)
		if err == nil {
			_, err = c.Send(ctx, stanza.Presence{})
			require.NoError(t, err)
			_, err = c.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: c.RemoteAddr(), Payload: ping{}})
			require.NoError(t, err)
			return c, h
		}
		require.NoError(t, ctx.Err(), "%v", err)
	}
}

type ping struct{}

// AppendXML implements [stanza.Payload].
func (ping) AppendXML(dst []byte) ([]byte, error) {
	return append(dst, "<ping xmlns='urn:xmpp:ping'/>"...), nil
}

// check waits until the fate of all that was sent is known, and that of what was acknowledged.
func (h *heard) check(ctx context.Context, t *testing.T, what string, receipts []xmpp.Receipt) {
	t.Helper()
	sure := make(map[string]bool)
	for n, r := range receipts {
		stage, err := r.Await(ctx, xmpp.Acked)
		if err == nil {
			sure[fmt.Sprint(n)] = true
		}
		require.Contains(t, []xmpp.Stage{xmpp.Acked, xmpp.Failed, xmpp.Dropped}, stage, "%s: %v", what, err)
	}
	last := -1
	for seen := 0; len(sure) > 0; {
		h.mu.Lock()
		got := append([]string(nil), h.all...)
		h.mu.Unlock()
		if seen == len(got) {
			select {
			case <-h.news:
			case <-ctx.Done():
				t.Fatalf("%s: %d messages that were acknowledged have not arrived", what, len(sure))
			}
			continue
		}
		var n int
		_, err := fmt.Sscan(got[seen], &n)
		require.NoError(t, err)
		require.Greater(t, n, last, "%s: doubled, or out of order", what)
		last = n
		delete(sure, got[seen])
		seen++
	}
}

// testBinding logs in by SCRAM bound to the channel, if the server offers that.
func testBinding(t *testing.T, p *peer) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var mechanism, offered string
	c, err := client.Dial(ctx, jid.MustParse(userAccount), &client.Options{
		Address: p.startTLS, TLS: p.ca.ClientConfig(), Password: userPassword,
		Trace: &xmpp.Trace{Event: func(name, detail string) {
			if name == "sasl" {
				mechanism = detail
			}
		}, Received: func(b []byte) {
			if strings.Contains(string(b), "<mechanism>") {
				offered = string(b)
			}
		}},
	})
	require.NoError(t, err)
	defer c.Close(ctx)
	t.Logf("logged in by %s; the server offers %s", mechanism, offered)
	require.Contains(t, []string{sasl.SCRAMSHA256Plus, sasl.SCRAMSHA256, sasl.SCRAMSHA1Plus, sasl.SCRAMSHA1}, mechanism)
	if strings.Contains(offered, "type='tls-exporter'") {
		require.Contains(t, mechanism, "-PLUS")
	}
	// Who does not say with what to bind may know nothing but tls-unique, which TLS 1.3 has not, as ejabberd 23.01
	// does. A policy may insist, and is told.
	if strings.Contains(offered, sasl.SCRAMSHA256Plus) {
		bound, err := client.Dial(ctx, jid.MustParse(userAccount), &client.Options{
			Address: p.startTLS, TLS: p.ca.ClientConfig(), Password: userPassword,
			Policy: &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256Plus}},
		})
		if err != nil {
			require.ErrorIs(t, err, client.ErrCredentials)
			t.Logf("it offers %s and has no tls-exporter: %v", sasl.SCRAMSHA256Plus, err)
			return
		}
		require.NoError(t, bound.Close(ctx))
	}
}

func TestBindingOnProsody(t *testing.T)  { testBinding(t, startProsody(t)) }
func TestBindingOnEjabberd(t *testing.T) { testBinding(t, startEjabberd(t)) }
