package blocking

import (
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces: of commands, which is also the feature of a server, and of the error for what is sent to
// somebody who is blocked.
const (
	NS       = "urn:xmpp:blocking"
	NSErrors = "urn:xmpp:blocking:errors"
)

var (
	errNoItem    = errors.New("there is no item")
	errNoAddress = errors.New("blocking: an item needs an address")
)

// A Blocklist is the payload of a request for the list, empty, and of its answer (§3.2).
type Blocklist struct{ Items []jid.JID }

// AppendXML implements [stanza.Payload].
func (b Blocklist) AppendXML(dst []byte) ([]byte, error) {
	return appendItems(dst, "blocklist", b.Items)
}

// PayloadName implements [stanza.Decoder].
func (*Blocklist) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "blocklist"} }

// ParseXML implements [stanza.Decoder]. It never fails: an item whose address makes no sense is left out.
func (b *Blocklist) ParseXML(e stanza.Element) error {
	*b = Blocklist{}
	for c := range e.Children() {
		if j, err := jid.ParseLenient(c.Attr("jid")); err == nil && c.Is(NS, "item") {
			b.Items = append(b.Items, j)
		}
	}
	return nil
}

// An Item is an address to be blocked.
type Item struct {
	JID    jid.JID
	Report *Report // why, for the server; nil if that is not said, and in pushes
}

// String returns the address.
func (i Item) String() string { return i.JID.String() }

// A BlockCommand blocks addresses, or tells that they are blocked (§3.3).
type BlockCommand struct{ Items []Item }

// AppendXML implements [stanza.Payload]. It fails without an item.
func (b BlockCommand) AppendXML(dst []byte) ([]byte, error) {
	if len(b.Items) == 0 {
		return dst, errNoItem
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "block")
	for _, i := range b.Items {
		if i.JID.IsZero() {
			return dst, errNoAddress
		}
		w.Start(NS, "item")
		w.Attr("jid", i.JID.String())
		if i.Report != nil {
			w.Payload(*i.Report)
		}
		w.End()
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*BlockCommand) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "block"} }

// ParseXML implements [stanza.Decoder]. Its errors are those that the server returns: bad-request without an item (§3.3), or
// when one has no address, jid-malformed. A report that breaks its specification is left out: with
// it, the command must do what it would do without (XEP-0377 §6).
func (b *BlockCommand) ParseXML(e stanza.Element) error {
	*b = BlockCommand{}
	for c := range e.Children() {
		if !c.Is(NS, "item") {
			continue
		}
		j, err := parseItem(c)
		if err != nil {
			return err
		}
		i := Item{JID: j}
		var r Report
		if child := c.Child(NSReporting, "report"); !child.IsZero() && r.ParseXML(child) == nil {
			i.Report = &r
		}
		b.Items = append(b.Items, i)
	}
	if len(b.Items) == 0 {
		return badRequest("there must be an item")
	}
	return nil
}

// An UnblockCommand takes addresses off the list, or tells that they no longer are there (§3.4). Without items it means all of them (§3.5).
type UnblockCommand struct{ Items []jid.JID }

// AppendXML implements [stanza.Payload].
func (u UnblockCommand) AppendXML(dst []byte) ([]byte, error) {
	return appendItems(dst, "unblock", u.Items)
}

// PayloadName implements [stanza.Decoder].
func (*UnblockCommand) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "unblock"} }

// ParseXML implements [stanza.Decoder]. Its errors are those of [BlockCommand.ParseXML]. One that has children, and no item among
// them, is a bad-request: it is not taken for one that unblocks everybody.
func (u *UnblockCommand) ParseXML(e stanza.Element) error {
	*u = UnblockCommand{}
	for c := range e.Children() {
		if !c.Is(NS, "item") {
			continue
		}
		j, err := parseItem(c)
		if err != nil {
			return err
		}
		u.Items = append(u.Items, j)
	}
	if len(u.Items) == 0 && !e.First().IsZero() {
		return badRequest("there is something, and it is no item")
	}
	return nil
}

func appendItems(dst []byte, name string, items []jid.JID) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, name)
	for _, j := range items {
		if j.IsZero() {
			return dst, errNoAddress
		}
		w.Start(NS, "item")
		w.Attr("jid", j.String())
		w.End()
	}
	w.End()
	return w.Bytes()
}

// parseItem returns the address of an item, in the form in which stanzas from there have it.
func parseItem(e stanza.Element) (jid.JID, error) {
	s, ok := e.LookupAttr("", "jid")
	if !ok {
		return jid.JID{}, badRequest("an item has no address")
	}
	j, err := jid.ParseLenient(s)
	if err != nil {
		return jid.JID{}, stanza.JIDMalformed
	}
	return j, nil
}

func badRequest(text string) *stanza.Error {
	return &stanza.Error{Condition: stanza.BadRequest, Text: text, Lang: "en"}
}

// blocked is the application-specific condition of what is sent to somebody who is blocked (§3.3).
type blocked struct{}

// AppendXML implements [stanza.Payload].
func (blocked) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(NSErrors, "blocked", "")
	return w.Bytes()
}
