package invite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/register"
)

// ErrNotOffered is the error on a server that makes no accounts by invites.
var ErrNotOffered = errors.New("invite: the server makes no accounts by invites")

// Show shows a token to the server before the login: it then lets the client make an account (XEP-0445 §4). A token that is unknown, used
// or too old is [stanza.ItemNotFound]. Where others can read it, nothing is sent: [register.ErrInsecure].
func Show(ctx context.Context, s xmpp.Session, token string) error {
	if err := show(ctx, s, token, false); err != nil {
		return fmt.Errorf("invite: show the token: %w", err)
	}
	return nil
}

func show(ctx context.Context, s xmpp.Session, token string, insecure bool) error {
	if c, ok := s.(xmpp.Confidential); !insecure && (!ok || !c.Secure()) {
		return register.ErrInsecure
	}
	stream, ok := s.(xmpp.ElementSender)
	if !ok || stream.Features().Child(NSRegister, "register").IsZero() {
		return ErrNotOffered
	}
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: s.RemoteAddr(), Payload: Preauth{token}})
	return err
}

// NewAccount returns a function for client.Options.BeforeLogin that makes an account by an invite, once. The options are those of
// [register.NewAccount], and so are the errors, with those of [Show].
func NewAccount(u URI, account jid.JID, password string, opts *register.NewAccountOptions) func(context.Context, xmpp.Session) error {
	n := &newAccount{uri: u, account: account, register: register.NewAccount(account, password, opts)}
	n.insecure = opts != nil && opts.InsecurePlaintext
	return n.make
}

type newAccount struct {
	uri      URI
	account  jid.JID
	insecure bool
	register func(context.Context, xmpp.Session) error

	mu     sync.Mutex // guards the fields below
	made   bool
	unsure bool // it may have been made, and the token used for it
}

func (n *newAccount) make(ctx context.Context, s xmpp.Session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.made {
		return nil
	}
	err := n.uri.makes(n.account)
	if err == nil {
		err = show(ctx, s, n.uri.Token, n.insecure)
	}
	switch {
	case n.unsure && errors.Is(err, stanza.ItemNotFound): // the login shows
		n.made = true
		return nil
	case err != nil:
		return fmt.Errorf("invite: new account %s: %w", n.account.Bare(), err)
	}
	if err = n.register(ctx, s); err == nil {
		n.made = true
		return nil
	}
	if _, refused := errors.AsType[*stanza.Error](err); !refused {
		n.unsure = true
	}
	return err
}
