package roster

import (
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces: of the roster, and of two features that a server offers when
// the stream is made.
const (
	NS            = "jabber:iq:roster"
	NSVersioning  = "urn:xmpp:features:rosterver"    // it knows versions (§2.6): [GetSince] may be used
	NSPreApproval = "urn:xmpp:features:pre-approval" // it knows approvals ahead of the request (§3.4)
)

// A Query is the payload of every roster stanza: empty in a get, all items in a
// result, one in a set or push (§2.1.3 to §2.1.6).
//
// It is a [stanza.Payload], and a pointer to it a [stanza.Decoder].
type Query struct {
	// Ver names a version of the roster; only servers make it up (§2.1.1).
	Ver string
	// HasVer says that the attribute is there though Ver may be empty: in a get
	// an empty one asks to begin with versions (§2.6.2).
	HasVer bool
	Items  []Item

	set bool // that of a client
}

// AppendXML implements [stanza.Payload]. It fails when an item has no address.
func (q Query) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	if q.HasVer || q.Ver != "" {
		w.Attr("ver", q.Ver)
	}
	for _, i := range q.Items {
		if err := i.append(w, q.set); err != nil {
			return dst, err
		}
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Query) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It never fails: what makes no sense in
// an item has its zero value, so that one bad item does not hide the others.
func (q *Query) ParseXML(e stanza.Element) error {
	*q = Query{}
	q.Ver, q.HasVer = e.LookupAttr("", "ver")
	for c := range e.Children() {
		if c.Is(NS, "item") {
			q.Items = append(q.Items, parseItem(c))
		}
	}
	return nil
}

// Change returns the one item of a set or push. An error is a bad-request
// [*stanza.Error]: there are none or several, or it has no valid address
// (§2.1.5, §2.1.6).
func (q Query) Change() (Item, error) {
	if len(q.Items) != 1 {
		return Item{}, badRequest("there must be exactly one item")
	}
	if q.Items[0].JID.IsZero() {
		return Item{}, badRequest("the item has no valid address")
	}
	return q.Items[0], nil
}

func badRequest(text string) *stanza.Error {
	return &stanza.Error{Condition: stanza.BadRequest, Text: text, Lang: "en"}
}

var errNoJID = errors.New("roster: an item needs an address")
