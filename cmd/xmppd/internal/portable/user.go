package portable

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A user is an account that is being read.
type user struct {
	addr        jid.JID
	credentials Piece // complete at the end
}

// user reads an account. It is made before what belongs to it, and has its credentials last, wherever they are.
func (f *reader) user(addr jid.JID, start xml.StartElement) error {
	if err := f.give(Piece{Kind: Account, Addr: addr}); err != nil {
		return err
	}
	u := &user{addr, Piece{Kind: Credentials, Addr: addr, Password: attr(start, "password")}}
	if err := f.children(u.child); err != nil {
		return err
	}
	return f.give(u.credentials)
}

func (u *user) child(f *reader, start xml.StartElement) error {
	switch start.Name {
	case xml.Name{Space: NSSCRAM, Local: "scram-credentials"}:
		return u.scram(f, start)
	case xml.Name{Space: roster.NS, Local: "query"}:
		return f.opaque(u.addr, func(f *reader, start xml.StartElement) error {
			return u.piece(f, start, Contact, roster.NS, "item")
		})
	case xml.Name{Space: NS, Local: "offline-messages"}:
		return f.opaque(u.addr, func(f *reader, start xml.StartElement) error {
			return u.piece(f, start, Message, nsClient, "message")
		})
	case xml.Name{Space: nsPrivate, Local: "query"}:
		return f.opaque(u.addr, func(f *reader, start xml.StartElement) error {
			return u.piece(f, start, Private, start.Name.Space, start.Name.Local)
		})
	case xml.Name{Space: nsBlocking, Local: "blocklist"}:
		return f.opaque(u.addr, u.blocked)
	case xml.Name{Space: nsVCard, Local: "vCard"}:
		return u.piece(f, start, VCard, nsVCard, "vCard")
	case xml.Name{Space: nsClient, Local: "presence"}:
		return u.piece(f, start, Request, nsClient, "presence")
	case xml.Name{Space: NSOwn, Local: "disabled"}:
		u.credentials.Disabled = true
		return f.d.Skip()
	}
	return f.unknown(u.addr, start, notKnown)
}

// opaque is children without a look at what is to be included: that may be somebody's data.
func (f *reader) opaque(addr jid.JID, child level) error {
	for {
		t, err := f.d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := child(f, t.Copy()); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// piece gives an element of that name.
func (u *user) piece(f *reader, start xml.StartElement, kind Kind, space, local string) error {
	if start.Name != (xml.Name{Space: space, Local: local}) {
		return f.unknown(u.addr, start, notKnown)
	}
	e, err := f.element(start)
	if err != nil {
		return err
	}
	b, err := e.AppendXML(nil)
	if err != nil {
		return err
	}
	text := string(b)
	if kind == Contact {
		text = "<query xmlns='" + roster.NS + "'>" + text + "</query>"
	}
	return f.give(Piece{Kind: kind, Addr: u.addr, XML: text})
}

func (u *user) blocked(f *reader, start xml.StartElement) error {
	if start.Name != (xml.Name{Space: nsBlocking, Local: "item"}) {
		return f.unknown(u.addr, start, notKnown)
	}
	who, err := jid.ParseLenient(attr(start, "jid"))
	if err != nil {
		return f.unknown(u.addr, start, fmt.Sprintf("%q is no address", attr(start, "jid")))
	}
	if err := f.d.Skip(); err != nil {
		return err
	}
	return f.give(Piece{Kind: Blocked, Addr: u.addr, Blocked: who})
}

// scram reads the secrets of one mechanism.
func (u *user) scram(f *reader, start xml.StartElement) error {
	e, err := f.element(start)
	if err != nil {
		return err
	}
	s, err := secrets(e)
	for _, other := range u.credentials.Secrets {
		if err == nil && other.Hash == s.Hash {
			err = fmt.Errorf("there are two")
		}
	}
	if err != nil {
		return f.give(Piece{Kind: Unknown, Addr: u.addr, What: "credentials for " + e.Attr("mechanism"), Why: err.Error()})
	}
	u.credentials.Secrets = append(u.credentials.Secrets, s)
	return nil
}

// sizes are those of the keys of the mechanisms.
var sizes = map[sasl.Hash]int{sasl.SHA1: 20, sasl.SHA256: 32, sasl.SHA512: 64}

// secrets reads what is kept for one mechanism (XEP-0227, "SCRAM credentials").
func secrets(e stanza.Element) (s sasl.Secrets, err error) {
	name, _ := strings.CutPrefix(e.Attr("mechanism"), "SCRAM-")
	s.Hash = sasl.Hash(name)
	size := sizes[s.Hash]
	if size == 0 || e.Attr("mechanism") != s.Hash.Mechanism() {
		return s, fmt.Errorf("this program does not know the mechanism")
	}
	if s.Iterations, err = strconv.Atoi(strings.TrimSpace(e.Child(NSSCRAM, "iter-count").Text())); err != nil || s.Iterations <= 0 {
		return s, fmt.Errorf("the iteration count is no number")
	}
	for name, to := range map[string]*[]byte{"salt": &s.Salt, "server-key": &s.ServerKey, "stored-key": &s.StoredKey} {
		if *to, err = base64.StdEncoding.DecodeString(strings.TrimSpace(e.Child(NSSCRAM, name).Text())); err != nil || len(*to) == 0 {
			return s, fmt.Errorf("the %s is not base64", name)
		}
	}
	if len(s.ServerKey) != size || len(s.StoredKey) != size {
		return s, fmt.Errorf("a key is of the wrong length")
	}
	return s, nil
}
