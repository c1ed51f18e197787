//go:build expat && cgo

package bench

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/bench/expat"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// readOurs reads a whole document with the library's reader: the root, what is
// in it, the end of the root, and nothing behind it.
func readOurs(doc []byte) ([]xml.Token, error) {
	r := xmlwire.NewReader(bytes.NewReader(doc), xmlwire.Limits{})
	h, err := r.Header()
	if err != nil {
		return nil, err
	}
	root := xml.StartElement{Name: h.Name, Attr: h.Attrs}
	tokens := []xml.Token{root}
	for {
		e, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		element := xmlwire.NewNode(bytes.Clone(e.Raw), h.ContentNS).Tokens()
		for {
			t, err := element.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, xml.CopyToken(t))
		}
	}
	if _, err := r.Next(); err != io.EOF {
		return nil, err
	}
	return append(tokens, root.End()), nil
}

// readStd reads a whole document with encoding/xml. A declaration is left out, as
// it takes no version but 1.0.
func readStd(doc []byte) ([]xml.Token, error) {
	if i := bytes.Index(doc, []byte("?>")); i >= 0 && bytes.HasPrefix(doc, []byte("<?xml")) {
		doc = doc[i+2:]
	}
	var tokens []xml.Token
	rooted := false
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		t, err := d.Token()
		if err == io.EOF && rooted {
			return tokens, nil
		}
		if err != nil {
			return nil, err
		}
		if _, ok := t.(xml.StartElement); ok {
			rooted = true
		}
		tokens = append(tokens, xml.CopyToken(t))
	}
}

// readExpat reads a whole document with libexpat.
func readExpat(doc []byte) ([]xml.Token, error) { return expat.Tokens(doc) }

// render writes all that tokens mean, for comparison: expanded names, attributes
// without declarations in the order of their names, text in one piece, but no
// blanks between first-level elements. With blanks, tabs and line ends in values
// count as blanks, which encoding/xml leaves them (XML §3.3.3).
func render(tokens []xml.Token, blanks bool) string {
	value := func(s string) string { return s }
	if blanks {
		value = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace
	}
	var out, text strings.Builder
	depth := 0
	flush := func() {
		if text.Len() > 0 && (depth > 1 || strings.Trim(text.String(), " \t\r\n") != "") {
			fmt.Fprintf(&out, "%q\n", text.String())
		}
		text.Reset()
	}
	for _, t := range tokens {
		switch t := t.(type) {
		case xml.StartElement:
			flush()
			depth++
			fmt.Fprintf(&out, "<{%s}%s", value(t.Name.Space), t.Name.Local)
			attrs := slices.DeleteFunc(slices.Clone(t.Attr), func(a xml.Attr) bool {
				return a.Name.Space == "xmlns" || a.Name == xml.Name{Local: "xmlns"}
			})
			slices.SortFunc(attrs, func(x, y xml.Attr) int {
				return cmp.Or(strings.Compare(x.Name.Space, y.Name.Space), strings.Compare(x.Name.Local, y.Name.Local))
			})
			for _, a := range attrs {
				fmt.Fprintf(&out, " {%s}%s=%q", value(a.Name.Space), a.Name.Local, value(a.Value))
			}
			out.WriteString(">\n")
		case xml.EndElement:
			flush()
			depth--
			fmt.Fprintf(&out, "</{%s}%s>\n", value(t.Name.Space), t.Name.Local)
		case xml.CharData:
			text.Write(t)
		default:
			fmt.Fprintf(&out, "%T\n", t)
		}
	}
	return out.String()
}

// misread reports whether a tree has names that encoding/xml gets wrong: elements
// named xmlns are in no namespace to it, and namespaces named xml or xmlns are
// taken for prefixes.
func misread(tree string) bool {
	return strings.Contains(tree, "}xmlns") || strings.Contains(tree, "{xml}") || strings.Contains(tree, "{xmlns}")
}
