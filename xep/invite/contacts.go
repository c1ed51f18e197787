package invite

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/presence"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Week is how long an invite is good unless somebody says otherwise (XEP-0379 §5.2).
const Week = 7 * 24 * time.Hour

// A State is what a client knows of invites, for the next time. It can be written as JSON.
type State struct {
	// Given are the invites that the client has given out, by the SHA-256 of their tokens, and until when they are good.
	Given map[string]time.Time
	// Awaited are those whose invites the user has accepted, and until when they may subscribe in return.
	Awaited map[jid.JID]time.Time
}

// ContactsOptions adjusts [NewContacts]. Nil and the zero value are ready to use.
type ContactsOptions struct {
	// Known is what [Contacts.State] returned before. Changed is called whenever that returns something else.
	Known   State
	Changed func()
	// Lifetime is how long invites are good. Zero means [Week].
	Lifetime time.Duration
}

// Contacts is what a client does to make contacts by invites (XEP-0379). Make one with [NewContacts]. Its methods may
// be called from any goroutine.
type Contacts struct {
	lifetime time.Duration
	changed  func()

	mu    sync.Mutex // guards the field below
	state State
}

// maxGiven bounds the invites that a client has given out and that are good.
const maxGiven = 100

// NewContacts returns what a client does about invites.
func NewContacts(opts *ContactsOptions) *Contacts {
	var o ContactsOptions
	if opts != nil {
		o = *opts
	}
	return &Contacts{lifetime: cmp.Or(max(o.Lifetime, 0), Week), changed: o.Changed, state: o.Known.clone()}
}

func (s State) clone() State {
	c := State{Given: make(map[string]time.Time), Awaited: make(map[jid.JID]time.Time)}
	maps.Copy(c.Given, s.Given)
	maps.Copy(c.Awaited, s.Awaited)
	return c
}

// State returns what the client knows of invites, to be kept.
func (c *Contacts) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.clone()
}

// change changes the state, and tells the program.
func (c *Contacts) change(f func(*State) error) error {
	err := c.apply(f)
	if err == nil && c.changed != nil {
		c.changed()
	}
	return err
}

func (c *Contacts) apply(f func(*State) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.state.Given, func(_ string, until time.Time) bool { return !until.After(now) })
	maps.DeleteFunc(c.state.Awaited, func(_ jid.JID, until time.Time) bool { return !until.After(now) })
	return f(&c.state)
}

// Register answers requests for a subscription that show a token of [Contacts.Invite], and those of people whose invites were accepted by
// [Contacts.Add]. All others are left to whoever decides about them (§4.1). A token is good once.
func (c *Contacts) Register(mux *muxer.Mux) {
	mux.Presence(stanza.PresenceSubscribe, func(ctx context.Context, p *stanza.Presence) error {
		s := xmpp.SessionFrom(ctx)
		if s == nil || xmpp.OriginOf(s.LocalAddr(), p.From) != xmpp.FromOther {
			return nil
		}
		contact := p.From.Bare()
		var token Preauth
		if shown, err := p.Payloads.Decode(&token); shown && err == nil && c.use(token.Token) {
			if err := presence.Approve(ctx, s, contact); err != nil {
				return err
			}
			return presence.Subscribe(ctx, s, contact)
		}
		if c.awaited(contact) {
			return presence.Approve(ctx, s, contact)
		}
		return nil
	})
}

var errUnknown = errors.New("unknown")

// use uses up a token that was given out.
func (c *Contacts) use(token string) bool {
	return c.change(func(s *State) error {
		id := idOf(token)
		if _, ok := s.Given[id]; !ok {
			return errUnknown
		}
		delete(s.Given, id)
		return nil
	}) == nil
}

// awaited reports whether somebody may subscribe, once.
func (c *Contacts) awaited(contact jid.JID) bool {
	return c.change(func(s *State) error {
		if _, ok := s.Awaited[contact]; !ok {
			return errUnknown
		}
		delete(s.Awaited, contact)
		return nil
	}) == nil
}

// Invite returns a link by which one person becomes a contact of the session's account, on whatever server. This client has
// to be online then, with [Contacts.Register]; another one leaves the request to a person. The name is a suggestion.
func (c *Contacts) Invite(s xmpp.Session, name string) (URI, error) {
	u := URI{Addr: s.LocalAddr().Bare(), Action: Roster, Token: rand.Text(), Name: name}
	err := c.change(func(s *State) error {
		if len(s.Given) >= maxGiven {
			return errors.New("too many are good already")
		}
		s.Given[idOf(u.Token)] = time.Now().Add(c.lifetime)
		return nil
	})
	if err != nil {
		return URI{}, fmt.Errorf("invite: %w", err)
	}
	return u, nil
}

// Add accepts an invite: the inviter gets into the roster, with the name that the user has given (which need not be that of the
// link), and each of the two sees the other's presence. The inviter may not agree at once, and if the token is good no more,
// perhaps never (§4.2).
func (c *Contacts) Add(ctx context.Context, s xmpp.Session, u URI, name string) error {
	if err := c.add(ctx, s, u, name); err != nil {
		return fmt.Errorf("invite: add %s: %w", u.Addr, err)
	}
	return nil
}

func (c *Contacts) add(ctx context.Context, s xmpp.Session, u URI, name string) error {
	switch {
	case u.Action != Roster:
		return errors.New("the invite is for an account")
	case u.Addr == s.LocalAddr().Bare():
		return errors.New("it is one's own")
	}
	if err := u.check(); err != nil {
		return err
	}
	if err := roster.Set(ctx, s, roster.Item{JID: u.Addr, Name: name}); err != nil {
		return err
	}
	stream, ok := s.(xmpp.ElementSender)
	ahead := ok && !stream.Features().Child(roster.NSPreApproval, "sub").IsZero()
	if !ahead {
		_ = c.change(func(st *State) error {
			st.Awaited[u.Addr] = time.Now().Add(c.lifetime)
			return nil
		})
	}
	_, err := s.Send(ctx, stanza.Presence{To: u.Addr, ID: stanza.NewID(), Type: stanza.PresenceSubscribe, Payloads: stanza.Payloads{Preauth{u.Token}}})
	if err != nil || !ahead {
		return err
	}
	return presence.Approve(ctx, s, u.Addr)
}
