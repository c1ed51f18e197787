// Package form has the forms that other extensions exchange (XEP-0004: Data Forms), and the name that says what a form is
// about (XEP-0068).
//
//	var f form.Form
//	if err := e.Decode(&f); err != nil { // e is an element x in jabber:x:data
//		return err
//	}
//	if f.FormType() == "http://jabber.org/network/serverinfo" {
//		fmt.Println(f.Values("abuse-addresses"))
//	}
//
// Who is asked fills it in by [Form.Submit]; who has asked checks what comes back by [Form.Accept].
//
// What is read may be anything that its sender has thought of. What is written keeps the rules of the XEP, or
// is refused. What the values mean is up to the extension whose form it is (§4).
package form

import (
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace.
const NS = "jabber:x:data"

// A Type says what a form is in an exchange (§3.1).
type Type string

// The types of forms.
const (
	TypeForm   Type = "form"   // to be filled in
	TypeSubmit Type = "submit" // filled in
	TypeCancel Type = "cancel" // not to be filled in
	TypeResult Type = "result" // what came of it, or just data
)

// A Form is a set of fields, or of rows of them.
type Form struct {
	Type         Type
	Title        string
	Instructions []string
	Fields       []Field

	// Of a result with several items (§3.4): what fields they have, and those of each. Such a form has
	// no other fields.
	Reported []Field
	Items    [][]Field
}

// fieldFormType is the field that says what a form is about.
const fieldFormType = "FORM_TYPE"

// New returns a form of a type whose fields are those of formType, as XEP-0068 has it.
func New(t Type, formType string, fields ...Field) Form {
	return Form{Type: t, Fields: append([]Field{{Var: fieldFormType, Type: Hidden, Values: []string{formType}}}, fields...)}
}

// FormType returns what the form is about (XEP-0068), empty if it does not say. Where it does not say so in a hidden
// field it says nothing; only in one that was filled in may the type be missing (XEP-0068 §5).
func (f *Form) FormType() string {
	field, ok := f.Lookup(fieldFormType)
	if !ok || field.Type != Hidden && (f.Type != TypeSubmit || field.Type != "") {
		return ""
	}
	return field.Value()
}

// Lookup returns the first field of that name.
func (f *Form) Lookup(name string) (Field, bool) {
	for _, field := range f.Fields {
		if field.Var == name {
			return field, true
		}
	}
	return Field{}, false
}

// Value returns the first value of a field, empty if there is none.
func (f *Form) Value(name string) string {
	field, _ := f.Lookup(name)
	return field.Value()
}

// Values returns the values of a field, which are the form's.
func (f *Form) Values(name string) []string {
	field, _ := f.Lookup(name)
	return field.Values
}

// AppendXML implements [stanza.Payload]. It fails when the form breaks a rule of the XEP.
func (f Form) AppendXML(dst []byte) ([]byte, error) {
	if err := f.check(); err != nil {
		return dst, err
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "x")
	w.Attr("type", string(f.Type))
	if f.Title != "" {
		w.Element("", "title", f.Title)
	}
	for _, line := range f.Instructions {
		w.Element("", "instructions", line)
	}
	writeFields(w, f.Fields)
	if len(f.Reported) > 0 {
		w.Start("", "reported")
		writeFields(w, f.Reported)
		w.End()
	}
	for _, item := range f.Items {
		w.Start("", "item")
		writeFields(w, item)
		w.End()
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Form) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "x"} }

// ParseXML implements [stanza.Decoder]. It fails when the form has none of the four types. A field of a type that does not
// exist is a [TextSingle], as is one without in a form to be filled in (§3.2, §3.3).
func (f *Form) ParseXML(e stanza.Element) error {
	*f = Form{Type: Type(e.Attr("type"))}
	switch f.Type {
	case TypeForm, TypeSubmit, TypeCancel, TypeResult:
	default:
		return fmt.Errorf("form: no type %.20q", f.Type)
	}
	for c := range e.Children() {
		switch {
		case c.Is(NS, "title"):
			f.Title = c.Text()
		case c.Is(NS, "instructions"):
			f.Instructions = append(f.Instructions, c.Text())
		case c.Is(NS, "field"):
			f.Fields = append(f.Fields, f.parseField(c))
		case c.Is(NS, "reported"):
			f.Reported = append(f.Reported, f.parseFields(c)...)
		case c.Is(NS, "item"):
			f.Items = append(f.Items, f.parseFields(c))
		}
	}
	return nil
}

func (f *Form) parseFields(e stanza.Element) (fields []Field) {
	for c := range e.Children() {
		if c.Is(NS, "field") {
			fields = append(fields, f.parseField(c))
		}
	}
	return fields
}

func (f *Form) parseField(e stanza.Element) Field {
	field := parseField(e)
	if field.Type == "" && f.Type == TypeForm {
		field.Type = TextSingle
	}
	return field
}
