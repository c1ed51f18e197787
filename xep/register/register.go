// Package register makes accounts, changes their passwords and deletes them from within XMPP (XEP-0077).
//
// Once logged in, a client changes its password, or gives its account up:
//
//	err := register.ChangePassword(ctx, c, "a new one")
//	err := register.Remove(ctx, c)
//
// Before that it makes an account, where the server lets it:
//
//	account := jid.MustParse("juliet@capulet.example")
//	c, err := client.Dial(ctx, account, &client.Options{
//		Password:    password,
//		BeforeLogin: register.NewAccount(account, password, nil),
//	})
//
// In a server, [Server] is the module that answers. Unless told otherwise it makes no accounts. Who makes them
// by invitation also needs package xep/invite.
package register

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces: of registration, and of the stream feature that offers it to those who have not logged in (§6).
const (
	NS        = "jabber:iq:register"
	NSFeature = "http://jabber.org/features/iq-register"
)

// ErrInsecure is the error of calls that would send a password where others can read it: the session does not say, as an
// [xmpp.Confidential], that TLS protects it (§3.3).
var ErrInsecure = errors.New("register: the stream does not keep a password secret")

// Get asks a server or a service what it wants to know of somebody who registers, and whether that has happened
// already. The zero address is the own server.
func Get(ctx context.Context, s xmpp.Session, service jid.JID) (Query, error) {
	q, err := get(ctx, s, orServer(s, service))
	if err != nil {
		return Query{}, fmt.Errorf("register: get from %s: %w", orServer(s, service), err)
	}
	return q, nil
}

func get(ctx context.Context, s xmpp.Session, service jid.JID) (q Query, err error) {
	answer, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: service, Payload: Query{}})
	if err == nil {
		err = answer.Decode(&q)
	}
	return q, err
}

// Submit registers with a service, such as a gateway; q is what it asked for by [Get], filled in. A refusal is a [*stanza.Error]:
// [stanza.Conflict] if the name is taken, [stanza.NotAcceptable] if something is missing or will not do.
func Submit(ctx context.Context, s xmpp.Session, service jid.JID, q Query) error {
	if err := submit(ctx, s, orServer(s, service), q); err != nil {
		return fmt.Errorf("register: submit to %s: %w", orServer(s, service), err)
	}
	return nil
}

func submit(ctx context.Context, s xmpp.Session, service jid.JID, q Query) error {
	if q.Value("password") != "" && !secure(s) {
		return ErrInsecure
	}
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: service, Payload: q})
	return err
}

// ChangePassword gives the session's account another password, over TLS only. The sessions of the account go on. A refusal is a
// [*stanza.Error]; what the server wants to know more (§3.3) it has no place for.
func ChangePassword(ctx context.Context, s xmpp.Session, password string) error {
	if password == "" {
		return errors.New("register: change password: it is empty")
	}
	q := Query{Fields: []Field{{"username", s.LocalAddr().Localpart()}, {"password", password}}}
	if err := submit(ctx, s, s.RemoteAddr(), q); err != nil {
		return fmt.Errorf("register: change password: %w", err)
	}
	return nil
}

// Remove deletes the session's account. The server then ends all its sessions; a client that connects again by itself finds
// that it cannot, and ends.
func Remove(ctx context.Context, s xmpp.Session) error {
	if err := submit(ctx, s, jid.JID{}, Query{Remove: true}); err != nil { // without an address (§3.2)
		return fmt.Errorf("register: remove: %w", err)
	}
	return nil
}

// RemoveFrom cancels the registration with a service.
func RemoveFrom(ctx context.Context, s xmpp.Session, service jid.JID) error {
	if err := submit(ctx, s, service, Query{Remove: true}); err != nil {
		return fmt.Errorf("register: remove from %s: %w", service, err)
	}
	return nil
}

// orServer returns the service, or the session's server.
func orServer(s xmpp.Session, service jid.JID) jid.JID {
	if service.IsZero() {
		return s.RemoteAddr()
	}
	return service
}

// secure reports whether a password may be sent.
func secure(s xmpp.Session) bool {
	c, ok := s.(xmpp.Confidential)
	return ok && c.Secure()
}
