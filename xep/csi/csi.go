// Package csi tells the server whether somebody is looking at the client (XEP-0352). While nobody is,
// the server may keep back what can wait, such as presence, and spare the network and the battery.
//
//	state := csi.New()
//	state.Register(mux) // so that it holds on the next stream too
//	…
//	err := state.Set(ctx, c, false) // the window was hidden
//
// A server that does not offer it is told nothing.
package csi

import (
	"context"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the name of the stream feature's.
const NS = "urn:xmpp:csi:0"

// A State is whether somebody is looking at one client. Its methods may be called from any
// goroutine.
type State struct {
	mu       sync.Mutex // guards the fields below
	inactive bool
}

// New returns the state of a client that is looked at.
func New() *State { return new(State) }

// Register has the state told again on each new stream, which begins as one of a client that is looked
// at (§5).
func (s *State) Register(mux *muxer.Mux) {
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		s.mu.Lock()
		inactive := s.inactive
		s.mu.Unlock()
		if !inactive || e.Status != xmpp.Online && e.Status != xmpp.Resumed {
			return nil
		}
		return tell(ctx, xmpp.SessionFrom(ctx), false)
	})
}

// Set says whether somebody is looking from now on. It waits, as long as ctx allows, only while the
// queue of the session is full. Saying the same again costs nothing.
func (s *State) Set(ctx context.Context, session xmpp.Session, active bool) error {
	s.mu.Lock()
	same := s.inactive == !active
	s.inactive = !active
	s.mu.Unlock()
	if same {
		return nil
	}
	return tell(ctx, session, active)
}

func tell(ctx context.Context, session xmpp.Session, active bool) error {
	stream, ok := session.(xmpp.ElementSender)
	if !ok || stream.Features().Child(NS, "csi").IsZero() {
		return nil
	}
	return stream.SendElement(ctx, indication(active))
}

// An indication is the element that says it.
type indication bool

// AppendXML implements [stanza.Payload].
func (active indication) AppendXML(dst []byte) ([]byte, error) {
	name := "inactive"
	if active {
		name = "active"
	}
	w := stanza.NewWriter(dst)
	w.Element(NS, name, "")
	return w.Bytes()
}
