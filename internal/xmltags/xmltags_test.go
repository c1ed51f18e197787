package xmltags_test

import (
	"encoding/xml"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmltags"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

const client = "jabber:client"

// plain is a codec without any knowledge of its own.
var plain = xmltags.Codec{NS: client}

// tree is XML without what may be written in several ways.
func tree(t *testing.T, raw string) string {
	t.Helper()
	e, err := xmlwire.Parse([]byte(raw), client, xmlwire.Limits{})
	require.NoError(t, err, raw)
	out, err := xmlwire.AppendTokens(nil, xmlwire.NewNode(e.Raw, client).Tokens(), client)
	require.NoError(t, err)
	return string(out)
}

func node(t *testing.T, raw string) xmlwire.Node {
	t.Helper()
	e, err := xmlwire.Parse([]byte(raw), client, xmlwire.Limits{})
	require.NoError(t, err, raw)
	return xmlwire.NewNode(e.Raw, client)
}

type (
	move struct {
		XMLName xml.Name `xml:"urn:example:chess move"`
		Game    string   `xml:"game,attr"`
		From    string   `xml:"from"`
		To      string   `xml:"to"`
		Clock   int      `xml:"clock"`
		Comment string   `xml:"comment,omitempty"`
	}
	kinds struct {
		XMLName xml.Name `xml:"urn:x kinds"`
		S       string   `xml:"s"`
		B       bool     `xml:"b"`
		I       int      `xml:"i"`
		I8      int8     `xml:"i8,attr"`
		I16     int16    `xml:"i16"`
		I32     int32    `xml:"i32,attr"`
		I64     int64    `xml:"i64"`
		U       uint     `xml:"u"`
		U8      uint8    `xml:"u8"`
		U16     uint16   `xml:"u16"`
		U32     uint32   `xml:"u32"`
		U64     uint64   `xml:"u64"`
		F32     float32  `xml:"f32"`
		F64     float64  `xml:"f64"`
		Bytes   []byte   `xml:"bytes"`
		ByteA   []byte   `xml:"bytea,attr"`
		P       *string  `xml:"p"`
		PI      *int     `xml:"pi,attr"`
	}
	paths struct {
		XMLName xml.Name `xml:"urn:x paths"`
		A       string   `xml:"a>b>c"`
		B       string   `xml:"a>b>d"`
		C       []string `xml:"a>item"`
		D       string   `xml:"e"`
		E       *string  `xml:"f>g"`
		Own     string   `xml:">h"`
	}
	base struct {
		ID   string `xml:"id,attr"`
		Note string `xml:"note"`
	}
	Base2  struct{ Word string }
	embeds struct {
		XMLName xml.Name `xml:"urn:x embeds"`
		base
		*Base2
		Note string `xml:"note"` // hides base.Note
	}
	leaf struct {
		XMLName xml.Name `xml:"urn:y leaf"`
		N       int      `xml:"n,attr"`
	}
	list struct {
		XMLName xml.Name `xml:"urn:x list"`
		Leaf    *leaf
		Item    []item   `xml:"item"`
		Ptrs    []*item  `xml:"ptr"`
		Words   []string `xml:"word"`
	}
	array struct {
		XMLName xml.Name `xml:"urn:x array"`
		Ints    [2]int   `xml:"int"`
		Bytes   [2]byte  `xml:"bytes"`
	}
	item struct {
		JID  jid.JID `xml:"jid,attr"`
		Name string  `xml:"name,attr,omitempty"`
		Text string  `xml:",chardata"`
	}
	texts struct {
		XMLName xml.Name  `xml:"urn:x texts"`
		When    time.Time `xml:"when,attr"`
		At      time.Time `xml:"at"`
		JID     *jid.JID  `xml:"jid"`
		Text    string    `xml:",cdata"`
	}
	rest struct {
		XMLName xml.Name   `xml:"urn:x rest"`
		Known   string     `xml:"known,attr"`
		Attrs   []xml.Attr `xml:",any,attr"`
		Body    string     `xml:"body"`
		Any     []anything `xml:",any"`
	}
	anything struct {
		XMLName xml.Name
		Lang    string `xml:"http://www.w3.org/XML/1998/namespace lang,attr,omitempty"`
		Inner   string `xml:",innerxml"`
	}
	recursive struct {
		XMLName xml.Name     `xml:"urn:x r"`
		N       int          `xml:"n,attr"`
		R       *recursive   `xml:"r"`
		Rs      []*recursive `xml:"rs>r"`
	}
	dynamic struct {
		XMLName xml.Name `xml:"urn:x dynamic"`
		V       any      `xml:"v"`
		Vs      []any    `xml:"vs"`
		A       any      `xml:"a,attr"`
	}
	untagged       struct{ Word, Other string }
	generic[T any] struct {
		V T `xml:"v"`
	}
)

// marshals, in an element, and attrMarshals, in an attribute, have methods for
// encoding/xml.
type (
	marshals     struct{ s string }
	attrMarshals struct{ s string }
	hasMarshaler struct {
		XMLName xml.Name     `xml:"urn:x has"`
		M       marshals     `xml:"m"`
		A       attrMarshals `xml:"a,attr"`
	}
)

func (m marshals) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "v"}, Value: m.s})
	return e.EncodeElement(struct{}{}, start)
}

func (m *marshals) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	for _, a := range start.Attr {
		if a.Name.Local == "v" {
			m.s = a.Value
		}
	}
	return d.Skip()
}

func (m attrMarshals) MarshalXMLAttr(n xml.Name) (xml.Attr, error) {
	return xml.Attr{Name: n, Value: "<" + m.s}, nil
}

func (m *attrMarshals) UnmarshalXMLAttr(a xml.Attr) error {
	m.s = a.Value[1:]
	return nil
}

// TestAsEncodingXML compares with encoding/xml, where the two agree: the trees
// that are written and the values that are read.
func TestAsEncodingXML(t *testing.T) {
	when := time.Date(1595, 1, 29, 20, 0, 0, 0, time.UTC)
	for name, v := range map[string]any{
		"move":           &move{Game: "7", From: "e2", To: "e4", Clock: 9, Comment: "a < b & 'c' \"d\" ]]> \t\n\r"},
		"value":          move{Game: "it's\t\"\n", From: "é😀"},
		"kinds":          &kinds{xml.Name{}, "s", true, -1, -8, -16, -32, -64, 1, 8, 16, 32, 64, 1.5, math.Pi, []byte("<&>"), []byte("'\""), new(""), new(5)},
		"zero kinds":     &kinds{},
		"extremes":       &kinds{I64: math.MinInt64, U64: math.MaxUint64, F32: math.MaxFloat32, F64: math.Inf(-1)},
		"paths":          &paths{A: "1", B: "2", C: []string{"3", "4"}, D: "5", E: new("6"), Own: "7"},
		"no path":        &paths{},
		"embeds":         &embeds{base: base{ID: "1", Note: "hidden"}, Base2: &Base2{"w"}, Note: "n"},
		"list":           &list{Leaf: &leaf{N: 1}, Item: []item{{jid.MustParse("a@b"), "n", "t"}, {JID: jid.MustParse("c")}}, Ptrs: []*item{{JID: jid.MustParse("b"), Name: "p"}, nil}, Words: []string{"a", "", "b"}},
		"array":          array{Ints: [2]int{1, 2}, Bytes: [2]byte{'a', '<'}},
		"texts":          &texts{When: when, At: when.Add(time.Second), JID: new(jid.MustParse("a@b/c")), Text: "<![CDATA[x]]>"},
		"recursive":      &recursive{N: 1, R: &recursive{N: 2, R: &recursive{N: 3}}, Rs: []*recursive{{N: 4}, {N: 5}}},
		"dynamic":        &dynamic{V: new(leaf{N: 1}), Vs: []any{1, "two", nil, &untagged{}}, A: true},
		"untagged":       &untagged{"a", "b"},
		"generic":        &generic[int]{V: 5},
		"simple":         new("simple"),
		"an own marshal": &hasMarshaler{M: marshals{"v"}, A: attrMarshals{"w"}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := xml.Marshal(v)
			require.NoError(t, err)
			got, err := plain.Append([]byte("before"), v, client)
			require.NoError(t, err)
			raw, ok := strings.CutPrefix(string(got), "before")
			require.True(t, ok)
			require.Equal(t, tree(t, string(want)), tree(t, raw))
			e, err := xmlwire.Parse([]byte(raw), client, xmlwire.Limits{})
			require.NoError(t, err)
			require.Equal(t, raw, string(e.Raw), "not in plain form")

			if name == "dynamic" || reflect.ValueOf(v).Kind() != reflect.Pointer {
				return // which cannot be read, by either
			}
			ours, theirs := reflect.New(reflect.TypeOf(v).Elem()), reflect.New(reflect.TypeOf(v).Elem())
			require.NoError(t, plain.Decode(node(t, raw), ours.Interface()))
			require.NoError(t, xml.Unmarshal([]byte(tree(t, raw)), theirs.Interface()))
			require.Equal(t, theirs.Interface(), ours.Interface())
			again, err := plain.Append(nil, ours.Interface(), client)
			require.NoError(t, err)
			require.Equal(t, raw, string(again))
		})
	}
}
