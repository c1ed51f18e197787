package command

import (
	"context"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// An Offer is a command that a [Responder] offers.
type Offer struct {
	Node string // its name among the responder's commands; required
	Name string // for people
	Lang string // of its texts
	// Allow reports whether somebody may use it, and see that it is there; [xmpp.SessionFrom] has the address that was asked. It is asked
	// at each stage. Nil means nobody.
	Allow func(ctx context.Context, from jid.JID) bool
	// Run begins it.
	Run Handler
}

// A Handler does what a requester has asked for, and returns what comes next. A [*stanza.Error], [stanza.Condition] or [Condition] is what the requester
// gets in place of that; the stage stays the same, so it may be tried again. Of any other error the requester learns only that there was
// one.
type Handler func(ctx context.Context, r *Request) (Stage, error)

// A Request is what a handler is called with.
type Request struct {
	From, To jid.JID // the requester, and the address that was asked
	Lang     string  // the language that the requester began with; may be empty
	// Form is what was filled in, checked against the form of the stage and with no other fields (see [form.Form.Accept]). It has none
	// if the stage has no form.
	Form form.Form
}

// A Stage is what a requester is shown. Without Next and Complete it is the last one, and the command has completed: well, unless a note says
// [Error].
type Stage struct {
	Form     *form.Form // to be filled in, or what came of it; may be nil
	Notes    []Note
	Payloads stanza.Payloads // anything else
	// Next and Complete are called with what was filled in, for the one action or the other; nil where it is not possible. Next is the
	// default if there are both. The way back is always possible, but from the first stage.
	Next, Complete Handler
}

// Done is the last stage of a command that went well, with a word to people about it, if that is not empty.
func Done(text string) Stage {
	if text == "" {
		return Stage{}
	}
	return Stage{Notes: []Note{{Type: Info, Text: text}}}
}

// Result is the last stage of a command that has something to show.
func Result(f form.Form) Stage { return Stage{Form: &f} }

func (s *Stage) isLast() bool { return s.Next == nil && s.Complete == nil }

// handler returns what does an action, and which that is; nil if it is not possible.
func (s *Stage) handler(a Action) Handler {
	switch {
	case a == Next, a == Execute && s.Next != nil:
		return s.Next
	case a == Complete, a == Execute:
		return s.Complete
	}
	return nil
}

// actions are those that the stage allows.
func (s *Stage) actions(prev bool) *Actions {
	a := &Actions{Prev: prev, Next: s.Next != nil, Complete: s.Complete != nil, Execute: Next}
	if !a.Next {
		a.Execute = Complete
	}
	return a
}

// accept returns what was filled in at the stage.
func (s *Stage) accept(c *Command) (form.Form, error) {
	if s.Form == nil {
		return form.Form{}, nil
	}
	f, err := c.Form()
	if err != nil {
		return form.Form{}, err
	}
	if f == nil {
		f = &form.Form{Type: form.TypeSubmit}
	}
	return s.Form.Accept(*f)
}

// filled is the stage with what was filled in as the defaults, for those who come back to it (§2.4.2). Passwords are not sent again.
func (s Stage) filled(f form.Form) Stage {
	if s.Form == nil {
		return s
	}
	again := *s.Form
	again.Fields = slices.Clone(again.Fields)
	for i := range again.Fields {
		field := &again.Fields[i]
		if answer, ok := f.Lookup(field.Var); ok && field.Var != "" && field.Type != form.TextPrivate {
			field.Values = answer.Values
		}
	}
	s.Form = &again
	return s
}
