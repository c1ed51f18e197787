package xmlwire

import (
	"strings"
	"testing"
	"testing/iotest"
)

// refused holds what an element is refused for. Sections are of RFC 6120 unless
// they name XML (1.0, fifth edition) or NS (Namespaces in XML 1.0, third edition).
var refused = []struct{ in, condition, section string }{
	// What XMPP leaves out of XML.
	{`<a><!-- x --></a>`, restrictedXML, "§11.1, §4.9.3.18"},
	{`<!-- x --><a/>`, restrictedXML, "§11.1"},
	{`<a><?pi x?></a>`, restrictedXML, "§11.1"},
	{`<?pi?>`, restrictedXML, "§11.1"},
	{`<?xml-stylesheet href='x'?>`, restrictedXML, "§11.1"},
	{`<!DOCTYPE a [<!ENTITY x "y">]><a/>`, restrictedXML, "§11.1"},
	{`<a><!ENTITY x "y"></a>`, restrictedXML, "§11.1"},
	{`<a>&nbsp;</a>`, restrictedXML, "§11.1"},
	{`<a>&lol9;</a>`, restrictedXML, "§11.1"},
	{`<a>&AMP;</a>`, restrictedXML, "§11.1, XML §4.6"},
	{`<a b='&x;'/>`, restrictedXML, "§11.1"},
	{`<a>&ä;</a>`, restrictedXML, "§11.1"},
	{`<a>&` + strings.Repeat("x", 100) + `;</a>`, restrictedXML, "§11.1"},
	{`&nbsp;`, restrictedXML, "§11.1"},
	{`<a/><?xml version='1.0'?><stream:stream>`, notWellFormed, "XML §2.8: [xX][mM][lL] is no target of an instruction"},
	{`<a><?xml version='1.0'?></a>`, notWellFormed, "XML §2.8"},
	{`<a><!- x></a>`, notWellFormed, "XML §2.5"},
	{`<a><!></a>`, notWellFormed, "XML §2.1"},
	{`<a><![cdata[x]]></a>`, notWellFormed, "XML §2.7"},
	{`<a><![CDATA x]]></a>`, notWellFormed, "XML §2.7"},

	// Encoding.
	{"<a>\xff</a>", unsupportedEncoding, "§4.9.3.22: violating the rules of UTF-8"},
	{"<a>\x80</a>", unsupportedEncoding, "§4.9.3.22"},
	{"<a>\xc0\xaf</a>", unsupportedEncoding, "§4.9.3.22: overlong"},
	{"<a>\xe0\x80\xaf</a>", unsupportedEncoding, "§4.9.3.22: overlong"},
	{"<a>\xf0\x80\x80\xaf</a>", unsupportedEncoding, "§4.9.3.22: overlong"},
	{"<a>\xed\xa0\x80</a>", unsupportedEncoding, "§4.9.3.22: surrogate"},
	{"<a>\xed\xa0\xbd\xed\xb8\x80</a>", unsupportedEncoding, "§4.9.3.22: CESU-8"},
	{"<a>\xf4\x90\x80\x80</a>", unsupportedEncoding, "§4.9.3.22: beyond U+10FFFF"},
	{"<a>\xe2\x82</a>", unsupportedEncoding, "§4.9.3.22: truncated"},
	{"<a b='\xe2\x82'/>", unsupportedEncoding, "§4.9.3.22: truncated, would swallow the quote"},
	{"<a b='\xff'/>", unsupportedEncoding, "§4.9.3.22"},
	{"<a\xff/>", unsupportedEncoding, "§4.9.3.22"},
	{"<a \xff='x'/>", unsupportedEncoding, "§4.9.3.22"},
	{"<a><![CDATA[\xff]]></a>", unsupportedEncoding, "§4.9.3.22"},
	{"\xff", unsupportedEncoding, "§4.9.3.22"},

	// Characters.
	{"<a>\x00</a>", notWellFormed, "XML §2.2"},
	{"<a>\x08</a>", notWellFormed, "XML §2.2"},
	{"<a>\x1b</a>", notWellFormed, "XML §2.2"},
	{"<a b='\x01'/>", notWellFormed, "XML §2.2"},
	{"<a><![CDATA[\x0c]]></a>", notWellFormed, "XML §2.2"},
	{"<a>\uFFFE</a>", notWellFormed, "XML §2.2"},
	{"<a b='\uFFFF'/>", notWellFormed, "XML §2.2"},
	{"\x0b", notWellFormed, "XML §2.2"},
	{`<a>&#0;</a>`, notWellFormed, "XML §4.1: legal character"},
	{`<a>&#8;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#xD800;</a>`, notWellFormed, "XML §4.1: surrogate"},
	{`<a>&#xDFFF;</a>`, notWellFormed, "XML §4.1: surrogate"},
	{`<a>&#xFFFE;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#x110000;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#99999999999999999999;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#4294967361;</a>`, notWellFormed, "XML §4.1: 2³² + 65"},
	{`<a>&#x100000041;</a>`, notWellFormed, "XML §4.1: 2³² + 65"},
	{`<a b='&#1;'/>`, notWellFormed, "XML §4.1"},

	// References.
	{`<a>&</a>`, notWellFormed, "XML §4.1"},
	{`<a>& b</a>`, notWellFormed, "XML §4.1"},
	{`<a>&;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&amp</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#x;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#X41;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#4a;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#x4g;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#-4;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&1;</a>`, notWellFormed, "XML §4.1"},
	{`<a>&#` + strings.Repeat("0", 50) + `65;</a>`, policyViolation, "§4.9.3.14: XML bounds no zeros, we do"},

	// Tags.
	{`<a b='<'/>`, notWellFormed, "XML §3.1"},
	{`<a>]]></a>`, notWellFormed, "XML §2.4"},
	{`<a>x]]]></a>`, notWellFormed, "XML §2.4"},
	{`<a></b>`, notWellFormed, "XML §3"},
	{`<a></ab>`, notWellFormed, "XML §3"},
	{`<ab></a>`, notWellFormed, "XML §3"},
	{`<a><b></a></b>`, notWellFormed, "XML §3"},
	{`<a></ a>`, notWellFormed, "XML §3.1"},
	{`<a></a b='c'>`, notWellFormed, "XML §3.1"},
	{`<a></a/>`, notWellFormed, "XML §3.1"},
	{`</a>`, notWellFormed, "XML §3: no start"},
	{`</stream>`, notWellFormed, "XML §3: the root is stream:stream"},
	{`<message><body>No closing tag!</message>`, notWellFormed, "§4.9.1.1"},
	{`<a b='1' b='2'/>`, notWellFormed, "XML §3.1"},
	{`<a b='1'c='2'/>`, notWellFormed, "XML §3.1"},
	{`<a b/>`, notWellFormed, "XML §3.1"},
	{`<a b>`, notWellFormed, "XML §3.1"},
	{`<a b=c/>`, notWellFormed, "XML §3.1"},
	{`<a b='c"/>` + "<d e='f'/>", notWellFormed, "XML §3.1"},
	{`<a / >`, notWellFormed, "XML §3.1"},
	{`<a/b>`, notWellFormed, "XML §3.1"},
	{`< a/>`, notWellFormed, "XML §3.1"},
	{`<>`, notWellFormed, "XML §3.1"},
	{`<a <b/>`, notWellFormed, "XML §3.1"},
	{`<a ='b'/>`, notWellFormed, "XML §3.1"},

	// Names.
	{`<1a/>`, notWellFormed, "XML §2.3"},
	{`<-a/>`, notWellFormed, "XML §2.3"},
	{`<.a/>`, notWellFormed, "XML §2.3"},
	{`<a 1b='x'/>`, notWellFormed, "XML §2.3"},
	{`<a$b/>`, notWellFormed, "XML §2.3"},
	{`<×/>`, notWellFormed, "XML §2.3: U+00D7"},
	{"<\u0301a/>", notWellFormed, "XML §2.3: a combining mark first"},
	{`<a ¡='x'/>`, notWellFormed, "XML §2.3"},
	{`<𐀀/>`, policyViolation, "§4.9.3.14: a name since the fifth edition, but fatal to expat and encoding/xml"},
	{`<a ℘='x'/>`, policyViolation, "§4.9.3.14"},
	{`<:a/>`, notWellFormed, "NS §7"},
	{`<a:/>`, notWellFormed, "NS §7"},
	{`<a:b:c xmlns:a='u'/>`, notWellFormed, "NS §7"},
	{`<a:1 xmlns:a='u'/>`, notWellFormed, "NS §7"},
	{`<a :b='x'/>`, notWellFormed, "NS §7"},
	{`<a b:='x'/>`, notWellFormed, "NS §7"},
	{`<a xmlns:='u'/>`, notWellFormed, "NS §7"},

	// Namespaces. The example of §4.9.3.13 is an undeclared prefix, and §11.3 asks
	// for not-well-formed whenever data is not namespace-well-formed.
	{`<message><foo:body>What is this foo?</foo:body></message>`, notWellFormed, "§4.9.3.13"},
	{`<foo:message/>`, notWellFormed, "§4.9.3.13, §11.3"},
	{`<a foo:b='c'/>`, notWellFormed, "§11.3, NS §5"},
	{`<a><p:b xmlns:p='u'/><p:c/></a>`, notWellFormed, "§11.3, NS §6.1: out of scope"},
	{`<a><p:b xmlns:p='u'></p:b><p:c/></a>`, notWellFormed, "§11.3, NS §6.1: out of scope"},
	{`<a xmlns:xml='urn:other'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns='http://www.w3.org/XML/1998/namespace'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns='http://www.w3.org/XML/1998/n&#97;mespace'/>`, notWellFormed, "§11.3, NS §3: as it reads"},
	{`<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns:xmlns='urn:other'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns:p='http://www.w3.org/2000/xmlns/'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns='http://www.w3.org/2000/xmlns/'/>`, notWellFormed, "§11.3, NS §3"},
	{`<a xmlns:p=''/>`, notWellFormed, "§11.3, NS §5"},
	{`<xmlns:a/>`, notWellFormed, "§11.3, NS §3"},
	{`<xml:a/>`, badNamespacePrefix, "§4.9.3.2: a prefix that is unsupported on elements"},
	{`<a xmlns='u' xmlns='u'/>`, notWellFormed, "XML §3.1"},
	{`<a xmlns:p='u' xmlns:p='u'/>`, notWellFormed, "XML §3.1"},
	{`<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>`, notWellFormed, "§11.3, NS §6.3"},
	{`<a xmlns:p='u' xmlns:q='&#117;' p:x='1' q:x='2'/>`, notWellFormed, "§11.3, NS §6.3: as it reads"},
	{`<a xmlns:p='u'><b xmlns:q='u' p:x='1' q:x='2'/></a>`, notWellFormed, "§11.3, NS §6.3"},
	{`<a xmlns:s='http://etherx.jabber.org/streams' s:x='1' stream:x='2'/>`, notWellFormed, "§11.3, NS §6.3: with a prefix of the header"},
	{`<a b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' b10='' b11='' b12='' b13='' b7=''/>`, notWellFormed, "XML §3.1: among many"},
	{`<a b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' b10='' b11='' xmlns:p='u' p:b7='' xmlns:q='u' q:b7=''/>`, notWellFormed, "§11.3, NS §6.3: among many"},
	{`<a xml:lang='de' xml:lang='en'/>`, notWellFormed, "XML §3.1"},
	{`<x:a xmlns:x='u'></y:a>`, notWellFormed, "XML §3"},
	{`<x:a xmlns:x='u' xmlns:y='u'></y:a>`, notWellFormed, "XML §3: the same expanded name, not the same type"},

	// The stream.
	{`hello`, badFormat, "§4.9.3.1: XML that cannot be processed"},
	{"\uFEFF<a/>", badFormat, "§11.6: a character, hence text"},
	{`&amp;`, badFormat, "§4.9.3.1"},
	{`&#32;`, badFormat, "§4.9.3.1: not white space of §11.7, as a parser sees a reference"},
	{`<![CDATA[ ]]>`, badFormat, "§4.9.3.1"},
	{`]]>`, badFormat, "§4.9.3.1"},
	{`<message><stream:error/></message>`, badFormat, "§4.9.3.1: a stream's own element where none belongs"},
	{`<message><x xmlns='http://etherx.jabber.org/streams'/></message>`, badFormat, "§4.9.3.1"},
	{`<message><s:stream xmlns:s='http://etherx.jabber.org/stre&#97;ms'/></message>`, badFormat, "§4.9.3.1: as it reads"},
	{`<p:a xmlns:p='u'><b xmlns:p='http://etherx.jabber.org/streams'><p:c/></b></p:a>`, badFormat, "§4.9.3.1: by the inner declaration"},
	{`<stream:features><stream:x/></stream:features>`, badFormat, "§4.9.3.1"},
	{`<features xmlns='http://etherx.jabber.org/streams'><x/></features>`, badFormat, "§4.9.3.1"},
	{`<a xmlns='http://etherx.jabber.org/streams'><b xmlns='u'><c xmlns='http://etherx.jabber.org/streams'/></b></a>`, badFormat, "§4.9.3.1"},
	{`<stream:stream to='example.com'>`, badFormat, "§4.9.3.1: a header without a restart"},
	{`</stream:stream>x`, notWellFormed, "XML §2.1"},
	{`</stream:stream><a/>`, notWellFormed, "XML §2.1"},
	{"</stream:stream>\xff", unsupportedEncoding, "§4.9.3.22"},
	{`</stream:streamx>`, notWellFormed, "XML §3"},
}

func TestSec_Refused(t *testing.T) {
	for _, tt := range refused {
		t.Run(tt.in, func(t *testing.T) {
			whole := readAll(strings.NewReader(opening+tt.in), Limits{})
			if got := condition(whole.err); got != tt.condition {
				t.Errorf("got %q (%v), want %q by %s", got, whole.err, tt.condition, tt.section)
			}
			split := readAll(iotest.OneByteReader(strings.NewReader(opening+tt.in)), Limits{})
			if whole.err == nil || split.err == nil || whole.err.Error() != split.err.Error() {
				t.Errorf("whole: %v, byte by byte: %v", whole.err, split.err)
			}
		})
	}
}

// The header has the same rules, and some of its own.
func TestSec_RefusedHeader(t *testing.T) {
	const root = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
	for _, tt := range []struct{ in, condition, section string }{
		{"\uFEFF" + root, notWellFormed, "§11.6: no byte order mark but a character, and before the root"},
		{"\xfe\xff\x00<\x00?", unsupportedEncoding, "§11.6: UTF-16"},
		{"\xff\xfe<\x00?\x00", unsupportedEncoding, "§11.6: UTF-16"},
		{"\x00<\x00?", unsupportedEncoding, "§11.6: UTF-16 without a mark"},
		{"<\x00?\x00", unsupportedEncoding, "§11.6: UTF-16 without a mark"},
		{"\x00\x00\x00<", unsupportedEncoding, "§11.6: UTF-32"},
		{`<?xml version='1.0' encoding='UTF-16'?>` + root, unsupportedEncoding, "§4.9.3.22"},
		{`<?xml version='1.0' encoding='iso-8859-1'?>` + root, unsupportedEncoding, "§11.6"},
		{`<?xml version='1.0' encoding='utf8'?>` + root, unsupportedEncoding, "§11.6: not its name"},
		{`<?xml version='1.0' encoding=''?>` + root, notWellFormed, "XML §4.3.3"},
		{`<?xml version='1.0' encoding='8'?>` + root, notWellFormed, "XML §4.3.3"},
		{`<?xml version='2.0'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version=1.0?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.0"?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml encoding='UTF-8'?>` + root, notWellFormed, "XML §2.8: version must come"},
		{`<?xml encoding='UTF-8' version='1.0'?>` + root, notWellFormed, "XML §2.8: and first"},
		{`<?xml version='1.0'encoding='UTF-8'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.0' version='1.0'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.0' standalone='yes' encoding='UTF-8'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.0' standalone='maybe'?>` + root, notWellFormed, "XML §2.9"},
		{`<?xml version='1.0' x='y'?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml ?>` + root, notWellFormed, "XML §2.8"},
		{`<?xml version='1.0' ` + strings.Repeat(" ", 300) + `?>` + root, policyViolation, "§4.9.3.14"},
		{` <?xml version='1.0'?>` + root, notWellFormed, "XML §2.8: must be first"},
		{`<?xml version='1.0'?><?xml version='1.0'?>` + root, notWellFormed, "XML §2.8"},
		{`<?pi?>` + root, restrictedXML, "§11.1"},
		{`<!DOCTYPE stream>` + root, restrictedXML, "§11.1"},
		{`<!-- hello -->` + root, restrictedXML, "§11.1"},
		{`<![CDATA[x]]>` + root, notWellFormed, "XML §2.1"},
		{`hello` + root, notWellFormed, "XML §2.1"},
		{`&amp;` + root, notWellFormed, "XML §2.1"},
		{`GET / HTTP/1.1`, notWellFormed, "XML §2.1"},
		{"\x16\x03\x01\x02\x00\x01", notWellFormed, "XML §2.2: a TLS hello"},
		{`</stream:stream>`, notWellFormed, "XML §2.1"},
		{`<stream:stream xmlns='jabber:client'>`, notWellFormed, "§11.3: undeclared prefix"},
		{`<stream:stream xmlns:stream='http://etherx.jabber.org/streams' a='1' a='2'>`, notWellFormed, "XML §3.1"},
		{`<xml:stream>`, badNamespacePrefix, "§4.9.3.2"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			whole := readAll(strings.NewReader(tt.in), Limits{})
			if got := condition(whole.err); got != tt.condition {
				t.Errorf("got %q (%v), want %q by %s", got, whole.err, tt.condition, tt.section)
			}
			split := readAll(iotest.OneByteReader(strings.NewReader(tt.in)), Limits{})
			if whole.err == nil || split.err == nil || whole.err.Error() != split.err.Error() {
				t.Errorf("whole: %v, byte by byte: %v", whole.err, split.err)
			}
		})
	}
}

// After XML that was refused there is no going on (RFC 6120 §4.9.1.1).
func TestC4_9_1_1_RefusalIsFinal(t *testing.T) {
	r := NewReader(strings.NewReader(opening+`<a></b><c/>`), Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Next()
	for range 3 {
		if _, again := r.Next(); again != err || condition(err) != notWellFormed {
			t.Fatalf("got %v, then %v", err, again)
		}
	}
	if _, again := r.Header(); again != err {
		t.Errorf("Header after it = %v", again)
	}
	if n := r.Buffered(); n != 0 {
		t.Errorf("%d bytes still held", n)
	}
	const second = `<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>`
	r.Reset(strings.NewReader(second))
	if _, err := r.Header(); err != nil {
		t.Errorf("Header after Reset = %v", err)
	}
}
