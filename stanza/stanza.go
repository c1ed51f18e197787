package stanza

import (
	"crypto/rand"
	"encoding/xml"
	"math"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// NS is the namespace of stanzas and of their standard children.
const NS = "jabber:client"

// NSErrors is the namespace of the defined stanza error conditions (RFC 6120 §8.3.2).
const NSErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"

// A Kind is one of the three kinds of stanza.
type Kind uint8

// The kinds of stanza (RFC 6120 §8.2).
const (
	KindMessage Kind = iota + 1
	KindPresence
	KindIQ
)

// String returns the name of the stanza's element: message, presence or iq.
func (k Kind) String() string {
	switch k {
	case KindMessage:
		return "message"
	case KindPresence:
		return "presence"
	case KindIQ:
		return "iq"
	}
	return "unknown"
}

// kindOf returns the kind whose element has the given local name, or zero.
func kindOf(local string) Kind {
	switch local {
	case "message":
		return KindMessage
	case "presence":
		return KindPresence
	case "iq":
		return KindIQ
	}
	return 0
}

// A Header is what can be told of a stanza without decoding it: its start tag
// (RFC 6120 §8.1) and the names of its children.
type Header struct {
	Kind     Kind
	Type     string // as on the wire; empty when absent
	ID       string
	To, From jid.JID    // zero when absent
	Lang     string     // xml:lang; empty when absent
	Children []xml.Name // in order; do not modify
}

// Has reports whether a child of that name is present.
func (h *Header) Has(space, local string) bool {
	for _, n := range h.Children {
		if n.Local == local && n.Space == space {
			return true
		}
	}
	return false
}

// IsError reports whether the stanza has type error.
func (h *Header) IsError() bool { return h.Type == "error" }

// A Stanza is a [Message], [Presence], [IQ] or [*Raw].
type Stanza interface {
	// Header describes the stanza. Its Children are filled for a *Raw only.
	Header() Header
	// AppendXML appends the stanza, whole and well-formed. On error dst is
	// returned as it was.
	AppendXML(dst []byte) ([]byte, error)

	// appendContent writes everything between the start and the end tag.
	appendContent(w *Writer)
}

// NewID returns an id for a stanza: unique, and with 128 random bits, so that
// nobody can guess it and answer in another's place (RFC 6120 §8.1.3).
func NewID() string { return rand.Text() }

// limits bound what [Parse] and [ParseElement] read. The bytes are in memory
// already, so these are far above what a stream lets through.
var limits = xmlwire.Limits{Bytes: 64 << 20, Elements: 1 << 20, AttrBytes: 1 << 20}

// unlimited is for what was checked before, by limits that are not known here.
var unlimited = xmlwire.Limits{
	Bytes: math.MaxInt, Depth: math.MaxInt, Elements: math.MaxInt,
	Attrs: math.MaxInt, Namespaces: math.MaxInt, AttrBytes: math.MaxInt,
}
