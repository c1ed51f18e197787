package xmlwire

import "bytes"

// tag is a start tag, taken apart but not decoded. It is read from bytes that
// were checked; from others it comes out as something, and nothing worse.
type tag struct {
	name  []byte // as written
	attrs []byte // what follows the name, short of "/" and ">"
	end   int    // behind the ">"
	empty bool   // it ends in "/>"
}

// readTag reads the start tag at the start of b.
func readTag(b []byte) tag {
	if len(b) == 0 || b[0] != '<' {
		return tag{end: len(b), empty: true}
	}
	i := 1
	for i < len(b) && b[i] != '>' && b[i] != '/' && !is(b[i], charBlank) {
		i++
	}
	t := tag{name: b[1:i], end: len(b), empty: true}
	from := i
	for ; i < len(b); i++ {
		switch c := b[i]; c {
		case '"', '\'':
			n := bytes.IndexByte(b[i+1:], c)
			if n < 0 {
				return t
			}
			i += 1 + n
		case '>':
			t.end, t.empty = i+1, i > from && b[i-1] == '/'
			if t.empty {
				i--
			}
			t.attrs = b[from:i]
			return t
		}
	}
	return t
}

// rawAttr is an attribute as written.
type rawAttr struct{ name, value []byte }

// nextAttr takes the first attribute off attrs.
func nextAttr(attrs []byte) (a rawAttr, rest []byte, ok bool) {
	i := skipBlanks(attrs, 0)
	from := i
	for i < len(attrs) && attrs[i] != '=' && !is(attrs[i], charBlank) {
		i++
	}
	a.name = attrs[from:i]
	if i = skipBlanks(attrs, i); i == len(attrs) || attrs[i] != '=' {
		return rawAttr{}, nil, false
	}
	if i = skipBlanks(attrs, i+1); i == len(attrs) || attrs[i] != '"' && attrs[i] != '\'' {
		return rawAttr{}, nil, false
	}
	n := bytes.IndexByte(attrs[i+1:], attrs[i])
	if n < 0 {
		return rawAttr{}, nil, false
	}
	a.value = attrs[i+1 : i+1+n]
	return a, attrs[i+2+n:], true
}

// split cuts a name at its colon. The prefix of a name without one is nil.
func split(name []byte) (prefix, local []byte) {
	if before, after, ok := bytes.Cut(name, []byte{':'}); ok {
		return before, after
	}
	return nil, name
}

// isDefaultDecl reports whether a is xmlns='…'.
func (a rawAttr) isDefaultDecl() bool { return string(a.name) == "xmlns" }

// isPrefixDecl reports whether a is xmlns:p='…', and p.
func (a rawAttr) isPrefixDecl() (p []byte, ok bool) {
	return bytes.CutPrefix(a.name, []byte("xmlns:"))
}

// namespace is the default namespace in the tag of an element that inherits this one.
func (t *tag) namespace(inherited string) string {
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if !a.isDefaultDecl() {
			continue
		}
		if ns := unescaped(a.value); string(ns) != inherited {
			return intern(ns)
		}
		return inherited
	}
	return inherited
}

// prefixNamespace is what the tag itself binds prefix to.
func (t *tag) prefixNamespace(prefix []byte) (ns []byte, ok bool) {
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if p, ok := a.isPrefixDecl(); ok && bytes.Equal(p, prefix) {
			return unescaped(a.value), true
		}
	}
	return nil, false
}
