package xmlwire

import (
	"bytes"
	"slices"
)

// rewriter writes a checked element again, in plain form.
//
// Prefix declarations stay where they are, though names do without them: values
// may refer to them, such as xsi:type='xs:string'.
type rewriter struct {
	src, dst []byte
	scratch  []byte
	names    []string         // of namespaces, by number; comparing numbers takes bounded time
	numbers  map[string]int32 // of namespaces
	binds    []numbered       // prefixes in scope
	open     []reopened
}

// numbered is a prefix in scope.
type numbered struct {
	prefix []byte
	ns     int32
}

// reopened is an element whose end tag is to come.
type reopened struct {
	local []byte
	ns    int32 // its namespace, the default one in what is written
	def   int32 // the default namespace in what is read
	binds int   // how many prefixes are in scope around it
}

// What an element may grow to when it is written again: so many times its bytes,
// and so many more.
const (
	maxBlowUp      = 16
	maxBlowUpBytes = 4 << 10
)

// rewrite returns b, a whole element that was scanned, in plain form, in memory
// of the scanner. It reports false when that takes too many bytes: namespace names
// that many short prefixes stand for can blow an element up. What one byte costs
// must not depend on how many may come.
func (s *scanner) rewrite(b []byte) (plain []byte, ok bool) {
	w := rewriter{src: b, dst: s.rewritten[:0], numbers: map[string]int32{}}
	most := min(2*s.lim.Bytes, maxBlowUp*len(b)+maxBlowUpBytes)
	top := w.number([]byte(s.doc.contentNS))
	for i := range s.doc.rootBinds {
		bound := &s.doc.rootBinds[i]
		w.binds = append(w.binds, numbered{bound.prefix.of(s.doc.rootText), w.number(unescaped(bound.value.of(s.doc.rootText)))})
	}
	for pos := 0; pos < len(b); {
		rest := b[pos:]
		switch {
		case rest[0] != '<':
			pos += w.text(rest)
		case rest[1] == '/':
			pos += w.endTag(rest)
		case rest[1] == '!':
			pos += w.cdata(rest)
		default:
			pos += w.startTag(rest, top)
		}
		if len(w.dst) > most {
			return nil, false
		}
	}
	s.rewritten = w.dst
	return w.dst, true
}

// number returns the number of a namespace.
func (w *rewriter) number(ns []byte) int32 {
	n, ok := w.numbers[string(ns)]
	if !ok {
		n = int32(len(w.names))
		w.names = append(w.names, string(ns))
		w.numbers[w.names[n]] = n
	}
	return n
}

// text writes the character data at the start of rest and returns its length.
func (w *rewriter) text(rest []byte) int {
	n := bytes.IndexByte(rest, '<') // there is an end tag to come
	w.scratch = appendDecoded(w.scratch[:0], rest[:n], '\n')
	w.dst = appendEscaped(w.dst, w.scratch)
	return n
}

// cdata writes a CDATA section as text.
func (w *rewriter) cdata(rest []byte) int {
	const start, end = "<![CDATA[", "]]>"
	n := bytes.Index(rest, []byte(end))
	w.scratch = w.scratch[:0]
	for line := range bytes.SplitAfterSeq(rest[len(start):n], []byte("\r")) {
		// References mean nothing here; line ends do (XML §2.11).
		if len(w.scratch) > 0 && w.scratch[len(w.scratch)-1] == '\r' {
			w.scratch[len(w.scratch)-1] = '\n'
			line = bytes.TrimPrefix(line, []byte("\n"))
		}
		w.scratch = append(w.scratch, line...)
	}
	if last := len(w.scratch) - 1; last >= 0 && w.scratch[last] == '\r' {
		w.scratch[last] = '\n'
	}
	w.dst = appendEscaped(w.dst, w.scratch)
	return n + len(end)
}

// endTag writes the end tag at the start of rest.
func (w *rewriter) endTag(rest []byte) int {
	last := len(w.open) - 1
	w.dst = append(append(append(w.dst, "</"...), w.open[last].local...), '>')
	w.binds = w.binds[:w.open[last].binds]
	w.open = w.open[:last]
	return bytes.IndexByte(rest, '>') + 1
}

// startTag writes the start tag at the start of rest, of an element that
// inherits the namespace top if it is the outermost.
func (w *rewriter) startTag(rest []byte, top int32) int {
	t := readTag(rest)
	parent := reopened{ns: top, def: top}
	if len(w.open) > 0 {
		parent = w.open[len(w.open)-1]
	}
	elem := reopened{def: parent.def, binds: len(w.binds)}
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		if a.isDefaultDecl() {
			elem.def = w.number(unescaped(a.value))
		} else if p, ok := a.isPrefixDecl(); ok {
			w.binds = append(w.binds, numbered{p, w.number(unescaped(a.value))})
		}
	}
	prefix, local := split(t.name)
	elem.local, elem.ns = local, elem.def
	if prefix != nil {
		elem.ns = w.binds[w.lookup(prefix)].ns
	}
	w.dst = append(append(w.dst, '<'), local...)
	if elem.ns != parent.ns {
		w.dst = appendAttr(w.dst, "xmlns", w.names[elem.ns])
	}
	w.attrs(&t, elem.binds)
	if t.empty {
		w.dst = append(w.dst, "/>"...)
		w.binds = w.binds[:elem.binds]
	} else {
		w.dst = append(w.dst, '>')
		w.open = append(w.open, elem)
	}
	return t.end
}

// attrs writes the attributes of t and declares those of their prefixes that are
// bound outside of it; the first around of w.binds are.
func (w *rewriter) attrs(t *tag, around int) {
	var redeclared [][]byte
	for a, rest, ok := nextAttr(t.attrs); ok; a, rest, ok = nextAttr(rest) {
		prefix, _ := split(a.name)
		switch string(prefix) {
		case "":
			if a.isDefaultDecl() {
				continue
			}
		case "xml", "xmlns":
		default:
			i := w.lookup(prefix)
			if i >= around || slices.ContainsFunc(redeclared, func(p []byte) bool { return bytes.Equal(p, prefix) }) {
				break
			}
			redeclared = append(redeclared, prefix)
			w.dst = append(append(w.dst, " xmlns:"...), prefix...)
			w.dst = appendValue(w.dst, bytesOf(w.names[w.binds[i].ns]))
		}
		w.dst = append(append(w.dst, ' '), a.name...)
		w.dst = appendValue(w.dst, unescaped(a.value))
	}
}

// lookup returns the index of prefix, which is in scope.
func (w *rewriter) lookup(prefix []byte) int {
	i := len(w.binds) - 1
	for i > 0 && (len(w.binds[i].prefix) != len(prefix) || !bytes.Equal(w.binds[i].prefix, prefix)) {
		i--
	}
	return i
}
