package xmlwire

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
)

func TestNode(t *testing.T) {
	const in = `<message to='juliet@example.com' id="a&amp;b&#10;" xml:lang='en' xmlns:p='urn:p' p:id='2'>` +
		"one &lt; <body>Hi &#13;</body>\ntwo<x xmlns='urn:x'><y/><z xmlns=''/></x> three<empty a='>'/></message>"
	n := NewNode([]byte(in), "jabber:client")
	if got := n.Name(); got != (xml.Name{Space: "jabber:client", Local: "message"}) {
		t.Errorf("Name = %v", got)
	}
	for _, tt := range []struct {
		space, local, want string
		ok                 bool
	}{
		{"", "to", "juliet@example.com", true},
		{"", "id", "a&b\n", true},
		{NSXML, "lang", "en", true},
		{"urn:p", "id", "2", true},
		{"", "lang", "", false},
		{"", "xml:lang", "", false},
		{"", "p:id", "", false},
		{"", "p", "", false},
		{"", "xmlns", "", false},
		{NSXMLNS, "p", "", false},
		{"urn:q", "id", "", false},
		{"jabber:client", "to", "", false},
	} {
		if got, ok := n.Attr(tt.space, tt.local); got != tt.want || ok != tt.ok {
			t.Errorf("Attr(%q, %q) = %q, %v; want %q, %v", tt.space, tt.local, got, ok, tt.want, tt.ok)
		}
	}
	var attrs []string
	for name, value := range n.Attrs() {
		attrs = append(attrs, name.Space+" "+name.Local+"="+value)
	}
	if want := []string{" to=juliet@example.com", " id=a&b\n", NSXML + " lang=en", "urn:p id=2"}; !reflect.DeepEqual(attrs, want) {
		t.Errorf("Attrs = %q, want %q", attrs, want)
	}
	if got, want := n.Text(), "one < \ntwo three"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	var children []Node
	for c := range n.Children() {
		children = append(children, c)
	}
	if len(children) != 3 {
		t.Fatalf("%d children", len(children))
	}
	body, x, empty := children[0], children[1], children[2]
	if !body.Is("jabber:client", "body") || body.Text() != "Hi \r" || string(body.Content()) != "Hi &#13;" {
		t.Errorf("body: %v %q %q", body.Name(), body.Text(), body.Content())
	}
	if x.Inherited() != "jabber:client" || string(x.Raw()) != `<x xmlns='urn:x'><y/><z xmlns=''/></x>` {
		t.Errorf("x: %q %s", x.Inherited(), x.Raw())
	}
	if _, ok := x.Attr("", "xmlns"); ok {
		t.Error("a declaration is an attribute")
	}
	var names strings.Builder
	for c := range x.Children() {
		names.WriteString(c.Name().Space + "|" + c.Name().Local + " ")
		break // stopping early is fine
	}
	for c := range x.Children() {
		names.WriteString(c.Name().Space + "|" + c.Name().Local + " ")
	}
	if names.String() != "urn:x|y urn:x|y |z " {
		t.Errorf("children of x: %s", names.String())
	}
	if v, _ := empty.Attr("", "a"); v != ">" || empty.Content() != nil || empty.Text() != "" {
		t.Errorf("empty: %q %q %q", v, empty.Content(), empty.Text())
	}
	if got := body.Content(); cap(got) != len(got) {
		t.Error("appending to Content would overwrite the end tag")
	}
	if got := NewNode([]byte("<a></a>"), "").Content(); got == nil || len(got) != 0 {
		t.Errorf("content of <a></a> = %v", got)
	}
}

func TestNodeAppendTo(t *testing.T) {
	for _, tt := range []struct{ in, inherited, parent, want string }{
		{"<a/>", "u", "u", "<a/>"},
		{"<a/>", "u", "v", "<a xmlns='u'/>"},
		{"<a b='c'><d/></a>", "u'&", "v", "<a xmlns='u&apos;&amp;' b='c'><d/></a>"},
		{"<a\n/>", "u", "", "<a xmlns='u'\n/>"},
		{"<a/>", "", "v", "<a xmlns=''/>"},
		{"<a xmlns='w'/>", "u", "v", "<a xmlns='w'/>"},
		{"<a xmlns='v'/>", "u", "v", "<a xmlns='v'/>"},
		{"<a b='xmlns='/>", "u", "v", "<a xmlns='u' b='xmlns='/>"},
	} {
		n := NewNode([]byte(tt.in), tt.inherited)
		got := n.AppendTo([]byte("…"), tt.parent)
		if string(got) != "…"+tt.want {
			t.Errorf("%s in %q to %q: got %s, want %s", tt.in, tt.inherited, tt.parent, got, tt.want)
		}
		if moved := NewNode(got[len("…"):], tt.parent); moved.Name() != n.Name() {
			t.Errorf("%s: was %v, is %v", tt.in, n.Name(), moved.Name())
		}
	}
}

// A struct decodes from tokens as it would from bytes.
func TestNodeTokensDecode(t *testing.T) {
	type item struct {
		JID    string   `xml:"jid,attr"`
		Groups []string `xml:"jabber:iq:roster group"`
	}
	type iq struct {
		XMLName xml.Name `xml:"jabber:client iq"`
		ID      string   `xml:"id,attr"`
		Lang    string   `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		Extra   string   `xml:"urn:p extra,attr"`
		Roster  struct {
			Ver   string `xml:"ver,attr"`
			Items []item `xml:"item"`
		} `xml:"jabber:iq:roster query"`
		None struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:"none"`
		Other []xml.Attr `xml:",any,attr"`
	}
	const in = `<iq id='1' xml:lang='en' xmlns:p='urn:p' p:extra='x'><query xmlns='jabber:iq:roster' ver='2'>` +
		`<item jid='a@b'><group>G &amp; H</group><group/></item></query><none xmlns=''>text</none></iq>`
	var got iq
	if err := xml.NewTokenDecoder(NewNode([]byte(in), "jabber:client").Tokens()).Decode(&got); err != nil {
		t.Fatal(err)
	}
	var want iq
	d := xml.NewDecoder(strings.NewReader(in))
	d.DefaultSpace = "jabber:client"
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	want.Other = nil // encoding/xml keeps the declaration of p, tokens leave it out
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got.Roster.Items[0].Groups[0] != "G & H" || got.None.XMLName.Space != "" || got.None.Text != "text" {
		t.Errorf("got %+v", got)
	}
}

// xml.Encoder understands tokens as well, so that a payload can go to any writer.
func TestNodeTokensEncode(t *testing.T) {
	const in = `<iq><query xmlns='u'><none xmlns=''><x/></none></query></iq>`
	var out strings.Builder
	enc := xml.NewEncoder(&out)
	r := NewNode([]byte(in), "jabber:client").Tokens()
	for {
		tok, err := r.Token()
		if err != nil {
			break
		}
		if err := enc.EncodeToken(tok); err != nil {
			t.Fatal(err)
		}
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := stdTree([]byte(out.String()), "", false)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stdTree([]byte(in), "jabber:client", false)
	if err != nil || got != want {
		t.Errorf("got %s\n%s\nwant %s, %v", out.String(), got, want, err)
	}
}
