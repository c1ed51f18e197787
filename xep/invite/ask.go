package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// A Link is an invite that a server has made for one of its users.
type Link struct {
	URI     URI
	Landing string    // the address of a web page that shows it to people without a client; may be empty
	Expires time.Time // zero if it does not
}

var errNoLink = errors.New("there is no link in the answer")

// Ask has the server of the session's account make a link that makes whoever has it a contact (XEP-0401 §5.1). [stanza.Forbidden] when the account may not
// invite anybody. A server that does not know such links has [stanza.ItemNotFound] or another error: [Contacts.Invite] makes one without it.
func Ask(ctx context.Context, s xmpp.Session) (Link, error) {
	return ask(ctx, s, s.LocalAddr().Domain(), nodeInvite)
}

// AskAccount has a domain make a link that makes an account there (XEP-0401 §5.4), of a certain name if that is not empty, which becomes a contact of the
// session's account if subscribe is true. [stanza.Forbidden] when the account may not do that; [stanza.Conflict] when the name is taken.
func AskAccount(ctx context.Context, s xmpp.Session, domain jid.JID, username string, subscribe bool) (Link, error) {
	contact := "0"
	if subscribe {
		contact = "1"
	}
	return ask(ctx, s, domain, nodeAccount, form.Field{Var: fieldUsername, Values: []string{username}}, form.Field{Var: fieldSubscribe, Values: []string{contact}})
}

func ask(ctx context.Context, s xmpp.Session, domain jid.JID, node string, filled ...form.Field) (l Link, err error) {
	e, err := command.Run(ctx, s, domain, node, filled...)
	if err == nil {
		l, err = linkOf(e)
	}
	if err != nil {
		return Link{}, fmt.Errorf("invite: ask %s: %w", domain, err)
	}
	return l, nil
}

func linkOf(e *command.Execution) (l Link, err error) {
	if e.Form == nil {
		return l, errNoLink
	}
	if l.URI, err = ParseURI(e.Form.Value(fieldURI)); err != nil {
		return l, err
	}
	l.Landing = e.Form.Value(fieldLanding)
	for _, name := range [...]string{fieldExpire, fieldExpiry} {
		if at := e.Form.Value(name); at != "" {
			l.Expires, err = time.Parse(time.RFC3339, at)
			return l, err
		}
	}
	return l, nil
}
