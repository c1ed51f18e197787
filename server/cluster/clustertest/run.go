package clustertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/cluster"
)

// Run shows that an engine holds what package cluster asks for. open returns one without nodes for each test.
func Run(t *testing.T, open func(t *testing.T) cluster.Engine) {
	for name, f := range map[string]func(*testing.T, cluster.Engine){
		"one at an address":            oneAtAnAddress,
		"states":                       states,
		"late comer":                   lateComer,
		"order":                        order,
		"news before parcels":          newsBeforeParcels,
		"verdicts":                     verdicts,
		"whatever is in it":            whateverIsInIt,
		"a node that left":             nodeThatLeft,
		"a receiver that takes a time": slowReceiver,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

var juliet = jid.MustParse("juliet@capulet.example/balcony")

// A node is a member and what it receives.
type node struct {
	cluster.Member
	mu      sync.Mutex // guards the fields below
	got     []cluster.Parcel
	receive func(context.Context, cluster.Parcel) cluster.Verdict // nil keeps it
}

// Receive implements [cluster.Receiver].
func (n *node) Receive(ctx context.Context, p cluster.Parcel) cluster.Verdict {
	n.mu.Lock()
	n.got = append(n.got, p)
	f := n.receive
	n.mu.Unlock()
	if f != nil {
		return f(ctx, p)
	}
	return cluster.Taken
}

// Lost implements [cluster.Receiver].
func (n *node) Lost(context.Context, cluster.Entry) {}

func (n *node) received() []cluster.Parcel {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// join adds a node, which leaves with the test.
func join(t *testing.T, e cluster.Engine) *node {
	t.Helper()
	n := new(node)
	var err error
	n.Member, err = e.Join(t.Context(), n)
	require.NoError(t, err)
	t.Cleanup(n.Leave)
	return n
}

func isTaken(err error) bool { return errors.Is(err, cluster.ErrTaken) }
func isLost(err error) bool  { return errors.Is(err, cluster.ErrLost) }

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 10_000 {
		if holds() {
			return
		}
		time.Sleep(time.Millisecond) // news travel by means of the engine's own
	}
	t.Fatalf("not in time: %s", what)
}

// bind binds an address.
func bind(t *testing.T, n *node, full jid.JID) uint64 {
	t.Helper()
	revision, err := n.Bind(t.Context(), full)
	require.NoError(t, err)
	return revision
}

// sees reports whether a node sees just those states of the sessions of somebody, in any order.
func sees(n *node, bare jid.JID, want ...cluster.Entry) bool {
	got := n.Elsewhere(bare)
	return len(got) == len(want) && !slices.ContainsFunc(want, func(w cluster.Entry) bool {
		return !slices.ContainsFunc(got, func(g cluster.Entry) bool { return fmt.Sprint(g) == fmt.Sprint(w) })
	})
}

func oneAtAnAddress(t *testing.T, e cluster.Engine) {
	nodes := []*node{join(t, e), join(t, e), join(t, e)}
	last := uint64(0)
	for range 20 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		type win struct {
			n        *node
			revision uint64
		}
		var won []win
		for _, n := range nodes {
			for range 3 {
				wg.Go(func() {
					revision, err := n.Bind(t.Context(), juliet)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won = append(won, win{n, revision})
					} else if !isTaken(err) {
						t.Errorf("Bind: %v", err)
					}
				})
			}
		}
		wg.Wait()
		require.Len(t, won, 1)
		require.Greater(t, won[0].revision, last)
		won[0].n.Unbind(juliet, last) // of one before: without effect
		soon(t, "still taken", func() bool {
			_, err := nodes[0].Bind(t.Context(), juliet)
			return isTaken(err)
		})
		last = won[0].revision
		won[0].n.Unbind(juliet, last)
		soon(t, "free again", func() bool {
			all, err := nodes[0].Fresh(t.Context(), juliet.Bare())
			other, err2 := nodes[1].Fresh(t.Context(), juliet.Bare())
			return err == nil && err2 == nil && len(all)+len(other) == 0
		})
	}
}

func states(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	revision := bind(t, a, juliet)
	want := cluster.Entry{Addr: juliet, Node: a.Node(), Revision: revision}
	soon(t, "bound", func() bool { return sees(b, juliet.Bare(), want) })
	require.Empty(t, a.Elsewhere(juliet.Bare()), "its own is not elsewhere")
	for i := range 100 {
		want.State = cluster.State{
			Available: true, Priority: int8(i), Interested: i%2 == 0, Suspended: i%3 == 0, Secure: true,
			Since: time.Unix(int64(i), 0).UTC(), Marks: []string{"urn:example:a", "urn:example:ü"},
		}
		a.Update(juliet, revision, want.State)
	}
	soon(t, "the last word", func() bool { return sees(b, juliet.Bare(), want) })
	a.Update(juliet, revision-1, cluster.State{}) // of one before: without effect
	second, err := juliet.Bare().WithResource("garden")
	require.NoError(t, err)
	also := cluster.Entry{Addr: second, Node: a.Node(), Revision: bind(t, a, second)}
	soon(t, "both", func() bool { return sees(b, juliet.Bare(), want, also) })
	fresh, err := b.Fresh(t.Context(), juliet.Bare())
	require.NoError(t, err)
	require.Len(t, fresh, 2)
	a.Unbind(juliet, revision)
	soon(t, "one", func() bool { return sees(b, juliet.Bare(), also) })
}

func lateComer(t *testing.T, e cluster.Engine) {
	a := join(t, e)
	revision := bind(t, a, juliet)
	a.Update(juliet, revision, cluster.State{Available: true, Priority: -7})
	b := join(t, e)
	want := cluster.Entry{Addr: juliet, Node: a.Node(), Revision: revision, State: cluster.State{Available: true, Priority: -7}}
	soon(t, "what was there before", func() bool { return sees(b, juliet.Bare(), want) })
	require.NotEqual(t, a.Node(), b.Node())
	require.NotEmpty(t, b.Node())
}

// from is an account that sends.
func from(i int) jid.JID { return jid.MustParse(fmt.Sprintf("p%d@capulet.example", i)) }

func order(t *testing.T, e cluster.Engine) {
	a, b, c := join(t, e), join(t, e), join(t, e)
	const each = 200
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			by := []*node{a, c}[i%2]
			for n := range each {
				p := cluster.Parcel{Way: cluster.Presence, From: from(i), To: juliet, Stanza: fmt.Appendf(nil, "%d", n)}
				var err error
				if n%3 == 0 {
					_, err = by.Send(t.Context(), b.Node(), p)
				} else {
					err = by.Post(b.Node(), p)
				}
				if err != nil {
					t.Errorf("parcel %d of %d: %v", n, i, err)
				}
			}
		})
	}
	wg.Wait()
	soon(t, "all", func() bool { return len(b.received()) == 6*each })
	next := map[jid.JID]int{}
	for _, p := range b.received() {
		if string(p.Stanza) != fmt.Sprint(next[p.From]) {
			t.Fatalf("got %s of %s, want %d", p.Stanza, p.From, next[p.From])
		}
		next[p.From]++
	}
}

func newsBeforeParcels(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	revision := bind(t, a, juliet)
	b.mu.Lock()
	b.receive = func(context.Context, cluster.Parcel) cluster.Verdict {
		all := b.Elsewhere(juliet.Bare())
		return cluster.Verdict(all[0].Priority)
	}
	b.mu.Unlock()
	for i := range int8(100) {
		a.Update(juliet, revision, cluster.State{Priority: i + 1})
		verdict, err := a.Send(t.Context(), b.Node(), cluster.Parcel{Way: cluster.Presence, From: juliet.Bare(), To: juliet})
		require.NoError(t, err)
		require.Equal(t, i+1, int8(verdict))
	}
}

func verdicts(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	for _, want := range []cluster.Verdict{cluster.Taken, cluster.Behind, cluster.Full, cluster.Gone} {
		b.mu.Lock()
		b.receive = func(context.Context, cluster.Parcel) cluster.Verdict { return want }
		b.mu.Unlock()
		got, err := a.Send(t.Context(), b.Node(), cluster.Parcel{Way: cluster.Message, From: juliet.Bare()})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := a.Send(t.Context(), "nobody", cluster.Parcel{})
	require.ErrorIs(t, err, cluster.ErrLost)
	require.ErrorIs(t, a.Post("nobody", cluster.Parcel{}), cluster.ErrLost)
	require.ErrorIs(t, a.Post(a.Node(), cluster.Parcel{}), cluster.ErrLost, "a node has nothing for itself")
}

func whateverIsInIt(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	strange := jid.MustParse("jülìet@capulet.example/☎ \" & <")
	want := cluster.Parcel{
		Way: cluster.Message, From: strange.Bare(), To: strange, With: juliet, List: []jid.JID{juliet, strange}, Account: "a\x00b", Name: "urn:<>", Must: true,
		Stanza:  []byte("<message>\x00\xff\xfe é \n</message>"),
		Targets: []cluster.Target{{Addr: strange, Revision: 1 << 63}, {Addr: juliet, Revision: 2}},
	}
	_, err := a.Send(t.Context(), b.Node(), want)
	require.NoError(t, err)
	require.Equal(t, []cluster.Parcel{want}, b.received())
}

func nodeThatLeft(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	revision := bind(t, b, juliet)
	soon(t, "bound", func() bool { return len(a.Elsewhere(juliet.Bare())) == 1 })
	b.Leave()
	soon(t, "its sessions are gone", func() bool { return len(a.Elsewhere(juliet.Bare())) == 0 })
	fresh, err := a.Fresh(t.Context(), juliet.Bare())
	require.NoError(t, err)
	require.Empty(t, fresh)
	soon(t, "lost", func() bool {
		_, err := a.Send(t.Context(), b.Node(), cluster.Parcel{Way: cluster.Message, From: juliet.Bare()})
		return isLost(err)
	})
	require.Greater(t, bind(t, a, juliet), revision)
}

func slowReceiver(t *testing.T, e cluster.Engine) {
	a, b := join(t, e), join(t, e)
	let := make(chan struct{})
	b.mu.Lock()
	b.receive = func(ctx context.Context, p cluster.Parcel) cluster.Verdict {
		if p.From == from(1) {
			<-let
		}
		return cluster.Taken
	}
	b.mu.Unlock()
	require.NoError(t, a.Post(b.Node(), cluster.Parcel{Way: cluster.Message, From: from(1)})) // waits for nobody
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := a.Send(ctx, b.Node(), cluster.Parcel{Way: cluster.Message, From: from(1)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	a.Update(juliet, bind(t, a, juliet), cluster.State{}) // nor does the directory
	close(let)
	soon(t, "all the same", func() bool { return len(b.received()) == 2 })
}
