package stream

import (
	"bytes"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What is particular to streams over TCP (RFC 6120 §4.2, §4.4) is in this file:
// how a stream opens, how its features are wrapped, how it closes. Everything
// else is first-level elements.

// closingTag ends a stream.
const closingTag = "</stream:stream>"

// xmlDeclaration is what a header begins with.
const xmlDeclaration = "<?xml version='1.0'?>"

// A header is the start of a stream, in one direction.
type header struct {
	to, from jid.JID
	id       string  // empty in the header of the initiating entity
	lang     string  // of the texts that will follow
	version  version // old is left out (§4.7.5)
}

// append writes the header. That of the receiving entity has a from in any
// case, empty when there is no name to give (§4.9.1.3).
func (h *header) append(dst []byte) []byte {
	dst = append(dst, xmlDeclaration+"<stream:stream"...)
	attr := func(name, value string) {
		if value != "" || name == "from" && h.id != "" {
			dst, _ = xmlwire.AppendAttr(dst, name, value) // addresses, ids and checked values only
		}
	}
	attr("from", h.from.String())
	attr("to", h.to.String())
	attr("id", h.id)
	if h.version != old {
		attr("version", h.version.String())
	}
	attr("xml:lang", h.lang)
	attr("xmlns", stanza.NS)
	attr("xmlns:stream", xmlwire.NSStreams)
	return append(dst, '>')
}

// appendFeatures writes the features, given their children.
func appendFeatures(dst, children []byte) []byte {
	if len(children) == 0 {
		return append(dst, "<stream:features/>"...)
	}
	dst = append(dst, "<stream:features>"...)
	dst = append(dst, children...)
	return append(dst, "</stream:features>"...)
}

// headerText renders the header of a peer, for those who look on.
func headerText(h xmlwire.Header) []byte {
	w := stanza.NewWriter(nil)
	w.Start(h.Name.Space, h.Name.Local)
	for _, a := range h.Attrs {
		switch {
		case a.Name.Space == "" && a.Name.Local != "xmlns":
			w.Attr(a.Name.Local, a.Value)
		case a.Name.Space == xmlwire.NSXML && a.Name.Local == "lang":
			w.Lang(a.Value)
		}
	}
	w.End()
	b, _ := w.Bytes()
	return append(bytes.TrimSuffix(b, []byte("/>")), '>') // it stays open
}

// contentNS reports whether elements may inherit this namespace from the header:
// that of stanzas, none at all, or that of streams where the peer qualifies each
// element by itself (§4.8.2).
func contentNS(ns string) bool {
	return ns == stanza.NS || ns == "" || ns == xmlwire.NSStreams
}
