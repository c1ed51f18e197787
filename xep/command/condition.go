package command

import (
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Condition says more exactly than a [stanza.Condition] why a command does not go on (§4.4). It is an error that errors.Is finds in those of an
// [Execution]. A command may return one, too.
type Condition string

// The conditions.
const (
	MalformedAction Condition = "malformed-action" // there is no such action
	BadAction       Condition = "bad-action"       // the action is not possible at this stage
	BadLocale       Condition = "bad-locale"       // the command does not speak that language
	BadPayload      Condition = "bad-payload"      // the form was not filled in as it should be
	BadSessionID    Condition = "bad-sessionid"    // the requester has never had such an execution
	SessionExpired  Condition = "session-expired"  // it has ended, or has waited too long
)

// Error returns the condition.
func (c Condition) Error() string { return "command: " + string(c) }

// AppendXML implements [stanza.Payload].
func (c Condition) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(NS, string(c), "")
	return w.Bytes()
}

// refusal is the error to a requester. The text is for people.
func (c Condition) refusal(text string) *stanza.Error {
	e := &stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest, App: c, Text: text}
	if c == SessionExpired {
		e.Type, e.Condition = stanza.Cancel, stanza.NotAllowed
	}
	if text != "" {
		e.Lang = "en"
	}
	return e
}

// A repeated command is what an error says of the request (§3.7): clients with several executions find by it which one has failed. What
// was filled in is not sent back: there may be passwords in it.
type repeated Command

// AppendXML implements [stanza.Payload]. An action that does not exist is what the error may be about.
func (r repeated) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "command")
	w.Lang(r.Lang)
	w.Attr("node", r.Node)
	w.OptAttr("sessionid", r.SessionID)
	w.OptAttr("action", string(r.Action))
	w.End()
	return w.Bytes()
}

// A failure is a stanza error with the condition that is in it.
type failure struct {
	err error
	c   Condition
}

func (f *failure) Error() string   { return fmt.Sprintf("%v (%s)", f.err, string(f.c)) }
func (f *failure) Unwrap() []error { return []error{f.err, f.c} }

// detailed returns err with the condition in it that is of this package, if there is one.
func detailed(err error) error {
	e, ok := errors.AsType[*stanza.Error](err)
	if !ok || e.App == nil {
		return err
	}
	if app, err := stanza.ElementOf(e.App); err == nil && app.Name().Space == NS {
		return &failure{e, Condition(app.Name().Local)}
	}
	return err
}
