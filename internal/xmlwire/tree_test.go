package xmlwire

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// tree renders all that tokens mean, for comparison: expanded names, attributes
// without declarations in order of their names, text in one piece. With blanks,
// tabs and line ends in values count as blanks, as encoding/xml leaves them raw.
func tree(r xml.TokenReader, blanks bool) (string, error) {
	var out, text strings.Builder
	value := func(s string) string { return s }
	if blanks {
		value = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace
	}
	flush := func() {
		if text.Len() > 0 {
			fmt.Fprintf(&out, "%q\n", text.String())
			text.Reset()
		}
	}
	for {
		t, err := r.Token()
		if err == io.EOF {
			flush()
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		switch t := t.(type) {
		case xml.StartElement:
			flush()
			fmt.Fprintf(&out, "<{%s}%s", value(t.Name.Space), t.Name.Local)
			attrs := slices.DeleteFunc(slices.Clone(t.Attr), func(a xml.Attr) bool {
				return a.Name.Space == "xmlns" || a.Name == xml.Name{Local: "xmlns"}
			})
			slices.SortFunc(attrs, func(a, b xml.Attr) int {
				return cmp.Or(strings.Compare(a.Name.Space, b.Name.Space), strings.Compare(a.Name.Local, b.Name.Local))
			})
			for _, a := range attrs {
				fmt.Fprintf(&out, " {%s}%s=%q", value(a.Name.Space), a.Name.Local, value(a.Value))
			}
			out.WriteString(">\n")
		case xml.EndElement:
			flush()
			fmt.Fprintf(&out, "</{%s}%s>\n", value(t.Name.Space), t.Name.Local)
		case xml.CharData:
			text.Write(t)
		default:
			return out.String(), fmt.Errorf("token %T", t)
		}
	}
}

// stdTree is what encoding/xml reads in b, an element that inherits the namespace ns.
func stdTree(b []byte, ns string, blanks bool) (string, error) {
	d := xml.NewDecoder(strings.NewReader(string(b)))
	d.DefaultSpace = ns
	return tree(d, blanks)
}

// nodeTree is what Node's own methods read in n, other than Tokens.
func nodeTree(n Node) string {
	var tokens []xml.Token
	var walk func(n Node)
	walk = func(n Node) {
		start := xml.StartElement{Name: n.Name()}
		for name, value := range n.Attrs() {
			if got, ok := n.Attr(name.Space, name.Local); !ok || got != value {
				panic(fmt.Sprintf("Attr(%v) = %q, %v; Attrs: %q", name, got, ok, value))
			}
			start.Attr = append(start.Attr, xml.Attr{Name: name, Value: value})
		}
		tokens = append(tokens, start, xml.CharData(n.Text()))
		for child := range n.Children() {
			walk(child)
		}
		tokens = append(tokens, start.End())
	}
	walk(n)
	s, err := tree(tokenSlice(&tokens), false)
	if err != nil {
		panic(err)
	}
	return s
}

// textFirst is a tree's tokens with the text of each element before its children,
// as nodeTree has it.
func textFirst(n Node) string {
	type open struct {
		text  strings.Builder
		start xml.StartElement
		inner []xml.Token
	}
	stack := []*open{{}}
	r := n.Tokens()
	for {
		t, err := r.Token()
		if err != nil {
			break
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			stack = append(stack, &open{start: t})
		case xml.CharData:
			top.text.Write(t)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			outer := stack[len(stack)-1]
			outer.inner = append(outer.inner, top.start, xml.CharData(top.text.String()))
			outer.inner = append(append(outer.inner, top.inner...), t)
		}
	}
	s, err := tree(tokenSlice(&stack[0].inner), false)
	if err != nil {
		panic(err)
	}
	return s
}

type tokenFunc func() (xml.Token, error)

func (f tokenFunc) Token() (xml.Token, error) { return f() }

// tokenSlice reads tokens from *s.
func tokenSlice(s *[]xml.Token) xml.TokenReader {
	return tokenFunc(func() (xml.Token, error) {
		if len(*s) == 0 {
			return nil, io.EOF
		}
		t := (*s)[0]
		*s = (*s)[1:]
		return t, nil
	})
}
