package xmlwire

import "encoding/xml"

// maxKnownTag bounds the bytes of a tag that is remembered, without its "<" and
// the value of its id.
const maxKnownTag = 224

// knownTag is an ordinary start tag that was checked, see wholeStart. Whether such a
// tag is good depends on nothing around it, so it is known by its bytes, but for
// the value of an id, which is another one each time.
type knownTag struct {
	first, mask uint64 // the first eight bytes of text, or as many as there are
	text        [maxKnownTag]byte
	size        uint8 // of text; 0 for none
	hole        uint8 // where in text the value of the id was left out; 0 for nowhere
	quote       byte  // of that value
	nameLen     uint8
	attrs       uint8                               // how many there are
	longest     uint8                               // how many bytes the longest of them has, without that value
	declares    bool                                // there is an xmlns
	empty       bool                                // the tag ends in "/>"
	others      bool                                // see Head
	present     uint8                               // which attributes of a Head there are, as bits
	head        [headAttrs]struct{ from, to uint8 } // where in text they stand
	name        xml.Name                            // expanded if declares is set; or else without Space
}

// match returns the position behind the tag, if it stands at pos, and the end of
// the value of its id, if it has one.
func (t *knownTag) match(b []byte, pos int) (next, idEnd int) {
	size, hole := int(t.size), int(t.hole)
	if size == 0 || pos+8 > len(b) || (word(b[pos:pos+8])^t.first)&t.mask != 0 {
		return 0, 0
	}
	if hole == 0 {
		if size > 8 && (size > len(b)-pos || string(b[pos+8:pos+size]) != string(t.text[8:size])) {
			return 0, 0
		}
		return pos + size, 0
	}
	if hole > len(b)-pos || string(b[pos:pos+hole]) != string(t.text[:hole]) {
		return 0, 0
	}
	idEnd = plainValue(b, pos+hole, t.quote)
	rest := size - hole
	if rest > len(b)-idEnd || string(b[idEnd:idEnd+rest]) != string(t.text[hole:size]) {
		return 0, 0
	}
	return idEnd + rest, idEnd
}

// knownStart takes a start tag that is known to be good. It returns 0, with
// nothing changed, when it has to be looked at.
func (s *scanner) knownStart(t *knownTag, b []byte, pos int) (next int, done bool) {
	next, idEnd := t.match(b, pos)
	if next == 0 {
		return 0, false
	}
	longest := int(t.longest)
	if t.hole > 0 {
		longest = max(longest, idEnd-pos) // or less
	}
	if int(t.attrs) > s.lim.Attrs || longest > s.lim.AttrBytes || !s.inOrdinary(t.declares) {
		return 0, false
	}
	switch len(s.open) {
	case 0:
		s.name = s.knownName(t, s.doc.contentNS)
		if s.innerNS = s.doc.contentNS; t.declares {
			s.innerNS = s.name.Space
		}
		s.knownHead(t, pos, idEnd)
	case 1:
		s.addChild(s.knownName(t, s.innerNS), pos-1, next)
	}
	if t.empty {
		return next, len(s.open) == 0
	}
	s.open = append(s.open, openElem{span{int32(pos), int32(pos) + int32(t.nameLen)}, int32(len(s.binds)), false})
	return next, false
}

// knownName is the expanded name of an element whose start tag is known.
func (s *scanner) knownName(t *knownTag, inherited string) xml.Name {
	if t.declares {
		return t.name
	}
	return xml.Name{Space: inherited, Local: t.name.Local}
}

// knownHead notes where the attributes of a Head stand in a known tag at pos.
func (s *scanner) knownHead(t *knownTag, pos, idEnd int) {
	s.head.Others = s.head.Others || t.others
	for which := range headAttrs {
		if t.present&(1<<which) == 0 {
			continue
		}
		from, to := int(t.head[which].from), int(t.head[which].to)
		switch shift := idEnd - pos - int(t.hole); {
		case t.hole > 0 && which == headID:
			to = idEnd - pos
		case t.hole > 0 && from > int(t.hole):
			from, to = from+shift, to+shift
		}
		h := &s.headAt[which]
		h.value.from, h.value.to = int32(pos+from), int32(pos+to)
		h.present, h.literal = true, true
	}
}

// remember makes the start tag b, without its "<", what is known in t. It was
// found good just now, and is an ordinary one.
func (s *scanner) remember(t *knownTag, b []byte, w *wholeTag) {
	if !w.literal || len(b)-(w.idTo-w.idFrom) > maxKnownTag {
		return
	}
	t.size = 0
	t.hole, t.quote = 0, 0
	n := 0
	if w.idFrom > 0 {
		t.hole, t.quote = uint8(w.idFrom), b[w.idFrom-1]
		n = copy(t.text[:], b[:w.idFrom])
		b = b[w.idTo:]
	}
	n += copy(t.text[n:], b)
	t.first, t.mask = word(t.text[:8]), 1<<(8*min(n, 8))-1
	if t.hole > 0 && t.hole < 8 {
		t.mask = 1<<(8*t.hole) - 1
	}
	t.nameLen, t.attrs, t.longest = uint8(w.name), uint8(w.attrs), uint8(w.longest)
	t.declares, t.empty, t.others = w.spaceTo > 0, w.empty, w.others
	t.present = 0
	for which, at := range w.head {
		if at.to == 0 {
			continue
		}
		if w.idFrom > 0 && at.from > w.idFrom {
			at.from, at.to = at.from-(w.idTo-w.idFrom), at.to-(w.idTo-w.idFrom)
		}
		t.present |= 1 << which
		t.head[which].from, t.head[which].to = uint8(at.from), uint8(at.to)
	}
	t.name = w.expanded
	t.size = uint8(n)
}
