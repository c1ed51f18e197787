package xmlwire

import (
	"bytes"
	"encoding/xml"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// documents are what streams are made of, good and bad, for fuzzing to start from.
func documents() []string {
	docs := []string{
		opening + `<message to='a@b'><body>Hi &amp; bye</body></message> <presence/></stream:stream>`,
		opening + `<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`,
		opening + `<p:a xmlns:p='u' xmlns='v' p:b="1"><p:c d='&#x9;'/><![CDATA[<x>]]></p:a></stream:stream>`,
		opening + "<a b='1\r\n2'>\r\n\r&#13;]]&gt;</a >",
		`<s xmlns='u'><a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/></s>`,
		`<s xmlns:p='u' xmlns:q='&#117;'><a p:b='1' q:c='2'/><p:a><q:b/></p:a></s>`,
		"\uFEFF" + opening, "\xff\xfe<\x00", " " + opening,
		"<features xmlns='\t'></features>",
	}
	for _, tt := range refused {
		docs = append(docs, opening+tt.in)
	}
	return docs
}

// tightLimits are small enough for fuzzing to reach them.
var tightLimits = Limits{Bytes: 600, Depth: 6, Elements: 12, Attrs: 15, Namespaces: 10, AttrBytes: 100}

// However the bytes of a document are cut, the same comes out. What is accepted is
// in plain form, and encoding/xml reads the same in it as in what came in.
func FuzzReader(f *testing.F) {
	for _, doc := range documents() {
		f.Add([]byte(doc), uint16(3), false)
	}
	f.Fuzz(func(t *testing.T, doc []byte, cut uint16, tight bool) {
		limits := Limits{}
		if tight {
			limits = tightLimits
		}
		whole := readAll(bytes.NewReader(doc), limits)
		for _, src := range []io.Reader{
			&chopped{string(doc), 1},
			&chopped{string(doc), 1 + int(cut)%50},
			io.MultiReader(bytes.NewReader(doc[:int(cut)%(len(doc)+1)]), bytes.NewReader(doc[int(cut)%(len(doc)+1):])),
		} {
			split := readAll(src, limits)
			if !reflect.DeepEqual(split.elements, whole.elements) || !reflect.DeepEqual(split.header, whole.header) || !sameError(split.err, whole.err) {
				t.Fatalf("whole: %+v\nsplit: %+v", whole, split)
			}
		}
		ns := whole.header.ContentNS
		for _, e := range whole.elements {
			checkPlain(t, e, ns)
		}
		if whole.err == nil {
			compareDocument(t, doc, whole)
		}
	})
}

func sameError(a, b error) bool {
	return a == b || a != nil && b != nil && a.Error() == b.Error()
}

// checkPlain checks that e reads the same with everything that can read it.
func checkPlain(t *testing.T, e Element, ns string) {
	t.Helper()
	n := NewNode(e.Raw, ns)
	want, err := tree(n.Tokens(), false)
	if err != nil {
		t.Fatalf("%s: %v", e.Raw, err)
	}
	if n.Name() != e.Name || !n.Is(e.Name.Space, e.Name.Local) {
		t.Fatalf("%s: node %v, element %v", e.Raw, n.Name(), e.Name)
	}
	if got, err := stdTree(e.Raw, ns, false); !misread(want) && (err != nil || got != want) {
		t.Fatalf("%s\nencoding/xml: %s, %v\nwe: %s", e.Raw, got, err, want)
	}
	if got, want := nodeTree(n), textFirst(n); got != want {
		t.Fatalf("%s\nnode: %s\ntokens: %s", e.Raw, got, want)
	}
	checkHead(t, e, n)
	loose := Limits{Bytes: 1 << 20, Namespaces: 1 << 20}
	if again, err := Parse(e.Raw, ns, loose); err != nil || again.Name != e.Name || !bytes.Equal(again.Raw, e.Raw) {
		t.Fatalf("%s\nread again: %v %s, %v", e.Raw, again.Name, again.Raw, err)
	}
	moved := n.AppendTo(nil, "urn:elsewhere")
	if got, err := stdTree(moved, "urn:elsewhere", false); !misread(want) && (err != nil || got != want) {
		t.Fatalf("%s\nelsewhere: %s\n%s, %v", e.Raw, moved, got, err)
	}
	for _, r := range []xml.TokenReader{n.Tokens(), xml.NewTokenDecoder(n.Tokens())} {
		if ns == "xml" || ns == "xmlns" || misread(want) {
			break
		}
		out, err := AppendTokens(nil, r, ns)
		if err != nil {
			t.Fatalf("%s: %v", e.Raw, err)
		}
		if got, err := tree(NewNode(out, ns).Tokens(), false); err != nil || got != want {
			t.Fatalf("%s\nfrom tokens: %s\n%s, %v\nwant %s", e.Raw, out, got, err, want)
		}
		if again, err := Parse(out, ns, loose); err != nil || !bytes.Equal(again.Raw, out) {
			t.Fatalf("%s\nfrom tokens: %s\nread again: %s, %v", e.Raw, out, again.Raw, err)
		}
	}
}

// checkHead checks that what was noted while scanning is what stands there.
func checkHead(t *testing.T, e Element, n Node) {
	t.Helper()
	others := 0
	for name := range n.Attrs() {
		if name.Space != "" && name != (xml.Name{Space: NSXML, Local: "lang"}) || name.Space == "" && !slices.Contains([]string{"to", "from", "id", "type"}, name.Local) {
			others++
		}
	}
	for _, a := range []struct {
		space, local string
		got          []byte
	}{{"", "to", e.Head.To}, {"", "from", e.Head.From}, {"", "id", e.Head.ID}, {"", "type", e.Head.Type}, {NSXML, "lang", e.Head.Lang}} {
		if want, ok := n.Attr(a.space, a.local); string(a.got) != want || ok != (a.got != nil) {
			t.Fatalf("%s: %s is %q, want %q, %v", e.Raw, a.local, a.got, want, ok)
		}
	}
	if others > 0 && !e.Head.Others {
		t.Fatalf("%s: there are other attributes", e.Raw)
	}
	var children []xml.Name
	for child := range n.Children() {
		children = append(children, child.Name())
	}
	if !slices.Equal(children, e.Head.Children) {
		t.Fatalf("%s: children are %v, want %v", e.Raw, e.Head.Children, children)
	}
}

// misread reports whether tree has names that encoding/xml gets wrong: elements
// named xmlns are in no namespace to it, and namespaces named xml or xmlns, in
// its tokens, are taken for prefixes.
func misread(tree string) bool {
	return strings.Contains(tree, "}xmlns") || strings.Contains(tree, "{xml}") || strings.Contains(tree, "{xmlns}")
}

// compareDocument checks that encoding/xml reads in doc what we have read.
func compareDocument(t *testing.T, doc []byte, got transcript) {
	t.Helper()
	if i := bytes.Index(doc, []byte("?>")); bytes.HasPrefix(doc, []byte("<?xml")) {
		doc = doc[i+2:] // encoding/xml wants version 1.0
	}
	var tokens []xml.Token
	root := xml.StartElement{Name: got.header.Name, Attr: got.header.Attrs}
	tokens = append(tokens, root)
	for _, e := range got.elements {
		r := NewNode(e.Raw, got.header.ContentNS).Tokens()
		for tok, err := r.Token(); err == nil; tok, err = r.Token() {
			tokens = append(tokens, tok)
		}
	}
	tokens = append(tokens, root.End())
	ours, err := tree(tokenSlice(&tokens), true)
	if err != nil {
		t.Fatal(err)
	}
	d, depth := xml.NewDecoder(bytes.NewReader(doc)), 0
	theirs, err := tree(tokenFunc(func() (xml.Token, error) {
		tok, err := d.Token()
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth <= 1 && len(bytes.TrimSpace(tok)) == 0 {
				return xml.CharData(nil), err
			}
		}
		return tok, err
	}), true)
	if !misread(ours) && (err != nil || ours != theirs) {
		t.Fatalf("%s\nencoding/xml: %s, %v\nwe: %s", doc, theirs, err, ours)
	}
}

// A Node of any bytes does something and ends.
func FuzzNode(f *testing.F) {
	for _, s := range []string{"", "<", "<a", "<a>", "</a>", "<a/", "<a b", "<a b='", "<a b=c>", "<a></", "<a><", "<a><b", "<!-- -->", "<?x?>", "x", "<a>&</a>", "<a>&#;</a>", "<a b='&#x;&'/>", "<a></b></a></a>", "<a/><b>", "<a p:b='c' xmlns:='d'/>"} {
		f.Add([]byte(s))
	}
	for _, doc := range documents() {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		n := NewNode(raw, "urn:x")
		var walk func(n Node, depth int)
		walk = func(n Node, depth int) {
			n.Name()
			n.Text()
			n.Content()
			n.AppendTo(nil, "urn:y")
			for name := range n.Attrs() {
				n.Attr(name.Space, name.Local)
			}
			for child := range n.Children() {
				if depth < 20 {
					walk(child, depth+1)
				}
			}
		}
		walk(n, 0)
		r, open := n.Tokens(), 0
		for i := 0; ; i++ {
			tok, err := r.Token()
			if err == io.EOF {
				break
			}
			switch tok.(type) {
			case xml.StartElement:
				open++
			case xml.EndElement:
				open--
			}
			if err != nil || tok == nil || open < 0 || i > 2*len(raw)+2 {
				t.Fatalf("token %d: %v, %v", i, tok, err)
			}
		}
		if open != 0 {
			t.Fatalf("%d elements without their end", open)
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("bytes were written to")
		}
	})
}

// Text and values read back as they were, or are refused.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"", "a<b>&'\"", "]]>", "\t\n\r\r\n", "\x00", "\xff", "\uFFFE", "ü🎈\uFFFD", "&amp;", "'/><x a='"} {
		f.Add(s, "a")
	}
	f.Add("x", "xml:lang")
	f.Add("x", "a b")
	f.Add("x", "xmlns:p")
	f.Fuzz(func(t *testing.T, s, name string) {
		if len(s)+len(name) > 30_000 {
			return
		}
		text, err := AppendText(nil, s)
		_, err2 := AppendAttr(nil, "b", s)
		legal := utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !isChar(r) }) < 0
		if (err == nil) != legal || (err2 == nil) != legal {
			t.Fatalf("%q: %v, %v", s, err, err2)
		}
		if !legal {
			return
		}
		tag, err := AppendAttr([]byte("<a"), name, s)
		if err != nil {
			if tag, err = AppendAttr([]byte("<a"), "b", s); err != nil {
				t.Fatal(err)
			}
			name = "b"
		}
		doc := append(append(append(tag, '>'), text...), "</a>"...)
		e, err := Parse(doc, "", Limits{})
		if strings.Contains(name, ":") || name == "xmlns" {
			return // whether that is well-formed is more than AppendAttr can see
		}
		if err != nil || !bytes.Equal(e.Raw, doc) {
			t.Fatalf("%s\ngot %s, %v", doc, e.Raw, err)
		}
		n := NewNode(e.Raw, "")
		if got, _ := n.Attr("", name); got != s || n.Text() != s {
			t.Fatalf("%q: value %q, text %q", s, got, n.Text())
		}
		if e, err = first(string(doc), Limits{}); err == nil {
			checkPlain(t, e, "jabber:client")
		}
	})
}

// Whatever tokens come in, what goes out is well-formed and in plain form. The
// tokens are those of a decoder that lets nearly everything pass.
func FuzzAppendTokens(f *testing.F) {
	for _, doc := range documents() {
		f.Add(doc, "urn:x")
	}
	for _, s := range []string{"<a:b xmlns:a='u' a:c='1' b:c='2' c:c='3'/>", "<a xmlns:ns1='x' y:b='1'/>", "<a xmlns='u' xmlns='v'/>", "<a xml:b='1'/>", "<a></b></a>"} {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, doc, ns string) {
		for _, raw := range []bool{false, true} {
			d := xml.NewDecoder(strings.NewReader(doc))
			d.Strict = false
			r := tokenFunc(d.Token)
			if raw {
				r = d.RawToken
			}
			out, err := AppendTokens(nil, r, ns)
			if err != nil || !utf8.ValidString(ns) || len(out) > 100_000 {
				continue
			}
			head, err := AppendAttr([]byte("<r"), "xmlns", ns)
			if err != nil || ns == NSXML || ns == NSXMLNS {
				continue
			}
			got := readAll(strings.NewReader(string(head)+">"+string(out)+"</r>"), Limits{Attrs: 1 << 20, AttrBytes: 1 << 20})
			if got.err != nil && condition(got.err) != policyViolation && !strings.Contains(got.err.Error(), "stream header") {
				t.Fatalf("%s\n%v", out, got.err)
			}
			for _, e := range got.elements {
				if !bytes.Contains(out, e.Raw) {
					t.Fatalf("%s\nis not in plain form: %s", out, e.Raw)
				}
			}
		}
	})
}
