package xmlwire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"mellium.im/xmlstream"
)

func TestAppendText(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{"", "", nil},
		{"a<b>&c'd\"e", "a&lt;b&gt;&amp;c'd\"e", nil},
		{"]]>", "]]&gt;", nil},
		{"\t\n\r\n", "\t\n&#13;\n", nil},
		{"ü日🎈\u007f\u0085\uFEFF\uFFFD", "ü日🎈\u007f\u0085\uFEFF\uFFFD", nil},
		{"a\x00", "", ErrChar},
		{"\x1b[1m", "", ErrChar},
		{"\xff", "", ErrChar},
		{"\xed\xa0\x80", "", ErrChar},
		{"é\x01", "", ErrChar},
		{"\uFFFE", "", ErrChar},
		{"\uFFFF", "", ErrChar},
	} {
		got, err := AppendText([]byte("…"), tt.in)
		if string(got) != "…"+tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func TestAppendAttr(t *testing.T) {
	for _, tt := range []struct {
		name, value, want string
		err               error
	}{
		{"to", "a@b/c", ` to='a@b/c'`, nil},
		{"id", "1'/><message from='admin", ` id='1&apos;/&gt;&lt;message from=&apos;admin'`, nil},
		{"a", "\t\n\r \"&", ` a='&#9;&#10;&#13; "&amp;'`, nil},
		{"xml:lang", "en", ` xml:lang='en'`, nil},
		{"xmlns", "", ` xmlns=''`, nil},
		{"ä", "ö", ` ä='ö'`, nil},
		{"", "x", "", ErrName},
		{"a b", "x", "", ErrName},
		{"a='b' c", "x", "", ErrName},
		{":a", "x", "", ErrName},
		{"a:", "x", "", ErrName},
		{"a:b:c", "x", "", ErrName},
		{"1", "x", "", ErrName},
		{"a\xff", "x", "", ErrName},
		{"a", "\x00", "", ErrChar},
		{"a", "\xc3", "", ErrChar},
	} {
		got, err := AppendAttr([]byte("…"), tt.name, tt.value)
		if string(got) != "…"+tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q=%q: got %q, %v; want %q, %v", tt.name, tt.value, got, err, tt.want, tt.err)
		}
	}
}

// The same comes out whether there is room for more than what is written or not.
func TestAppendQuoted_Room(t *testing.T) {
	for _, value := range []string{"", "a", "1234567", "12345678", "romeo@montague.example/orchard", "it's", "0123456789<", "ü", "\"", "01234567\""} {
		want, err := AppendQuoted(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		for room := range 60 {
			dst := append(make([]byte, 0, 2+room), "a="...)
			got, err := AppendQuoted(dst, value)
			if err != nil || string(got) != "a="+string(want) || !bytes.HasSuffix(got, []byte("'")) {
				t.Errorf("%q, room for %d: %q, %v", value, room, got, err)
			}
			if got, err = AppendQuoted(dst, value+"\x00"); err == nil || string(got) != "a=" {
				t.Errorf("%q, room for %d: %q, %v", value, room, got, err)
			}
		}
	}
}

func TestAppendName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "_": true, "a-b.c1": true, "größe": true, "日本": true, "xml": true,
		"": false, "1a": false, "-": false, ".": false, "a:b": false, "a b": false, "a>": false, "a\x00": false,
		"\xff": false, "a\xff": false, "\uFFFD": false, "\u0301": false, "a\u0301": true, "𐀀": false, "×": false, "℘": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v, want %v", name, got, want)
		}
		got, err := AppendName([]byte("<"), name)
		if ok := err == nil && string(got) == "<"+name; ok != want || err != nil && (string(got) != "<" || !errors.Is(err, ErrName)) {
			t.Errorf("AppendName(%q) = %q, %v", name, got, err)
		}
	}
	if _, err := AppendName(nil, strings.Repeat("-", 1000)); len(err.Error()) > 100 {
		t.Errorf("long error: %v", err)
	}
}

func start(space, local string, attrs ...xml.Attr) xml.StartElement {
	return xml.StartElement{Name: xml.Name{Space: space, Local: local}, Attr: attrs}
}

func end(space, local string) xml.EndElement {
	return xml.EndElement{Name: xml.Name{Space: space, Local: local}}
}

func attr(space, local, value string) xml.Attr {
	return xml.Attr{Name: xml.Name{Space: space, Local: local}, Value: value}
}

func TestAppendTokens(t *testing.T) {
	for _, tt := range []struct {
		name, parentNS, want string
		tokens               []xml.Token
	}{
		{"nothing", "u", "", nil},
		{"in the parent's namespace", "u", "<a/>", []xml.Token{start("u", "a"), end("u", "a")}},
		{"in another", "u", "<a xmlns='v'/>", []xml.Token{start("v", "a"), end("v", "a")}},
		{"inherited by an empty Space", "u", "<a><b xmlns='v'><c/></b></a>", []xml.Token{
			start("", "a"), start("v", "b"), start("", "c"), end("", "c"), end("v", "b"), end("", "a")}},
		{"left by xmlns=''", "u", "<a xmlns=''><b/></a>", []xml.Token{
			start("", "a", attr("", "xmlns", "")), start("", "b"), end("", "b"), end("", "a")}},
		{"in that of xmlns", "u", "<a xmlns='v' b='1'/>", []xml.Token{start("", "a", attr("", "b", "1"), attr("", "xmlns", "v")), end("", "a")}},
		{"Space before xmlns, which a decoder repeats", "u", "<a xmlns='v'/>", []xml.Token{start("v", "a", attr("", "xmlns", "v")), end("v", "a")}},
		{"several elements, blanks between", "u", "<a/><b/>", []xml.Token{
			xml.CharData("\n"), start("u", "a"), end("u", "a"), xml.CharData("\t "), start("u", "b"), end("u", "b")}},
		{"text", "u", "<a>1&lt;2</a>", []xml.Token{start("u", "a"), xml.CharData("1<"), xml.CharData(""), xml.CharData("2"), end("u", "a")}},
		{"empty text", "u", "<a/>", []xml.Token{start("u", "a"), xml.CharData(""), end("u", "a")}},
		{"xml:lang in all its spellings", "u", "<a xml:lang='1'/><a xml:lang='2'/><a xml:lang='3'/>", []xml.Token{
			start("u", "a", attr(NSXML, "lang", "1")), end("u", "a"),
			start("u", "a", attr("xml", "lang", "2")), end("u", "a"),
			start("u", "a", attr("", "xml:lang", "3")), end("u", "a")}},
		{"declarations", "u", "<a b='1'/>", []xml.Token{
			start("u", "a", attr("xmlns", "p", "v"), attr("", "xmlns:q", "w"), attr(NSXMLNS, "r", "x"), attr("", "b", "1")), end("u", "a")}},
		{"prefixes declared", "u", "<a xmlns:p='v' p:b='1' p:c='2' xmlns:ns1='w' ns1:b='3'/>", []xml.Token{
			start("u", "a", attr("xmlns", "p", "v"), attr("v", "b", "1"), attr("v", "c", "2"), attr("w", "b", "3")), end("u", "a")}},
		{"prefixes that clash", "u", "<a xmlns:ns1='v' ns1:b='1' xmlns:ns2='w' ns2:b='2'/>", []xml.Token{
			start("u", "a", attr("xmlns", "ns1", "v"), attr("v", "b", "1"), attr("w", "b", "2")), end("u", "a")}},
		{"prefixes that must not be", "u", "<a xmlns:ns1='v' ns1:b='1' xmlns:ns2='w' ns2:c='2'/>", []xml.Token{
			start("u", "a", attr("xmlns", "xml", "v"), attr("v", "b", "1"), attr("xmlns", "x y", "w"), attr("w", "c", "2")), end("u", "a")}},
		{"one prefix declared twice", "u", "<a xmlns:p='v' p:b='1' xmlns:ns1='w' ns1:c='2'/>", []xml.Token{
			start("u", "a", attr("xmlns", "p", "v"), attr("v", "b", "1"), attr("xmlns", "p", "w"), attr("w", "c", "2")), end("u", "a")}},
		{"features", "jabber:client", "<features xmlns='http://etherx.jabber.org/streams'/>", []xml.Token{start(NSStreams, "features"), end(NSStreams, "features")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendTokens([]byte("…"), tokenSlice(&tt.tokens), tt.parentNS)
			if err != nil || string(got) != "…"+tt.want {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestAppendTokensRefuses(t *testing.T) {
	deep := make([]xml.Token, 101)
	for i := range deep {
		deep[i] = start("u", "a")
	}
	for _, tt := range []struct {
		name   string
		err    error
		tokens []xml.Token
	}{
		{"comment", ErrToken, []xml.Token{xml.Comment("x")}},
		{"comment inside", ErrToken, []xml.Token{start("u", "a"), xml.Comment("x"), end("u", "a")}},
		{"processing instruction", ErrToken, []xml.Token{xml.ProcInst{Target: "xml"}}},
		{"directive", ErrToken, []xml.Token{xml.Directive("DOCTYPE a")}},
		{"something else", ErrToken, []xml.Token{"<a/>"}},
		{"no end", ErrToken, []xml.Token{start("u", "a")}},
		{"no start", ErrToken, []xml.Token{end("u", "a")}},
		{"another's end", ErrToken, []xml.Token{start("u", "a"), end("u", "b")}},
		{"another namespace's end", ErrToken, []xml.Token{start("u", "a"), end("v", "a")}},
		{"text outside", ErrToken, []xml.Token{xml.CharData("x")}},
		{"text that XML forbids", ErrChar, []xml.Token{start("u", "a"), xml.CharData("\x00"), end("u", "a")}},
		{"value that XML forbids", ErrChar, []xml.Token{start("u", "a", attr("", "b", "\xff")), end("u", "a")}},
		{"namespace that XML forbids", ErrChar, []xml.Token{start("\x00", "a"), end("\x00", "a")}},
		{"attribute's namespace that XML forbids", ErrChar, []xml.Token{start("u", "a", attr("\x01", "b", "")), end("u", "a")}},
		{"no name", ErrName, []xml.Token{start("u", ""), end("u", "")}},
		{"injection by name", ErrName, []xml.Token{start("u", "a><b"), end("u", "a><b")}},
		{"prefixed name", ErrName, []xml.Token{start("u", "p:a"), end("u", "p:a")}},
		{"injection by attribute", ErrName, []xml.Token{start("u", "a", attr("", "b='c' d", "")), end("u", "a")}},
		{"prefixed attribute", ErrName, []xml.Token{start("u", "a", attr("", "p:b", "")), end("u", "a")}},
		{"attribute twice", ErrName, []xml.Token{start("u", "a", attr("", "b", "1"), attr("", "b", "2")), end("u", "a")}},
		{"attribute twice, spelled differently", ErrName, []xml.Token{start("u", "a", attr(NSXML, "lang", "1"), attr("", "xml:lang", "2")), end("u", "a")}},
		{"reserved namespace", ErrName, []xml.Token{start(NSXML, "a"), end(NSXML, "a")}},
		{"reserved namespace by attribute", ErrName, []xml.Token{start("", "a", attr("", "xmlns", NSXMLNS)), end("", "a")}},
		{"too deep", ErrDepth, deep},
		{"stream element inside", ErrToken, []xml.Token{start("u", "a"), start(NSStreams, "error"), end(NSStreams, "error"), end("u", "a")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendTokens([]byte("…"), tokenSlice(&tt.tokens), "u")
			if !errors.Is(err, tt.err) || string(got) != "…" {
				t.Errorf("got %s, %v; want %v", got, err, tt.err)
			}
		})
	}
}

func TestAppendTokensReaders(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		r    xml.TokenReader
		want string
		err  error
	}{
		{"error", tokenFunc(func() (xml.Token, error) { return nil, broken }), "", broken},
		{"nothing for ever", tokenFunc(func() (xml.Token, error) { return nil, nil }), "", io.ErrNoProgress},
		{"mellium, with io.EOF beside the last token", xmlstream.Wrap(xmlstream.Token(xml.CharData("x")), start("u", "a")), "<a>x</a>", nil},
		{"mellium, nested", xmlstream.Wrap(xmlstream.MultiReader(
			xmlstream.Wrap(nil, start("v", "b")), xmlstream.Wrap(nil, start("", "c"))), start("u", "a")), "<a><b xmlns='v'/><c/></a>", nil},
		{"a decoder", xml.NewDecoder(strings.NewReader(`<p:a xmlns:p="u" xmlns="v"><b p:c="1"/></p:a>`)), "<a><b xmlns='v' xmlns:ns1='u' ns1:c='1'/></a>", nil},
		{"a decoder that fails", xml.NewDecoder(strings.NewReader("<a")), "", io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendTokens(nil, tt.r, "u")
			if string(got) != tt.want || tt.err == nil && err != nil || tt.err != nil && err == nil {
				t.Errorf("got %s, %v; want %s, %v", got, err, tt.want, tt.err)
			}
			if tt.err == broken && !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
		})
	}
}
