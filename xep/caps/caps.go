// Package caps spares entities the question what they can do (XEP-0115: Entity Capabilities): they say a hash of the
// answer in their presence, and who knows the hash already need not ask.
//
//	caps.Register(mux, "https://dice.example/bot") // presence now says what the mux can do
//	cache := caps.NewCache(nil)
//	cache.Register(mux)
//	…
//	info, err := cache.Get(ctx, s, jid.MustParse("romeo@montague.lit/orchard"))
//	if err == nil && info.Has("urn:xmpp:jingle:1") {
//		…
//	}
//
// [Register] recomputes the hash for each presence. A program that registers more while it is online sends its presence
// again (§6.1).
//
// In a server, [Server] is the module that says in the features of a stream what the domain can do; [Cache.Server] has it.
//
// # Whom to believe
//
// An answer is used for others only if it has the hash that they announce, and only that of it which went into the
// hash. The way in which XEP-0115 joins the parts lets other answers have the same hash (§9.3); those that make use of
// that are good for nobody but who gave them. See [Cache].
package caps

import (
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the feature of saying the hash.
const NS = "http://jabber.org/protocol/caps"

// Caps are what an entity announces. The text after the # in the node of a question is Ver.
type Caps struct {
	Hash string // the hash function, such as [SHA1]
	Node string // a URI of the software
	Ver  string // the verification string
}

// What is longer than this is not remembered of anybody.
const (
	maxHash = 32
	maxNode = 512
	maxVer  = 256
)

// node is what is asked about (§6.2).
func (c Caps) node() string { return c.Node + "#" + c.Ver }

// AppendXML implements [stanza.Payload]. It fails when a field is empty.
func (c Caps) AppendXML(dst []byte) ([]byte, error) {
	if c.Hash == "" || c.Node == "" || c.Ver == "" {
		return dst, errCaps
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "c")
	w.Attr("hash", c.Hash)
	w.Attr("node", c.Node)
	w.Attr("ver", c.Ver)
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Caps) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "c"} }

// ParseXML implements [stanza.Decoder]. It fails when a field is missing or longer than any hash or address of
// software. Without the name of the hash function it is the format from before 2008, which nobody can verify (§13).
func (c *Caps) ParseXML(e stanza.Element) error {
	*c = Caps{Hash: e.Attr("hash"), Node: e.Attr("node"), Ver: e.Attr("ver")}
	if c.Hash == "" || c.Node == "" || c.Ver == "" || len(c.Hash) > maxHash || len(c.Node) > maxNode || len(c.Ver) > maxVer {
		*c = Caps{}
		return errCaps
	}
	return nil
}

var errCaps = errors.New("caps: a hash function, a node and a verification string are required")
