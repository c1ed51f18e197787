package xmlwire

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// AppendTokens appends what r yields, until io.EOF, in plain form: any number of
// whole elements, to stand in an element whose namespace is parentNS.
//
// Names are expanded, as [xml.Decoder] and mellium.im/xmlstream give them. An
// element with an empty Space takes its namespace from an attribute xmlns, as
// [xml.Encoder] would have it; without one it inherits, as it does there too and
// as programs mean it that name a child without its namespace. (A decoder says
// the same of an element in no namespace within a prefixed one. Nothing in XMPP
// is in no namespace; [Node.Tokens] tells them apart all the same.) Other
// declarations are left out: attributes in a namespace get a prefix that their
// own start tag declares. Blanks between the outer elements are dropped.
//
// Comments, processing instructions and directives, text outside an element,
// ends that do not match and elements of the stream namespace inside others are
// [ErrToken]; bad names and attributes that repeat one another are [ErrName];
// text that XML cannot express is [ErrChar]; more than 100 levels are
// [ErrDepth]. Errors of r are wrapped. On any error dst is returned as it was.
func AppendTokens(dst []byte, r xml.TokenReader, parentNS string) ([]byte, error) {
	w := tokenWriter{dst: dst, parentNS: parentNS}
	for empty := 0; ; {
		t, err := r.Token()
		if t != nil {
			empty = 0
			if err := w.write(t); err != nil {
				return dst, err
			}
		} else if empty++; empty > maxEmptyReads {
			err = io.ErrNoProgress
		}
		switch {
		case err == nil:
		case err == io.EOF && len(w.open) == 0:
			return w.dst, nil
		case err == io.EOF:
			return dst, fmt.Errorf("%w: element without its end", ErrToken)
		default:
			return dst, fmt.Errorf("xmlwire: read token: %w", err)
		}
	}
}

// tokenWriter writes tokens in plain form.
type tokenWriter struct {
	dst      []byte
	parentNS string
	open     []openToken
	inTag    bool // the ">" of a start tag is to come
}

// openToken is an element whose end is to come.
type openToken struct {
	name xml.Name // as the token has it
	ns   string
}

func (w *tokenWriter) write(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return w.start(&t)
	case xml.EndElement:
		return w.end(t.Name)
	case xml.CharData:
		return w.text(t)
	default:
		return fmt.Errorf("%w: %T", ErrToken, t)
	}
}

// closeTag ends the start tag that was begun.
func (w *tokenWriter) closeTag() {
	if w.inTag {
		w.dst = append(w.dst, '>')
		w.inTag = false
	}
}

func (w *tokenWriter) text(t xml.CharData) (err error) {
	if len(t) == 0 {
		return nil
	}
	if len(w.open) == 0 {
		if skipBlanks(t, 0) < len(t) {
			return fmt.Errorf("%w: text outside an element", ErrToken)
		}
		return nil
	}
	w.closeTag()
	w.dst, err = AppendText(w.dst, string(t))
	return err
}

func (w *tokenWriter) end(name xml.Name) error {
	last := len(w.open) - 1
	if last < 0 || w.open[last].name != name {
		return fmt.Errorf("%w: end of %q", ErrToken, clipped(name.Local))
	}
	if w.inTag {
		w.dst = append(w.dst, "/>"...)
		w.inTag = false
	} else {
		w.dst = append(append(append(w.dst, "</"...), name.Local...), '>')
	}
	w.open = w.open[:last]
	return nil
}

func (w *tokenWriter) start(t *xml.StartElement) error {
	if len(w.open) >= defaultDepth {
		return ErrDepth
	}
	w.closeTag()
	parentNS := w.parentNS
	if last := len(w.open) - 1; last >= 0 {
		parentNS = w.open[last].ns
	}
	out, ns, err := AppendStart(w.dst, t, parentNS, len(w.open) > 0)
	if err != nil {
		return err
	}
	w.dst, w.inTag = out, true
	w.open = append(w.open, openToken{t.Name, ns})
	return nil
}

// AppendStart appends the start tag of t, short of its end: ">" or "/>" is to
// follow. It stands in an element whose namespace is parentNS; its own is
// returned. inside says that it stands in a first-level element, where none of
// the stream namespace is allowed. On an error, as of [AppendTokens], dst is
// returned as it was.
func AppendStart(dst []byte, t *xml.StartElement, parentNS string, inside bool) (out []byte, ns string, err error) {
	ns = elementNS(t, parentNS)
	switch {
	case ns == NSXML || ns == NSXMLNS:
		return dst, "", fmt.Errorf("%w: element in a reserved namespace", ErrName)
	case ns == NSStreams && inside:
		return dst, "", fmt.Errorf("%w: element of the stream namespace inside another", ErrToken)
	}
	if out, err = AppendName(append(dst, '<'), t.Name.Local); err != nil {
		return dst, "", err
	}
	if ns != parentNS {
		if out, err = AppendNamedAttr(out, "xmlns", ns); err != nil {
			return dst, "", err
		}
	}
	if out, err = appendAttrs(out, t.Attr); err != nil {
		return dst, "", err
	}
	return out, ns, nil
}

// elementNS is the namespace of the element that t begins.
func elementNS(t *xml.StartElement, parentNS string) string {
	if t.Name.Space != "" {
		return t.Name.Space
	}
	for _, a := range t.Attr {
		if a.Name.Space == "" && a.Name.Local == "xmlns" {
			return a.Value
		}
	}
	return parentNS
}

// appendAttrs writes attributes, and declares the prefixes they need.
func appendAttrs(dst []byte, attrs []xml.Attr) (_ []byte, err error) {
	var prefixes prefixTable
	var seen map[xml.Name]struct{} // nil for a single attribute
	for _, a := range attrs {
		name, declares := attrName(a.Name)
		if declares {
			continue
		}
		if !ValidName(name.Local) {
			return dst, fmt.Errorf("%w: attribute %q", ErrName, clipped(name.Local))
		}
		if _, repeated := seen[name]; repeated {
			return dst, fmt.Errorf("%w: attribute %q twice", ErrName, clipped(name.Local))
		}
		if seen == nil && len(attrs) > 1 {
			seen = make(map[xml.Name]struct{}, len(attrs))
		}
		if seen != nil {
			seen[name] = struct{}{}
		}
		written := name.Local
		switch name.Space {
		case "":
		case NSXML:
			written = "xml:" + name.Local
		default:
			prefix, declared := prefixes.of(name.Space, attrs)
			if !declared {
				if dst, err = AppendNamedAttr(dst, "xmlns:"+prefix, name.Space); err != nil {
					return dst, err
				}
			}
			written = prefix + ":" + name.Local
		}
		if dst, err = AppendNamedAttr(dst, written, a.Value); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// attrName is what a program means by the name of an attribute, and whether that
// is a namespace declaration. Decoders say {"xmlns", "p"}; programs also write
// {"", "xmlns:p"}, {"xml", "lang"} or {"", "xml:lang"}.
func attrName(n xml.Name) (name xml.Name, declares bool) {
	switch {
	case n.Space == "xmlns" || n.Space == NSXMLNS || n.Space == "" && n.Local == "xmlns":
		return n, true
	case n.Space == "" && strings.HasPrefix(n.Local, "xmlns:"):
		return n, true
	case n.Space == "xml":
		n.Space = NSXML
	case n.Space == "" && strings.HasPrefix(n.Local, "xml:"):
		n.Space, n.Local = NSXML, n.Local[len("xml:"):]
	}
	return n, false
}

// prefixTable holds the prefixes that one start tag declares: a prefix for each
// namespace, both once.
type prefixTable []struct{ prefix, ns string }

// of returns a prefix for ns, the one that attrs declare if that can be had, and
// whether it was given out before.
func (p *prefixTable) of(ns string, attrs []xml.Attr) (prefix string, declared bool) {
	for _, known := range *p {
		if known.ns == ns {
			return known.prefix, true
		}
	}
	for _, a := range attrs {
		if a.Name.Space == "xmlns" && a.Value == ns && ValidName(a.Name.Local) && !p.taken(a.Name.Local) {
			prefix = a.Name.Local
			break
		}
	}
	for n := 1; prefix == ""; n++ {
		if candidate := "ns" + strconv.Itoa(n); !p.taken(candidate) {
			prefix = candidate
		}
	}
	*p = append(*p, struct{ prefix, ns string }{prefix, ns})
	return prefix, false
}

// taken reports whether prefix is given out or not to be.
func (p *prefixTable) taken(prefix string) bool {
	if prefix == "xml" || prefix == "xmlns" {
		return true
	}
	for _, known := range *p {
		if known.prefix == prefix {
			return true
		}
	}
	return false
}
