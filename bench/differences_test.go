//go:build expat && cgo

package bench

import (
	"bytes"
	"strings"
)

// A reader is one of those that ours is held against.
type reader uint8

const (
	theExpat reader = 1 << iota
	theStd
	either = theExpat | theStd
)

// A difference is a reason for which our reader refuses what another accepts.
type difference struct {
	who     reader
	refusal string // condition and detail of our error
	why     string
	example string
	only    func(doc []byte) bool // if set, no other documents
}

// differences are all that is known. Whatever is not among them, the others
// refuse too: FuzzExpat looks for more.
var differences = []difference{
	// XMPP leaves parts of XML out (RFC 6120 §11.1).
	{who: either, refusal: "restricted-xml: comment (RFC 6120 §11.1)",
		why: "XML has comments", example: `<s><a><!-- x --></a></s>`},
	{who: either, refusal: "restricted-xml: processing instruction (RFC 6120 §11.1)",
		why: "XML has processing instructions", example: `<s><a><?pi x?></a></s>`},
	{who: either, refusal: "restricted-xml: document type declaration (RFC 6120 §11.1)",
		why: "XML has document types, and entities with them", example: `<!DOCTYPE s [<!ENTITY e 'x'>]><s></s>`},

	// A stream has a form of its own.
	{who: either, refusal: "bad-format: text between first-level elements (RFC 6120 §4.9.3.1)",
		why: "mixed content is well-formed", example: `<s>hello</s>`},
	{who: either, refusal: "bad-format: element of the stream namespace inside a first-level element (RFC 6120 §4.8.1)",
		why: "XML knows no stream", example: `<s><a><x xmlns='http://etherx.jabber.org/streams'/></a></s>`},
	{who: either, refusal: "bad-format: stream header inside a stream (RFC 6120 §4.2)",
		why: "XML knows no stream", example: `<s><stream xmlns='http://etherx.jabber.org/streams'/></s>`},
	{who: either, refusal: "bad-namespace-prefix: element with the prefix xml (RFC 6120 §4.9.3.2)",
		why: "well-formed, though no vocabulary has such elements; plain form has no prefix to keep", example: `<s><xml:a/></s>`},

	// UTF-8 is the only encoding (RFC 6120 §11.6).
	{who: theExpat, refusal: "unsupported-encoding: UTF-16 or UTF-32 (RFC 6120 §11.6)",
		why: "it reads UTF-16", example: "<\x00s\x00/\x00>\x00"},
	{who: theExpat, refusal: "unsupported-encoding: invalid UTF-8 (RFC 6120 §4.9.3.22)",
		why: "it reads UTF-16", example: "\xff\xfe<\x00s\x00/\x00>\x00", only: utf16},
	{who: either, refusal: "unsupported-encoding: encoding other than UTF-8 (RFC 6120 §11.6)",
		why: "libexpat knows some others; from encoding/xml we keep the declaration", example: `<?xml version='1.0' encoding='iso-8859-1'?><s/>`},
	{who: theExpat, refusal: "not-well-formed: text before the root (XML §2.1)",
		why: "it skips a byte order mark, which RFC 6120 §11.6 takes for a character", example: "\uFEFF<s/>", only: marked},
	{who: either, refusal: "not-well-formed: malformed XML declaration (XML §2.8)",
		why: "libexpat lets any version pass; from encoding/xml we keep the declaration", example: `<?xml version='2.0'?><s/>`, only: declared},

	// Limits of ours, where XML has none.
	{who: either, refusal: "policy-violation: XML declaration too long",
		why: "a limit", example: `<?xml version='1.0'` + strings.Repeat(" ", 300) + `?><s/>`},
	{who: either, refusal: "policy-violation: element too long",
		why: "a limit", example: holding(300_000, "x")},
	{who: either, refusal: "policy-violation: element too long when written in plain form",
		why: "a limit", example: `<s><a xmlns:p='` + strings.Repeat("u", 10_000) + `'>` + strings.Repeat("<p:b/>", 1000) + `</a></s>`},
	{who: either, refusal: "policy-violation: elements nested too deeply",
		why: "a limit", example: `<s>` + strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101) + `</s>`},
	{who: either, refusal: "policy-violation: too many elements",
		why: "a limit", example: holding(10_000, "<b/>")},
	{who: either, refusal: "policy-violation: too many attributes",
		why: "a limit", example: `<s><a` + numbered(65, " b%d=''") + `/></s>`},
	{who: either, refusal: "policy-violation: attribute too long",
		why: "a limit", example: `<s><a b='` + strings.Repeat("x", 70_000) + `'/></s>`},
	{who: either, refusal: "policy-violation: too many namespace declarations",
		why: "a limit", example: holding(4097, "<b xmlns='u'/>")},
	{who: either, refusal: "policy-violation: too many prefixes in scope",
		why: "a limit", example: `<s` + numbered(10, " xmlns:q%d='u'") + `><a` + numbered(60, " xmlns:p%d='u'") + `/></s>`},
	{who: either, refusal: "policy-violation: reference too long",
		why: "a limit on zeros", example: holding(1, "&#"+strings.Repeat("0", 50)+"65;")},

	// What is no XML, but encoding/xml lets it pass, even in strict mode.
	{who: theStd, refusal: "not-well-formed: text before the root (XML §2.1)",
		why: "its decoder knows no document, only tokens", example: `x<s/>`},
	{who: theStd, refusal: "not-well-formed: CDATA section before the root (XML §2.1)",
		why: "its decoder knows no document", example: `<![CDATA[x]]><s/>`},
	{who: either, refusal: "not-well-formed: content after the root (XML §2.1)",
		why: "comments and instructions may stand there in XML; its decoder knows no document", example: `<s/><?pi?>`},
	{who: theStd, refusal: "not-well-formed: neither tag nor comment nor CDATA section",
		why: "it takes nearly anything behind <! for a directive", example: `<!0><s/>`},
	{who: theStd, refusal: "not-well-formed: XML declaration not at the start (XML §2.8)",
		why: "it takes one anywhere", example: `<s><?xml version='1.0'?></s>`},
	{who: theStd, refusal: "not-well-formed: reference to a character that XML forbids (XML §4.1)",
		why: "it makes U+FFFD of surrogates", example: holding(1, "&#xD800;")},
	{who: theStd, refusal: "not-well-formed: no blank between attributes (XML §3.1)",
		why: "it needs none", example: `<s><a b=''c=''/></s>`},
	{who: theStd, refusal: "not-well-formed: two attributes of the same name (XML §3.1, Namespaces in XML §6.3)",
		why: "it returns both", example: `<s><a b='1' b='2'/></s>`},
	{who: theStd, refusal: "not-well-formed: name expected (XML §2.3, Namespaces in XML §4)",
		why: "it takes colons at the ends of names", example: `<s><:a/></s>`},
	{who: theStd, refusal: "not-well-formed: prefix that is not declared (RFC 6120 §4.9.3.13)",
		why: "it takes the prefix for the namespace", example: `<s><p:a/></s>`},
	{who: theStd, refusal: "not-well-formed: prefix bound to no namespace (Namespaces in XML §5)",
		why: "it checks no declaration", example: `<s><a xmlns:p=''/></s>`},
	{who: theStd, refusal: "not-well-formed: xml prefix and namespace not bound to each other (Namespaces in XML §3)",
		why: "it checks no declaration", example: `<s><a xmlns:xml='urn:other'/></s>`},
	{who: theStd, refusal: "not-well-formed: xml namespace as default (Namespaces in XML §3)",
		why: "it checks no declaration", example: `<s><a xmlns='http://www.w3.org/XML/1998/namespace'/></s>`},
	{who: theStd, refusal: "not-well-formed: declaration of the namespace of declarations (Namespaces in XML §3)",
		why: "it checks no declaration", example: `<s><a xmlns='http://www.w3.org/2000/xmlns/'/></s>`},
	{who: theStd, refusal: "not-well-formed: declaration of the prefix xmlns (Namespaces in XML §3)",
		why: "it checks no declaration", example: `<s><a xmlns:xmlns='urn:other'/></s>`},
	{who: theStd, refusal: "not-well-formed: element with the prefix xmlns (Namespaces in XML §3)",
		why: "it takes the prefix for the namespace", example: `<s><xmlns:a/></s>`},
}

// holding is a document whose one first-level element holds n times a piece.
func holding(n int, piece string) string { return `<s><a>` + strings.Repeat(piece, n) + `</a></s>` }

// utf16 reports whether doc begins as UTF-16 with a byte order mark does.
func utf16(doc []byte) bool {
	return bytes.HasPrefix(doc, []byte("\xff\xfe")) || bytes.HasPrefix(doc, []byte("\xfe\xff"))
}

// marked reports whether doc begins with a byte order mark in UTF-8.
func marked(doc []byte) bool { return bytes.HasPrefix(doc, []byte("\uFEFF")) }

// declared reports whether doc begins with an XML declaration.
func declared(doc []byte) bool { return bytes.HasPrefix(doc, []byte("<?xml")) }
