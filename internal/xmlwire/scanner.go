package xmlwire

import (
	"encoding/xml"
	"hash/maphash"
	"unicode/utf8"
)

// A state is where in the grammar a scanner stands.
type state uint8

const (
	stText        state = iota // in character data
	stMarkup                   // behind "<"
	stName                     // in the name of a start tag
	stAfterName                // behind that name, or behind an attribute
	stBetween                  // in a start tag, behind a blank
	stAttrName                 // in the name of an attribute
	stAfterAttr                // behind that name
	stBeforeValue              // behind "="
	stValue                    // in a value, between its quotes
	stEmptyTag                 // behind the "/" of an empty-element tag
	stEndName                  // behind "</"
	stAfterEnd                 // behind the name in an end tag
	stCDATA                    // in a CDATA section
)

// span is a part of the element being scanned: positions from its start.
type span struct{ from, to int32 }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }
func (s span) len() int           { return int(s.to - s.from) }

// attrSpan is where an attribute, or the name of an element, stands.
type attrSpan struct {
	from     int32 // the name, as written
	local    int32 // the name behind its prefix; from when there is none
	end      int32 // behind the name
	binding  int32 // of the prefix, in scanner.binds; or noPrefix, xmlPrefix
	value    span
	declares bool // it is a namespace declaration
}

func (a *attrSpan) name() span               { return span{a.from, a.end} }
func (a *attrSpan) localOf(b []byte) []byte  { return b[a.local:a.end] }
func (a *attrSpan) prefixed() bool           { return a.local != a.from }
func (a *attrSpan) prefixOf(b []byte) []byte { return b[a.from:max(a.local-1, a.from)] }
func (a *attrSpan) nameLen() int             { return int(a.end - a.from) }

// openElem is an element whose end tag is to come.
type openElem struct {
	name     span
	binds    int32 // how many prefixes are in scope around it
	inStream bool  // the default namespace in it is the stream namespace
}

// seed keeps peers from choosing namespace names whose hashes agree. It is one for
// all scanners, as a document is read by several.
var seed = maphash.MakeSeed()

// scanner checks one first-level element, or the start tag of a root. It stops
// anywhere the bytes end and goes on when there are more, so every byte is looked
// at once however the bytes arrive.
//
// It keeps positions, no bytes: each call of scan is given all of the element
// that has arrived, from its first byte.
//
// Scanners are lent by a pool: a reader has one while an element is in progress
// or lent to the caller, none while it waits for one to begin.
type scanner struct {
	lim Limits
	doc *document

	// The element in progress.
	fresh      bool // the document is new to it
	root       bool // it is the root's start tag
	plain      bool // nothing in it has to be written again
	isRootEnd  bool // with it, the root ends
	state      state
	quote      byte // of the value in progress
	pos        int  // next byte to look at
	mark       int  // start of the name or value in progress
	part       int  // start of the name in progress, behind its prefix
	attr       int  // start of the attribute in progress
	elements   int  // seen
	namespaces int  // seen
	open       []openElem
	attrs      []attrSpan // of the start tag in progress
	elem       attrSpan   // its name
	tag        wholeTag
	keys       [32]uint64 // of the attributes of tag, see attrAt
	binds      []binding  // prefixes in scope
	err        *Error     // what scan failed with; Offset counts from the element's start

	// What is told of the element, beside its bytes.
	out      Element
	name     xml.Name
	innerNS  string // the default namespace within it
	head     Head
	headAt   [headAttrs]headSpan
	scratch  []byte // values of head that had to be decoded
	children []xml.Name
	parts    []Part
	memo     *memo // nil while the rest of an element is waited for

	rewritten []byte // room for an element that has to be written again
}

// document is what all elements of a document have in common.
type document struct {
	rootText  []byte    // what is kept of the root's start tag, where rootName and rootBinds point; nil without a root
	rootName  span      // as written, prefix included
	rootBinds []binding // prefixes that the root declares
	contentNS string    // what first-level elements inherit
}

// begin starts over with a new element, or a root's start tag, whose "<" is at hand.
func (s *scanner) begin(root bool) {
	s.root, s.plain, s.isRootEnd = root, true, false
	s.state, s.pos = stMarkup, 1
	s.elements, s.namespaces = 0, 0
	s.open = s.open[:0]
	if root {
		*s.doc = document{}
	}
	if n := len(s.doc.rootBinds); !s.fresh && n <= len(s.binds) {
		s.binds = s.binds[:n] // they are those of the root
	} else {
		s.binds = append(s.binds[:0], s.doc.rootBinds...)
		s.fresh = false
	}
	s.name = xml.Name{}
	s.headAt, s.head.Others = [headAttrs]headSpan{}, false
	s.children, s.parts = s.children[:0], s.parts[:0]
	s.err = nil
}

// scan goes on in b, the element from its start. It reports whether the end of
// the element was reached, at s.pos. If not, s.err says why, or more bytes are needed.
func (s *scanner) scan(b []byte) (done bool) {
	s.borrow()
	pos, ok := s.pos, true
	for ok && !done {
		switch s.state {
		case stText:
			pos, ok = s.text(b, pos)
		case stMarkup:
			pos, ok, done = s.markup(b, pos)
		case stCDATA:
			pos, ok = s.cdata(b, pos)
		case stEndName, stAfterEnd:
			pos, ok, done = s.endTag(b, pos)
		default:
			pos, ok, done = s.startTag(b, pos)
		}
	}
	s.pos = pos
	return done
}

// fail records an error at pos. It returns what a scanning method returns then.
func (s *scanner) fail(condition, detail string, pos int) (int, bool) {
	s.err = &Error{Condition: condition, Detail: detail, Offset: int64(pos)}
	return pos, false
}

// text scans character data up to the next "<".
func (s *scanner) text(b []byte, pos int) (int, bool) {
	for {
		if pos = indexSpecialText(b, pos); pos == len(b) {
			return pos, false
		}
		c := b[pos]
		switch {
		case c == '<':
			s.state = stMarkup
			return pos + 1, true
		case c == '&':
			next, ok := s.reference(b, pos, false)
			if !ok {
				return pos, false
			}
			pos = next
		case c == '>':
			// What ends in "]]" here is text: tags, sections and references end otherwise.
			if pos >= 2 && b[pos-1] == ']' && b[pos-2] == ']' {
				return s.fail(notWellFormed, "]]> in character data (XML §2.4)", pos)
			}
			pos++
		case c == '\r':
			s.plain = false
			pos++
		default:
			n := s.char(b, pos)
			if n == 0 {
				return pos, false
			}
			pos += n
		}
	}
}

// cdata scans a CDATA section up to and including its end.
func (s *scanner) cdata(b []byte, pos int) (int, bool) {
	for pos < len(b) {
		c := b[pos]
		switch {
		case is(c, charCDATA) || c == '\r':
			pos++
		case c == '>':
			pos++
			if b[pos-2] == ']' && b[pos-3] == ']' { // neither is of the section's start
				s.state = stText
				return pos, true
			}
		default:
			n := s.char(b, pos)
			if n == 0 {
				return pos, false
			}
			pos += n
		}
	}
	return pos, false
}

// char checks the character at pos, any that is in no class. It returns its
// length, or 0: s.err is set or bytes are missing.
func (s *scanner) char(b []byte, pos int) int {
	if b[pos] < utf8.RuneSelf {
		if !isChar(rune(b[pos])) {
			s.fail(notWellFormed, "control character (XML §2.2)", pos)
			return 0
		}
		return 1
	}
	r, n := utf8.DecodeRune(b[pos:])
	switch {
	case r == utf8.RuneError && n == 1:
		if utf8.FullRune(b[pos:]) {
			s.fail(unsupportedEncoding, "invalid UTF-8 (RFC 6120 §4.9.3.22)", pos)
		}
		return 0
	case !isChar(r):
		s.fail(notWellFormed, "noncharacter U+FFFE or U+FFFF (XML §2.2)", pos)
		return 0
	}
	return n
}

// declaration looks at what follows "<!": only a CDATA section is allowed in XMPP.
func (s *scanner) declaration(b []byte, pos int) (int, bool) {
	const start = "![CDATA["
	for i := 1; i < len(start); i++ {
		if pos+i >= len(b) {
			return pos, false
		}
		c := b[pos+i]
		switch {
		case c == start[i]:
		case i == 1 && c >= 'A' && c <= 'Z':
			return s.fail(restrictedXML, "document type declaration (RFC 6120 §11.1)", pos)
		case i == 1 && c == '-':
			if pos+2 >= len(b) {
				return pos, false
			}
			if b[pos+2] != '-' {
				return s.fail(notWellFormed, "neither tag nor comment nor CDATA section", pos)
			}
			return s.fail(restrictedXML, "comment (RFC 6120 §11.1)", pos)
		default:
			return s.fail(notWellFormed, "neither tag nor comment nor CDATA section", pos)
		}
	}
	switch {
	case s.root:
		return s.fail(notWellFormed, "CDATA section before the root (XML §2.1)", pos)
	case len(s.open) == 0:
		return s.fail(badFormat, strayText, pos)
	}
	s.plain = false
	s.state = stCDATA
	return pos + len(start), true
}

// instruction names the fault of "<?": a processing instruction, or an XML
// declaration out of place.
func (s *scanner) instruction(b []byte, pos int) (int, bool) {
	const target = "?xml"
	for i := range target {
		if pos+i >= len(b) {
			return pos, false
		}
		if b[pos+i] != target[i] {
			return s.fail(restrictedXML, "processing instruction (RFC 6120 §11.1)", pos)
		}
	}
	if end := pos + len(target); end >= len(b) {
		return pos, false
	} else if is(b[end], charBlank) || b[end] == '?' {
		return s.fail(notWellFormed, "XML declaration not at the start (XML §2.8)", pos)
	}
	return s.fail(restrictedXML, "processing instruction (RFC 6120 §11.1)", pos)
}

const strayText = "text between first-level elements (RFC 6120 §4.9.3.1)"

// stray returns the fault of b, which stands where only white space and elements
// may: between first-level elements or, with condition not-well-formed, around a
// document. It returns nil when bytes are missing.
func stray(b []byte, condition, detail string) *Error {
	var s scanner
	if b[0] == '&' {
		if _, ok := s.reference(b, 0, false); !ok {
			return s.err
		}
	} else if s.char(b, 0) == 0 {
		return s.err
	}
	return &Error{Condition: condition, Detail: detail}
}
