// Package clustertest is for tests of what runs on package cluster: an engine in this process whose network can be
// stopped and whose nodes can be lost, and [Run], which any engine must pass.
package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/cluster"
)

// waitsAtMost is how many parcels may wait for a node.
const waitsAtMost = 10_000

// A Network is an engine in this process. Everything that passes between nodes is encoded on the way. Its methods may
// be called from any goroutine.
type Network struct {
	mu      sync.Mutex // guards the fields below, and those of nodes that say so; taken before that of a pipe
	joined  int        // ever
	last    uint64     // revision
	bound   map[jid.JID]cluster.Entry
	members map[cluster.Node]*member
}

// New returns a network without nodes.
func New() *Network {
	return &Network{bound: make(map[jid.JID]cluster.Entry), members: make(map[cluster.Node]*member)}
}

// Join implements [cluster.Engine].
func (n *Network) Join(_ context.Context, r cluster.Receiver) (cluster.Member, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.joined++
	m := &member{net: n, node: cluster.Node(fmt.Sprintf("node%d", n.joined)), receiver: r, pipes: make(map[cluster.Node]*pipe), view: make(map[jid.JID][]cluster.Entry)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	for _, e := range n.bound {
		m.see(e, false)
	}
	n.members[m.node] = m
	return m, nil
}

// Nodes lists the nodes that are there, in the order in which they joined.
func (n *Network) Nodes() []cluster.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []cluster.Node
	for i := range n.joined {
		if node := cluster.Node(fmt.Sprintf("node%d", i+1)); n.members[node] != nil {
			all = append(all, node)
		}
	}
	return all
}

// Stop holds up whatever one node has for another, parcels and news of its sessions, until the function that it
// returns is called.
func (n *Network) Stop(from, to cluster.Node) (resume func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.members[to].from(from)
	p.hold(true)
	return func() { p.hold(false) }
}

// Lose has a node vanish without a word. It does not get to know.
func (n *Network) Lose(node cluster.Node) {
	n.mu.Lock()
	m := n.members[node]
	for _, e := range n.forget(node) {
		for _, heir := range n.members {
			heir.from("").put(item{lost: true, entry: e})
			break
		}
	}
	n.mu.Unlock()
	if m != nil {
		m.end()
	}
}

// Settle waits until nothing is on its way, what is held up left aside.
func (n *Network) Settle() {
	for busy := true; busy; {
		n.mu.Lock()
		var all []*pipe
		for _, m := range n.members {
			for _, p := range m.pipes {
				all = append(all, p)
			}
		}
		n.mu.Unlock()
		busy = false
		for _, p := range all {
			if p.wait() {
				busy = true // what it brought may have caused more
			}
		}
	}
}

// forget takes out a node and its sessions, and returns these. It is called with mu held.
func (n *Network) forget(node cluster.Node) (all []cluster.Entry) {
	delete(n.members, node)
	for full, e := range n.bound {
		if e.Node == node {
			delete(n.bound, full)
			all = append(all, e)
			for _, m := range n.members {
				m.from("").put(item{gone: true, entry: e}) // the news are the network's
			}
		}
	}
	return all
}

// tell tells other nodes of a session. It is called with mu held.
func (n *Network) tell(e cluster.Entry, gone bool) {
	for _, m := range n.members {
		if m.node != e.Node {
			m.from(e.Node).put(item{gone: gone, entry: e})
		}
	}
}

// A member is a node's part.
type member struct {
	net      *Network
	node     cluster.Node
	receiver cluster.Receiver
	ctx      context.Context // ends when the node leaves
	cancel   context.CancelFunc

	pipes map[cluster.Node]*pipe // to this node; guarded by the network

	mu   sync.RWMutex                // guards the field below
	view map[jid.JID][]cluster.Entry // by bare JID; slices are replaced, never changed
}

// from returns the pipe from another node. It is called with the network's mu held.
func (m *member) from(node cluster.Node) *pipe {
	p := m.pipes[node]
	if p == nil {
		p = newPipe(m)
		m.pipes[node] = p
	}
	return p
}

// see takes in news of a session.
func (m *member) see(e cluster.Entry, gone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	bare := e.Addr.Bare()
	all := slices.Clone(m.view[bare])
	if i := slices.IndexFunc(all, func(o cluster.Entry) bool { return o.Addr == e.Addr }); i >= 0 {
		if all[i].Revision > e.Revision {
			return // of one that came later, by another way
		}
		all = slices.Delete(all, i, i+1)
	}
	if !gone {
		all = append(all, e)
	}
	if len(all) == 0 {
		delete(m.view, bare)
		return
	}
	m.view[bare] = all
}

func (m *member) Node() cluster.Node { return m.node }

// Bind implements [cluster.Directory].
func (m *member) Bind(_ context.Context, full jid.JID) (uint64, error) {
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.members[m.node] == nil {
		return 0, cluster.ErrLost
	}
	if _, taken := n.bound[full]; taken {
		return 0, cluster.ErrTaken
	}
	n.last++
	e := cluster.Entry{Addr: full, Node: m.node, Revision: n.last}
	n.bound[full] = e
	n.tell(e, false)
	return e.Revision, nil
}

// Update implements [cluster.Directory].
func (m *member) Update(full jid.JID, revision uint64, s cluster.State) {
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.bound[full]; ok && e.Revision == revision {
		e.State = s
		n.bound[full] = e
		n.tell(e, false)
	}
}

// Unbind implements [cluster.Directory].
func (m *member) Unbind(full jid.JID, revision uint64) {
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.bound[full]; ok && e.Revision == revision {
		delete(n.bound, full)
		n.tell(e, true)
	}
}

// Elsewhere implements [cluster.Directory].
func (m *member) Elsewhere(bare jid.JID) []cluster.Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.view[bare]
}

// Fresh implements [cluster.Directory].
func (m *member) Fresh(_ context.Context, bare jid.JID) ([]cluster.Entry, error) {
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []cluster.Entry
	for full, e := range n.bound {
		if full.Bare() == bare && e.Node != m.node {
			all = append(all, e)
		}
	}
	return all, nil
}

// Send implements [cluster.Mesh].
func (m *member) Send(ctx context.Context, to cluster.Node, p cluster.Parcel) (cluster.Verdict, error) {
	verdict := make(chan cluster.Verdict, 1)
	other, err := m.put(to, p, verdict)
	if err != nil {
		return 0, err
	}
	select {
	case v := <-verdict:
		return v, nil
	case <-other.ctx.Done():
		return 0, fmt.Errorf("clustertest: %s has vanished with a parcel", to)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Post implements [cluster.Mesh].
func (m *member) Post(to cluster.Node, p cluster.Parcel) error {
	_, err := m.put(to, p, nil)
	return err
}

// put puts a parcel into the pipe to another node.
func (m *member) put(to cluster.Node, p cluster.Parcel, verdict chan cluster.Verdict) (*member, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("clustertest: %w", err)
	}
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	other := n.members[to]
	if other == nil || other == m || n.members[m.node] == nil {
		return nil, cluster.ErrLost
	}
	if !other.from(m.node).put(item{parcel: b, verdict: verdict}) {
		return nil, cluster.ErrBusy
	}
	return other, nil
}

// Leave implements [cluster.Member].
func (m *member) Leave() {
	m.net.mu.Lock()
	m.net.forget(m.node)
	m.net.mu.Unlock()
	m.end()
}

// end waits until nothing is received any more.
func (m *member) end() {
	m.cancel()
	m.net.mu.Lock()
	var all []*pipe
	for _, p := range m.pipes {
		all = append(all, p)
	}
	m.net.mu.Unlock()
	for _, p := range all {
		p.close()
	}
}
