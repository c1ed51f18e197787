package xmlwire

import (
	"strings"
	"testing"
	"testing/iotest"
)

// What is in plain form already stays as it came, byte by byte.
func TestPlainStays(t *testing.T) {
	for _, in := range []string{
		`<message to='juliet@example.com' type="chat" id='1'><body>Hi &amp; bye &lt;&gt;&quot;&apos;</body></message>`,
		`<a/>`, `<a />`, `<a></a>`, "<a\n\tb = 'c'\r\n></a \n>", `<a b="it's"/>`, `<a b='"'/>`, `<a b='a>b'>a>b</a>`,
		`<iq type='result'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>`,
		`<iq xmlns='jabber:client'/>`, `<a xmlns=''/>`, `<a xmlns=''><b xmlns='jabber:client'/></a>`,
		`<a xml:lang='en' xml:space='preserve'/>`,
		`<a xmlns:p='urn:p' p:b='1'><c/></a>`, `<a xmlns:p='urn:p'/>`, `<a p:b='1' xmlns:p='urn:p'/>`,
		`<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>`,
		"<a>\t\n]] ]]&gt; &#13;</a>", `<a b='&#9;&#10;&#13;]]>'/>`,
		`<größe länge='ü'>ß 日本 🎈 ` + "\u007f\u0085\uFEFF" + `</größe>`,
		`<xmlfoo/>`, `<xmlns/>`, `<a.b-c_d1/>`,
		`<amp>&amp;amp;</amp>`,
		`<a xmlns='http://etherx.jabber.org/stream'/>`,
		`<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>`,
		`<stream xmlns='urn:x'/>`,
		`<a><b xmlns='v'><c/></b> <b xmlns='v'/><d/></a>`,
		`<a xmlns:b='u' b='1' xml:b='2' b:b='3'/>`,
		`<a xmlns:b='u' b='1' xml:b='2' b:b='3' b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9=''/>`,
		`<a xmlns:p='u' xmlns:q='v' p:b='' q:b=''/>`,
	} {
		e, err := first(in, Limits{})
		if err != nil || string(e.Raw) != in {
			t.Errorf("%s\n got %s, %v", in, e.Raw, err)
			continue
		}
		checkPlain(t, e, "jabber:client")
	}
}

// Anything else is written again.
func TestPlainWritten(t *testing.T) {
	const streams = `xmlns='http://etherx.jabber.org/streams'`
	for _, tt := range []struct{ in, want string }{
		// Prefixes: of the header, of the element, shadowed, out of scope again.
		{`<stream:features><bind xmlns='urn:b'/></stream:features>`, `<features ` + streams + `><bind xmlns='urn:b'/></features>`},
		{`<p:a xmlns:p='urn:p'/>`, `<a xmlns='urn:p' xmlns:p='urn:p'/>`},
		{`<p:a xmlns:p='urn:p'><p:b/><c/></p:a>`, `<a xmlns='urn:p' xmlns:p='urn:p'><b/><c xmlns='jabber:client'/></a>`},
		{`<p:message xmlns:p='jabber:client'><p:body>x</p:body></p:message>`, `<message xmlns:p='jabber:client'><body>x</body></message>`},
		{`<p:a xmlns:p='u' xmlns='v'><b/><p:c xmlns:p='w'><p:d/></p:c><p:e/></p:a>`,
			`<a xmlns='u' xmlns:p='u'><b xmlns='v'/><c xmlns='w' xmlns:p='w'><d/></c><e/></a>`},
		{`<p:a xmlns:p='u'><b xmlns=''><p:c/></b></p:a>`, `<a xmlns='u' xmlns:p='u'><b xmlns=''><c xmlns='u'/></b></a>`},
		{`<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c xmlns:p='w'></p:c><p:d/></p:a>`,
			`<a xmlns='u' xmlns:p='u'><b xmlns='v' xmlns:p='v'/><c xmlns='w' xmlns:p='w'></c><d/></a>`},
		{`<p:a xmlns:p='http://etherx.jabber.org/streams'><b xmlns:p='u'><p:c/></b></p:a>`,
			`<a ` + streams + ` xmlns:p='http://etherx.jabber.org/streams'><b xmlns='jabber:client' xmlns:p='u'><c xmlns='u'/></b></a>`},
		{`<p:a xmlns:p='u&amp;v' />`, `<a xmlns='u&amp;v' xmlns:p='u&amp;v'/>`},
		{`<p:a xmlns:p='u'></p:a >`, `<a xmlns='u' xmlns:p='u'></a>`},
		// Prefixes of attributes are declared where they stand.
		{`<a stream:b='1'/>`, `<a xmlns:stream='http://etherx.jabber.org/streams' stream:b='1'/>`},
		{`<a xmlns:p='u'><b p:c='1' p:d='2' e='3'/></a>`, `<a xmlns:p='u'><b xmlns:p='u' p:c='1' p:d='2' e='3'/></a>`},
		{`<a xmlns:x='u' x:type='xs:int' xmlns:xs='urn:xs'><x:b/></a>`, `<a xmlns:x='u' x:type='xs:int' xmlns:xs='urn:xs'><b xmlns='u'/></a>`},
		// CDATA.
		{`<a><![CDATA[<b>&amp;</b>]]></a>`, `<a>&lt;b&gt;&amp;amp;&lt;/b&gt;</a>`},
		{`<a>x<![CDATA[]]>y</a>`, `<a>xy</a>`},
		{`<a><![CDATA[]]]]><![CDATA[>]]></a>`, `<a>]]&gt;</a>`},
		{`<a><![CDATA[]]]></a>`, `<a>]</a>`},
		{`<a>]]<![CDATA[>]]></a>`, `<a>]]&gt;</a>`},
		{"<a><![CDATA[\r\n\r\r\n\n\r]]>\n</a>", "<a>\n\n\n\n\n\n</a>"}, // XML §2.11
		// References.
		{`<a>&#65;&#x42;&#x00043;&#xe9;&#128512;</a>`, `<a>ABCé😀</a>`},
		{`<a>&#38;&#60;&#62;&#39;&#34;&#38;lt;</a>`, `<a>&amp;&lt;&gt;'"&amp;lt;</a>`},
		{`<a>&#9;&#10;</a>`, "<a>\t\n</a>"},
		{`<a b='&#38;&#60;&#39;&#34;&#x9;&#xA;&#xD;'/>`, `<a b='&amp;&lt;&apos;"&#9;&#10;&#13;'/>`},
		{`<a>&#x9;&#10;&#xD;&#32;</a>`, "<a>\t\n&#13; </a>"},
		// Line ends and blanks: XML §2.11, §3.3.3.
		{"<a>1\r\n2\r3\n4\r\r\n5</a>", "<a>1\n2\n3\n4\n\n5</a>"},
		{"<a b='1\r\n2\r3\n4\t5'/>", "<a b='1 2 3 4 5'/>"},
		{"<a b='1\r&#10;2'/>", "<a b='1 &#10;2'/>"},
		{"<a>\r&#10;&#13;\n</a>", "<a>\n\n&#13;\n</a>"},
		{"<a b = \"c\"\n d='\"'><![CDATA[]]></a>", `<a b='c' d='"'></a>`},
		{"<a xmlns='u\tv'/>", "<a xmlns='u v'/>"},
		{`<a>]]<p:b xmlns:p='u'/>></a>`, `<a>]]<b xmlns='u' xmlns:p='u'/>&gt;</a>`},
	} {
		e, err := first(tt.in, Limits{})
		if err != nil || string(e.Raw) != tt.want {
			t.Errorf("%q\n got %q, %v\nwant %q", tt.in, e.Raw, err, tt.want)
			continue
		}
		checkPlain(t, e, "jabber:client")
	}
}

// Prefixes of the root that an element has to declare itself count once; within it
// they count as they would for a receiver.
func TestPlainPrefixesInScope(t *testing.T) {
	root := "<s xmlns='u'" + lettered(" xmlns:%='%'", 26) + lettered(" xmlns:%x='%'", 9) + ">"
	attrs := lettered(" %:x='1'", 26) + lettered(" %x:y='2'", 9)
	for in, want := range map[string]string{
		"<a" + attrs + "/>":                     "",
		"<a" + attrs + "><b" + attrs + "/></a>": policyViolation,
	} {
		got := readAll(strings.NewReader(root+in+"<p:c/></s>"), Limits{})
		if condition(got.err) != want || want == "" && (len(got.elements) != 2 || got.elements[1].Name.Space != "p") {
			t.Errorf("%s: %d elements, %v", in, len(got.elements), got.err)
		}
	}
}

// Both the example of RFC 6120 §4.8.2 and its counterpart give the same elements.
func TestC4_8_2_ContentNamespace(t *testing.T) {
	for _, tt := range []struct{ name, in, contentNS string }{
		{"as default", opening + "<message><body>foo</body></message></stream:stream>", "jabber:client"},
		{"prefix-free", `<stream to='x' xmlns='http://etherx.jabber.org/streams'><message xmlns='jabber:client'><body>foo</body></message></stream>`, NSStreams},
		{"prefixed", `<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns:c='jabber:client'><c:message><c:body>foo</c:body></c:message></s:stream>`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readAll(strings.NewReader(tt.in), Limits{})
			if got.err != nil || len(got.elements) != 1 || got.header.ContentNS != tt.contentNS {
				t.Fatalf("got %+v", got)
			}
			if n := (got.header.Name); n.Space != NSStreams || n.Local != "stream" {
				t.Errorf("root is %v", n)
			}
			n := NewNode(got.elements[0].Raw, tt.contentNS)
			if !n.Is("jabber:client", "message") || n.Name() != got.elements[0].Name {
				t.Errorf("got %v and %v", n.Name(), got.elements[0].Name)
			}
			for child := range n.Children() {
				if !child.Is("jabber:client", "body") || child.Text() != "foo" {
					t.Errorf("child is %v %q", child.Name(), child.Text())
				}
			}
		})
	}
}

// What XML and XMPP allow around elements.
func TestAccepted(t *testing.T) {
	const root = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
	for _, tt := range []struct {
		name, in string
		elements int
	}{
		{"no declaration", root + `<a/></stream:stream>`, 1},
		{"blanks before the root", " \r\n\t" + root + `<a/></stream:stream>`, 1},
		{"blanks behind the declaration", "<?xml version='1.0'?> \n" + root + `</stream:stream>`, 0},
		{"C11.6 encoding, any case", `<?xml version="1.0" encoding='utf-8'?>` + root + `</stream:stream>`, 0},
		{"declaration with blanks", "<?xml\tversion\n= '1.0' encoding = \"UTF-8\"  standalone='no' ?>" + root + `</stream:stream>`, 0},
		{"C11.5 standalone is ignored", `<?xml version='1.0' standalone='yes'?>` + root + `</stream:stream>`, 0},
		{"XML 1.1 is read as 1.0", `<?xml version='1.1'?>` + root + `</stream:stream>`, 0},
		{"C11.7 blanks between elements", root + "\n\n<a/> \r\n\t<b/>\n</stream:stream>\n ", 2},
		{"root end with blanks", root + "<a/></stream:stream \n>", 1},
		{"empty root", strings.Replace(root, ">", "/>", 1), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readAll(strings.NewReader(tt.in), Limits{})
			split := readAll(iotest.OneByteReader(strings.NewReader(tt.in)), Limits{})
			if got.err != nil || split.err != nil || len(got.elements) != tt.elements || len(split.elements) != tt.elements {
				t.Errorf("got %d elements, %v; byte by byte %d, %v", len(got.elements), got.err, len(split.elements), split.err)
			}
		})
	}
}
