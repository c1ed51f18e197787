package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

var (
	// ErrEnded is the error of going on with an execution that has ended.
	ErrEnded = errors.New("command: it has ended")
	// ErrFailed is the error of a command that says, in a note, that it has failed.
	ErrFailed = errors.New("command: it has failed")
	errOther  = errors.New("the answer is about another command")
	errMore   = errors.New("command: there are more stages")
)

// An Execution is a command that we run. Its fields are what the last answer said; they are nobody's to change. It is for one goroutine at a time.
//
// After an error of [Execution.Next] and the others everything is as before, and they may be called again, unless the error is
// [SessionExpired], [BadSessionID] or [stanza.Forbidden]. The error is the entity's answer, a [*stanza.Error]; it is a [Condition], too, if the
// answer has one.
type Execution struct {
	Status   Status
	Form     *form.Form // to be filled in while [Executing], then what came of it; nil if there is none
	Notes    []Note
	Actions  Actions         // what may be done next, beside [Execution.Cancel]
	Payloads stanza.Payloads // everything that came, the form included

	s    xmpp.Session
	to   jid.JID
	node string
	id   string
	// plain says that the last answer had no actions: the only thing to do is then to execute (§3.4).
	plain bool
}

// Start begins a command of the entity at address to. [stanza.Forbidden] when it is not for us, [stanza.ItemNotFound] when there is none.
func Start(ctx context.Context, s xmpp.Session, to jid.JID, node string) (*Execution, error) {
	e := &Execution{Status: Executing, s: s, to: to, node: node}
	if err := e.send(ctx, Command{Node: node, Action: Execute}); err != nil {
		return nil, err
	}
	return e, nil
}

// Run runs a command of at most one form, which it fills in, to its end. [ErrFailed] when the command says that it has failed.
func Run(ctx context.Context, s xmpp.Session, to jid.JID, node string, filled ...form.Field) (*Execution, error) {
	e, err := Start(ctx, s, to, node)
	if err == nil && e.Status == Executing {
		if err = e.Complete(ctx, filled...); err != nil {
			_ = e.Cancel(ctx) // it is of no more use
		}
	}
	if err == nil && e.Status == Executing {
		err = errors.Join(errMore, e.Cancel(ctx))
	}
	if err == nil {
		err = e.Err()
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Next fills in the form and goes to the next stage. Fields that are not given keep their defaults.
func (e *Execution) Next(ctx context.Context, filled ...form.Field) error {
	return e.step(ctx, Next, filled)
}

// Complete fills in the form and completes the command, as far as that goes: there may be another stage.
func (e *Execution) Complete(ctx context.Context, filled ...form.Field) error {
	return e.step(ctx, Complete, filled)
}

// Prev goes back to the stage before.
func (e *Execution) Prev(ctx context.Context) error { return e.step(ctx, Prev, nil) }

// Cancel ends the command.
func (e *Execution) Cancel(ctx context.Context) error { return e.step(ctx, Cancel, nil) }

// Err returns what the notes say if the command has failed, as [ErrFailed].
func (e *Execution) Err() error {
	for _, n := range e.Notes {
		if n.Type == Error {
			return fmt.Errorf("%w: %s", ErrFailed, n.Text)
		}
	}
	return nil
}

func (e *Execution) step(ctx context.Context, a Action, filled []form.Field) error {
	switch {
	case e.Status != Executing:
		return ErrEnded
	case a != Cancel && !e.Actions.Has(a):
		return fmt.Errorf("%w: %s", BadAction, string(a))
	}
	c := Command{Node: e.node, SessionID: e.id, Action: a}
	if a == Next || a == Complete {
		if e.plain {
			c.Action = ""
		}
		switch {
		case e.Form != nil:
			c.Payloads = stanza.Payloads{e.Form.Submit(filled...)}
		case len(filled) > 0:
			c.Payloads = stanza.Payloads{form.Form{Type: form.TypeSubmit, Fields: filled}}
		}
	}
	return e.send(ctx, c)
}

// send sends a request and takes in the answer.
func (e *Execution) send(ctx context.Context, c Command) error {
	answer, err := e.s.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: e.to, Payload: c})
	if err == nil {
		err = e.receive(&answer)
	}
	if err != nil {
		return fmt.Errorf("command: %s of %s: %w", e.node, e.to, detailed(err))
	}
	return nil
}

func (e *Execution) receive(answer *stanza.IQ) error {
	var c Command
	if err := answer.Decode(&c); err != nil {
		return err
	}
	if c.Node != e.node || e.id != "" && c.SessionID != "" && c.SessionID != e.id {
		return errOther
	}
	f, err := c.Form()
	if err != nil {
		return err
	}
	if e.id == "" {
		e.id = c.SessionID
	}
	e.Status, e.Form, e.Notes, e.Payloads = c.Status, f, c.Notes, c.Payloads
	if e.Status == "" {
		e.Status = Completed // it is not said that it goes on
	}
	e.Actions, e.plain = Actions{}, c.Actions == nil
	switch {
	case e.Status != Executing:
	case e.plain:
		e.Actions = Actions{Complete: true, Execute: Complete}
	default:
		e.Actions = *c.Actions
	}
	return nil
}
