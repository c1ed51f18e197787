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
	start int  // length of dst when the writer got it
	tag   bool // the last start tag is still open for attributes
	err   error

	// The open elements, outermost first. Few are nested deeper than the array,
	// which, unlike a slice of it, lets a Writer live on its maker's stack.
	depth int
	open  [4]openElement
	more  []openElement
}

type openElement struct{ space, local string }

// NewWriter returns a writer that appends to dst. It costs no allocation where it
// is used by one function, and those that this one calls directly.
func NewWriter(dst []byte) *Writer { return &Writer{dst: dst, start: len(dst)} }

// Start opens an element. An empty space means the namespace of the element
// around it. The outermost element is taken to stand in a stanza, so there an
// empty space means [NS].
func (w *Writer) Start(space, local string) {
	if !xmlwire.ValidName(local) {
		w.fail("%q is not an element name", local)
		local = "invalid"
	}
	w.begin(space, local)
}

// begin is Start for a name that is known to be good.
func (w *Writer) begin(space, local string) {
	w.closeTag()
	parent := w.space()
	if space == "" {
		space = parent
	}
	dst := append(append(w.dst, '<'), local...)
	if space != parent {
		var err error
		if dst, err = xmlwire.AppendQuoted(append(dst, " xmlns='"...), space); err != nil {
			w.fail("namespace of %s: %w", local, err)
		}
	}
	w.dst = dst
	w.push(openElement{space, local})
}

// push enters an element whose start tag has just been begun.
func (w *Writer) push(e openElement) {
	if w.depth < len(w.open) {
		w.open[w.depth] = e
	} else {
		w.more = append(w.more, e)
	}
	w.depth++
	w.tag = true
}

// top is the innermost open element; there is one.
func (w *Writer) top() *openElement {
	if i := w.depth - 1; i < len(w.open) {
		return &w.open[i]
	}
	return &w.more[len(w.more)-1]
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
	if tag == "" {
		return
	}
	if !w.tag {
		w.fail("attribute xml:lang outside a start tag")
		return
	}
	var err error
	if w.dst, err = xmlwire.AppendQuoted(append(w.dst, " xml:lang='"...), tag); err != nil {
		w.fail("attribute xml:lang: %w", err)
	}
}

// optAttr is attr, unless value is empty.
func (w *Writer) optAttr(name, value string) {
	if value != "" {
		w.attr(name, value)
	}
}

// attr adds an attribute whose name is known to be good.
func (w *Writer) attr(name, value string) {
	if !w.tag {
		w.fail("attribute %s outside a start tag", name)
		return
	}
	var err error
	if w.dst, err = xmlwire.AppendNamedAttr(w.dst, name, value); err != nil {
		w.fail("attribute %s: %w", name, err)
	}
}

// Text appends character data.
func (w *Writer) Text(s string) {
	if s == "" {
		return
	}
	if w.depth == 0 {
		w.fail("text outside an element")
		return
	}
	w.closeTag()
	var err error
	if w.dst, err = xmlwire.AppendText(w.dst, s); err != nil {
		w.fail("text of %s: %w", w.top().local, err)
	}
}

// Element appends a whole element that holds only text.
func (w *Writer) Element(space, local, text string) {
	w.Start(space, local)
	w.Text(text)
	w.End()
}

// element is Element in the namespace of stanzas, with a name known to be good.
func (w *Writer) element(local, text string) {
	w.begin(NS, local)
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
		w.dst = xmlwire.Adopt(out, before, NS, parent)
	}
}

// End closes the innermost open element.
func (w *Writer) End() {
	if w.depth == 0 {
		w.fail("end without a start")
		return
	}
	if w.tag {
		w.dst = append(w.dst, "/>"...)
		w.tag = false
	} else {
		w.dst = append(append(append(w.dst, "</"...), w.top().local...), '>')
	}
	if w.depth > len(w.open) {
		w.more = w.more[:len(w.more)-1]
	}
	w.depth--
}

// Bytes returns the buffer with everything appended, or the first error with
// the buffer as the writer got it.
func (w *Writer) Bytes() ([]byte, error) {
	if w.err != nil || w.depth > 0 {
		return w.failed()
	}
	return w.dst, nil
}

// failed is Bytes after a failure, if only that of leaving an element open.
func (w *Writer) failed() ([]byte, error) {
	if w.depth > 0 {
		w.fail("element %s is not closed", w.top().local)
	}
	return w.dst[:w.start], w.err
}

// space is the namespace that a child inherits here.
func (w *Writer) space() string {
	if w.depth == 0 {
		return NS
	}
	return w.top().space
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
