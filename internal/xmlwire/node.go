package xmlwire

import (
	"bytes"
	"encoding/xml"
	"iter"
)

// Node is a view of one element in plain form: cheap to copy, comparable to
// nothing, safe for concurrent use as long as nobody writes to its bytes. It
// decodes what it is asked for, each time.
//
// It is meant for what a [Reader], [Parse] or [AppendTokens] has produced. Of
// other bytes it makes something or other, but never panics.
type Node struct {
	raw       []byte
	inherited string
	content   span // between the tags; {0, 0} when it has not been looked for
}

// NewNode returns a view of raw, an element that stands where inheritedNS is the
// default namespace.
func NewNode(raw []byte, inheritedNS string) Node {
	return Node{raw: raw, inherited: inheritedNS}
}

// Name is the expanded name of n.
func (n Node) Name() xml.Name {
	t := readTag(n.raw)
	return xml.Name{Space: t.namespace(n.inherited), Local: intern(t.name)}
}

// Is reports whether n has this expanded name.
func (n Node) Is(space, local string) bool {
	t := readTag(n.raw)
	return string(t.name) == local && t.namespace(n.inherited) == space
}

// Raw is the bytes of n, which are shared and must not be written to.
func (n Node) Raw() []byte { return n.raw }

// Inherited is the namespace that n is in unless it declares one.
func (n Node) Inherited() string { return n.inherited }

// Attr returns the value of the attribute with this expanded name. space is empty
// for nearly all; for xml:lang it is [NSXML].
func (n Node) Attr(space, local string) (value string, ok bool) {
	v, ok := n.AttrBytes(space, local)
	return string(v), ok
}

// AttrBytes is [Node.Attr] without a copy: the value is a part of n, unless it had
// to be decoded.
func (n Node) AttrBytes(space, local string) (value []byte, ok bool) {
	if from := n.content.from; from > 0 && bytes.IndexByte(n.raw[:from], '=') < 0 {
		return nil, false // as most <body> have none
	}
	t := readTag(n.raw)
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if t.isAttr(a, space, local) {
			return unescaped(a.value), true
		}
	}
	return nil, false
}

// isAttr reports whether a, an attribute of t and no declaration, has this expanded name.
func (t *tag) isAttr(a rawAttr, space, local string) bool {
	prefix, name := split(a.name)
	if string(name) != local {
		return false
	}
	switch string(prefix) {
	case "":
		return space == "" && !a.isDefaultDecl()
	case "xmlns":
		return false
	case "xml":
		return space == NSXML
	}
	ns, ok := t.prefixNamespace(prefix)
	return ok && string(ns) == space
}

// Attrs yields the attributes, with expanded names, in their order. Declarations
// are left out.
func (n Node) Attrs() iter.Seq2[xml.Name, string] {
	return func(yield func(xml.Name, string) bool) {
		t := readTag(n.raw)
		for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
			if name, ok := t.attrName(a); ok && !yield(name, string(unescaped(a.value))) {
				return
			}
		}
	}
}

// attrName is the expanded name of a, an attribute of t. It reports false for a
// declaration.
func (t *tag) attrName(a rawAttr) (xml.Name, bool) {
	prefix, local := split(a.name)
	switch string(prefix) {
	case "":
		return xml.Name{Local: string(local)}, !a.isDefaultDecl()
	case "xmlns":
		return xml.Name{}, false
	case "xml":
		return xml.Name{Space: NSXML, Local: string(local)}, true
	}
	ns, ok := t.prefixNamespace(prefix)
	return xml.Name{Space: string(ns), Local: string(local)}, ok
}

// Text is the character data of n itself, without that of its children.
func (n Node) Text() string { return string(n.TextBytes()) }

// TextBytes is [Node.Text] without a copy: the text is a part of n, unless it had
// to be decoded or put together.
func (n Node) TextBytes() []byte {
	content := n.Content()
	end := bytes.IndexByte(content, '<')
	if end < 0 { // as in nearly all elements with text
		return decodedText(content)
	}
	text := appendDecoded(nil, content[:end], '\n')
	for rest := content[end:]; len(rest) > 0; {
		rest = rest[elementEnd(rest):]
		next := bytes.IndexByte(rest, '<')
		if next < 0 {
			next = len(rest)
		}
		text = appendDecoded(text, rest[:next], '\n')
		rest = rest[next:]
	}
	return text
}

// decodedText is appendDecoded, without a copy if there is nothing to decode.
func decodedText(raw []byte) []byte {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return appendDecoded(make([]byte, 0, len(raw)), raw, '\n')
}

// Children yields the child elements, in their order.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		content := n.Content()
		next := bytes.IndexByte(content, '<')
		if next < 0 {
			return
		}
		ns := n.Name().Space
		for next >= 0 {
			content = content[next:]
			end := elementEnd(content)
			if !yield(Node{raw: content[:end:end], inherited: ns}) {
				return
			}
			content = content[end:]
			next = bytes.IndexByte(content, '<')
		}
	}
}

// elementEnd returns the length of the element at the start of b; what begins as
// a tag but is none, in bytes that were not checked, counts as an empty element.
func elementEnd(b []byte) int {
	depth, pos := 0, 0
	for {
		if pos+1 < len(b) && b[pos+1] == '/' {
			end := bytes.IndexByte(b[pos:], '>')
			if end < 0 {
				return len(b)
			}
			pos += end + 1
			depth--
		} else {
			t := readTag(b[pos:])
			pos += t.end
			if !t.empty {
				depth++
			}
		}
		if depth <= 0 {
			return pos
		}
		next := bytes.IndexByte(b[pos:], '<')
		if next < 0 {
			return len(b)
		}
		pos += next
	}
}

// Content is the bytes between the start tag and the end tag, shared as those of
// [Node.Raw] are; nil if n is an empty-element tag.
func (n Node) Content() []byte {
	if n.content.to > 0 {
		if n.content.len() == 0 && n.content.to == int32(len(n.raw)) {
			return nil
		}
		return n.raw[n.content.from:n.content.to:n.content.to]
	}
	t := readTag(n.raw)
	end := bytes.LastIndex(n.raw, []byte("</"))
	if t.empty || end < t.end {
		return nil
	}
	return n.raw[t.end:end:end]
}

// AppendTo appends n as a child of an element whose namespace is parentNS: as it
// is, except that it declares its own namespace where it inherited another.
func (n Node) AppendTo(dst []byte, parentNS string) []byte {
	t := readTag(n.raw)
	ns := n.inherited
	if ns == parentNS || t.declaresDefault() || len(t.name) == 0 {
		return append(dst, n.raw...)
	}
	dst = append(append(dst, '<'), t.name...)
	dst = appendAttr(dst, "xmlns", ns)
	return append(dst, n.raw[1+len(t.name):]...)
}

// declaresDefault reports whether t declares a default namespace.
func (t *tag) declaresDefault() bool {
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if a.isDefaultDecl() {
			return true
		}
	}
	return false
}
