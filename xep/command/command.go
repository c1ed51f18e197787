// Package command has commands that need no program of their own (XEP-0050: Ad-Hoc Commands): a bot, a component or a server says which
// it offers, and a client that has never heard of them lets its user pick one, fill in a form or several, and read
// what came of it.
//
// Who offers commands has a [Responder]. A command is a function that returns its first [Stage], which names the functions for those that follow:
//
//	commands := command.NewResponder(nil)
//	commands.Add(command.Offer{
//		Node: "order", Name: "Order something",
//		Allow: func(ctx context.Context, from jid.JID) bool { return contacts.Contains(from) },
//		Run: func(ctx context.Context, r *command.Request) (command.Stage, error) {
//			return command.Stage{Form: &orderForm, Complete: order}, nil
//		},
//	})
//	commands.Register(mux)
//
// Who runs one has an [Execution]:
//
//	e, err := command.Start(ctx, s, bot, "order")
//	…
//	err = e.Complete(ctx, form.Field{Var: "what", Values: []string{"a dram of poison"}})
//	fmt.Println(e.Status, e.Notes)
//
// [Run] does both in one call, for programs that know a command. [List] tells which there are.
//
// Nobody may use a command unless its Allow says so, and what is sent as a form has passed the checks of [form.Form.Accept] before the command
// sees it.
package command

import (
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// NS is the namespace, the feature, and the node that lists commands (§2.2).
const NS = "http://jabber.org/protocol/commands"

// An Action is what is to happen to a command (§4.1). Empty is [Execute].
type Action string

// The actions.
const (
	Execute  Action = "execute" // begin, or whatever is the default at this stage
	Cancel   Action = "cancel"
	Prev     Action = "prev" // back to the stage before
	Next     Action = "next"
	Complete Action = "complete"
)

func (a Action) valid() bool {
	return a == "" || a == Execute || a == Cancel || a.onward()
}

// onward reports whether the action may be among those of a stage.
func (a Action) onward() bool { return a == Prev || a == Next || a == Complete }

// A Status says how far a command is.
type Status string

// The statuses.
const (
	Executing Status = "executing" // the next step is the requester's
	Completed Status = "completed" // it has ended; notes say whether well
	Canceled  Status = "canceled"
)

func (s Status) valid() bool { return s == Executing || s == Completed || s == Canceled }

// A NoteType is how grave a note is. Empty is [Info].
type NoteType string

// The types of notes.
const (
	Info  NoteType = "info"
	Warn  NoteType = "warn"
	Error NoteType = "error" // the command has failed
)

func (t NoteType) valid() bool { return t == Info || t == Warn || t == Error }

// A Note is something for people to read.
type Note struct {
	Type NoteType
	Text string
}

// Actions are what may be done at a stage, beside [Cancel] (§4.2).
type Actions struct {
	Prev, Next, Complete bool
	// Execute is what [Execute] means at this stage. Empty means [Next].
	Execute Action
}

// Has reports whether an action is among them.
func (a Actions) Has(action Action) bool {
	switch action {
	case Prev:
		return a.Prev
	case Next:
		return a.Next
	case Complete:
		return a.Complete
	}
	return false
}

// A Command is what goes over the wire, both ways (§4.1).
type Command struct {
	Node      string // which command; required
	SessionID string // which execution of it; empty in the request that begins one
	Action    Action // of requests
	Status    Status // of answers
	Lang      string // of the texts
	Actions   *Actions
	Notes     []Note
	// Payloads are what it is about, in the order of their precedence: mostly one form.
	Payloads stanza.Payloads
}

// Form returns the form among the payloads of a command that was received, nil if there is none. It fails if that makes no sense.
func (c *Command) Form() (*form.Form, error) {
	var f form.Form
	if found, err := c.Payloads.Decode(&f); !found || err != nil {
		return nil, err
	}
	return &f, nil
}

var (
	errNode    = errors.New("command: it has no node")
	errAction  = errors.New("command: no such action, status or type of note")
	errActions = errors.New("command: of the actions, none is what execute means")
)

// AppendXML implements [stanza.Payload]. It fails when the command breaks a rule of the XEP.
func (c Command) AppendXML(dst []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return dst, err
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "command")
	w.Lang(c.Lang)
	w.Attr("node", c.Node)
	w.OptAttr("sessionid", c.SessionID)
	w.OptAttr("action", string(c.Action))
	w.OptAttr("status", string(c.Status))
	if c.Actions != nil {
		c.Actions.write(w)
	}
	for _, p := range c.Payloads {
		w.Payload(p)
	}
	for _, n := range c.Notes {
		w.Start("", "note")
		w.OptAttr("type", string(n.Type))
		w.Text(n.Text)
		w.End()
	}
	w.End()
	return w.Bytes()
}

func (c *Command) check() error {
	switch {
	case c.Node == "":
		return errNode
	case !c.Action.valid(), c.Status != "" && !c.Status.valid():
		return errAction
	case c.Actions != nil && c.Actions.Execute != "" && !c.Actions.Execute.onward():
		return errAction
	case c.Actions != nil && c.Actions.Execute == "" && !c.Actions.Next: // §3.4
		return errActions
	}
	for _, n := range c.Notes {
		if n.Type != "" && !n.Type.valid() {
			return errAction
		}
	}
	return nil
}

func (a *Actions) write(w *stanza.Writer) {
	w.Start("", "actions")
	w.OptAttr("execute", string(a.Execute))
	for _, action := range [...]Action{Prev, Next, Complete} {
		if a.Has(action) {
			w.Element("", string(action), "")
		}
	}
	w.End()
}

// PayloadName implements [stanza.Decoder].
func (*Command) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "command"} }

// ParseXML implements [stanza.Decoder]. It fails without a node. An action is taken as it comes, for whoever answers it to say that there is no such
// one; a status and a type of note that do not exist are none. Actions may be such as are not to be written.
func (c *Command) ParseXML(e stanza.Element) error {
	*c = Command{
		Node: e.Attr("node"), SessionID: e.Attr("sessionid"), Lang: e.Lang(),
		Action: Action(e.Attr("action")), Status: Status(e.Attr("status")),
	}
	if c.Node == "" {
		return errNode
	}
	if !c.Status.valid() {
		c.Status = ""
	}
	for child := range e.Children() {
		switch {
		case child.Is(NS, "actions"):
			c.Actions = parseActions(child)
		case child.Is(NS, "note"):
			n := Note{Type: NoteType(child.Attr("type")), Text: child.Text()}
			if n.Type != "" && !n.Type.valid() {
				n.Type = ""
			}
			c.Notes = append(c.Notes, n)
		case child.Name().Space != NS:
			c.Payloads = append(c.Payloads, &child)
		}
	}
	return nil
}

func parseActions(e stanza.Element) *Actions {
	a := &Actions{
		Prev:     !e.Child(NS, "prev").IsZero(),
		Next:     !e.Child(NS, "next").IsZero(),
		Complete: !e.Child(NS, "complete").IsZero(),
		Execute:  Action(e.Attr("execute")),
	}
	if !a.Execute.onward() {
		a.Execute = ""
	}
	if !a.Prev && !a.Next && !a.Complete {
		return nil
	}
	return a
}
