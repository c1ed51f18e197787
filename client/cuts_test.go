package client_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
	"strconv"
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
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// exchanged is how many messages go each way in the session that is cut.
const exchanged = 100

// The link is cut at a byte of a session in which two people write each other a hundred
// messages, before, in or after login. Afterwards each message has arrived once and in order, or
// its sender knows that it may not have.
//
// The bytes are a sample, another one each time; XMPP_CUTS=all takes all of them, and
// XMPP_CUTS=n every n-th.
func TestCutAtEveryByte(t *testing.T) {
	for _, kind := range []string{"pipe", "tls"} {
		t.Run(kind, func(t *testing.T) {
			srv := xmpptest.StartFor(t, &server.Options{
				InsecurePlaintext: kind == "pipe", Iterations: sasl.MinIterations, Logger: quiet, Mechanisms: []string{sasl.SCRAMSHA1},
			})
			whole := newCutting(t, srv, kind, 0)
			whole.run(xmpptest.Fault{})
			require.Len(t, whole.traffic(), 1)
			total := whole.traffic()[0]
			step := stride(total.Up + total.Down)
			t.Logf("%d bytes up, %d down; every %d", total.Up, total.Down, step)
			jobs := make(chan xmpptest.Fault)
			var wg sync.WaitGroup
			for n := range 4 {
				wg.Go(func() {
					c := newCutting(t, srv, kind, n+1)
					for f := range jobs {
						c.run(f)
					}
				})
			}
			for at := 1 + offset(step); at <= total.Up+total.Down; at += step {
				if at <= total.Up {
					jobs <- xmpptest.Fault{CutUp: at}
				} else {
					jobs <- xmpptest.Fault{CutDown: at - total.Up}
				}
				if t.Failed() {
					break
				}
			}
			close(jobs)
			wg.Wait()
		})
	}
}

// stride is the distance of the bytes to cut at.
func stride(total int64) int64 {
	switch s := os.Getenv("XMPP_CUTS"); s {
	case "all":
		return 1
	case "":
		return max(1, total/60)
	default:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			panic("XMPP_CUTS: " + s)
		}
		return n
	}
}

// offset is where a sample begins.
func offset(step int64) int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(step))
	if err != nil {
		panic(err)
	}
	return n.Int64()
}

// A cutting is two accounts, of which one has the link that is cut.
type cutting struct {
	t      *testing.T
	srv    *xmpptest.Server
	kind   string
	near   jid.JID // whose link it is
	far    jid.JID
	link   *xmpptest.Link
	rounds int
	early  string // the round whose messages may still come: its last acknowledgement may be lost
}

func newCutting(t *testing.T, srv *xmpptest.Server, kind string, n int) *cutting {
	near, err := srv.Account(fmt.Sprintf("near%d", n))
	require.NoError(t, err)
	far, err := srv.Account(fmt.Sprintf("far%d", n))
	require.NoError(t, err)
	require.NoError(t, srv.AddContact(context.Background(), near, far))
	return &cutting{t: t, srv: srv, kind: kind, near: near, far: far}
}

func (c *cutting) traffic() []xmpptest.Traffic { return c.link.Traffic() }

// A side is one of the two, with what it got.
type side struct {
	*client.Client
	mu       sync.Mutex
	got      []string
	news     chan struct{} // has an item when something came
	receipts []xmpp.Receipt
	lost     []error // why sessions were lost
}

func (s *side) handler() *muxer.Mux {
	s.news = make(chan struct{}, 1)
	mux := muxer.New()
	mux.Event(func(_ context.Context, e xmpp.Event) error {
		if e.Status == xmpp.Offline && !e.Final {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lost = append(s.lost, e.Err)
		}
		return nil
	})
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		s.mu.Lock()
		s.got = append(s.got, m.Body.String())
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
		return nil
	})
	return mux
}

func (s *side) bodies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

// run is one session with a fault.
func (c *cutting) run(f xmpptest.Fault) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c.rounds++
	near, far := new(side), new(side)
	what := fmt.Sprintf("%s, %+v", c.kind, f)
	c.dial(ctx, near, c.near, f)
	if near.Client == nil {
		c.t.Errorf("%s: no session at all", what)
		return
	}
	c.dial(ctx, far, c.far, xmpptest.Fault{})
	for n := range exchanged {
		c.send(ctx, near, c.far, n)
		c.send(ctx, far, c.near, n)
	}
	c.check(ctx, what+", up", near, far)
	c.check(ctx, what+", down", far, near)
	for ctx.Err() == nil { // until nothing is under way
		_, err := near.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: near.RemoteAddr(), Payload: element("<ping xmlns='urn:xmpp:ping'/>")})
		if err == nil {
			break
		}
	}
	near.mu.Lock()
	if len(near.lost) > 0 { // once it has begun it is always resumed here
		c.t.Errorf("%s: the session was lost: %v", what, near.lost)
	}
	near.mu.Unlock()
	c.early = ""
	if f != (xmpptest.Fault{}) && len(c.traffic()) == 1 { // it is still to come, while the stream is closed
		c.early = strconv.Itoa(c.rounds)
	}
	if err := far.Close(ctx); err != nil {
		c.t.Errorf("%s: far: close: %v", what, err)
	}
	if err := near.Close(ctx); err != nil && c.early == "" {
		c.t.Errorf("%s: near: close: %v", what, err)
	}
}

// dial logs in, again if the link is cut before that.
func (c *cutting) dial(ctx context.Context, s *side, account jid.JID, f xmpptest.Fault) {
	opts := c.srv.Options(account)
	opts.Logger, opts.Handler, opts.Reconnect = quiet, s.handler(), client.Backoff{Min: time.Millisecond, Max: time.Millisecond}
	link := xmpptest.NewLink(opts.Dialer, f)
	if account == c.near {
		c.link = link
	}
	opts.Dialer = link
	addr, err := account.WithResource("r")
	require.NoError(c.t, err)
	for s.Client == nil && ctx.Err() == nil {
		if s.Client, err = client.Dial(ctx, addr, opts); err == nil {
			_, err = s.Send(ctx, stanza.Presence{})
			require.NoError(c.t, err)
		}
	}
}

func (c *cutting) send(ctx context.Context, s *side, to jid.JID, n int) {
	r, err := s.Send(ctx, stanza.Message{To: to, Type: stanza.MessageChat, Body: stanza.Plain(fmt.Sprintf("%d.%d", c.rounds, n))})
	if err != nil {
		c.t.Errorf("send: %v", err)
	}
	s.receipts = append(s.receipts, r)
}

// check waits until the fate of all messages is known, and that of those that arrived.
func (c *cutting) check(ctx context.Context, what string, from, to *side) {
	sure := make(map[string]bool) // that must arrive
	for n, r := range from.receipts {
		stage, err := r.Await(ctx, xmpp.Acked)
		if err != nil && stage != xmpp.Failed && stage != xmpp.Dropped {
			c.t.Errorf("%s: the receipt of %d says %v, %v", what, n, stage, err)
			return
		}
		if stage == xmpp.Acked {
			sure[fmt.Sprintf("%d.%d", c.rounds, n)] = true
		}
	}
	last := -1
	for seen := 0; len(sure) > 0 || seen < len(to.bodies()); {
		got := to.bodies()
		if seen == len(got) {
			select {
			case <-to.news:
			case <-ctx.Done():
				c.t.Errorf("%s: %d messages that were acknowledged have not arrived", what, len(sure))
				return
			}
			continue
		}
		round, number, _ := strings.Cut(got[seen], ".")
		if round == c.early {
			seen++
			continue
		}
		n, _ := strconv.Atoi(number)
		if round != strconv.Itoa(c.rounds) || n <= last {
			c.t.Errorf("%s: got %s behind %d: doubled, or out of order", what, got[seen], last)
			return
		}
		last = n
		delete(sure, got[seen])
		seen++
	}
}
