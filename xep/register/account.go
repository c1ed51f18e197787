package register

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

var (
	// ErrNotOffered is the error of [NewAccount] on a server that does not make accounts for strangers.
	ErrNotOffered = errors.New("register: the server makes no accounts")
	// ErrMore is that on a server that wants to know more than a name and a password.
	ErrMore = errors.New("register: the server asks for more")
)

// NewAccountOptions adjusts [NewAccount]. Nil and the zero value are ready to use and secure.
type NewAccountOptions struct {
	// Fill completes the answer to what the server asks for: its form, if there is one, else its fields. The name and the password are
	// there already. Without it, anything more that is asked for is [ErrMore]. It is called by the goroutine that logs in.
	Fill func(ctx context.Context, asked Query, answer *Query) error
	// InsecurePlaintext sends the password to a server without TLS; see [ErrInsecure].
	InsecurePlaintext bool
}

// NewAccount returns a function for client.Options.BeforeLogin that makes the account at that address, once. Its errors are
// [ErrNotOffered], [ErrMore] and those of [Submit]. Where the connection was lost before an answer came, the next login
// shows whether the account was made.
func NewAccount(account jid.JID, password string, opts *NewAccountOptions) func(context.Context, xmpp.Session) error {
	n := &newAccount{addr: account.Bare(), password: password}
	if opts != nil {
		n.opts = *opts
	}
	return n.make
}

type newAccount struct {
	addr     jid.JID
	password string
	opts     NewAccountOptions

	mu     sync.Mutex // guards the fields below
	made   bool
	unsure bool // it may have been made
}

func (n *newAccount) make(ctx context.Context, s xmpp.Session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.made {
		return nil
	}
	err := n.try(ctx, s)
	_, refused := errors.AsType[*stanza.Error](err)
	switch {
	case err == nil, n.unsure && errors.Is(err, stanza.Conflict):
		n.made = true
		return nil
	case !refused && errors.Is(err, errSubmitted):
		n.unsure = true
	}
	return fmt.Errorf("register: new account %s: %w", n.addr, err)
}

// errSubmitted is matched by errors after the form was sent.
var errSubmitted = errors.New("submitted")

func (n *newAccount) try(ctx context.Context, s xmpp.Session) error {
	if s.RemoteAddr() != n.addr.Domain() {
		return fmt.Errorf("this is %s", s.RemoteAddr())
	}
	if !n.opts.InsecurePlaintext && !secure(s) {
		return ErrInsecure
	}
	stream, ok := s.(xmpp.ElementSender)
	if !ok || stream.Features().Child(NSFeature, "register").IsZero() {
		return ErrNotOffered
	}
	q, err := get(ctx, s, s.RemoteAddr())
	if err != nil {
		return err
	}
	answer, err := n.fill(ctx, q)
	if err != nil {
		return err
	}
	_, err = s.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: s.RemoteAddr(), Payload: answer})
	if err != nil {
		return &submitError{err}
	}
	return nil
}

type submitError struct{ err error }

func (e *submitError) Error() string   { return e.err.Error() }
func (e *submitError) Unwrap() []error { return []error{errSubmitted, e.err} }

// fill fills in what the server asks for: a form or fields, and never both (§4).
func (n *newAccount) fill(ctx context.Context, q Query) (Query, error) {
	known := map[string]string{"username": n.addr.Localpart(), "password": n.password}
	var answer Query
	var open []string
	if q.Form != nil && q.Form.Type == form.TypeForm {
		answer.Form = &form.Form{Type: form.TypeSubmit}
		for _, f := range q.Form.Fields {
			value, ok := known[f.Var]
			switch {
			case ok:
				f.Values = []string{value}
			case f.Required && len(f.Values) == 0:
				open = append(open, f.Var)
			}
			if f.Var != "" && f.Type != form.Fixed {
				answer.Form.Fields = append(answer.Form.Fields, form.Field{Var: f.Var, Type: f.Type, Values: f.Values})
			}
		}
	} else {
		for _, f := range q.Fields {
			value, ok := known[f.Name]
			if !ok {
				open = append(open, f.Name)
			}
			answer.Fields = append(answer.Fields, Field{f.Name, value})
		}
	}
	if answer.Form == nil && len(answer.Fields) == 0 { // it points elsewhere (§5)
		return q, fmt.Errorf("%w: %s", ErrNotOffered, strings.Join(strings.Fields(q.Instructions+" "+q.URL), " "))
	}
	if n.opts.Fill != nil {
		err := n.opts.Fill(ctx, q, &answer)
		return answer, err
	}
	if len(open) > 0 {
		return answer, fmt.Errorf("%w: %s", ErrMore, strings.Join(open, ", "))
	}
	return answer, nil
}
