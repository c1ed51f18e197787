package disco

import (
	"encoding/xml"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces. Each is also the feature that says the query is understood.
const (
	NSInfo  = "http://jabber.org/protocol/disco#info"
	NSItems = "http://jabber.org/protocol/disco#items"
)

// nsForm is the namespace of the forms that extend an answer (XEP-0128).
const nsForm = "jabber:x:data"

// An Identity says what kind of thing an entity is. The registrar of the XMPP
// Standards Foundation lists categories and their types.
type Identity struct {
	Category string // such as "client", "server" or "conference"; required
	Type     string // within the category, such as "bot", "im" or "text"; required
	Name     string // for people; may be empty
	Lang     string // xml:lang of Name, empty when not given
}

// Info describes an entity, or a node of one (§3). With nothing but Node set it
// is the request.
//
// It is a [stanza.Payload], and a pointer to it a [stanza.Decoder].
type Info struct {
	Node       string // empty for the entity itself
	Identities []Identity
	Features   []string
	Forms      []stanza.Element // more about the entity, as data forms (XEP-0128)
}

// Has reports whether the feature is among i's. That of asking at all is
// inferred from having an answer (§3.1).
func (i Info) Has(feature string) bool {
	return feature == NSInfo || slices.Contains(i.Features, feature)
}

// Is reports whether an identity has that category and type. An empty type
// stands for any.
func (i Info) Is(category, typ string) bool {
	return slices.ContainsFunc(i.Identities, func(id Identity) bool {
		return id.Category == category && (typ == "" || id.Type == typ)
	})
}

// AppendXML implements [stanza.Payload]. It fails when an identity lacks its
// category or type, a feature is empty, or a form is none.
func (i Info) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NSInfo, "query")
	w.OptAttr("node", i.Node)
	for _, id := range i.Identities {
		if !id.valid() {
			return dst, errIdentity
		}
		w.Start(NSInfo, "identity")
		w.Lang(id.Lang)
		w.Attr("category", id.Category)
		w.Attr("type", id.Type)
		w.OptAttr("name", id.Name)
		w.End()
	}
	for _, f := range i.Features {
		if f == "" {
			return dst, errFeature
		}
		w.Start(NSInfo, "feature")
		w.Attr("var", f)
		w.End()
	}
	for n := range i.Forms {
		if !i.Forms[n].Is(nsForm, "x") {
			return dst, errForm
		}
		w.Payload(&i.Forms[n]) // a copy would be allocated
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Info) PayloadName() xml.Name { return xml.Name{Space: NSInfo, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It never fails.
func (i *Info) ParseXML(e stanza.Element) error {
	*i = Info{Node: e.Attr("node")}
	for c := range e.Children() {
		switch {
		case c.Is(NSInfo, "identity"):
			id := Identity{Category: c.Attr("category"), Type: c.Attr("type"), Name: c.Attr("name"), Lang: c.Lang()}
			if id.valid() {
				i.Identities = append(i.Identities, id)
			}
		case c.Is(NSInfo, "feature"):
			if f := c.Attr("var"); f != "" {
				i.Features = append(i.Features, f)
			}
		case c.Is(nsForm, "x"):
			i.Forms = append(i.Forms, c)
		}
	}
	return nil
}

func (id Identity) valid() bool { return id.Category != "" && id.Type != "" }

var (
	errIdentity = errors.New("disco: an identity needs a category and a type")
	errFeature  = errors.New("disco: a feature needs a name")
	errForm     = errors.New("disco: a form must be an x element in jabber:x:data")
	errItem     = errors.New("disco: an item needs an address")
)
