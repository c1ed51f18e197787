package portable

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Export writes all accounts of some domains. Others may change them meanwhile; each account is then written as it was at some
// moment, but not all at the same.
func Export(ctx context.Context, w io.Writer, stores storage.Stores, domains []jid.JID) error {
	x := &writer{ctx: ctx, w: bufio.NewWriter(w), s: stores}
	x.text("<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='" + NS + "'>\n")
	for _, d := range domains {
		x.open("  ", "host", "jid", d.String())
		if err := x.accounts(d); err != nil {
			return fmt.Errorf("export %s: %w", d, err)
		}
		x.text("  </host>\n")
	}
	x.text("</server-data>\n")
	x.fail(x.w.Flush())
	if x.err != nil {
		return fmt.Errorf("export: %w", x.err)
	}
	return nil
}

// A writer writes a file. Its first failure sticks.
type writer struct {
	ctx context.Context
	w   *bufio.Writer
	s   storage.Stores
	err error
}

func (x *writer) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

func (x *writer) text(s string) {
	_, err := x.w.WriteString(s)
	x.fail(err)
}

// open writes a start tag of the format with one attribute.
func (x *writer) open(indent, name, attr, value string) {
	b, err := xmlwire.AppendAttr([]byte(indent+"<"+name), attr, value)
	x.fail(err)
	x.text(string(b) + ">\n")
}

// put writes an element, on a line of its own, into one of a namespace.
func (x *writer) put(indent string, e stanza.Element, parentNS string) {
	b, err := e.AppendXML(nil)
	x.fail(err)
	if err == nil {
		x.text(indent + string(xmlwire.NewNode(b, stanza.NS).AppendTo(nil, parentNS)) + "\n")
	}
}

// payload is put for what writes itself.
func (x *writer) payload(indent string, p stanza.Payload, parentNS string) {
	e, err := stanza.ElementOf(p)
	x.fail(err)
	if err == nil {
		x.put(indent, e, parentNS)
	}
}

// A group is an element around others, that is not there when they are not.
type group struct {
	x         *writer
	begin     string
	end       string
	something bool
}

func (x *writer) group(begin, end string) *group { return &group{x: x, begin: begin, end: end} }

// next comes before each of the others.
func (g *group) next() {
	if !g.something {
		g.x.text("      " + g.begin + "\n")
	}
	g.something = true
}

func (g *group) close() {
	if g.something {
		g.x.text("      " + g.end + "\n")
	}
}

func (x *writer) accounts(domain jid.JID) error {
	for after := (jid.JID{}); ; {
		some, err := x.s.Accounts.List(x.ctx, domain.Domainpart(), after, page)
		if err != nil {
			return err
		}
		for _, a := range some {
			x.open("    ", "user", "name", a.Addr.Localpart())
			if err := x.account(a); err != nil {
				return fmt.Errorf("%s: %w", a.Addr, err)
			}
			x.text("    </user>\n")
			after = a.Addr
		}
		if len(some) < page || x.err != nil {
			return x.err
		}
	}
}

// account writes what is in an account; offline messages first, as the schema has it.
func (x *writer) account(a storage.Account) error {
	for _, part := range []func(storage.Account) error{x.offline, x.credentials, x.roster, x.requests, x.private, x.vcard, x.blocklist} {
		if err := part(a); err != nil {
			return err
		}
		if x.err != nil {
			return x.err
		}
	}
	return nil
}

func (x *writer) offline(a storage.Account) error {
	g := x.group("<offline-messages>", "</offline-messages>")
	defer g.close()
	for after := uint64(0); ; {
		some, err := x.s.Offline.List(x.ctx, a.ID, after, page)
		if err != nil {
			return err
		}
		for _, m := range some {
			after = m.ID
			e, err := stanza.ParseElement(m.Stanza)
			if err != nil {
				return err
			}
			g.next()
			x.put("        ", e, NS)
		}
		if len(some) < page {
			return nil
		}
	}
}

func (x *writer) credentials(a storage.Account) error {
	for _, s := range a.Secrets {
		x.payload("      ", scram(s), NS)
	}
	if a.Disabled {
		x.text("      <disabled xmlns='" + NSOwn + "'/>\n")
	}
	return nil
}

// scram is what is kept for one mechanism.
type scram sasl.Secrets

// AppendXML implements [stanza.Payload].
func (s scram) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NSSCRAM, "scram-credentials")
	w.Attr("mechanism", s.Hash.Mechanism())
	w.Element(NSSCRAM, "iter-count", strconv.Itoa(s.Iterations))
	w.Element(NSSCRAM, "salt", base64.StdEncoding.EncodeToString(s.Salt))
	w.Element(NSSCRAM, "server-key", base64.StdEncoding.EncodeToString(s.ServerKey))
	w.Element(NSSCRAM, "stored-key", base64.StdEncoding.EncodeToString(s.StoredKey))
	w.End()
	return w.Bytes()
}

func (x *writer) roster(a storage.Account) error {
	g := x.group("<query xmlns='"+roster.NS+"'>", "</query>")
	defer g.close()
	return contacts(x.ctx, x.s.Rosters, a.ID, func(c storage.Contact) error {
		if !c.Listed {
			return nil
		}
		q, err := stanza.ElementOf(roster.Query{Items: []roster.Item{itemOf(c)}})
		if err != nil {
			return err
		}
		g.next()
		x.put("        ", q.First(), roster.NS)
		return nil
	})
}

func (x *writer) requests(a storage.Account) error {
	return contacts(x.ctx, x.s.Rosters, a.ID, func(c storage.Contact) error {
		if !c.Subscription.Has(storage.PendingIn) {
			return nil
		}
		if len(c.Request) == 0 {
			x.payload("      ", stanza.Presence{From: c.JID, To: a.Addr, Type: stanza.PresenceSubscribe}, NS)
			return nil
		}
		e, err := stanza.ParseElement(c.Request)
		if err == nil {
			x.put("      ", e, NS)
		}
		return err
	})
}

func (x *writer) private(a storage.Account) error {
	g := x.group("<query xmlns='"+nsPrivate+"'>", "</query>")
	defer g.close()
	for after := ""; ; {
		names, err := x.s.Documents.List(x.ctx, a.ID, kindPrivate, after, page)
		if err != nil {
			return err
		}
		for _, name := range names {
			after = name
			err := x.document(a, kindPrivate, name, func(e stanza.Element) {
				g.next()
				x.put("        ", e, nsPrivate)
			})
			if err != nil {
				return err
			}
		}
		if len(names) < page {
			return nil
		}
	}
}

func (x *writer) vcard(a storage.Account) error {
	return x.document(a, kindVCard, "", func(e stanza.Element) { x.put("      ", e, NS) })
}

// document calls put with a document, if it is there.
func (x *writer) document(a storage.Account, kind, name string, put func(stanza.Element)) error {
	data, err := x.s.Documents.Get(x.ctx, a.ID, kind, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	e, err := stanza.ParseElement(data)
	if err == nil {
		put(e)
	}
	return err
}

func (x *writer) blocklist(a storage.Account) error {
	g := x.group("<blocklist xmlns='"+nsBlocking+"'>", "</blocklist>")
	defer g.close()
	for after := (jid.JID{}); ; {
		some, err := x.s.Blocklists.List(x.ctx, a.ID, after, page)
		if err != nil {
			return err
		}
		for _, who := range some {
			after = who
			g.next()
			x.payload("        ", stanza.Marshal(blockedItem{JID: who}), nsBlocking)
		}
		if len(some) < page {
			return nil
		}
	}
}

// A blockedItem is an entry of a blocklist (XEP-0191).
type blockedItem struct {
	XMLName xml.Name `xml:"urn:xmpp:blocking item"`
	JID     jid.JID  `xml:"jid,attr"`
}
