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
	inStream := s.contentNS == NSStreams
	if depth > 0 {
		inStream = s.open[depth-1].inStream
	}
	defaultNS := span{-1, -1}
	if len(s.attrs) > 0 {
		for i := range s.attrs {
			if !s.declare(b, &s.attrs[i], next) {
				return next, false, false
			}
			if a := &s.attrs[i]; a.declares && a.prefix.len() == 0 {
				defaultNS = a.value
				inStream = isNamespace(a.value.of(b), NSStreams)
			}
		}
		if !s.resolveAttrs(b, around, next) {
			return next, false, false
		}
	}
	elemInStream := inStream
	s.elem.binding = noPrefix
	if s.elem.prefix.len() > 0 {
		s.plain = false
		if !s.resolveElem(b, next) {
			return next, false, false
		}
		elemInStream = s.binds[s.elem.binding].isStream
	}
	if elemInStream && !s.root {
		if depth > 0 {
			s.fail(badFormat, "element of the stream namespace inside a first-level element (RFC 6120 §4.8.1)", next)
			return next, false, false
		}
		if string(s.elem.local.of(b)) == "stream" {
			s.fail(badFormat, "stream header inside a stream (RFC 6120 §4.2)", next)
			return next, false, false
		}
	}
	if depth == 0 {
		s.name = s.expand(b, &s.elem, defaultNS)
		if s.root {
			s.isRootEnd = empty
			s.keepRoot(b[:next], defaultNS)
			return next, true, true
		}
	}
	if empty {
		s.binds = s.binds[:around]
		s.state = stText
		return next, true, depth == 0
	}
	s.open = append(s.open, openElem{s.elem.name(), around, inStream})
	s.state = stText
	return next, true, false
}

// declare applies a, if it is a namespace declaration.
func (s *scanner) declare(b []byte, a *attrSpan, pos int) bool {
	a.binding = noPrefix
	isDefault := a.prefix.len() == 0
	if isDefault && string(a.local.of(b)) != "xmlns" || !isDefault && string(a.prefix.of(b)) != "xmlns" {
		return true
	}
	a.declares = true
	if s.namespaces++; s.namespaces > s.lim.Namespaces {
		return s.refuse(policyViolation, "too many namespace declarations", pos)
	}
	name := a.value.of(b)
	isXML := isNamespace(name, NSXML)
	if isNamespace(name, NSXMLNS) {
		return s.refuse(notWellFormed, "declaration of the namespace of declarations (Namespaces in XML §3)", pos)
	}
	if isDefault {
		if isXML {
			return s.refuse(notWellFormed, "xml namespace as default (Namespaces in XML §3)", pos)
		}
		return true
	}
	switch prefix := a.local.of(b); {
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
		prefix:   a.local,
		value:    a.value,
		hash:     maphash.Bytes(s.seed, unescaped(name)),
		isStream: isNamespace(name, NSStreams),
	})
	return true
}

// refuse is fail for methods that return whether all is well.
func (s *scanner) refuse(condition, detail string, pos int) bool {
	s.fail(condition, detail, pos)
	return false
}

// resolveElem finds what the prefix of the element is bound to.
func (s *scanner) resolveElem(b []byte, pos int) bool {
	switch prefix := s.elem.prefix.of(b); string(prefix) {
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
		if a.declares || a.prefix.len() == 0 {
			continue
		}
		if prefix := a.prefix.of(b); string(prefix) == "xml" {
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
		return s.rootText
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
		keys[i] = keyed{maphash.Bytes(s.seed, a.local.of(b)) + s.nsHash(a), i}
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
	case a.declares && a.prefix.len() > 0:
		return 2
	default:
		return 0
	}
}

// sameName reports whether x and y have the same expanded name.
func (s *scanner) sameName(b []byte, x, y *attrSpan) bool {
	if x.local.len() != y.local.len() || s.nsHash(x) != s.nsHash(y) || !bytes.Equal(x.local.of(b), y.local.of(b)) {
		return false
	}
	if x.binding == y.binding || x.binding < 0 || y.binding < 0 {
		return x.binding == y.binding
	}
	p, q := &s.binds[x.binding], &s.binds[y.binding]
	return bytes.Equal(unescaped(p.value.of(s.source(b, p))), unescaped(q.value.of(s.source(b, q))))
}

// expand returns the expanded name of e, an element or attribute. defaultNS is
// where the value of its tag's xmlns stands, if from is not negative.
func (s *scanner) expand(b []byte, e *attrSpan, defaultNS span) xml.Name {
	name := xml.Name{Local: intern(e.local.of(b))}
	switch {
	case e.binding >= 0:
		bound := &s.binds[e.binding]
		name.Space = intern(unescaped(bound.value.of(s.source(b, bound))))
	case e.binding == xmlPrefix:
		name.Space = NSXML
	case defaultNS.from >= 0:
		name.Space = intern(unescaped(defaultNS.of(b)))
	default:
		name.Space = s.contentNS
	}
	return name
}

// keepRoot keeps what later elements need of the root's start tag: its name and
// the prefixes it declares.
func (s *scanner) keepRoot(tag []byte, defaultNS span) {
	var kept []byte
	keep := func(part span) span {
		from := int32(len(kept))
		kept = append(kept, part.of(tag)...)
		return span{from, int32(len(kept))}
	}
	s.rootName = keep(s.elem.name())
	for i := range s.binds {
		b := &s.binds[i]
		b.prefix, b.value, b.ofRoot = keep(b.prefix), keep(b.value), true
	}
	s.rootText = slices.Clip(kept)
	s.rootBinds = slices.Clone(s.binds)
	if defaultNS.from >= 0 {
		s.contentNS = intern(unescaped(defaultNS.of(tag)))
	}
}
