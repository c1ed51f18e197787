package vcard

import (
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A field is an element that holds text.
type field struct {
	name  string
	value *string
}

func (v *VCard) texts() []field {
	return []field{
		{"FN", &v.FN}, {"NICKNAME", &v.Nickname}, {"BDAY", &v.BDay}, {"JABBERID", &v.JabberID}, {"TITLE", &v.Title}, {"ROLE", &v.Role},
		{"URL", &v.URL}, {"DESC", &v.Desc},
	}
}

func (n *Name) texts() []field {
	return []field{{"FAMILY", &n.Family}, {"GIVEN", &n.Given}, {"MIDDLE", &n.Middle}, {"PREFIX", &n.Prefix}, {"SUFFIX", &n.Suffix}}
}

func (a *Address) texts() []field {
	return []field{
		{"POBOX", &a.POBox}, {"EXTADD", &a.Extended}, {"STREET", &a.Street}, {"LOCALITY", &a.Locality}, {"REGION", &a.Region},
		{"PCODE", &a.Code}, {"CTRY", &a.Country},
	}
}

func (t *Tel) texts() []field   { return []field{{"NUMBER", &t.Number}} }
func (e *Email) texts() []field { return []field{{"USERID", &e.UserID}} }
func (o *Org) texts() []field   { return []field{{"ORGNAME", &o.Name}} }

func (n *Name) isEmpty() bool {
	return n.Family+n.Given+n.Middle+n.Prefix+n.Suffix == "" && len(n.Others) == 0
}

func (o *Org) isEmpty() bool { return o.Name == "" && len(o.Units) == 0 && len(o.Others) == 0 }

// AppendXML implements [stanza.Payload].
func (v VCard) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "vCard")
	w.OptAttr("version", v.Version)
	writeTexts(w, v.texts(), "")
	if !v.N.isEmpty() {
		writeGroup(w, "N", nil, v.N.texts(), "", v.N.Others)
	}
	if v.Photo != nil {
		v.Photo.write(w)
	}
	for i := range v.Adr {
		writeGroup(w, "ADR", v.Adr[i].Types, v.Adr[i].texts(), "", v.Adr[i].Others)
	}
	for i := range v.Tel {
		writeGroup(w, "TEL", v.Tel[i].Types, v.Tel[i].texts(), "NUMBER", v.Tel[i].Others)
	}
	for i := range v.Email {
		writeGroup(w, "EMAIL", v.Email[i].Types, v.Email[i].texts(), "USERID", v.Email[i].Others)
	}
	if !v.Org.isEmpty() {
		w.Start(NS, "ORG")
		writeTexts(w, v.Org.texts(), "ORGNAME")
		for _, u := range v.Org.Units {
			w.Element(NS, "ORGUNIT", u)
		}
		writeOthers(w, v.Org.Others)
		w.End()
	}
	writeOthers(w, v.Others)
	w.End()
	return w.Bytes()
}

// writeGroup writes an element that is made of others.
func writeGroup(w *stanza.Writer, name string, types []string, texts []field, required string, others []stanza.Element) {
	w.Start(NS, name)
	for _, t := range types {
		w.Element(NS, t, "")
	}
	writeTexts(w, texts, required)
	writeOthers(w, others)
	w.End()
}

// writeTexts writes the fields that are not empty, and the one that must be there (§8).
func writeTexts(w *stanza.Writer, texts []field, required string) {
	for _, f := range texts {
		if *f.value != "" || f.name == required {
			w.Element(NS, f.name, *f.value)
		}
	}
}

func writeOthers(w *stanza.Writer, others []stanza.Element) {
	for i := range others {
		w.Payload(&others[i])
	}
}

// ParseXML implements [stanza.Decoder]. It never fails: what it does not understand is among the others.
func (v *VCard) ParseXML(e stanza.Element) error {
	*v = VCard{Version: e.Attr("version")}
	texts := v.texts()
	for c := range e.Children() {
		switch name := c.Name(); {
		case name.Space != NS:
			v.Others = append(v.Others, c)
		case readText(c, texts):
		case name.Local == "N" && v.N.isEmpty():
			v.N.Others = read(c, v.N.texts(), nil)
		case name.Local == "PHOTO" && v.Photo == nil:
			var ok bool
			if v.Photo, ok = parsePhoto(c); !ok {
				v.Others = append(v.Others, c)
			}
		case name.Local == "ADR":
			var a Address
			a.Others = read(c, a.texts(), &a.Types)
			v.Adr = append(v.Adr, a)
		case name.Local == "TEL":
			var t Tel
			t.Others = read(c, t.texts(), &t.Types)
			orText(&t.Number, c)
			v.Tel = append(v.Tel, t)
		case name.Local == "EMAIL":
			var m Email
			m.Others = read(c, m.texts(), &m.Types)
			orText(&m.UserID, c)
			v.Email = append(v.Email, m)
		case name.Local == "ORG" && v.Org.isEmpty():
			v.Org.read(c)
		default:
			v.Others = append(v.Others, c)
		}
	}
	return nil
}

// read takes the children of an element into fields and, if wanted, names of empty ones as types, and returns those that are left.
func read(e stanza.Element, texts []field, types *[]string) (others []stanza.Element) {
	for c := range e.Children() {
		switch {
		case c.Name().Space == NS && readText(c, texts):
		case c.Name().Space == NS && types != nil && isBlank(c):
			*types = append(*types, c.Name().Local)
		default:
			others = append(others, c)
		}
	}
	return others
}

// readText takes an element into the field of its name, and reports whether that was possible: not where there is something already,
// or where it holds more than text. An empty one says nothing.
func readText(e stanza.Element, texts []field) bool {
	name := e.Name().Local
	for _, f := range texts {
		if f.name != name {
			continue
		}
		switch {
		case isBlank(e):
			return true
		case *f.value != "" || !e.First().IsZero():
			return false
		}
		*f.value = e.Text()
		return true
	}
	return false
}

// orText takes the text of an element itself where it should have been in a child (§8), as in old vCards.
func orText(value *string, e stanza.Element) {
	if *value == "" {
		*value = strings.TrimSpace(e.Text())
	}
}

func (o *Org) read(e stanza.Element) {
	for c := range e.Children() {
		switch {
		case c.Name().Space == NS && readText(c, o.texts()):
		case c.Is(NS, "ORGUNIT") && isBlank(c):
		case c.Is(NS, "ORGUNIT") && c.First().IsZero():
			o.Units = append(o.Units, c.Text())
		default:
			o.Others = append(o.Others, c)
		}
	}
}

// isBlank reports whether an element has no content.
func isBlank(e stanza.Element) bool { return e.First().IsZero() && e.Text() == "" }
