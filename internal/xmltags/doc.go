// Package xmltags writes Go values as XMPP payloads and reads them back, as
// their struct tags say. The tags are those of encoding/xml; the work is done on
// bytes in the plain form of package xmlwire, by a plan that is made once for
// each type.
//
//	type Move struct {
//		XMLName xml.Name `xml:"urn:example:chess move"`
//		Game    string   `xml:"game,attr"`
//		From    string   `xml:"from"`
//		To      string   `xml:"to"`
//		Comment string   `xml:"comment,omitempty"`
//	}
//
// # Tags
//
//	"ns local"    an element, or on XMLName the type's own name
//	"local"       the same, in the namespace of the element around it
//	"a>b>c"       an element inside others; a namespace in front counts for all
//	",attr"       an attribute; "xml:lang,attr" is xml:lang
//	"xmlns,attr"  the namespace of the element itself, a string
//	",chardata"   the text of the element itself, as is ",cdata"
//	",innerxml"   all that is between the tags, a string or []byte
//	",any"        the children, or with ",any,attr" the attributes, that no other
//	              field takes
//	",omitempty"  the field is left out when empty: nil, false, 0, of no length,
//	              or when its method IsZero says so
//	",comment"    nothing: XMPP has no comments (RFC 6120 §11.1)
//	"-"           nothing
//
// Fields of embedded structs count as those of the outer one. Without a name in
// its tag a field is called as its type's XMLName, else as the field.
//
// # Types
//
// Strings, booleans, numbers and []byte are text. So is whatever implements
// [encoding.TextMarshaler] and [encoding.TextUnmarshaler]: an address, a time.
// Structs are elements; slices are one for each of theirs; nil pointers are
// nothing. What implements [xml.Marshaler], [xml.Unmarshaler],
// [xml.MarshalerAttr] or [xml.UnmarshalerAttr] has its way, through encoding/xml
// and as slow as that is; the result is checked. An [Appender] in a field writes
// itself, and [Codec.Own] may know types that read themselves. An interface
// writes the value in it, and can be read into only when that is a pointer.
// Anything else is an error when it is met, which names the field. So is a tag
// that makes no sense, an option that does not exist, and two fields in one
// place ([xml.TagPathError]).
//
// # What differs from encoding/xml
//
//   - A child whose tag has no namespace is in the namespace of its parent, as it
//     is written, and an attribute is in none. encoding/xml reads them from any,
//     so that a body of XHTML would be taken for that of a message.
//   - The namespace of a path is that of each of its elements. encoding/xml reads
//     it so, and writes something else.
//   - An XMLName without a namespace takes that of the field's tag, or else its
//     parent's. Nothing in XMPP is in no namespace.
//   - What is written is always well-formed: names are checked, attributes unique,
//     characters legal (encoding/xml writes U+FFFD for those that are not), and
//     innerxml is parsed before it is passed on.
//   - "xml:lang,attr" is read too, names with other prefixes are errors, and so are
//     options that do not exist.
//   - A method of the pointer counts when a value is written, whether or not it
//     can be addressed. Methods of nil pointers are not called.
//   - omitempty asks IsZero, where there is one. encoding/xml writes the year 1.
//   - A path is not written when its field is left out, and pointers to embedded
//     structs are made only when there is something to put there.
//   - Spare room of a slice is cleared before it is read into.
//
// Nothing that is read shares memory with the element. Elements nest no deeper
// than 100 levels; nor do slices and pointers without end.
package xmltags
