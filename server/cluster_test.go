package server_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/cluster/clustertest"
	"github.com/parlance-xmpp/xmpp/server/servertest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// Servers that share their stores act as one.
func TestCluster(t *testing.T) {
	servertest.Cluster(t, func(*testing.T) (cluster.Engine, func()) {
		net := clustertest.New()
		return net, net.Settle
	})
}

// A pair is two servers that act as one.
type pair struct {
	net    *clustertest.Network
	stores storage.Stores
	nodes  []*xmpptest.Server
}

func newPair(t *testing.T) *pair {
	p := &pair{net: clustertest.New(), stores: memory.New()}
	for range 2 {
		s, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Iterations: sasl.MinIterations, Storage: p.stores, Cluster: p.net})
		require.NoError(t, err)
		t.Cleanup(s.Stop)
		p.nodes = append(p.nodes, s)
	}
	return p
}

// join has somebody become available on a node. What comes goes to the channel.
func (p *pair) join(t *testing.T, node int, account string) (*client.Client, <-chan *stanza.Raw) {
	t.Helper()
	addr, err := p.nodes[0].Account(account)
	require.NoError(t, err)
	opts := p.nodes[0].Options(addr)
	opts.Dialer, opts.Reconnect = p.nodes[node].Options(addr).Dialer, client.Never
	got := make(chan *stanza.Raw, 100)
	opts.Handler = xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
		got <- st
		return nil, nil
	})
	c, err := client.Dial(t.Context(), addr, opts)
	require.NoError(t, err)
	t.Cleanup(func() { end(t, c) })
	_, err = c.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	_, err = c.Query(t.Context(), stanza.IQ{Type: stanza.IQGet, To: c.RemoteAddr(), Payload: stanza.NewElement([]byte("<ping xmlns='urn:xmpp:ping'/>"))})
	require.NoError(t, err)
	return c, got
}

// end ends a session, as the server sees it.
func end(t *testing.T, c *client.Client) {
	t.Helper()
	_ = c.Close(context.Background())
	_ = c.Wait(context.Background())
}

// tell sends a chat message, and returns when the server has handled it.
func tell(t *testing.T, c *client.Client, to, body string) {
	t.Helper()
	r, err := c.Send(t.Context(), stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(body)})
	require.NoError(t, err)
	_, err = r.Await(t.Context(), xmpp.Acked)
	require.NoError(t, err)
}

// heard returns the body of the next message.
func heard(t *testing.T, got <-chan *stanza.Raw) string {
	t.Helper()
	for st := range got {
		if m, err := st.Message(); err == nil && st.Header().Kind == stanza.KindMessage {
			return m.Body.String()
		}
	}
	return ""
}

// A node that has not heard of the end of a session loses nothing: the message goes where it goes when nobody is there.
func TestStaleAboutAnEnd(t *testing.T) {
	p := newPair(t)
	romeo, _ := p.join(t, 0, "romeo")
	juliet, _ := p.join(t, 1, "juliet")
	p.net.Settle()
	resume := p.net.Stop("node2", "node1")
	defer resume()
	end(t, juliet)
	for _, to := range []string{"juliet@example.org", juliet.LocalAddr().String()} {
		tell(t, romeo, to, to)
	}
	again, got := p.join(t, 1, "juliet")
	require.NotEqual(t, juliet.LocalAddr(), again.LocalAddr())
	require.Equal(t, "juliet@example.org", heard(t, got))
	require.Equal(t, juliet.LocalAddr().String(), heard(t, got))
}

// Nor does one that has not heard of a session: it is stored, and follows.
func TestStaleAboutABeginning(t *testing.T) {
	p := newPair(t)
	romeo, _ := p.join(t, 0, "romeo")
	resume := p.net.Stop("node2", "node1")
	defer resume()
	_, got := p.join(t, 1, "juliet")
	tell(t, romeo, "juliet@example.org", "hi")
	require.Equal(t, "hi", heard(t, got))
}

// A session that is lost with its node is gone for those who saw it, and messages wait for the next one.
func TestLostNode(t *testing.T) {
	p := newPair(t)
	for _, name := range []string{"romeo", "juliet"} {
		_, err := p.nodes[0].Account(name)
		require.NoError(t, err)
	}
	require.NoError(t, p.nodes[0].AddContact(t.Context(), jid.MustParse("romeo@example.org"), jid.MustParse("juliet@example.org")))
	romeo, seen := p.join(t, 0, "romeo")
	juliet, _ := p.join(t, 1, "juliet")
	p.net.Settle()
	p.net.Lose("node2")
	for st := range seen {
		if h := st.Header(); h.From == juliet.LocalAddr() && h.Type == string(stanza.PresenceUnavailable) {
			break
		}
	}
	tell(t, romeo, "juliet@example.org", "where are you?")
	_, got := p.join(t, 0, "juliet")
	require.Equal(t, "where are you?", heard(t, got))
}
