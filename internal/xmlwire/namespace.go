package xmlwire

import (
	"bytes"
	"encoding/xml"
	"hash/maphash"
	"slices"
)

// binding is a prefix in scope. Its positions point into the element being
// scanned or, for one that the root declares, into scanner.rootText.
type binding struct {
	prefix, value span
	name          string // of the namespace, once it was asked for
	hash          uint64 // of the namespace name
	isStream      bool   // it is the stream namespace
	ofRoot        bool
}

// The values of attrSpan.binding for prefixes that nothing declares, or that need not be.
const (
	noPrefix  = -1
	xmlPrefix = -2
)

// endStart ends the start tag that ends before next: it applies the tag's
// declarations and checks its names (Namespaces in XML §3, §5, §6).
func (s *scanner) endStart(b []byte, next int, empty bool) (_ int, ok, done bool) {
	depth, around := len(s.open), int32(len(s.binds))
	inStream := depth == 0 && s.doc.contentNS == NSStreams
	if depth > 0 {
		inStream = s.open[depth-1].inStream
	}
	var defaultNS *attrSpan
	for i := range s.attrs {
		a := &s.attrs[i]
		if !s.declare(b, a, next) {
			return next, false, false
		}
		if a.declares && !a.prefixed() {
			defaultNS = a
			inStream = string(a.decoded(b)) == NSStreams
		}
	}
	if !s.resolveAttrs(b, around, next) {
		return next, false, false
	}
	elemInStream := inStream
	s.elem.binding = noPrefix
	if s.elem.prefixed() {
		s.plain = false
		if !s.resolveElem(b, next) {
			return next, false, false
		}
		elemInStream = s.binds[s.elem.binding].isStream
	}
	if elemInStream && !s.root && !s.inPlace(b, depth, next) {
		return next, false, false
	}
	if s.root {
		s.keepRoot(b[:next], defaultNS)
		s.name = s.expand(b, &s.elem, defaultNS, s.doc.contentNS)
		s.isRootEnd = empty
		return next, true, true
	}
	switch depth {
	case 0:
		s.name = s.expand(b, &s.elem, defaultNS, s.doc.contentNS)
		s.innerNS = s.doc.contentNS
		if defaultNS != nil {
			s.innerNS = s.memo.names.of(nil, defaultNS.decoded(b)).Space
		}
		s.findHead(b)
	case 1:
		s.addChild(s.expand(b, &s.elem, defaultNS, s.innerNS), int(s.elem.from)-1, next)
	}
	s.state = stText
	if empty {
		s.binds = s.binds[:around]
		return next, true, depth == 0
	}
	s.open = append(s.open, openElem{s.elem.name(), around, inStream})
	return next, true, false
}

// addChild notes a child whose start tag stands from start to end, which is all of
// it unless an end tag follows.
func (s *scanner) addChild(name xml.Name, start, end int) {
	if n := len(s.children); n == cap(s.children) { // append would grow long lists by a quarter only
		s.children, s.parts = slices.Grow(s.children, max(n, few)), slices.Grow(s.parts, max(n, few))
	}
	s.children = append(s.children, name)
	s.parts = append(s.parts, Part{int32(start), int32(end), int32(end), int32(end)})
}

// few is how many children there is room for at first.
const few = 8

// endPart notes that the last child has an end tag, from start to end.
func (s *scanner) endPart(start, end int) {
	p := &s.parts[len(s.parts)-1]
	p.contentEnd, p.end = int32(start), int32(end)
}

// inPlace refuses an element of the stream namespace where none may stand.
func (s *scanner) inPlace(b []byte, depth, pos int) bool {
	if depth > 0 {
		return s.refuse(badFormat, "element of the stream namespace inside a first-level element (RFC 6120 §4.8.1)", pos)
	}
	if string(s.elem.localOf(b)) == "stream" {
		return s.refuse(badFormat, "stream header inside a stream (RFC 6120 §4.2)", pos)
	}
	return true
}

// declare applies a, if it is a namespace declaration.
func (s *scanner) declare(b []byte, a *attrSpan, pos int) bool {
	isDefault := !a.prefixed()
	if isDefault && string(a.localOf(b)) != "xmlns" || !isDefault && string(a.prefixOf(b)) != "xmlns" {
		return true
	}
	a.declares = true
	if s.namespaces++; s.namespaces > s.lim.Namespaces {
		return s.refuse(policyViolation, "too many namespace declarations", pos)
	}
	name := a.decoded(b)
	if string(name) == NSXMLNS {
		return s.refuse(notWellFormed, "declaration of the namespace of declarations (Namespaces in XML §3)", pos)
	}
	isXML := string(name) == NSXML
	if isDefault {
		if isXML {
			return s.refuse(notWellFormed, "xml namespace as default (Namespaces in XML §3)", pos)
		}
		return true
	}
	switch prefix := a.localOf(b); {
	case string(prefix) == "xmlns":
		return s.refuse(notWellFormed, "declaration of the prefix xmlns (Namespaces in XML §3)", pos)
	case string(prefix) == "xml" && isXML:
		return true
	case string(prefix) == "xml" || isXML:
		return s.refuse(notWellFormed, "xml prefix and namespace not bound to each other (Namespaces in XML §3)", pos)
	case len(name) == 0:
		return s.refuse(notWellFormed, "prefix bound to no namespace (Namespaces in XML §5)", pos)
	case len(s.binds) >= maxPrefixes:
		return s.refuse(policyViolation, "too many prefixes in scope", pos)
	}
	s.binds = append(s.binds, binding{
		prefix:   span{a.local, a.end},
		value:    a.value,
		hash:     maphash.Bytes(seed, name),
		isStream: string(name) == NSStreams,
	})
	return true
}

// decoded is the value of a as it reads.
func (a *attrSpan) decoded(b []byte) []byte { return unescaped(a.value.of(b)) }

// refuse is fail for methods that return whether all is well.
func (s *scanner) refuse(condition, detail string, pos int) bool {
	s.fail(condition, detail, pos)
	return false
}

// resolveElem finds what the prefix of the element is bound to.
func (s *scanner) resolveElem(b []byte, pos int) bool {
	switch prefix := s.elem.prefixOf(b); string(prefix) {
	case "xmlns":
		return s.refuse(notWellFormed, "element with the prefix xmlns (Namespaces in XML §3)", pos)
	case "xml":
		// Well-formed, but no vocabulary has such elements, and without its
		// prefix, which no other can replace, it could not be written.
		return s.refuse(badNamespacePrefix, "element with the prefix xml (RFC 6120 §4.9.3.2)", pos)
	default:
		return s.lookup(b, prefix, &s.elem, pos)
	}
}

// resolveAttrs finds what the prefixes of the attributes are bound to, and
// refuses a tag with two attributes of one name, as written or as expanded.
func (s *scanner) resolveAttrs(b []byte, around int32, pos int) bool {
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.declares || !a.prefixed() {
			continue
		}
		if prefix := a.prefixOf(b); string(prefix) == "xml" {
			a.binding = xmlPrefix
		} else if !s.lookup(b, prefix, a, pos) {
			return false
		} else if a.binding < around {
			s.plain = false // declared further out
		}
	}
	if s.repeats(b) {
		return s.refuse(notWellFormed, "two attributes of the same name (XML §3.1, Namespaces in XML §6.3)", pos)
	}
	return true
}

// lookup sets the binding of a, which has this prefix.
func (s *scanner) lookup(b, prefix []byte, a *attrSpan, pos int) bool {
	for i := len(s.binds) - 1; i >= 0; i-- {
		bound := &s.binds[i]
		if bound.prefix.len() == len(prefix) && bytes.Equal(bound.prefix.of(s.source(b, bound)), prefix) {
			a.binding = int32(i)
			return true
		}
	}
	return s.refuse(notWellFormed, "prefix that is not declared (RFC 6120 §4.9.3.13)", pos)
}

// source is what the positions of bound point into.
func (s *scanner) source(b []byte, bound *binding) []byte {
	if bound.ofRoot {
		return s.doc.rootText
	}
	return b
}

// fewAttrs is how many attributes are compared each with each.
const fewAttrs = 12

// repeats reports whether two attributes of the tag have the same name.
func (s *scanner) repeats(b []byte) bool {
	if len(s.attrs) <= fewAttrs {
		for i := range s.attrs {
			for j := range i {
				if s.sameName(b, &s.attrs[i], &s.attrs[j]) {
					return true
				}
			}
		}
		return false
	}
	// Equal names have equal keys; only those with equal keys are compared.
	type keyed struct {
		key uint64
		i   int
	}
	keys := make([]keyed, len(s.attrs))
	for i := range s.attrs {
		a := &s.attrs[i]
		keys[i] = keyed{maphash.Bytes(seed, a.localOf(b)) + s.nsHash(a), i}
	}
	slices.SortFunc(keys, func(x, y keyed) int {
		switch {
		case x.key < y.key:
			return -1
		case x.key > y.key:
			return 1
		}
		return 0
	})
	for i := range keys[1:] {
		if keys[i].key == keys[i+1].key && s.sameName(b, &s.attrs[keys[i].i], &s.attrs[keys[i+1].i]) {
			return true
		}
	}
	return false
}

// nsHash tells the namespaces of attributes apart. Declarations are in one of their own.
func (s *scanner) nsHash(a *attrSpan) uint64 {
	switch {
	case a.binding >= 0:
		return s.binds[a.binding].hash
	case a.binding == xmlPrefix:
		return 1
	case a.declares && a.prefixed():
		return 2
	default:
		return 0
	}
}

// sameName reports whether x and y have the same expanded name.
func (s *scanner) sameName(b []byte, x, y *attrSpan) bool {
	if s.nsHash(x) != s.nsHash(y) || !bytes.Equal(x.localOf(b), y.localOf(b)) {
		return false
	}
	if x.binding == y.binding || x.binding < 0 || y.binding < 0 {
		return x.binding == y.binding
	}
	p, q := &s.binds[x.binding], &s.binds[y.binding]
	return bytes.Equal(unescaped(p.value.of(s.source(b, p))), unescaped(q.value.of(s.source(b, q))))
}

// expand returns the expanded name of e, an element or attribute. defaultNS is
// its tag's xmlns, if there is one; without it, inherited is the namespace.
func (s *scanner) expand(b []byte, e, defaultNS *attrSpan, inherited string) xml.Name {
	switch {
	case e.binding >= 0:
		bound := &s.binds[e.binding]
		if bound.name == "" { // once for each declaration, however long it is and however often used
			bound.name = intern(unescaped(bound.value.of(s.source(b, bound))))
		}
		return s.memo.names.in(e.localOf(b), bound.name)
	case e.binding == xmlPrefix:
		return s.memo.names.in(e.localOf(b), NSXML)
	case defaultNS != nil:
		return s.memo.names.of(e.localOf(b), defaultNS.decoded(b))
	}
	return s.memo.names.in(e.localOf(b), inherited)
}

// keepRoot keeps what later elements need of the root's start tag: its name and
// the prefixes it declares.
func (s *scanner) keepRoot(tag []byte, defaultNS *attrSpan) {
	var kept []byte
	keep := func(part span) span {
		from := int32(len(kept))
		kept = append(kept, part.of(tag)...)
		return span{from, int32(len(kept))}
	}
	s.doc.rootName = keep(s.elem.name())
	for i := range s.binds {
		b := &s.binds[i]
		b.prefix, b.value, b.ofRoot = keep(b.prefix), keep(b.value), true
	}
	s.doc.rootText = slices.Clip(kept)
	s.doc.rootBinds, s.fresh = slices.Clone(s.binds), true
	if defaultNS != nil {
		s.doc.contentNS = intern(defaultNS.decoded(tag))
	}
}
