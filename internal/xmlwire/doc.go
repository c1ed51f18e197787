// Package xmlwire is the one XML reader and writer of the library: for streams
// over TCP, for WebSocket and BOSH messages, for files and for tests.
//
// # Reading
//
// A [Reader] takes the bytes of a stream. [Reader.Header] reads the XML
// declaration and the start tag of the root; [Reader.Next] then frames one
// first-level element at a time and checks it whole: well-formed by XML 1.0 and
// Namespaces in XML 1.0, UTF-8 only, none of the features that RFC 6120 §11.1
// forbids, and within the [Limits], which hold inside tokens, as bytes arrive.
// [Parse] does the same for an element that is in memory already. What is
// refused is an [Error] that names the stream error condition to send.
//
// An element is lent: it stays in the reader's memory, is valid until the next
// call, and costs no allocation. With it comes its [Head], what routing needs to
// know, noted while it was checked.
//
// A document need not be a stream: the <body/> of BOSH (XEP-0124) is one too,
// with what it carries as first-level elements. It has to be read as such, since
// an element of the stream namespace is refused anywhere further in.
//
// # Plain form
//
// An element leaves the reader in plain form, so that nobody has to parse it
// with the stream's context or with more than a simple scanner:
//
//   - Element names have no prefix. An xmlns attribute stands wherever the
//     namespace differs from that of the parent; a first-level element
//     inherits the content namespace of its stream.
//   - Attribute names have no prefix, or the prefix xml, or one that the same
//     start tag declares.
//   - There is no CDATA section and no raw carriage return, and in attribute
//     values no raw tab or line feed. The only references are &amp; &lt; &gt;
//     &quot; &apos; &#13; and, in attribute values, &#9; &#10;.
//
// Elements that come in this form, as nearly all do, are copied as they came.
// Any other is written again. Either way the result reads, with any parser, as
// the tree that was checked: what is framed is what is interpreted, which is
// what stops stanza smuggling.
//
// A [Node] is a view of one element in plain form: name, attributes, text and
// children, decoded only when asked for, or all of it as encoding/xml tokens.
//
// # Writing
//
// [AppendText], [AppendAttr] and [AppendName] append escaped and checked pieces
// to a buffer: no value can end what it stands in. They look at eight bytes at a
// time, and allocate nothing when the buffer has the room. [AppendTokens] turns any
// [encoding/xml.TokenReader] into plain form, and cannot be made to write XML that
// is not well-formed.
package xmlwire

// Namespace names with a meaning of their own to the reader and the writer.
const (
	// NSXML is bound to the prefix xml, always and only (Namespaces in XML §3).
	NSXML = "http://www.w3.org/XML/1998/namespace"
	// NSXMLNS is the namespace of declarations. Nothing may be bound to it.
	NSXMLNS = "http://www.w3.org/2000/xmlns/"
	// NSStreams qualifies the root of a stream and its features and errors
	// (RFC 6120 §4.8.1). Nothing below a first-level element may be in it.
	NSStreams = "http://etherx.jabber.org/streams"
)
