package xmlwire

import (
	"encoding/xml"
	"slices"
)

// wholeTag is what was found of an ordinary start tag. Positions count from its
// name.
type wholeTag struct {
	name           int                               // where it ends
	attrs          int                               // how many there are
	longest        int                               // how many bytes the longest has, the value of an id left out
	idFrom, idTo   int                               // the value of the id; 0 without one
	spaceFrom      int                               // the value of xmlns
	spaceTo        int                               // 0 without one
	head           [headAttrs]struct{ from, to int } // the values of the attributes of a Head; to is 0 without
	odd            uint8                             // which of these may not read as they are written, as bits
	literal, empty bool                              // all values read as they are written; the tag ends in "/>"
	others         bool                              // see Head
	expanded       xml.Name
}

// wholeStart takes the start tag whose name begins at pos, if it is one of the
// ordinary ones, and returns the position behind it, and whether the element ends
// there too. Ordinary tags have no prefixes but xml, one blank before each
// attribute, a namespace that is not the stream's, and all of it is in b.
//
// It returns 0, with nothing changed, for whatever else there is: incomplete tags,
// wrong ones, unusual ones. They are looked at again, step by step; that happens
// once a tag at most, so it costs no more than looking at each byte twice.
func (s *scanner) wholeStart(b []byte, pos int, known *knownTag) (next int, done bool) {
	w := &s.tag
	*w = wholeTag{literal: true}
	size := w.read(s, b, pos)
	if size == 0 || !s.inOrdinary(w.spaceTo > 0) {
		return 0, false
	}
	tag := b[pos : pos+size]
	w.expanded = s.memo.names.of(tag[:w.name], tag[w.spaceFrom:w.spaceTo])
	name := w.expanded
	switch depth := len(s.open); depth {
	case 0:
		if w.spaceTo == 0 {
			name.Space = s.doc.contentNS
		}
		s.name, s.innerNS = name, s.doc.contentNS
		if w.spaceTo > 0 {
			s.innerNS = name.Space
		}
		s.noteHead(w, pos)
	case 1:
		if w.spaceTo == 0 {
			name.Space = s.innerNS
		}
		s.addChild(name, pos-1, pos+size)
	}
	s.remember(known, tag, w)
	if w.empty {
		return pos + size, len(s.open) == 0
	}
	s.open = append(s.open, openElem{span{int32(pos), int32(pos + w.name)}, int32(len(s.binds)), false})
	return pos + size, false
}

// read reads an ordinary start tag and returns its size, or 0.
func (w *wholeTag) read(s *scanner, b []byte, pos int) (size int) {
	if !is(b[pos], charNameStart) {
		return 0
	}
	i, _ := nameRun(b, pos)
	w.name = i - pos
	most, seen := min(s.lim.Attrs, len(s.keys)), uint64(0)
	for i+1 < len(b) && b[i] == ' ' {
		if w.attrs >= most {
			return 0
		}
		from := i + 1
		a, value, end := s.wholeAttr(b, from)
		if end == 0 || seen&a.bit != 0 && slices.Contains(s.keys[:w.attrs], a.key) {
			return 0
		}
		seen |= a.bit
		s.keys[w.attrs] = a.key
		w.attrs++
		if !w.note(a, value-pos, end-pos, from-pos) {
			return 0
		}
		i = end + 1
	}
	switch {
	case i < len(b) && b[i] == '>':
		i++
	case i+1 < len(b) && b[i] == '/' && b[i+1] == '>':
		i, w.empty = i+2, true
	default:
		return 0
	}
	switch string(b[pos+w.spaceFrom : pos+w.spaceTo]) {
	case NSStreams, NSXML, NSXMLNS:
		return 0
	}
	return i - pos
}

// attrAt is an attribute that was found good.
type attrAt struct {
	key     uint64 // see shortName; of a longer name, its beginning
	bit     uint64 // for a first look at whether it is there already
	literal bool   // the value reads as it is written
	short   bool   // key is all of the name
}

// keyLang is the key of xml:lang.
const keyLang = 1

// wholeAttr takes the attribute at pos, and returns where its value begins and
// ends, or an end of 0 for one to be looked at step by step.
func (s *scanner) wholeAttr(b []byte, pos int) (a attrAt, value, end int) {
	i, key := shortName(b, pos, '=')
	if a.short = key != 0; !a.short {
		if i, key = nameRun(b, pos); key == 0 || i == len(b) {
			return a, 0, 0
		}
		if b[i] == ':' {
			const lang = "xml:lang"
			if i = pos + len(lang); i > len(b) || string(b[pos:i]) != lang {
				return a, 0, 0
			}
			key, a.short = keyLang, true
		}
	}
	if i+1 >= len(b) || b[i] != '=' || b[i+1] != '"' && b[i+1] != '\'' {
		return a, 0, 0
	}
	quote, value := b[i+1], i+2
	if i = plainValue(b, value, quote); i == len(b) {
		return a, 0, 0
	}
	if a.literal = b[i] == quote; !a.literal {
		plain, ok := s.plain, false
		s.quote = quote
		if i, ok = s.value(b, i); !ok {
			s.plain, s.err = plain, nil // if there is an error, it is met again
			return a, 0, 0
		}
	}
	if i-pos > s.lim.AttrBytes {
		return a, 0, 0 // or just not, if that counts the = and the quote
	}
	a.key, a.bit = key, 1<<(key*0x9E3779B97F4A7C15>>58)
	return a, value, i
}

// note notes an attribute whose name begins at start and whose value stands
// between from and to. It reports false for an xmlns to be looked at step by step.
func (w *wholeTag) note(a attrAt, from, to, start int) bool {
	which := headAttrs
	if a.short {
		switch a.key {
		case keyXMLNS:
			w.spaceFrom, w.spaceTo = from, to
			w.longest = max(w.longest, to-start)
			return a.literal && from < to
		case keyID:
			which = headID
			w.idFrom, w.idTo = from, to
		case keyTo:
			which = headTo
		case keyFrom:
			which = headFrom
		case keyType:
			which = headType
		case keyLang:
			which = headLang
		}
	}
	if which == headID {
		w.longest = max(w.longest, from-start) // the value is another one each time
	} else {
		w.longest = max(w.longest, to-start)
	}
	w.literal = w.literal && a.literal
	if which == headAttrs {
		w.others = true
		return true
	}
	w.head[which].from, w.head[which].to = from, to
	if !a.literal {
		w.odd |= 1 << which
	}
	return true
}

// noteHead notes where the attributes of a first-level element stand that its Head
// has.
func (s *scanner) noteHead(w *wholeTag, pos int) {
	s.head.Others = s.head.Others || w.others
	for which, at := range w.head {
		if at.to > 0 {
			s.headAt[which] = headSpan{span{int32(pos + at.from), int32(pos + at.to)}, true, w.odd&(1<<which) == 0}
		}
	}
}

// inOrdinary reports whether a start tag is in an ordinary namespace: one of its
// own, which is counted then, or one that is not the stream's.
func (s *scanner) inOrdinary(declares bool) bool {
	if declares {
		if s.namespaces >= s.lim.Namespaces {
			return false
		}
		s.namespaces++
		return true
	}
	if depth := len(s.open); depth > 0 {
		return !s.open[depth-1].inStream
	}
	return s.doc.contentNS != NSStreams
}
