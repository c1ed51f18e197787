package stanza

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// maxTokenDepth is how many elements may be open when a token opens another: as
// many as a stream lets through.
const maxTokenDepth = 100

// maxEmptyReads is how often a token reader may yield neither a token nor an
// error.
const maxEmptyReads = 100

// EncodeToken appends a start or end tag or character data, as an
// [encoding/xml.Encoder] does; with it and [Writer.Flush] a Writer is an
// xmlstream.TokenWriter of mellium.im/xmlstream.
//
// Names are expanded; prefixes and declarations are made as they are needed, and
// those among the attributes are left out. An empty Space means the namespace of
// an xmlns attribute, or else of the element around it. An end closes the
// innermost element, opened by either a token or [Writer.Start], and must name
// it. Comments, processing instructions and directives are errors, as XMPP has
// none (RFC 6120 §11.1).
func (w *Writer) EncodeToken(t xml.Token) error {
	if w.err == nil {
		if err := w.token(t); err != nil {
			w.fail("%w", err)
		}
	}
	return w.err
}

// Flush returns the first failure, if there was one. There is nothing to flush.
func (w *Writer) Flush() error { return w.err }

// ReadXML appends what r yields until io.EOF, whole elements and text, inside the
// element that is open, and returns the number of tokens. It implements
// xmlstream.ReaderFrom of mellium.im/xmlstream, whose Copy makes use of it. What r
// yields cannot close an element that r has not opened, or leave one open.
func (w *Writer) ReadXML(r xml.TokenReader) (n int, err error) {
	around := w.depth
	for empty := 0; w.err == nil; {
		t, err := r.Token()
		if t != nil {
			empty = 0
			if _, isEnd := t.(xml.EndElement); isEnd && w.depth <= around {
				w.fail("%w: an end without its start", xmlwire.ErrToken)
				break
			}
			if w.EncodeToken(t) != nil {
				break
			}
			n++
		} else if empty++; err == nil && empty > maxEmptyReads {
			err = io.ErrNoProgress
		}
		switch {
		case err == nil:
		case err != io.EOF:
			w.fail("read token: %w", err)
		case w.depth > around:
			w.fail("%w: element %s without its end", xmlwire.ErrToken, w.top().local)
		default:
			return n, nil
		}
	}
	return n, w.err
}

func (w *Writer) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return w.startToken(&t)
	case xml.EndElement:
		return w.endToken(t.Name)
	case xml.CharData:
		if w.depth == 0 && isBlank(t) {
			return nil // as between the elements of a stream
		}
		w.Text(string(t))
		return nil
	}
	return fmt.Errorf("%w: %T", xmlwire.ErrToken, t)
}

func (w *Writer) startToken(t *xml.StartElement) error {
	if w.depth >= maxTokenDepth {
		return xmlwire.ErrDepth
	}
	w.closeTag()
	out, ns, err := xmlwire.AppendStart(w.dst, t, w.space(), w.depth > 0)
	if err != nil {
		return err
	}
	w.dst = out
	w.push(openElement{ns, t.Name.Local})
	return nil
}

func (w *Writer) endToken(name xml.Name) error {
	if w.depth == 0 {
		return fmt.Errorf("%w: an end without its start", xmlwire.ErrToken)
	}
	if e := w.top(); e.local != name.Local || name.Space != "" && name.Space != e.space {
		return fmt.Errorf("%w: the end of another element than %s", xmlwire.ErrToken, e.local)
	}
	w.End()
	return nil
}

// isBlank reports whether there is only white space in b (XML §2.3).
func isBlank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}
