// Package cluster is how servers that share their stores act as one.
//
// Each server is a [Node]. The node whose socket it is owns a session: its stream, its queue, and who was told of it are
// nowhere else. The others know from a [Directory] that it is there and what they need to choose among several, and
// reach it by a [Mesh]. Both come from an [Engine]; that of package local is for a single server, and is what a server has
// that was given none.
//
// A server asks the directory where the sessions of an account are, does for those of its own what is to be done, and posts
// to the nodes of the others a [Parcel] that says the same. Nothing else of a server knows that there are others.
//
// # Writing an engine
//
// Package clustertest proves one. It holds:
//
//   - No two sessions have a full JID at the same time, on whatever nodes: [Directory.Bind] compares and sets. A revision is greater
//     than all before it at that address, so that what was meant for a session never reaches the next.
//   - The other calls of a directory do not wait, but for [Directory.Fresh]. What they return may be behind.
//   - What one account sends to a node arrives there once, in order, or not at all (RFC 6120 §10.1): parcels of one [Parcel.From],
//     whether by Send or by Post. What a node told the directory before is known there by then.
//   - A node that is lost has no sessions, and one that remains gets to know of each that it had. What may be lost with it is what
//     its own loss would cost a single server; messages that were stored are not.
//
// What passes between nodes is not checked again: a mesh is as trusted as the stores, and an engine that leaves the machine
// encrypts and authenticates.
package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A Node names a server while it runs. One that is started again has another name.
type Node string

// An Engine makes a cluster of servers.
type Engine interface {
	// Join makes a server a node, once. What is for it goes to r from then on.
	Join(ctx context.Context, r Receiver) (Member, error)
}

// A Member is the part of an engine that one node has. Its methods may be called from any goroutine.
type Member interface {
	Directory
	Mesh
	// Node is the name of this node; empty if there can be no other.
	Node() Node
	// Leave ends the membership: sessions that are left are taken out, and when it returns nothing more is received. The server calls it last.
	Leave()
}

// A State is what nodes know of the sessions of others.
type State struct {
	Available  bool // it has broadcast presence
	Priority   int8 // of that
	Interested bool // it gets roster pushes (RFC 6121 §2.2)
	Suspended  bool // its client was cut off, and may be back (XEP-0198 §5)

	Since  time.Time // it was bound
	Secure bool      // TLS protects its stream
	Marks  []string  // of modules
}

// Eligible reports whether messages for the bare JID may go to the session.
func (s State) Eligible() bool { return s.Available && s.Priority >= 0 }

// An Entry is a session in the directory.
type Entry struct {
	Addr     jid.JID // full
	Node     Node
	Revision uint64
	State
}

// The kinds of errors. Any other means that the cluster could not be asked.
var (
	// ErrTaken: another session has the address.
	ErrTaken = errors.New("cluster: the address is taken")
	// ErrLost: there is no such node, or no more.
	ErrLost = errors.New("cluster: the node is gone")
	// ErrBusy: too much waits for the node already.
	ErrBusy = errors.New("cluster: the node is busy")
)

// A Directory knows where sessions are.
type Directory interface {
	// Bind enters a session of this node at a full JID, with nothing known of it yet. [ErrTaken] if there is one.
	Bind(ctx context.Context, full jid.JID) (revision uint64, err error)
	// Update says what there is to know of a session of this node. The last word counts.
	Update(full jid.JID, revision uint64, s State)
	// Unbind takes a session out, if it is still the one of that revision.
	Unbind(full jid.JID, revision uint64)
	// Elsewhere returns the sessions of a bare JID on other nodes, in no order. It may be behind, and
	// is not to be modified.
	Elsewhere(bare jid.JID) []Entry
	// Fresh is Elsewhere as it is now: it asks who decides.
	Fresh(ctx context.Context, bare jid.JID) ([]Entry, error)
}

// A Mesh carries parcels between nodes.
type Mesh interface {
	// Send hands a parcel to another node and waits for its verdict. [ErrLost] means that it was not handed over; after any
	// other error it may have been.
	Send(ctx context.Context, to Node, p Parcel) (Verdict, error)
	// Post is Send for what nobody waits for: it does not wait at all. [ErrBusy] or [ErrLost] when it is not even on its way.
	Post(to Node, p Parcel) error
}

// A Receiver takes in what other nodes send. Receive may be called from many goroutines at once, but not for parcels of one
// [Parcel.From]. The parcel is the receiver's. It never waits for another node.
type Receiver interface {
	Receive(ctx context.Context, p Parcel) Verdict
	// Lost says that a session was lost with its node. One of the nodes that remain is told, for each.
	Lost(ctx context.Context, e Entry)
}
