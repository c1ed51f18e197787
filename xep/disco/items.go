package disco

import (
	"encoding/xml"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// An Item is an entity, or a node of one, that belongs to another (§4).
type Item struct {
	JID  jid.JID // required
	Node string  // set when the item has no address of its own
	Name string  // for people; may be empty
}

// Items lists what belongs to an entity or to a node of one. With nothing but
// Node set it is the request, and also the answer of an entity that has none.
//
// It is a [stanza.Payload], and a pointer to it a [stanza.Decoder].
type Items struct {
	Node  string
	Items []Item
}

// AppendXML implements [stanza.Payload]. It fails when an item has no address.
func (i Items) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NSItems, "query")
	w.OptAttr("node", i.Node)
	for _, it := range i.Items {
		if it.JID.IsZero() {
			return dst, errItem
		}
		w.Start(NSItems, "item")
		w.Attr("jid", it.JID.String())
		w.OptAttr("node", it.Node)
		w.OptAttr("name", it.Name)
		w.End()
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Items) PayloadName() xml.Name { return xml.Name{Space: NSItems, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It never fails: an item whose address
// makes no sense is left out, for the others do.
func (i *Items) ParseXML(e stanza.Element) error {
	*i = Items{Node: e.Attr("node")}
	for c := range e.Children() {
		if !c.Is(NSItems, "item") {
			continue
		}
		address, err := jid.ParseLenient(c.Attr("jid"))
		if err != nil {
			continue
		}
		i.Items = append(i.Items, Item{JID: address, Node: c.Attr("node"), Name: c.Attr("name")})
	}
	return nil
}
