package xmltags_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/quick"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// rich has a field of nearly every sort. What encoding/xml reads otherwise is not
// in it: see TestReadDifferently. All tags have a namespace, and attributes are
// told apart by their local names.
type rich struct {
	XMLName xml.Name
	S       string          `xml:"urn:x s"`
	P       *string         `xml:"urn:x p"`
	I       int8            `xml:"urn:x i"`
	U       uint16          `xml:"urn:x u"`
	F       float64         `xml:"urn:x f"`
	B       bool            `xml:"urn:x b"`
	Bytes   []byte          `xml:"urn:x bytes"`
	List    []string        `xml:"urn:x list"`
	Path    string          `xml:"urn:x a>b>c"`
	Paths   []int           `xml:"urn:x a>b>d"`
	Self    *rich           `xml:"urn:x self"`
	Selves  []rich          `xml:"urn:x selves"`
	M       *marshals       `xml:"urn:x m"`
	A       string          `xml:"a,attr"`
	PI      *int            `xml:"pi,attr"`
	L       []string        `xml:"l,attr"`
	Lang    string          `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Text    string          `xml:",chardata"`
	Any     []plainAnything `xml:",any"`
	inner
}

type (
	inner struct {
		In string `xml:"urn:x in"`
	}
	plainAnything struct {
		XMLName xml.Name
		Attrs   []xml.Attr      `xml:",any,attr"`
		Text    []byte          `xml:",chardata"`
		Any     []plainAnything `xml:",any"`
	}
)

// FuzzDecode: no element makes Decode panic, and where encoding/xml reads the
// same one, it reads the same. What was read can be written, and reads as the
// same again.
func FuzzDecode(f *testing.F) {
	for _, in := range []string{
		`<e/>`,
		`<e xmlns='urn:x' a='1' pi=' 2 ' l='3' xml:lang='de'>text<s>s &amp; t</s><p/><i>-7</i><u>7</u><f>1e3</f><b>true</b><bytes>x</bytes>more</e>`,
		`<e xmlns='urn:x'><list>1</list><list/><a><b><c>1</c></b><b><d>2</d><d>3</d></b></a><in>4</in></e>`,
		`<e xmlns='urn:x'><self><selves a='1'/><selves><self/></selves></self><m v='1'/><other p:q='1' xmlns:p='urn:p'><e/></other></e>`,
		`<e xmlns='urn:x'><i>300</i></e>`,
		`<e xmlns='urn:x'><i> </i></e>`,
		`<e xmlns='urn:x'><i/><f>&#49;</f><b><x/>1</b><s>a<x>b</x>c</s></e>`,
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := xmlwire.Parse(in, client, xmlwire.Limits{})
		if err != nil {
			plain.Decode(xmlwire.NewNode(in, client), &rich{}) // bytes that no reader took
			return
		}
		n := xmlwire.NewNode(e.Raw, client)
		if taggedAbroad(n) {
			return
		}
		var ours, theirs rich
		oursErr := plain.Decode(n, &ours)
		theirsErr := xml.NewTokenDecoder(&declarations{n.Tokens()}).Decode(&theirs)
		if (oursErr == nil) != (theirsErr == nil) {
			t.Fatalf("%s\nours: %v\ntheirs: %v", e.Raw, oursErr, theirsErr)
		}
		if oursErr != nil {
			return
		}
		if !same(t, &ours, &theirs) {
			t.Fatalf("%s\nours: %+v\ntheirs: %+v", e.Raw, ours, theirs)
		}
		out, err := plain.Append(nil, &ours, client)
		if err != nil {
			return // too deep now, or an attribute twice
		}
		var again rich
		if err := plain.Decode(node(t, string(out)), &again); err != nil {
			t.Fatalf("%s\n%s\n%v", e.Raw, out, err)
		}
		twice, err := plain.Append(nil, &again, client)
		if err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("%s\n%s, %v", out, twice, err)
		}
	})
}

// declarations drops xmlns=”, which Node.Tokens has for AppendTokens.
type declarations struct{ r xml.TokenReader }

func (d *declarations) Token() (xml.Token, error) {
	t, err := d.r.Token()
	if start, ok := t.(xml.StartElement); ok {
		start.Attr = slices.DeleteFunc(start.Attr, func(a xml.Attr) bool { return a.Name == xml.Name{Local: "xmlns"} })
		return start, err
	}
	return t, err
}

// taggedAbroad reports an attribute with the local name of a field of rich in a
// namespace that its tag does not name: encoding/xml takes it, we do not.
func taggedAbroad(n xmlwire.Node) bool {
	for tokens := n.Tokens(); ; {
		t, err := tokens.Token()
		if err != nil {
			return false
		}
		start, _ := t.(xml.StartElement)
		for _, a := range start.Attr {
			if a.Name.Space != "" && slices.Contains([]string{"a", "pi", "l"}, a.Name.Local) {
				return true
			}
		}
	}
}

// same compares by what the two write, since NaN is not equal to itself.
func same(t *testing.T, a, b *rich) bool {
	var w [2]bytes.Buffer
	for i, v := range []*rich{a, b} {
		if err := xml.NewEncoder(&w[i]).Encode(v); err != nil && err != io.EOF {
			return reflect.DeepEqual(a, b)
		}
	}
	return reflect.DeepEqual(a, b) || a.F != a.F && bytes.Equal(w[0].Bytes(), w[1].Bytes())
}

// TestRoundTrip: what is written reads as it was, whatever the values.
func TestRoundTrip(t *testing.T) {
	check := func(v kinds) bool {
		v.XMLName = xml.Name{Space: "urn:x", Local: "kinds"}
		out, err := plain.Append(nil, &v, client)
		if err != nil { // a character that XML does not have
			for _, text := range []string{v.S, string(v.Bytes), string(v.ByteA), deref(v.P)} {
				if _, err := xmlwire.AppendText(nil, text); err != nil {
					return true
				}
			}
			t.Log(err)
			return false
		}
		var got kinds
		if err := plain.Decode(node(t, string(out)), &got); err != nil {
			t.Log(err)
			return false
		}
		if v.Bytes == nil {
			v.Bytes = []byte{}
		}
		if v.ByteA == nil {
			v.ByteA = []byte{}
		}
		return reflect.DeepEqual(v, got)
	}
	valid := func(v kinds) bool {
		v.S, v.Bytes, v.ByteA = clean(v.S), []byte(clean(string(v.Bytes))), []byte(clean(string(v.ByteA)))
		if v.P != nil {
			*v.P = clean(*v.P)
		}
		return check(v)
	}
	for _, f := range []any{check, valid} {
		if err := quick.Check(f, &quick.Config{MaxCount: 500}); err != nil {
			t.Error(err)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// clean keeps what XML can express of s.
func clean(s string) string {
	var out []rune
	for _, r := range s {
		if _, err := xmlwire.AppendText(nil, string(r)); err == nil && r != 0xFFFD {
			out = append(out, r)
		}
	}
	return string(out)
}
