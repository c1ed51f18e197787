package xmlwire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// fragments are what documents are put together from, so that fuzzing meets more
// of the grammar than by changing bytes.
var fragments = []string{
	"<a", "<b", "<p:a", "<q:b", "<stream:c", "<xml:d", ">", ">", "/>", "</a>", "</b>", "</p:a>", "</q:b>", "</stream:c>", "</stream:stream>",
	" xmlns='u'", " xmlns=''", " xmlns='jabber:client'", " xmlns:p='u'", " xmlns:p='v'", " xmlns:q='u'", ` xmlns:q="&#117;"`,
	" xmlns:xml='" + NSXML + "'", " xmlns='" + NSStreams + "'", " xmlns:q='" + NSStreams + "'", " xmlns='" + NSXMLNS + "'", " xmlns:p=''",
	" b='1'", " p:b='2'", " q:b='3'", " xml:b='4'", " stream:b='5'", ` c="<"`, ` c="it's"`, ` c='"&apos;'`, " c='\t\r\n&#9;&#10;&#13;&#xd;'", " c='&#x10FFFF;'", "d='x'",
	"x", " ", "\n", "\r\n", "\r", "\t", "]]", ">", "&amp;", "&lt;", "&gt;", "&quot;", "&#13;", "&#xD;", "&#10;", "&#x42;", "&#0;", "&x;", "&", ";",
	"<![CDATA[", "]]>", "<![CDATA[]]>", "<!--", "-->", "<?x", "?>", "<?xml version='1.0'?>", "<!DOCTYPE a>",
	"ü", "\u0301", "日本", "🎈", "\uFEFF", "\uFFFE", "\x00", "\x7f", "\xc3", "\xed\xa0\x80", "<ü", "<-", "='", "'", `"`, "=", ":", "/", "<",
}

// assemble puts fragments together, as choice tells.
func assemble(choice []byte) string {
	var doc strings.Builder
	doc.WriteString(opening)
	for _, c := range choice {
		doc.WriteString(fragments[int(c)%len(fragments)])
	}
	return doc.String()
}

// FuzzFragments holds documents put together from fragments to what FuzzReader
// holds any to; they are closed where they can be.
func FuzzFragments(f *testing.F) {
	for i := range fragments {
		f.Add([]byte{0, byte(i), 6, byte(i + 1), 9})
		f.Add([]byte{2, 18, byte(i), 6, byte(i), 1, 20, byte(i), 8, 11})
	}
	f.Fuzz(func(t *testing.T, choice []byte) {
		doc := assemble(choice)
		whole := readAll(strings.NewReader(doc), Limits{})
		split := readAll(&chopped{doc, 1}, Limits{})
		if !reflect.DeepEqual(split.elements, whole.elements) || !sameError(split.err, whole.err) {
			t.Fatalf("%s\nwhole: %+v\nsplit: %+v", doc, whole, split)
		}
		accepted := []byte(opening)
		for _, e := range whole.elements {
			checkPlain(t, e, "jabber:client")
			accepted = append(accepted, e.Raw...)
		}
		accepted = append(accepted, "</stream:stream>"...)
		again := readAll(bytes.NewReader(accepted), Limits{Bytes: 1 << 20})
		if !reflect.DeepEqual(again.elements, whole.elements) || again.err != nil {
			t.Fatalf("%s\nas accepted: %s\ngot: %+v", doc, accepted, again)
		}
		compareDocument(t, accepted, again)
		if whole.err == nil {
			compareDocument(t, []byte(doc), whole)
		}
	})
}
