package stanza

import (
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// A Writer appends XML to a buffer. Names are checked and values escaped, so
// what it makes is well-formed whatever the values hold.
//
//	func (v Version) AppendXML(dst []byte) ([]byte, error) {
//		w := stanza.NewWriter(dst)
//		w.Start("jabber:iq:version", "query")
//		w.Element("", "name", v.Name)
//		w.Element("", "version", v.Version)
//		w.End()
//		return w.Bytes()
//	}
//
// The first failure sticks and is reported by [Writer.Bytes]. A Writer is for
// one goroutine and one use.
type Writer struct {
	dst   []byte
	start int // length of dst when the writer got it
	open  []openElement
	tag   bool // the last start tag is still open for attributes
	err   error
	fixed [6]openElement // room for open without an allocation
}

type openElement struct{ space, local string }

// NewWriter returns a writer that appends to dst.
func NewWriter(dst []byte) *Writer {
	w := &Writer{dst: dst, start: len(dst)}
	w.open = w.fixed[:0]
	return w
}

// Start opens an element. An empty space means the namespace of the element
// around it. The outermost element is taken to stand in a stanza, so there an
// empty space means [NS].
func (w *Writer) Start(space, local string) {
	w.closeTag()
	parent := w.space()
	if space == "" {
		space = parent
	}
	if !xmlwire.ValidName(local) {
		w.fail("%q is not an element name", local)
		local = "invalid"
	}
	w.dst = append(append(w.dst, '<'), local...)
	w.open = append(w.open, openElement{space, local})
	w.tag = true
	if space != parent {
		w.attr("xmlns", space)
	}
}

// Attr adds an attribute to the element just started.
func (w *Writer) Attr(name, value string) {
	if !xmlwire.ValidName(name) || name == "xmlns" {
		w.fail("%q is not an attribute name", name)
		return
	}
	w.attr(name, value)
}

// OptAttr is [Writer.Attr], except that it does nothing when value is empty.
func (w *Writer) OptAttr(name, value string) {
	if value != "" {
		w.Attr(name, value)
	}
}

// Lang gives the element just started an xml:lang, unless it is empty.
func (w *Writer) Lang(tag string) {
	if tag != "" {
		w.attr("xml:lang", tag)
	}
}

// attr adds an attribute whose name is known to be good.
func (w *Writer) attr(name, value string) {
	if !w.tag {
		w.fail("attribute %s outside a start tag", name)
		return
	}
	var err error
	if w.dst, err = xmlwire.AppendAttr(w.dst, name, value); err != nil {
		w.fail("attribute %s: %w", name, err)
	}
}

// Text appends character data.
func (w *Writer) Text(s string) {
	if s == "" {
		return
	}
	if len(w.open) == 0 {
		w.fail("text outside an element")
		return
	}
	w.closeTag()
	var err error
	if w.dst, err = xmlwire.AppendText(w.dst, s); err != nil {
		w.fail("text of %s: %w", w.open[len(w.open)-1].local, err)
	}
}

// Element appends a whole element that holds only text.
func (w *Writer) Element(space, local, text string) {
	w.Start(space, local)
	w.Text(text)
	w.End()
}

// Payload appends p as a child, or does nothing when p is nil.
func (w *Writer) Payload(p Payload) {
	if p == nil || w.err != nil {
		return
	}
	w.closeTag()
	before := len(w.dst)
	out, err := p.AppendXML(w.dst)
	if err != nil {
		w.fail("%w", err)
		return
	}
	w.dst = out
	if parent := w.space(); parent != NS && len(out) > before {
		// p wrote itself as a child of a stanza; here it has another parent.
		n := xmlwire.NewNode(append([]byte(nil), out[before:]...), NS)
		w.dst = n.AppendTo(out[:before], parent)
	}
}

// End closes the innermost open element.
func (w *Writer) End() {
	if len(w.open) == 0 {
		w.fail("end without a start")
		return
	}
	last := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if w.tag {
		w.dst = append(w.dst, "/>"...)
		w.tag = false
		return
	}
	w.dst = append(append(append(w.dst, "</"...), last.local...), '>')
}

// Bytes returns the buffer with everything appended, or the first error with
// the buffer as the writer got it.
func (w *Writer) Bytes() ([]byte, error) {
	if len(w.open) > 0 {
		w.fail("element %s is not closed", w.open[len(w.open)-1].local)
	}
	if w.err != nil {
		return w.dst[:w.start], w.err
	}
	return w.dst, nil
}

// space is the namespace that a child inherits here.
func (w *Writer) space() string {
	if len(w.open) == 0 {
		return NS
	}
	return w.open[len(w.open)-1].space
}

func (w *Writer) closeTag() {
	if w.tag {
		w.dst = append(w.dst, '>')
		w.tag = false
	}
}

func (w *Writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("stanza: "+format, args...)
	}
}

// ErrCharacter is wrapped by errors about text that XML cannot carry: invalid
// UTF-8, U+0000 and most other control characters, U+FFFE and U+FFFF.
var ErrCharacter error = xmlwire.ErrChar

var errNoElement = errors.New("no element")
