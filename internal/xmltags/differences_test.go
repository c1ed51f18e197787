package xmltags_test

import (
	"encoding/xml"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
)

// shout is text by a method of its pointer.
type shout string

func (s *shout) MarshalText() ([]byte, error) { return []byte(*s + "!"), nil }

// TestWrittenDifferently lists what this package writes otherwise than
// encoding/xml, on purpose.
func TestWrittenDifferently(t *testing.T) {
	for _, tt := range []struct {
		why          string
		v            any
		ours, theirs string // theirs is empty where it is an error or no XML
	}{
		{"a path is in its namespace, as encoding/xml reads it", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:"urn:y a>b"`
		}{V: "1"}, `<e xmlns='urn:x'><a xmlns='urn:y'><b>1</b></a></e>`, `<e xmlns='urn:x'><a><b xmlns='urn:y'>1</b></a></e>`},
		{"no path to what is left out", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:"a>b,omitempty"`
		}{}, `<e xmlns='urn:x'/>`, `<e xmlns='urn:x'><a/></e>`},
		{"a path to an empty list is written by both", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       []string `xml:"a>b"`
		}{}, `<e xmlns='urn:x'><a/></e>`, `<e xmlns='urn:x'><a/></e>`},
		{"the field's tag has the namespace that XMLName leaves open", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       struct {
				XMLName xml.Name `xml:"v"`
			} `xml:"urn:y v"`
		}{}, `<e xmlns='urn:x'><v xmlns='urn:y'/></e>`, `<e xmlns='urn:x'><v/></e>`},
		{"no namespace is that of the parent", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       struct{ XMLName xml.Name }
		}{V: struct{ XMLName xml.Name }{xml.Name{Local: "v"}}}, `<e xmlns='urn:x'><v/></e>`, `<e xmlns='urn:x'><v xmlns=''/></e>`},
		{"omitempty asks IsZero", struct {
			XMLName xml.Name  `xml:"urn:x e"`
			At      time.Time `xml:"at,attr,omitempty"`
			To      jid.JID   `xml:"to,omitempty"`
		}{}, `<e xmlns='urn:x'/>`, `<e xmlns='urn:x' at='0001-01-01T00:00:00Z'><to/></e>`},
		{"characters that XML forbids are errors", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:"v"`
		}{V: "\x00"}, ``, `<e xmlns='urn:x'><v>` + "\uFFFD" + `</v></e>`},
		{"a method of the pointer counts in a value", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       shout    `xml:"v"`
		}{V: "hi"}, `<e xmlns='urn:x'><v>hi!</v></e>`, `<e xmlns='urn:x'><v>hi</v></e>`},
		{"innerxml cannot end the element", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:",innerxml"`
		}{V: "</e><e xmlns='urn:x'>"}, ``, ``},
		{"innerxml is XML", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:",innerxml"`
		}{V: "a & b"}, ``, ``},
		{"innerxml comes out plain", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       []byte   `xml:",innerxml"`
		}{V: []byte("<p:a xmlns:p='urn:y'/><![CDATA[<]]>")}, `<e xmlns='urn:x'><a xmlns='urn:y' xmlns:p='urn:y'/>&lt;</e>`, `<e xmlns='urn:x'><a xmlns='urn:y'/>&lt;</e>`},
		{"no comments", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:",comment"`
		}{V: "psst"}, `<e xmlns='urn:x'/>`, ``},
		{"attributes are unique", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       []string `xml:"v,attr"`
		}{V: []string{"1", "2"}}, ``, ``},
		{"declarations are made, not passed on", struct {
			XMLName xml.Name   `xml:"urn:x e"`
			Attrs   []xml.Attr `xml:",any,attr"`
		}{Attrs: []xml.Attr{
			{Name: xml.Name{Local: "xmlns"}, Value: "urn:x"},
			{Name: xml.Name{Space: "xmlns", Local: "p"}, Value: "urn:p"},
			{Name: xml.Name{Space: "urn:p", Local: "v"}, Value: "1"},
		}}, `<e xmlns='urn:x' xmlns:p='urn:p' p:v='1'/>`, ``}, // xmlns twice, and _xmlns:p
		{"prefixes are for the writer", struct {
			XMLName xml.Name `xml:"urn:x e"`
			V       string   `xml:"p:v"`
		}{}, ``, ``},
		{"nil pointers have no methods", struct {
			XMLName xml.Name `xml:"urn:x e"`
			To      *jid.JID `xml:",chardata"`
		}{}, `<e xmlns='urn:x'/>`, "panic"},
		{"nothing is behind an embedded pointer that is nil", struct {
			XMLName xml.Name `xml:"urn:x e"`
			*Base
		}{}, `<e xmlns='urn:x'/>`, "panic"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			got, err := plain.Append(nil, tt.v, client)
			require.Equal(t, tt.ours, string(got))
			require.Equal(t, tt.ours == "", err != nil, "%v", err)
			if tt.theirs == "panic" {
				require.Panics(t, func() { xml.Marshal(tt.v) })
				return
			}
			theirs, err := xml.Marshal(tt.v)
			if tt.theirs != "" {
				require.NoError(t, err)
				require.Equal(t, tt.theirs, tree(t, string(theirs)))
			}
		})
	}
}

// Base has an attribute.
type Base struct {
	ID string `xml:"id,attr"`
}

// TestReadDifferently lists what this package reads otherwise than encoding/xml,
// on purpose.
func TestReadDifferently(t *testing.T) {
	for _, tt := range []struct {
		why, in           string
		v                 func() (ptr any, read func() string)
		ours, theirs      string
		oursErr, theirErr bool
	}{
		{why: "a child without a namespace is in that of its parent",
			in: `<e xmlns='urn:x'><v xmlns='urn:y'>1</v></e>`, ours: "", theirs: "1",
			v: func() (any, func() string) {
				var v struct {
					V string `xml:"v"`
				}
				return &v, func() string { return v.V }
			}},
		{why: "so is the first of a path",
			in: `<e xmlns='urn:x'><a xmlns='urn:y'><v>1</v></a><a><v>2</v></a></e>`, ours: "2", theirs: "2",
			v: func() (any, func() string) {
				var v struct {
					V string `xml:"a>v"`
				}
				return &v, func() string { return v.V }
			}},
		{why: "an attribute without a namespace is in none",
			in: `<e xmlns:p='urn:p' p:v='1'/>`, ours: "", theirs: "1",
			v: func() (any, func() string) {
				var v struct {
					V string `xml:"v,attr"`
				}
				return &v, func() string { return v.V }
			}},
		{why: "xml:lang is read as it is written",
			in: `<e xml:lang='de'/>`, ours: "de", theirs: "",
			v: func() (any, func() string) {
				var v struct {
					V string `xml:"xml:lang,attr"`
				}
				return &v, func() string { return v.V }
			}},
		{why: "pointers to embedded structs only where needed",
			in: `<e other='1'/>`, ours: "nil", theirs: "",
			v: func() (any, func() string) {
				var v struct{ *Base }
				return &v, func() string {
					if v.Base == nil {
						return "nil"
					}
					return v.ID
				}
			}},
		{why: "spare room is cleared",
			in: `<e><v/></e>`, ours: "", theirs: "old",
			v: func() (any, func() string) {
				var v struct {
					V []Base `xml:"v"`
				}
				v.V = []Base{{"old"}}[:0]
				return &v, func() string { return v.V[0].ID }
			}},
		{why: "an interface needs a pointer",
			in: `<e><v>1</v></e>`, oursErr: true,
			v: func() (any, func() string) {
				var v struct {
					V any `xml:"v"`
				}
				return &v, func() string { return "" }
			}},
		{why: "pointers to pointers",
			in: `<e><v>1</v></e>`, ours: "1", theirErr: true,
			v: func() (any, func() string) {
				var v struct {
					V **string `xml:"v"`
				}
				return &v, func() string { return **v.V }
			}},
		{why: "innerxml of tokens",
			in: `<e><v a='1'>&lt;</v></e>`, ours: "<v a='1'>&lt;</v>", theirs: "",
			v: func() (any, func() string) {
				var v struct {
					V string `xml:",innerxml"`
				}
				return &v, func() string { return v.V }
			}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			n := node(t, tt.in)
			v, read := tt.v()
			err := plain.Decode(n, v)
			require.Equal(t, tt.oursErr, err != nil, "%v", err)
			if err == nil {
				require.Equal(t, tt.ours, read())
			}
			v, read = tt.v()
			err = xml.NewTokenDecoder(n.Tokens()).Decode(v)
			require.Equal(t, tt.theirErr, err != nil, "%v", err)
			if err == nil && tt.why != "an interface needs a pointer" {
				require.Equal(t, tt.theirs, read())
			}
		})
	}
}
