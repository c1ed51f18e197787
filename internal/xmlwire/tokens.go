package xmlwire

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
)

// Tokens reads n as the tokens of encoding/xml: a StartElement, what is in it,
// its EndElement, then io.EOF. They are as those of an [xml.Decoder] with Strict
// set: names are expanded and text is decoded, so
//
//	xml.NewTokenDecoder(n.Tokens()).Decode(&v)
//
// works, as does anything for mellium.im/xmlstream. They differ in two ways.
// Namespace declarations are left out, as names say it all; only an element that
// leaves a namespace for none has the attribute xmlns=” which tells it from one
// that inherits, to [AppendTokens] and to [xml.Encoder] alike. And CharData may
// be a part of n, not to be written to.
//
// A field with the tag ",innerxml" stays empty: encoding/xml fills it only from
// bytes. [Node.Content] has what would be in it.
func (n Node) Tokens() xml.TokenReader {
	return &tokens{rest: n.raw, ns: n.inherited}
}

type tokens struct {
	rest []byte
	ns   string // the default namespace where rest begins
	open []xml.Name
	end  bool // the next token is the end of an empty element
	done bool
}

// Token returns the next token, nil and io.EOF after the last.
func (t *tokens) Token() (xml.Token, error) {
	for {
		switch {
		case t.end:
			return t.endElement(), nil
		case t.done || len(t.rest) == 0:
			if len(t.open) > 0 {
				return t.endElement(), nil // of bytes that were not checked
			}
			return nil, io.EOF
		case t.rest[0] != '<':
			n := bytes.IndexByte(t.rest, '<')
			if n < 0 {
				n = len(t.rest)
			}
			text := t.rest[:n:n]
			t.rest = t.rest[n:]
			if len(t.open) > 0 {
				return xml.CharData(decodedText(text)), nil
			}
		case len(t.rest) > 1 && t.rest[1] == '/':
			n := bytes.IndexByte(t.rest, '>')
			t.rest = t.rest[n+1:]
			if n < 0 {
				t.rest = nil
			}
			if len(t.open) > 0 {
				return t.endElement(), nil
			}
		default:
			return t.startElement(), nil
		}
	}
}

func (t *tokens) startElement() xml.StartElement {
	tag := readTag(t.rest)
	t.rest = t.rest[tag.end:]
	start := xml.StartElement{Name: xml.Name{Space: tag.namespace(t.ns), Local: intern(tag.name)}}
	if start.Name.Space == "" && t.ns != "" {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "xmlns"}})
	}
	for a, rest, ok := nextAttr(tag.attrs); ok; a, rest, ok = nextAttr(rest) {
		if name, ok := tag.attrName(a); ok {
			start.Attr = append(start.Attr, xml.Attr{Name: name, Value: string(unescaped(a.value))})
		}
	}
	t.open = append(t.open, start.Name)
	t.ns, t.end = start.Name.Space, tag.empty
	return start
}

func (t *tokens) endElement() xml.EndElement {
	last := len(t.open) - 1
	name := t.open[last]
	t.open = slices.Delete(t.open, last, last+1)
	t.end, t.done = false, last == 0
	if last > 0 {
		t.ns = t.open[last-1].Space
	}
	return xml.EndElement{Name: name}
}
