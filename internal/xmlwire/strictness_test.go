package xmlwire

import (
	"errors"
	"strings"
	"testing"
)

// What is refused, item by item, byte by byte as in one piece: with which stream
// error, and by which section. Limits are tighter before authentication than after.
//
// The tables of TestSec_Refused, TestSec_RefusedHeader and TestSec_Limits are the
// long form.
func TestSec_Strictness(t *testing.T) {
	const (
		root    = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
		bound   = `<stream:stream xmlns='jabber:client' xmlns:p='u' xmlns:stream='http://etherx.jabber.org/streams'>`
		streams = `xmlns='http://etherx.jabber.org/streams'`
	)
	for _, tt := range []struct{ item, doc, condition, section string }{
		{"comment", opening + `<a><!-- x --></a>`, restrictedXML, "RFC 6120 §11.1"},
		{"comment before the root", `<!-- x -->` + root, restrictedXML, "RFC 6120 §11.1"},
		{"processing instruction", opening + `<a><?pi x?></a>`, restrictedXML, "RFC 6120 §11.1"},
		{"processing instruction before the root", `<?xml-stylesheet href='x'?>` + root, restrictedXML, "RFC 6120 §11.1"},
		{"DTD", `<?xml version='1.0'?><!DOCTYPE a SYSTEM 'x'>` + root, restrictedXML, "RFC 6120 §11.1"},
		{"DTD between elements", opening + `<!DOCTYPE a [<!ENTITY x "y">]><a/>`, restrictedXML, "RFC 6120 §11.1"},
		{"entity beyond the five", opening + `<a>&nbsp;</a>`, restrictedXML, "RFC 6120 §11.1"},
		{"entity beyond the five, in a value", opening + `<a b='&lol9;'/>`, restrictedXML, "RFC 6120 §11.1"},
		{"entity in another case", opening + `<a>&AMP;</a>`, restrictedXML, "RFC 6120 §11.1, XML §4.6"},

		{"ill-formed UTF-8", opening + "<a>\xff</a>", unsupportedEncoding, "RFC 6120 §4.9.3.22, §11.6"},
		{"ill-formed UTF-8 in the header", "<a b='\xff'>", unsupportedEncoding, "RFC 6120 §4.9.3.22, §11.6"},
		{"overlong UTF-8", opening + "<a>\xc0\xaf</a>", unsupportedEncoding, "RFC 6120 §4.9.3.22, RFC 3629 §3"},
		{"overlong UTF-8 in a value", opening + "<a b='\xe0\x80\xaf'/>", unsupportedEncoding, "RFC 6120 §4.9.3.22, RFC 3629 §3"},
		{"surrogate in UTF-8", opening + "<a>\xed\xa0\x80</a>", unsupportedEncoding, "RFC 6120 §4.9.3.22, RFC 3629 §3"},
		{"truncated UTF-8", opening + "<a>\xe2\x82</a>", unsupportedEncoding, "RFC 6120 §4.9.3.22, RFC 3629 §4"},
		{"truncated UTF-8 at the end of a value", opening + "<a b='\xe2\x82'/>", unsupportedEncoding, "RFC 6120 §4.9.3.22, RFC 3629 §4"},

		{"forbidden character", opening + "<a>\x00</a>", notWellFormed, "XML §2.2"},
		{"forbidden character in a value", opening + "<a b='\x1b'/>", notWellFormed, "XML §2.2"},
		{"forbidden character in CDATA", opening + "<a><![CDATA[\uFFFE]]></a>", notWellFormed, "XML §2.2"},
		{"forbidden character as a reference", opening + `<a>&#0;</a>`, notWellFormed, "XML §4.1"},
		{"forbidden character as a reference in a value", opening + `<a b='&#xFFFF;'/>`, notWellFormed, "XML §4.1"},
		{"surrogate as a reference", opening + `<a>&#xD800;</a>`, notWellFormed, "XML §4.1"},

		{"duplicate attribute", opening + `<a b='1' b='2'/>`, notWellFormed, "XML §3.1"},
		{"duplicate attribute of the header", `<a b='1' b='2'>`, notWellFormed, "XML §3.1"},
		{"duplicate attribute, once expanded", opening + `<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>`, notWellFormed, "Namespaces §6.3"},
		{"duplicate attribute, with a prefix of the header", bound + `<a xmlns:q='&#117;' p:x='1' q:x='2'/>`, notWellFormed, "Namespaces §6.3"},
		{"undeclared prefix", opening + `<p:a/>`, notWellFormed, "RFC 6120 §4.9.3.13, Namespaces §5"},
		{"undeclared prefix of an attribute", opening + `<a p:b=''/>`, notWellFormed, "RFC 6120 §4.9.3.13, Namespaces §5"},
		{"undeclared prefix in the header", `<stream:stream xmlns='jabber:client'>`, notWellFormed, "RFC 6120 §4.9.3.13, Namespaces §5"},
		{"prefix out of scope", opening + `<a><p:b xmlns:p='u'/><p:c/></a>`, notWellFormed, "RFC 6120 §4.9.3.13, Namespaces §6.1"},
		{"prefix bound to nothing", opening + `<a xmlns:p=''/>`, notWellFormed, "Namespaces §5"},
		{"xml rebound", opening + `<a xmlns:xml='urn:other'/>`, notWellFormed, "Namespaces §3"},
		{"xmlns rebound", opening + `<a xmlns:xmlns='urn:other'/>`, notWellFormed, "Namespaces §3"},
		{"xmlns bound to its own", opening + `<a xmlns:xmlns='` + NSXMLNS + `'/>`, notWellFormed, "Namespaces §3"},
		{"xml namespace under another prefix", opening + `<a xmlns:p='` + NSXML + `'/>`, notWellFormed, "Namespaces §3"},
		{"xml namespace as default", opening + `<a xmlns='` + NSXML + `'/>`, notWellFormed, "Namespaces §3"},
		{"xmlns namespace under a prefix", opening + `<a xmlns:p='` + NSXMLNS + `'/>`, notWellFormed, "Namespaces §3"},
		{"xmlns namespace as default", opening + `<a xmlns='` + NSXMLNS + `'/>`, notWellFormed, "Namespaces §3"},
		{"element with the prefix xmlns", opening + `<xmlns:a/>`, notWellFormed, "Namespaces §3"},
		{"element with the prefix xml", opening + `<xml:a/>`, badNamespacePrefix, "RFC 6120 §4.9.3.2"},
		{"two colons", opening + `<p:a:b xmlns:p='u'/>`, notWellFormed, "Namespaces §4"},

		{"no blank between attributes", opening + `<a b='1'c='2'/>`, notWellFormed, "XML §3.1"},
		{"no blank between attributes of the header", `<a b='1'c='2'>`, notWellFormed, "XML §3.1"},
		{"mismatched tags", opening + `<a><b></a></b>`, notWellFormed, "XML §3"},
		{"mismatched prefixes", opening + `<p:a xmlns:p='u' xmlns:q='u'></q:a>`, notWellFormed, "XML §3"},
		{"mismatched tag of the root", opening + `</stream>`, notWellFormed, "XML §3"},
		{"second root", opening + `</stream:stream><a/>`, notWellFormed, "XML §2.1"},
		{"second root behind an empty one", `<a/><a/>`, notWellFormed, "XML §2.1"},
		{"text before the root", `hello` + root, notWellFormed, "XML §2.1"},
		{"text behind the root", opening + `</stream:stream>x`, notWellFormed, "XML §2.1"},
		{"text between elements", opening + `<a/>hello`, badFormat, "RFC 6120 §4.9.3.1, §11.7"},
		{"blank as a reference between elements", opening + `<a/>&#32;`, badFormat, "RFC 6120 §4.9.3.1, §11.7"},
		{"CDATA between elements", opening + `<![CDATA[ ]]>`, badFormat, "RFC 6120 §4.9.3.1, §11.7"},
		{"header inside a stream", opening + root, badFormat, "RFC 6120 §4.2"},
		{"stream namespace inside a stanza", opening + `<a><b ` + streams + `/></a>`, badFormat, "RFC 6120 §4.8.1"},
		{"stream namespace inside a stanza, by a prefix", opening + `<a><stream:error/></a>`, badFormat, "RFC 6120 §4.8.1"},
		{"stream namespace inside a stanza, inherited", opening + `<a ` + streams + `><b/></a>`, badFormat, "RFC 6120 §4.8.1"},

		{"encoding declared as another", `<?xml version='1.0' encoding='ISO-8859-1'?>` + root, unsupportedEncoding, "RFC 6120 §11.6"},
		{"encoding declared as UTF-16", `<?xml version='1.0' encoding='UTF-16'?>` + root, unsupportedEncoding, "RFC 6120 §11.6"},
		{"encoding declared without a name", `<?xml version='1.0' encoding=''?>` + root, notWellFormed, "XML §4.3.3"},
		{"UTF-16", "\xff\xfe<\x00", unsupportedEncoding, "RFC 6120 §11.6"},
		{"UTF-16 without a mark", "<\x00?\x00", unsupportedEncoding, "RFC 6120 §11.6"},
		{"U+FEFF at the start", "\uFEFF" + root, notWellFormed, "RFC 6120 §11.6: a character, not a byte order mark; XML §2.1"},
		{"U+FEFF before the declaration", "\uFEFF" + opening, notWellFormed, "RFC 6120 §11.6: a character, not a byte order mark; XML §2.1"},
		{"U+FEFF between elements", opening + "\uFEFF<a/>", badFormat, "RFC 6120 §11.6: a character; §11.7"},
	} {
		t.Run(tt.item, func(t *testing.T) {
			whole := readAll(strings.NewReader(tt.doc), Limits{})
			if got := condition(whole.err); got != tt.condition {
				t.Errorf("%q: got %s (%v), want %s by %s", tt.doc, got, whole.err, tt.condition, tt.section)
			}
			if split := readAll(&chopped{tt.doc, 1}, Limits{}); !sameError(split.err, whole.err) {
				t.Errorf("%q: whole %v, byte by byte %v", tt.doc, whole.err, split.err)
			}
		})
	}

	before := Limits{Bytes: 400, Depth: 3, Elements: 5, Attrs: 5, AttrBytes: 50, Namespaces: 3}
	after := Limits{Bytes: 800, Depth: 6, Elements: 10, Attrs: 10, AttrBytes: 100, Namespaces: 6}
	for _, tt := range []struct{ item, fits, between, over, detail string }{
		{"bytes", text(390), text(790), text(801), "element too long"},
		{"depth", nested(3), nested(6), nested(7), "elements nested too deeply"},
		{"elements", "<a>" + strings.Repeat("<b/>", 4) + "</a>", "<a>" + strings.Repeat("<b/>", 9) + "</a>", "<a>" + strings.Repeat("<b/>", 10) + "</a>", "too many elements"},
		{"attributes", "<a" + lettered(" %='1'", 5) + "/>", "<a" + lettered(" %='1'", 10) + "/>", "<a" + lettered(" %='1'", 11) + "/>", "too many attributes"},
		{"attribute length", "<a b='" + strings.Repeat("x", 49) + "'/>", "<a b='" + strings.Repeat("x", 99) + "'/>", "<a b='" + strings.Repeat("x", 100) + "'/>", "attribute too long"},
		{"attribute length, the name's", "<a " + strings.Repeat("x", 50) + "=''/>", "<a " + strings.Repeat("x", 100) + "=''/>", "<a " + strings.Repeat("x", 101) + "=''/>", "attribute too long"},
		{"namespace declarations", "<a" + lettered(" xmlns:%='u'", 3) + "/>", "<a" + lettered(" xmlns:%='u'", 4) + "><b xmlns='v'/><b xmlns='v'/></a>", "<a" + lettered(" xmlns:%='u'", 5) + "><b xmlns='v'/><b xmlns='v'/></a>", "too many namespace declarations"},
	} {
		t.Run("limit on "+tt.item, func(t *testing.T) {
			for _, n := range []int{1, 1 << 20} {
				read := func(in string, authenticated bool) error {
					r := NewReader(&chopped{opening + "<auth/>" + in, n}, before)
					if _, err := r.Header(); err != nil {
						t.Fatal(err)
					}
					if _, err := r.Next(); err != nil {
						t.Fatal(err)
					}
					if authenticated {
						r.SetLimits(after)
					}
					_, err := r.Next()
					return err
				}
				for _, step := range []struct {
					in            string
					authenticated bool
					ok            bool
				}{
					{tt.fits, false, true}, {tt.between, false, false},
					{tt.fits, true, true}, {tt.between, true, true}, {tt.over, true, false},
				} {
					err := read(step.in, step.authenticated)
					e, refused := errors.AsType[*Error](err)
					switch {
					case step.ok && err != nil:
						t.Errorf("%s, authenticated %v, %d at a time: %v", step.in, step.authenticated, n, err)
					case !step.ok && (!refused || e.Condition != policyViolation || e.Detail != tt.detail): // RFC 6120 §4.9.3.14, §13.12
						t.Errorf("%s, authenticated %v, %d at a time: got %v, want policy-violation: %s", step.in, step.authenticated, n, err, tt.detail)
					}
				}
			}
		})
	}
}

// text is an element of n bytes, nested one of that depth.
func text(n int) string { return "<a>" + strings.Repeat("x", n-len("<a></a>")) + "</a>" }

func nested(depth int) string {
	return strings.Repeat("<a>", depth) + strings.Repeat("</a>", depth)
}

// lettered repeats format n times, with the letters from a on for its percent sign.
func lettered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%", string(rune('a'+i))))
	}
	return b.String()
}
