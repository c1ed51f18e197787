package xmlwire

import "encoding/xml"

// Head is what was noted of a first-level element while it was checked: the
// attributes that stanzas have in common (RFC 6120 §8.1) and what is in it.
//
// The values are decoded; those that are absent are nil. All of it is lent along
// with the element.
type Head struct {
	// Name is that of the element.
	Name                     xml.Name
	To, From, ID, Type, Lang []byte
	// Children are the expanded names of the element's children, in their order, and
	// Parts is where they stand.
	Children []xml.Name
	Parts    []Part
	// Others reports whether the start tag has attributes beside those five and a
	// declaration of the default namespace.
	Others bool
	// Rewritten reports whether the element came in another form than the plain one,
	// Decoded whether a value above is written in another way than it reads.
	Rewritten, Decoded bool
}

// A Part is where a child stands in the bytes of its parent.
type Part struct {
	start, content, contentEnd, end int32
}

// Child returns the child of an element that stands at p. Of the bytes of the
// element, raw is those from at on; ns is the default namespace within it.
func (p Part) Child(raw []byte, at int, ns string) Node {
	from, to := int(p.start)-at, int(p.end)-at
	return Node{raw[from:to:to], ns, span{p.content - p.start, p.contentEnd - p.start}}
}

// Span returns where the first and the last of some children in a row begin and end
// in the bytes of their parent.
func Span(parts []Part) (from, to int) {
	if len(parts) == 0 {
		return 0, 0
	}
	return int(parts[0].start), int(parts[len(parts)-1].end)
}

// The attributes of a Head.
const (
	headTo = iota
	headFrom
	headID
	headType
	headLang
	headAttrs
)

// headSpan is where the value of one of them stands.
type headSpan struct {
	value            span
	present, literal bool
}

// findHead notes where the attributes of a first-level element stand that its
// Head has.
func (s *scanner) findHead(b []byte) {
	for i := range s.attrs {
		a := &s.attrs[i]
		which := headAttr(b, a)
		if which < headAttrs {
			s.headAt[which] = headSpan{a.value, true, false}
		} else if !a.declares || a.prefixed() {
			s.head.Others = true
		}
	}
}

// headAttr tells which attribute of a Head a is; headAttrs if none.
func headAttr(b []byte, a *attrSpan) int {
	local := a.localOf(b)
	if a.prefixed() {
		if a.binding == xmlPrefix && string(local) == "lang" {
			return headLang
		}
		return headAttrs
	}
	switch string(local) {
	case "to":
		return headTo
	case "from":
		return headFrom
	case "id":
		return headID
	case "type":
		return headType
	}
	return headAttrs
}

// fillHead makes s.head of what was noted of raw, the whole element.
func (s *scanner) fillHead(raw []byte) {
	s.scratch, s.head.Decoded = s.scratch[:0], false
	value := func(which int) []byte {
		at := &s.headAt[which]
		if !at.present {
			return nil
		}
		v := raw[at.value.from:at.value.to:at.value.to]
		if at.literal || !isEncoded(v) {
			return v
		}
		s.head.Decoded = true
		from := len(s.scratch)
		s.scratch = appendDecoded(s.scratch, v, ' ')
		return s.scratch[from:len(s.scratch):len(s.scratch)]
	}
	h := &s.head
	h.Name = s.name
	h.To, h.From, h.ID, h.Type, h.Lang = value(headTo), value(headFrom), value(headID), value(headType), value(headLang)
	h.Children = s.children[:len(s.children):len(s.children)]
	h.Parts = s.parts[:len(s.parts):len(s.parts)]
}
