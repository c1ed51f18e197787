// Package servertest shows that a server does what RFC 6121 asks for, whatever keeps its data: every transition of
// a subscription and every cell of the table of deliveries, from end to end. A driver of package storage has two
// tests more:
//
//	func TestSubscriptions(t *testing.T) { servertest.Subscriptions(t, open(t)) }
//
//	func TestDeliveries(t *testing.T) {
//		servertest.Deliveries(t, func(t *testing.T) storage.Stores { return open(t) })
//	}
package servertest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The domains of the server. The second one stands for a contact whose server routes for it.
const (
	domain  = "capulet.example"
	contact = "montague.example"
)

// A house is a server, or several that act as one.
type house struct {
	*xmpptest.Server // the first
	all              []*xmpptest.Server
	stores           storage.Stores
	settle           func() // waits until nothing is on its way between them
	logins           int
}

// start starts a server.
func start(t *testing.T, stores storage.Stores, change ...func(*server.Options)) *house {
	t.Helper()
	o := &server.Options{
		Domains: []string{domain, contact}, InsecurePlaintext: true, Iterations: sasl.MinIterations, Storage: stores,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range change {
		f(o)
	}
	s, err := xmpptest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return &house{Server: s, all: []*xmpptest.Server{s}, stores: stores, settle: func() {}}
}

// A person is a client that keeps all it gets but for answers to its queries.
type person struct {
	*client.Client
	t     *testing.T
	house *house
	last  xmpp.Receipt // of what was sent

	mu    sync.Mutex // guards the fields below
	got   []*stanza.Raw
	until map[string]chan struct{} // closed when the message with that id has come
}

// login logs in with a resource, each time to the next server.
func login(t *testing.T, h *house, account, resource string) *person {
	t.Helper()
	p := &person{t: t, house: h, until: make(map[string]chan struct{})}
	addr, err := h.Account(account)
	require.NoError(t, err)
	full, err := addr.WithResource(resource)
	require.NoError(t, err)
	opts := h.Options(addr)
	opts.Dialer = h.all[h.logins%len(h.all)].Options(addr).Dialer
	opts.Handler = xmpp.HandlerFunc(p.take)
	h.logins++
	p.Client, err = client.Dial(t.Context(), full, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = p.Close(context.Background())
		_ = p.Wait(context.Background())
	})
	return p
}

// take is the handler.
func (p *person) take(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.until[st.Header().ID]; end != nil {
		close(end)
		return nil, nil
	}
	p.got = append(p.got, st)
	return nil, nil
}

// send sends a stanza that is written out.
func (p *person) send(xml string) {
	p.t.Helper()
	raw, err := stanza.Parse([]byte(xml))
	require.NoError(p.t, err)
	p.last, err = p.Send(p.t.Context(), raw)
	require.NoError(p.t, err)
}

// all makes sure that everything that was sent has been handled and stored, as its acknowledgement says, and returns what came until
// then: a message to oneself comes behind all that was caused before it.
func (p *person) all() []*stanza.Raw {
	p.t.Helper()
	p.fence()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

// fence waits as [person.all] does.
func (p *person) fence() {
	p.t.Helper()
	if p.last != (xmpp.Receipt{}) {
		_, err := p.last.Await(p.t.Context(), xmpp.Acked)
		require.NoError(p.t, err)
	}
	p.house.settle()
	id, end := stanza.NewID(), make(chan struct{})
	p.mu.Lock()
	p.until[id] = end
	p.mu.Unlock()
	_, err := p.Send(p.t.Context(), stanza.Message{To: p.LocalAddr(), ID: id, Type: stanza.MessageHeadline})
	require.NoError(p.t, err)
	select {
	case <-end:
	case <-p.Done():
		p.t.Fatalf("%s: the stream ended: %v", p.LocalAddr(), p.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.until, id)
}

// idOf returns the id of an account.
func idOf(t *testing.T, stores storage.Stores, addr jid.JID) storage.AccountID {
	t.Helper()
	a, err := stores.Accounts.Get(t.Context(), addr)
	require.NoError(t, err)
	return a.ID
}
