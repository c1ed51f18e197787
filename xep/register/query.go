package register

import (
	"encoding/xml"
	"fmt"
	"slices"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// nsOOB is the namespace of the URL of a page to register at (XEP-0066).
const nsOOB = "jabber:x:oob"

// names are those of all fields there are (§14.1), in the order of the schema. More are not to be added (§4).
var names = []string{"username", "nick", "password", "name", "first", "last", "email", "address", "city", "state", "zip", "phone", "url", "date", "misc", "text", "key"}

// A Field is something that a service asks for, or the answer.
type Field struct {
	Name  string // username, password, email, …: one of those of §14.1
	Value string // empty where it is asked for
}

// A Query is what is said about a registration: by the service, what is asked for, and by who registers, what was asked for. By both it is
// said in Form, if they know forms, or in Fields. A service may say it in both, and then who registers answers the form. Where there
// is neither, Instructions and URL say what to do instead (§5, §6).
type Query struct {
	Registered   bool   // says a service: you are registered, with the values given
	Instructions string // for people
	Fields       []Field
	Remove       bool // says who wants to be registered no more, and nothing else
	Form         *form.Form
	URL          string
}

// Lookup returns the value of a field, of the form if there is one, and whether there is such a field.
func (q *Query) Lookup(name string) (value string, ok bool) {
	if q.Form != nil {
		f, ok := q.Form.Lookup(name)
		return f.Value(), ok
	}
	for _, f := range q.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// Value is Lookup for those who take empty for absent.
func (q *Query) Value(name string) string {
	value, _ := q.Lookup(name)
	return value
}

// AppendXML implements [stanza.Payload]. It fails if there is a field that does not exist, or one twice.
func (q Query) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	if q.Registered {
		w.Element("", "registered", "")
	}
	if q.Instructions != "" {
		w.Element("", "instructions", q.Instructions)
	}
	for i, f := range q.Fields {
		if !slices.Contains(names, f.Name) || has(q.Fields[:i], f.Name) {
			return dst, fmt.Errorf("register: the field %.20q cannot be added", f.Name)
		}
		w.Element("", f.Name, f.Value)
	}
	if q.Remove {
		w.Element("", "remove", "")
	}
	if q.Form != nil {
		w.Payload(*q.Form)
	}
	if q.URL != "" {
		w.Start(nsOOB, "x")
		w.Element("", "url", q.URL)
		w.End()
	}
	w.End()
	return w.Bytes()
}

func has(fields []Field, name string) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name })
}

// PayloadName implements [stanza.Decoder].
func (*Query) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It fails when something is there twice, and when remove is not alone (§3.2).
func (q *Query) ParseXML(e stanza.Element) error {
	*q = Query{}
	n := 0
	for c := range e.Children() {
		n++
		switch name := c.Name(); {
		case name.Space == NS && name.Local == "registered":
			q.Registered = true
		case name.Space == NS && name.Local == "remove":
			q.Remove = true
		case name.Space == NS && name.Local == "instructions":
			q.Instructions = c.Text()
		case name.Space == NS && has(q.Fields, name.Local):
			return fmt.Errorf("register: two fields %.20q", name.Local)
		case name.Space == NS && slices.Contains(names, name.Local):
			q.Fields = append(q.Fields, Field{name.Local, c.Text()})
		case c.Is(form.NS, "x") && q.Form != nil:
			return fmt.Errorf("register: two forms")
		case c.Is(form.NS, "x"):
			q.Form = new(form.Form)
			if err := q.Form.ParseXML(c); err != nil {
				return fmt.Errorf("register: %w", err)
			}
		case c.Is(nsOOB, "x"):
			q.URL = c.Child(nsOOB, "url").Text()
		}
	}
	if q.Remove && n > 1 {
		return fmt.Errorf("%w: remove is not alone", stanza.BadRequest)
	}
	return nil
}

// An offer is the stream feature.
type offer struct{}

// AppendXML implements [stanza.Payload].
func (offer) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(NSFeature, "register", "")
	return w.Bytes()
}
