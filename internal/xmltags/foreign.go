package xmltags

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// appendOwn appends what v, an Appender, writes.
func (tc *typeCodec) appendOwn(dst []byte, v reflect.Value, at place) ([]byte, error) {
	from := len(dst)
	dst, err := receiver(v).(Appender).AppendXML(dst)
	if err != nil || len(dst) <= from || at.ns == tc.c.NS {
		return dst, err
	}
	n := xmlwire.NewNode(bytes.Clone(dst[from:]), tc.c.NS)
	return n.AppendTo(dst[:from], at.ns), nil
}

// appendMarshaler appends what v, an xml.Marshaler, writes. field is nil if it
// must be one element.
func (tc *typeCodec) appendMarshaler(dst []byte, v reflect.Value, field *name, at place) ([]byte, error) {
	nm, err := field, error(nil)
	if nm == nil {
		if nm, err = typeName(tc.t); err != nil {
			return dst, err
		}
	}
	in, err := nm.enter(at)
	if err != nil {
		return dst, err
	}
	var buf bytes.Buffer
	e := xml.NewEncoder(&buf)
	if err := e.EncodeElement(receiver(v), xml.StartElement{Name: nm.xml(in.ns)}); err != nil {
		return dst, err
	}
	if err := e.Close(); err != nil {
		return dst, err
	}
	return appendForeign(dst, buf.Bytes(), field == nil, at)
}

// appendForeign appends the elements in b, any number or, if one is set, exactly one.
func appendForeign(dst, b []byte, one bool, at place) ([]byte, error) {
	n, err := parseContent(b, at)
	if err != nil {
		return dst, err
	}
	if strings.TrimSpace(n.Text()) != "" {
		return dst, fmt.Errorf("%w: text outside an element", xmlwire.ErrToken)
	}
	count := 0
	for c := range n.Children() {
		dst = c.AppendTo(dst, at.ns)
		count++
	}
	if one && count != 1 {
		return dst, errOne
	}
	return dst, nil
}

// appendInner appends v, a string or []byte that holds XML.
func appendInner(dst []byte, v reflect.Value, in place) ([]byte, error) {
	var b []byte
	if v.Kind() == reflect.String {
		b = []byte(v.String())
	} else {
		b = v.Bytes()
	}
	n, err := parseContent(b, in)
	if err != nil {
		return dst, err
	}
	return append(dst, n.Content()...), nil
}

// parseContent reads b, elements and text that the program brings along, and
// returns an element that has them as its content.
func parseContent(b []byte, in place) (xmlwire.Node, error) {
	limits := xmlwire.Limits{Bytes: 64 << 20, Elements: 1 << 20, AttrBytes: 1 << 20, Depth: maxDepth - in.depth + 1}
	e, err := xmlwire.Parse(slices.Concat([]byte("<x>"), b, []byte("</x>")), in.ns, limits)
	return xmlwire.NewNode(e.Raw, in.ns), err
}

// decodeUnmarshaler fills v, an xml.Unmarshaler, from n.
func decodeUnmarshaler(n xmlwire.Node, v reflect.Value) error {
	return xml.NewTokenDecoder(n.Tokens()).Decode(v.Addr().Interface())
}
