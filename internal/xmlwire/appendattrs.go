package xmlwire

import "bytes"

// AppendAttrs appends the attributes of n as they are written, except those with
// one of the names given, which are as written too, and a declaration of the
// default namespace. Declarations of prefixes are among them: what is inside of
// n may refer to them in its values.
func (n Node) AppendAttrs(dst []byte, except ...string) []byte {
	t := readTag(n.raw)
	return t.appendAttrs(dst, except)
}

// AppendRest appends n behind a start tag that somebody else has begun: the
// attributes as [Node.AppendAttrs] does, and all that follows them, the end tag
// included.
func (n Node) AppendRest(dst []byte, except ...string) []byte {
	t := readTag(n.raw)
	dst = t.appendAttrs(dst, except)
	if t.empty {
		return append(dst, "/>"...)
	}
	return append(dst, n.raw[t.end-len(">"):]...)
}

func (t *tag) appendAttrs(dst []byte, except []string) []byte {
attrs:
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if a.isDefaultDecl() {
			continue
		}
		for _, name := range except {
			if string(a.name) == name {
				continue attrs
			}
		}
		dst = append(append(dst, ' '), a.name...)
		if bytes.IndexByte(a.value, '\'') >= 0 { // it stood in double quotes
			dst = appendValue(dst, unescaped(a.value))
			continue
		}
		dst = append(append(append(dst, "='"...), a.value...), '\'')
	}
	return dst
}
