package xmltags_test

import (
	"encoding/xml"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmltags"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// TestRestOfElement: attributes and children that no field takes.
func TestRestOfElement(t *testing.T) {
	const in = `<rest xmlns='urn:x' known='1' other='2' xmlns:p='urn:p' p:third='3' xml:lang='de'>` +
		`<body>b</body><body xmlns='urn:y' xml:lang='en'>not <b>this</b> one</body><more/></rest>`
	var got rest
	require.NoError(t, plain.Decode(node(t, in), &got))
	require.Equal(t, rest{
		XMLName: xml.Name{Space: "urn:x", Local: "rest"},
		Known:   "1",
		Attrs: []xml.Attr{
			{Name: xml.Name{Local: "other"}, Value: "2"},
			{Name: xml.Name{Space: "urn:p", Local: "third"}, Value: "3"},
			{Name: xml.Name{Space: xmlwire.NSXML, Local: "lang"}, Value: "de"},
		},
		Body: "b",
		Any: []anything{
			{XMLName: xml.Name{Space: "urn:y", Local: "body"}, Lang: "en", Inner: "not <b>this</b> one"},
			{XMLName: xml.Name{Space: "urn:x", Local: "more"}},
		},
	}, got)
	out, err := plain.Append(nil, got, client)
	require.NoError(t, err)
	require.Equal(t, tree(t, in), tree(t, string(out)))

	got.Attrs = append(got.Attrs, xml.Attr{Name: xml.Name{Local: "known"}})
	_, err = plain.Append(nil, got, client)
	require.ErrorIs(t, err, xmlwire.ErrName, "an attribute twice")
}

// TestNamespaceAttribute: a tag that gives the namespace as an attribute, as many
// types written for encoding/xml do.
func TestNamespaceAttribute(t *testing.T) {
	type query struct {
		XMLName xml.Name `xml:"query"`
		NS      string   `xml:"xmlns,attr"`
		V       string   `xml:"v"`
	}
	v := query{NS: "urn:x", V: "1"}
	out, err := plain.Append(nil, v, client)
	require.NoError(t, err)
	require.Equal(t, `<query xmlns='urn:x'><v>1</v></query>`, string(out))
	var got query
	require.NoError(t, plain.Decode(node(t, string(out)), &got))
	v.XMLName = xml.Name{Space: "urn:x", Local: "query"}
	require.Equal(t, v, got)

	_, err = plain.Append(nil, struct {
		XMLName xml.Name `xml:"urn:x query"`
		NS      string   `xml:"xmlns,attr"`
	}{NS: "urn:y"}, client)
	require.Error(t, err)
}

// TestParentNamespace: no declaration where the parent's will do.
func TestParentNamespace(t *testing.T) {
	v := move{Game: "1"}
	out, err := plain.Append(nil, v, "urn:example:chess")
	require.NoError(t, err)
	require.Equal(t, `<move game='1'><from/><to/><clock>0</clock></move>`, string(out))
}

// own is a type that writes and reads itself.
type own struct{ word string }

func (o own) AppendXML(dst []byte) ([]byte, error) {
	if o.word == "" {
		return dst, errEmpty
	}
	dst, err := xmlwire.AppendText(append(dst, "<own>"...), o.word)
	return append(dst, "</own>"...), err
}

var errEmpty = errors.New("no word")

// TestOwn: fields that write and read themselves, as children of another
// namespace than they think.
func TestOwn(t *testing.T) {
	type outer struct {
		XMLName xml.Name `xml:"urn:x outer"`
		Own     own
		Ptr     *own  `xml:"second"`
		More    []own `xml:",any"`
	}
	c := xmltags.Codec{NS: client, Own: func(t reflect.Type) (xmltags.Own, bool) {
		return xmltags.Own{
			Name:   xml.Name{Space: client, Local: "own"},
			Decode: func(n xmlwire.Node, v any) error { v.(*own).word = n.Text(); return nil },
		}, t == reflect.TypeFor[*own]()
	}}
	v := outer{Own: own{"a"}, More: []own{{"b"}, {"c"}}}
	out, err := c.Append(nil, v, client)
	require.NoError(t, err)
	require.Equal(t, `<outer xmlns='urn:x'><own xmlns='jabber:client'>a</own><own xmlns='jabber:client'>b</own><own xmlns='jabber:client'>c</own></outer>`, string(out))
	var got outer
	require.NoError(t, c.Decode(node(t, `<outer xmlns='urn:x'><own xmlns='jabber:client'>a</own><second>p</second><own>b</own></outer>`), &got))
	require.Equal(t, outer{XMLName: xml.Name{Space: "urn:x", Local: "outer"}, Own: own{"a"}, Ptr: &own{"p"}, More: []own{{"b"}}}, got)

	out, err = c.Append([]byte("kept"), outer{}, client)
	require.ErrorIs(t, err, errEmpty)
	require.EqualError(t, err, "xmltags_test.outer.Own: no word")
	require.Equal(t, "kept", string(out))

	out, err = c.Append(nil, own{"a"}, client)
	require.NoError(t, err)
	require.Equal(t, `<own/>`, string(out), "the value itself goes by its tags")
}

func TestErrors(t *testing.T) {
	type deep struct {
		V struct {
			N int8 `xml:"n,attr"`
		} `xml:"v"`
	}
	for _, tt := range []struct {
		in   string
		v    any
		want string
	}{
		{`<e/>`, nil, "<nil>: not a pointer, or nil"},
		{`<e/>`, deep{}, "xmltags_test.deep: not a pointer, or nil"},
		{`<e/>`, (*deep)(nil), "*xmltags_test.deep: not a pointer, or nil"},
		{`<e><v n='300'/></e>`, &deep{}, "xmltags_test.deep.V.N: not of type int8: value out of range"},
		{`<e><v n='secret'/></e>`, &deep{}, "xmltags_test.deep.V.N: not of type int8: invalid syntax"},
		{`<e/>`, &move{}, `xmltags_test.move: the element is not move in namespace "urn:example:chess"`},
		{`<move/>`, &move{}, `xmltags_test.move: the element is not move in namespace "urn:example:chess"`},
		{`<e/>`, new(chan int), "chan int: type chan int cannot be read from an element"},
		{`<e/>`, new([]int), "[]int: type []int cannot be read from an element"},
		{`<e><V/></e>`, &struct{ V map[string]int }{}, "struct { V map[string]int }.V: type map[string]int cannot be read from an element"},
		{`<e a='1'/>`, &struct {
			A complex64 `xml:"a,attr"`
		}{}, "struct { A complex64 \"xml:\\\"a,attr\\\"\" }.A: type complex64 cannot be read from an attribute"},
		{`<e/>`, &struct {
			A map[int]int `xml:",chardata"`
		}{}, "struct { A map[int]int \"xml:\\\",chardata\\\"\" }.A: type map[int]int cannot be read from text"},
		{`<e id='1'/>`, &struct{ *sealed }{}, "struct { *xmltags_test.sealed }.sealed.ID: behind an embedded pointer that is nil and not exported"},
	} {
		require.EqualError(t, plain.Decode(node(t, tt.in), tt.v), tt.want)
	}

	for want, v := range map[string]any{
		"<nil>: nil is no element":                                                     nil,
		"*xmltags_test.move: nil is no element":                                        (*move)(nil),
		"[]int: type []int cannot be an element":                                       []int{1},
		"func(): type func() cannot be an element":                                     func() {},
		"struct {}: xmlwire: invalid XML name: a type without a name needs an XMLName": struct{}{},
		"xmltags_test.holds.V: type map[string]int cannot be an element":               holds{map[string]int{}},
		"xmltags_test.holds.V: type chan int cannot be an element":                     &holds{make(chan int)},
	} {
		out, err := plain.Append([]byte("kept"), v, client)
		require.EqualError(t, err, want)
		require.Equal(t, "kept", string(out))
		if v != nil {
			e, ok := errors.AsType[*xmltags.Error](err)
			require.True(t, ok)
			require.NotNil(t, e.Type)
		}
	}
}

type (
	sealed struct {
		ID string `xml:"id,attr"`
	}
	holds struct{ V any }
)

// TestBadTags: what is wrong with a type is an error each time, whatever its value.
func TestBadTags(t *testing.T) {
	for name, v := range map[string]any{
		"unknown option":       tagged[string](`xml:"v,omitemtpy"`),
		"attr and chardata":    tagged[string](`xml:",attr,chardata"`),
		"named chardata":       tagged[string](`xml:"v,chardata"`),
		"no name":              tagged[string](`xml:"urn:x "`),
		"trailing >":           tagged[string](`xml:"a>"`),
		"empty step":           tagged[string](`xml:"a>>b"`),
		"path to an attribute": tagged[string](`xml:"a>b,attr"`),
		"empty chardata":       tagged[string](`xml:",chardata,omitempty"`),
		"prefix":               tagged[string](`xml:"p:v"`),
		"prefixed attribute":   tagged[string](`xml:"p:v,attr"`),
		"declaration":          tagged[string](`xml:"xmlns:p,attr"`),
		"no string":            tagged[int](`xml:"xmlns,attr"`),
		"innerxml":             tagged[int](`xml:",innerxml"`),
		"reserved namespace":   tagged[int](`xml:"http://www.w3.org/2000/xmlns/ v"`),
		"forbidden character":  tagged[int](`xml:"urn:\x01 v"`),
		"two names":            tagged[move](`xml:"v"`),
		"two namespaces":       tagged[move](`xml:"urn:y move"`),
		"XMLName is attribute": named(`xml:"v,attr"`),
		"XMLName is a path":    named(`xml:"v>w"`),
		"XMLName is no name":   named(`xml:"<"`),
		"in itself":            &endless{},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				_, err := plain.Append(nil, v, client)
				require.Error(t, err)
				require.Error(t, plain.Decode(node(t, `<e/>`), v))
			}
		})
	}

	for name, v := range map[string]any{
		"same":      tagged[string](`xml:"a"`, `xml:"a"`),
		"same attr": tagged[string](`xml:"a,attr"`, `xml:"a,attr"`),
		"prefix": &struct {
			A string `xml:"a"`
			B string `xml:"a>b"`
		}{},
		"embedded": &struct {
			One
			Two
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plain.Append(nil, v, client)
			ours, ok := errors.AsType[*xml.TagPathError](err)
			require.True(t, ok, "%v", err)
			_, err = xml.Marshal(v)
			theirs, ok := errors.AsType[*xml.TagPathError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, theirs.Struct, ours.Struct)
			require.Equal(t, theirs.Tag2, ours.Tag2)
		})
	}
}

// tagged returns a pointer to a struct of fields A, B and so on with these tags. The
// compiler's companions would not have them.
func tagged[T any](tags ...reflect.StructTag) any {
	var fields []reflect.StructField
	for i, tag := range tags {
		fields = append(fields, reflect.StructField{Name: string(rune('A' + i)), Type: reflect.TypeFor[T](), Tag: tag})
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// named returns a pointer to a struct whose XMLName has this tag.
func named(tag reflect.StructTag) any {
	return reflect.New(reflect.StructOf([]reflect.StructField{{Name: "XMLName", Type: reflect.TypeFor[xml.Name](), Tag: tag}})).Interface()
}

type (
	endless  struct{ *Endless2 }
	Endless2 struct{ *Endless2 }
	One      struct{ V string }
	Two      struct{ V string }
)

// TestCycles: values that lead to themselves end in an error.
func TestCycles(t *testing.T) {
	r := &recursive{}
	r.R = r
	_, err := plain.Append(nil, r, client)
	require.ErrorIs(t, err, xmlwire.ErrDepth)

	var i any
	i = &i
	_, err = plain.Append(nil, holds{i}, client)
	require.Error(t, err)
	require.Error(t, plain.Decode(node(t, `<e><V/></e>`), &holds{i}))

	s := []any{nil}
	s[0] = s
	_, err = plain.Append(nil, holds{s}, client)
	require.Error(t, err)

	type P *P
	var p P
	p = &p
	_, err = plain.Append(nil, p, client)
	require.Error(t, err)
	require.Error(t, plain.Decode(node(t, `<e/>`), p))
	require.Error(t, plain.Decode(node(t, `<e><V/></e>`), &struct{ V P }{}))

	type S []S
	require.Error(t, plain.Decode(node(t, `<e><V/></e>`), &struct{ V S }{}))
	require.Error(t, plain.Decode(node(t, `<e V='1'/>`), &struct {
		V S `xml:",attr"`
	}{}))
}

// TestDepth: neither writes nor reads more than a reader takes.
func TestDepth(t *testing.T) {
	type link struct {
		XMLName xml.Name `xml:"urn:x l"`
		L       *link    `xml:"urn:x l"`
	}
	chain := func(n int) *link {
		l := &link{}
		for range n - 1 {
			l = &link{L: l}
		}
		return l
	}
	out, err := plain.Append(nil, chain(100), client)
	require.NoError(t, err)
	require.NoError(t, plain.Decode(node(t, string(out)), &link{}))
	_, err = plain.Append(nil, chain(101), client)
	require.ErrorIs(t, err, xmlwire.ErrDepth)

	raw := strings.Repeat(`<l xmlns='urn:x'>`, 1000) + strings.Repeat(`</l>`, 1000)
	require.Error(t, plain.Decode(xmlwire.NewNode([]byte(raw), client), &link{}), "bytes that no reader took")

	type inner struct {
		XMLName xml.Name `xml:"urn:x i"`
		Raw     string   `xml:",innerxml"`
	}
	_, err = plain.Append(nil, inner{Raw: strings.Repeat("<a>", 99) + strings.Repeat("</a>", 99)}, client)
	require.NoError(t, err)
	_, err = plain.Append(nil, inner{Raw: strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)}, client)
	require.Error(t, err)
}

// foreign is an xml.Marshaler that writes what it is told.
type foreign string

func (f foreign) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	d := xml.NewDecoder(strings.NewReader(string(f)))
	for {
		t, err := d.RawToken()
		if t == nil {
			return nil
		} else if err != nil {
			return err
		}
		if err := e.EncodeToken(t); err != nil {
			return err
		}
	}
}

func TestForeign(t *testing.T) {
	type outer struct {
		XMLName xml.Name `xml:"urn:x outer"`
		F       foreign  `xml:"f"`
	}
	for in, want := range map[foreign]string{
		"":                   `<outer xmlns='urn:x'/>`,
		"<a/><b/>":           `<outer xmlns='urn:x'><a></a><b></b></outer>`,
		"<a xmlns='urn:y'/>": `<outer xmlns='urn:x'><a xmlns="urn:y"></a></outer>`,
		"text":               ``,
		"<a/><!-- psst -->":  ``,
		"<?pi?>":             ``,
		"<a>":                ``,
		"<s xmlns='http://etherx.jabber.org/streams'/>": ``,
	} {
		out, err := plain.Append(nil, outer{F: in}, client)
		require.Equal(t, want, string(out), "%s", in)
		require.Equal(t, want == "", err != nil, "%s: %v", in, err)
	}
	_, err := plain.Append(nil, foreign("<a/><b/>"), client)
	require.Error(t, err)
	out, err := plain.Append(nil, foreign("<a/>"), client)
	require.NoError(t, err)
	require.Equal(t, "<a></a>", string(out))
}

// TestStreamNamespace: no element of the stream inside another.
func TestStreamNamespace(t *testing.T) {
	_, err := plain.Append(nil, struct {
		XMLName xml.Name `xml:"urn:x e"`
		V       string   `xml:"http://etherx.jabber.org/streams error"`
	}{}, client)
	require.ErrorIs(t, err, xmlwire.ErrToken)
}

// TestCopies: what was read stays when the element's memory is used again.
func TestCopies(t *testing.T) {
	raw := []byte(`<rest xmlns='urn:x' known='1' o='2'><body>b</body><more xml:lang='de'><x/></more></rest>`)
	var got, want rest
	require.NoError(t, plain.Decode(xmlwire.NewNode([]byte(string(raw)), client), &want))
	require.NoError(t, plain.Decode(xmlwire.NewNode(raw, client), &got))
	for i := range raw {
		raw[i] = '?'
	}
	require.Equal(t, want, got)

	raw = []byte(`<e xmlns='urn:x'>text</e>`)
	var b struct {
		XMLName xml.Name
		Text    []byte `xml:",chardata"`
		Inner   []byte `xml:",innerxml"`
	}
	require.NoError(t, plain.Decode(xmlwire.NewNode(raw, client), &b))
	clear(raw)
	require.Equal(t, "text text urn:x e", string(b.Text)+" "+string(b.Inner)+" "+b.XMLName.Space+" "+b.XMLName.Local)
}

// TestConcurrent: the plans are made once, by whoever comes first.
func TestConcurrent(t *testing.T) {
	var c xmltags.Codec
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			out, err := c.Append(nil, recursive{R: &recursive{}}, client)
			if err != nil {
				t.Error(err)
			}
			if err := c.Decode(xmlwire.NewNode(out, client), &recursive{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestUnchecked: bytes that no reader took come out as something or other.
func TestUnchecked(t *testing.T) {
	for _, raw := range []string{"", "<", "<>", "</>", "<a", "<e><s", "<e><s>", "<e></", "<e a='>", "<e><s></e>", "text", "<e></e", "<e/", "<e><></></e>", "<e><i>1</i></e><"} {
		plain.Decode(xmlwire.NewNode([]byte(raw), client), &rich{})
		plain.Decode(xmlwire.NewNode([]byte(raw), client), new(int))
		plain.Decode(xmlwire.NewNode([]byte(raw), client), new(string))
	}
}
