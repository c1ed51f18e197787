package stanza

import (
	"fmt"
	"reflect"

	"github.com/parlance-xmpp/xmpp/internal/xmltags"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// Marshal returns a payload that writes v, a struct or a pointer to one, by its
// struct tags. They are those of encoding/xml:
//
//	type Move struct {
//		XMLName xml.Name `xml:"urn:example:chess move"`
//		Game    string   `xml:"game,attr"`
//		From    string   `xml:"from"`
//		To      string   `xml:"to"`
//		Comment string   `xml:"comment,omitempty"`
//	}
//
// Supported are attr, chardata, cdata, innerxml, any, omitempty and paths such as
// a>b, on strings, numbers, booleans, []byte, structs, slices, pointers and
// whatever has methods for text or for encoding/xml. A field whose type is a
// [Payload] writes itself; a [Decoder] reads itself, and an [Element] holds
// whatever is there. A tag without a namespace means that of the element around
// it, also when it is read. The guide docs/payloads.md has more.
//
// Values are escaped and names checked. v is read each time the payload is written,
// which is also when AppendXML tells of what cannot be: an unsupported type, a
// tag that makes no sense, a character that XML does not have ([ErrCharacter]).
// It goes by v's tags even if v is a Payload, so that v's own AppendXML may call
// Marshal.
func Marshal(v any) Payload { return marshaled{v} }

type marshaled struct{ v any }

func (m marshaled) AppendXML(dst []byte) ([]byte, error) {
	out, err := tags.Append(dst, m.v, NS)
	if err != nil {
		return dst, fmt.Errorf("stanza: marshal %w", err)
	}
	return out, nil
}

// tags writes and reads by struct tags.
var tags = xmltags.Codec{NS: NS, Own: readsItself}

var elementType = reflect.TypeFor[*Element]()

// readsItself tells how fields that are elements or decoders are read.
func readsItself(ptr reflect.Type) (xmltags.Own, bool) {
	switch {
	case ptr == elementType:
		return xmltags.Own{Decode: func(n xmlwire.Node, v any) error {
			*v.(*Element) = NewElement(n.AppendTo(nil, NS)) // a copy, as of all that tags read
			return nil
		}}, true
	case ptr.Implements(reflect.TypeFor[Decoder]()):
		return xmltags.Own{
			Name:   reflect.New(ptr.Elem()).Interface().(Decoder).PayloadName(),
			Decode: func(n xmlwire.Node, v any) error { return Element{node: n}.decodeBy(v.(Decoder)) },
		}, true
	}
	return xmltags.Own{}, false
}
