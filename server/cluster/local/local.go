// Package local is the engine of a server that is alone.
package local

import (
	"context"
	"sync"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/cluster"
)

// New returns an engine whose members know nothing of each other.
func New() cluster.Engine { return engine{} }

type engine struct{}

// Join implements [cluster.Engine].
func (engine) Join(context.Context, cluster.Receiver) (cluster.Member, error) {
	return &member{bound: make(map[jid.JID]uint64)}, nil
}

type member struct {
	mu    sync.Mutex // guards the fields below
	last  uint64     // revision
	bound map[jid.JID]uint64
}

func (*member) Node() cluster.Node { return "" }
func (*member) Leave()             {}

// Bind implements [cluster.Directory].
func (m *member) Bind(_ context.Context, full jid.JID) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.bound[full]; taken {
		return 0, cluster.ErrTaken
	}
	m.last++
	m.bound[full] = m.last
	return m.last, nil
}

// Unbind implements [cluster.Directory].
func (m *member) Unbind(full jid.JID, revision uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bound[full] == revision {
		delete(m.bound, full)
	}
}

func (*member) Update(jid.JID, uint64, cluster.State)                   {}
func (*member) Elsewhere(jid.JID) []cluster.Entry                       { return nil }
func (*member) Fresh(context.Context, jid.JID) ([]cluster.Entry, error) { return nil, nil }
func (*member) Post(cluster.Node, cluster.Parcel) error                 { return cluster.ErrLost }
func (*member) Send(context.Context, cluster.Node, cluster.Parcel) (cluster.Verdict, error) {
	return 0, cluster.ErrLost
}
