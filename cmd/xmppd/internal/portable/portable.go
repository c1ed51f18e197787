// Package portable writes what a server keeps of its accounts to a file that other servers read, and reads theirs (XEP-0227).
//
// [Export] writes accounts with their SCRAM secrets, rosters, requests, offline messages, private XML, vCards and blocklists. [Read]
// reads such a file in pieces, none of them larger than one message or one document, and an [Importer] keeps them: as often as one likes,
// with the same result. Whatever it does not keep it says.
package portable

import (
	"cmp"
	"maps"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// The namespaces: of the format, of SCRAM secrets in it, and of what only this program writes there.
const (
	NS         = "urn:xmpp:pie:0"
	NSSCRAM    = "urn:xmpp:pie:0#scram"
	NSOwn      = "https://github.com/parlance-xmpp/xmpp#portable"
	nsClient   = "jabber:client"
	nsPrivate  = "jabber:iq:private"
	nsInclude  = "http://www.w3.org/2001/XInclude"
	nsBlocking = "urn:xmpp:blocking"
	nsVCard    = "vcard-temp"
)

// The kinds of documents, as the modules of the server have them.
const (
	kindPrivate = "private"
	kindVCard   = "vcard"
	kindSeen    = "imported" // which messages were
)

// A Kind is what a piece is about.
type Kind string

// The kinds, in the order in which those of an account begin and end.
const (
	Account     Kind = "account"
	Contact     Kind = "contact"
	Request     Kind = "request"
	Message     Kind = "message"
	Private     Kind = "private XML"
	VCard       Kind = "vCard"
	Blocked     Kind = "blocked address"
	Credentials Kind = "credentials"
	Unknown     Kind = "unknown"
)

// A Piece is a part of what is kept of an account. It can be written as JSON, and is then as secret as the account.
type Piece struct {
	Kind Kind
	Addr jid.JID // of the account; of what is unknown maybe a domain, or zero
	// XML is an element: an item in a roster query, a presence, a message, what is private, a vCard.
	XML     string         `json:",omitempty"`
	Blocked jid.JID        `json:",omitzero"`
	Secrets []sasl.Secrets `json:",omitempty"`
	// Password is what some files have in place of secrets.
	Password string `json:",omitempty"`
	Disabled bool   `json:",omitempty"`
	// What is unknown, and Why it is not read.
	What, Why string `json:",omitempty"`
}

// A Skip is something that was not kept.
type Skip struct {
	Addr      jid.JID // whose it is; maybe a domain, or zero
	What, Why string
}

// A Report says what became of the pieces.
type Report struct {
	Kept      map[Kind]int
	Unchanged map[Kind]int // they were there already
	Skipped   map[Skip]int `json:"-"`
}

// NewReport returns an empty report.
func NewReport() *Report {
	return &Report{Kept: map[Kind]int{}, Unchanged: map[Kind]int{}, Skipped: map[Skip]int{}}
}

// Add adds another report.
func (r *Report) Add(o *Report) {
	for k, n := range o.Kept {
		r.Kept[k] += n
	}
	for k, n := range o.Unchanged {
		r.Unchanged[k] += n
	}
	for s, n := range o.Skipped {
		r.Skipped[s] += n
	}
}

// Skips are what was skipped, by account.
func (r *Report) Skips() []Skip {
	return slices.SortedFunc(maps.Keys(r.Skipped), func(a, b Skip) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
}
