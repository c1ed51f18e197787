package stanza

import (
	"errors"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// An Error is a stanza error (RFC 6120 §8.3), received from a peer or returned
// to one. It is itself a [Payload].
type Error struct {
	Type      ErrorType // what the sender may do next; implied by Condition when empty
	Condition Condition // itself an error: errors.Is(err, stanza.ItemNotFound) sees through any wrapping
	Text      string    // for people
	Lang      string    // language of Text
	By        jid.JID   // who raised it; zero when unknown
	Address   string    // where to go instead, for Gone and Redirect: a URI
	App       Payload   // an application-specific condition (RFC 6120 §8.3.4); usually nil
	// Request is what [IQ.Fail] and [Bounce] repeat beside the error of the request that it answers (RFC 6120 §8.3.1); usually nil. It
	// is a courtesy of who answers. Of an error that was received it is the payload of the IQ, and nil here.
	Request Payload
}

// Error returns the condition and the text.
func (e *Error) Error() string {
	s := string(e.Condition)
	if s == "" {
		s = string(UndefinedCondition)
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Unwrap returns the condition.
func (e *Error) Unwrap() error { return e.Condition }

// AsError returns the stanza error that err amounts to: err itself if it is
// one, one made of a bare [Condition], and false for anything else.
func AsError(err error) (*Error, bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e, true
	}
	if c, ok := errors.AsType[Condition](err); ok {
		return &Error{Condition: c}, true
	}
	return nil, false
}

// AppendXML appends the error element. It implements [Payload].
func (e *Error) AppendXML(dst []byte) ([]byte, error) {
	c := e.Condition
	implied, defined := conditionTypes[c]
	if !defined {
		c, implied = UndefinedCondition, conditionTypes[UndefinedCondition]
	}
	t := e.Type
	if !t.valid() {
		t = implied
	}
	w := NewWriter(dst)
	w.begin(NS, "error")
	w.attr("type", string(t))
	w.optAttr("by", e.By.String())
	w.begin(NSErrors, string(c))
	if c == Gone || c == Redirect {
		w.Text(e.Address)
	}
	w.End()
	if e.Text != "" {
		w.begin(NSErrors, "text")
		w.Lang(e.Lang)
		w.Text(e.Text)
		w.End()
	}
	w.Payload(e.App)
	w.End()
	return w.Bytes()
}

// parseError reads an error element, taking whatever makes sense: what lacks
// a defined condition has [UndefinedCondition].
func parseError(el Element) *Error {
	e := &Error{Type: ErrorType(el.Attr("type"))}
	if by := el.Attr("by"); by != "" {
		e.By, _ = jid.ParseLenient(by) // informative; an odd one is left out
	}
	for c := range el.Children() {
		name := c.Name()
		switch {
		case name.Space != NSErrors:
			if e.App == nil {
				c = c.Clone()
				e.App = &c
			}
		case name.Local == "text":
			if e.Text == "" {
				e.Text = c.Text()
				e.Lang, _ = c.LookupAttr(xmlwire.NSXML, "lang")
			}
		case e.Condition == "" && Condition(name.Local).defined():
			e.Condition = Condition(name.Local)
			if e.Condition == Gone || e.Condition == Redirect {
				e.Address = c.Text()
			}
		}
	}
	if e.Condition == "" {
		e.Condition = UndefinedCondition
	}
	if !e.Type.valid() {
		e.Type = e.Condition.Type()
	}
	return e
}

// Bounce returns the answer that returns the stanza with that header to its sender with an
// error, or nil where an error must not be answered: to an error, to the result
// of a query, and to a presence that is an answer itself (RFC 6120 §8.3.1).
func Bounce(h Header, e *Error) Stanza {
	if h.IsError() {
		return nil
	}
	switch h.Kind {
	case KindMessage:
		return Message{To: h.From, From: h.To, ID: h.ID, Type: MessageError, Error: e}
	case KindPresence:
		return Presence{To: h.From, From: h.To, ID: h.ID, Type: PresenceError, Error: e}
	case KindIQ:
		if h.Type != string(IQResult) {
			return IQ{To: h.From, From: h.To, ID: h.ID, Type: IQError, Payload: e.Request, Error: e}
		}
	}
	return nil
}
