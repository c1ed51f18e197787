package form

import (
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A FieldType says what the values of a field are (§3.3).
type FieldType string

// The types of fields.
const (
	Boolean     FieldType = "boolean"
	Fixed       FieldType = "fixed"  // text between the fields
	Hidden      FieldType = "hidden" // not shown, and returned as it is
	JIDMulti    FieldType = "jid-multi"
	JIDSingle   FieldType = "jid-single"
	ListMulti   FieldType = "list-multi"  // some of the options
	ListSingle  FieldType = "list-single" // one of the options
	TextMulti   FieldType = "text-multi"  // lines, one value each
	TextPrivate FieldType = "text-private"
	TextSingle  FieldType = "text-single"
)

// A Field is one question, or its answer.
type Field struct {
	Var      string    // its name; only a [Fixed] field may have none
	Type     FieldType // empty where it goes without saying: in what was filled in, and in results
	Label    string    // for people
	Desc     string    // for people, at more length
	Required bool
	Values   []string // of a form to be filled in, the defaults
	Options  []Option // of [ListSingle] and [ListMulti]
}

// An Option is a value to choose.
type Option struct {
	Label string // for people; may be empty
	Value string
}

// Value returns the first value, empty if there is none.
func (f Field) Value() string {
	if len(f.Values) == 0 {
		return ""
	}
	return f.Values[0]
}

// Bool returns the value of a [Boolean], false if there is none.
func (f Field) Bool() bool { return f.Value() == "1" || f.Value() == "true" }

// JIDs returns the values of a [JIDSingle] or [JIDMulti], each once (§3.3).
func (f Field) JIDs() ([]jid.JID, error) {
	var all []jid.JID
	seen := make(map[jid.JID]bool, len(f.Values))
	for _, v := range f.Values {
		j, err := jid.ParseLenient(v)
		if err != nil {
			return nil, err
		}
		if !seen[j] {
			seen[j] = true
			all = append(all, j)
		}
	}
	return all, nil
}

func writeFields(w *stanza.Writer, fields []Field) {
	for i := range fields {
		fields[i].write(w)
	}
}

func (f *Field) write(w *stanza.Writer) {
	w.Start(NS, "field")
	w.OptAttr("var", f.Var)
	w.OptAttr("type", string(f.Type))
	w.OptAttr("label", f.Label)
	if f.Desc != "" {
		w.Element("", "desc", f.Desc)
	}
	if f.Required {
		w.Element("", "required", "")
	}
	for _, v := range f.Values {
		w.Element("", "value", v)
	}
	for _, o := range f.Options {
		w.Start("", "option")
		w.OptAttr("label", o.Label)
		w.Element("", "value", o.Value)
		w.End()
	}
	w.End()
}

func parseField(e stanza.Element) Field {
	f := Field{Var: e.Attr("var"), Type: FieldType(e.Attr("type")), Label: e.Attr("label")}
	if f.Type != "" && !f.Type.valid() {
		f.Type = TextSingle
	}
	for c := range e.Children() {
		switch {
		case c.Is(NS, "desc"):
			f.Desc = c.Text()
		case c.Is(NS, "required"):
			f.Required = true
		case c.Is(NS, "value"):
			f.Values = append(f.Values, c.Text())
		case c.Is(NS, "option"):
			f.Options = append(f.Options, Option{Label: c.Attr("label"), Value: c.Child(NS, "value").Text()})
		}
	}
	return f
}

func (t FieldType) valid() bool {
	switch t {
	case Boolean, Fixed, Hidden, JIDMulti, JIDSingle, ListMulti, ListSingle, TextMulti, TextPrivate, TextSingle:
		return true
	}
	return false
}
