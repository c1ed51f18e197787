// Package carbons keeps all devices of an account in the same conversation (XEP-0280): each gets a
// copy of what the others send and receive.
//
//	c := carbons.New(func(ctx context.Context, m carbons.Copy) {
//		msg, err := m.Message()
//		…
//	})
//	c.Register(mux)
//	…
//	err := c.Enable(ctx, session)
//
// A copy is believed only from the own account; one from anybody else is a forgery and reaches nobody (§11). What
// [Carbons.Enable] began it begins again on each new session, until [Carbons.Disable].
//
// Never answer a copy automatically: another device may do so as well (§10.4).
//
// In a server, [Server] is the module that makes the copies.
package carbons

import (
	"context"
	"encoding/xml"
	"fmt"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/forward"
)

// The namespaces: of carbons, and of the hint that a message is not to be copied (XEP-0334).
const (
	NS      = "urn:xmpp:carbons:2"
	nsHints = "urn:xmpp:hints"
)

// A Copy is a message that another device of the account has sent or received.
type Copy struct {
	Sent bool // by another device; else received
	forward.Forwarded
}

// Message returns the message that was copied.
func (c *Copy) Message() (stanza.Message, error) {
	raw := c.Raw()
	if raw == nil {
		return stanza.Message{}, fmt.Errorf("carbons: no message")
	}
	return raw.Message()
}

// AppendXML implements [stanza.Payload].
func (c Copy) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, c.local())
	w.Payload(c.Forwarded)
	w.End()
	return w.Bytes()
}

func (c Copy) local() string {
	if c.Sent {
		return "sent"
	}
	return "received"
}

// ParseXML implements [stanza.Decoder], but for the name: a copy has one of two.
func (c *Copy) ParseXML(e stanza.Element) error {
	*c = Copy{Sent: e.Is(NS, "sent")}
	if err := c.Forwarded.ParseXML(e.Child(forward.NS, "forwarded")); err != nil {
		return fmt.Errorf("carbons: %w", err)
	}
	return nil
}

// Private is the payload that keeps a message from being copied, here and at the recipient (§8). To be sure of older
// servers send [NoCopy] with it.
type Private struct{}

// AppendXML implements [stanza.Payload].
func (Private) AppendXML(dst []byte) ([]byte, error) { return empty(dst, NS, "private") }

// NoCopy is the hint of XEP-0334 with the same meaning.
type NoCopy struct{}

// AppendXML implements [stanza.Payload].
func (NoCopy) AppendXML(dst []byte) ([]byte, error) { return empty(dst, nsHints, "no-copy") }

// A wish is what a client asks for: enable or disable.
type wish string

// AppendXML implements [stanza.Payload].
func (s wish) AppendXML(dst []byte) ([]byte, error) { return empty(dst, NS, string(s)) }

func empty(dst []byte, space, local string) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(space, local)
	w.End()
	return w.Bytes()
}

// Carbons is what a client does about copies. Make one with [New]. Its methods may be called from any goroutine.
type Carbons struct {
	handle func(context.Context, Copy)

	mu sync.Mutex // guards the field below
	on bool
}

// New returns what has f called with each copy, in order with the other messages of the session.
func New(f func(context.Context, Copy)) *Carbons { return &Carbons{handle: f} }

// Register receives the copies of the mux's session.
func (c *Carbons) Register(mux *muxer.Mux) {
	for _, name := range []string{"sent", "received"} {
		mux.MessagePayload(muxer.AnyMessage, NS, name, c.receive)
	}
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		c.mu.Lock()
		on := c.on
		c.mu.Unlock()
		if !on || e.Status != xmpp.Online {
			return nil
		}
		return set(ctx, xmpp.SessionFrom(ctx), "enable")
	})
}

// receive takes in a message that says it is a copy.
func (c *Carbons) receive(ctx context.Context, m *stanza.Message) error {
	s := xmpp.SessionFrom(ctx)
	if s == nil || xmpp.OriginOf(s.LocalAddr(), m.From) != xmpp.FromAccount {
		return nil
	}
	for _, p := range m.Payloads {
		e, err := stanza.ElementOf(p)
		if err != nil || e.Name() != (xml.Name{Space: NS, Local: "sent"}) && e.Name() != (xml.Name{Space: NS, Local: "received"}) {
			continue
		}
		var got Copy
		if err := got.ParseXML(e); err != nil {
			return err
		}
		if got.Raw().Header().Kind != stanza.KindMessage {
			return fmt.Errorf("carbons: a copy of a %s", got.Raw().Header().Kind)
		}
		c.handle(ctx, got)
		return nil // there is only one
	}
	return nil
}

// Enable asks the server for copies. A server that has none answers with an error, a [*stanza.Error].
func (c *Carbons) Enable(ctx context.Context, s xmpp.Session) error {
	if err := set(ctx, s, "enable"); err != nil {
		return err
	}
	c.turn(true)
	return nil
}

// Disable asks the server for no more copies.
func (c *Carbons) Disable(ctx context.Context, s xmpp.Session) error {
	c.turn(false)
	return set(ctx, s, "disable")
}

func (c *Carbons) turn(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = on
}

func set(ctx context.Context, s xmpp.Session, what wish) error {
	if _, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: what}); err != nil {
		return fmt.Errorf("carbons: %s: %w", what, err)
	}
	return nil
}
