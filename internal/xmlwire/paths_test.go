package xmlwire

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// Tags are taken by one of three ways: as known ones, whole, or step by step. On no
// document may these differ. Read byte by byte, a tag is always taken step by step.

const (
	streamsDefault = `<stream xmlns='http://etherx.jabber.org/streams'>`
	noDefault      = `<s:stream xmlns:s='http://etherx.jabber.org/streams'>`
	manyPrefixes   = `<s xmlns='u' xmlns:p='v' xmlns:q='v'>`
)

// paths are documents that differ in what a way could overlook.
var paths = []struct {
	name, header, in string
	limits           Limits
}{
	{"ordinary", opening, chatMessage + chatMessage, Limits{}},
	{"ids", opening, `<a to='x' id='1' from='y'/><a to='x' id='22' from='y'/><a to='x' id='' from='y'/><a to='x' id='"' from='y'/><a to='x' id="1" from='y'/><a to='x' id="'" from='y'/><a to='x' id='&amp;' from='y'/><a to='x' id='é' from='y'/><a to='x' id='>' from='y'/><a to='x' id='1' from='z'/>`, Limits{}},
	{"ids first and last", opening, `<a id='1' to='x' xml:lang='de'/><a id='' to='x' xml:lang='de'/><a id='333' to='x' xml:lang='de'><b id='1'/><b id='2'/><b c='' id='3'></b><b c='' id='4'></b></a><a to='x' id='1'/><a to='x' id='2'/>`, Limits{}},
	{"ids cut short", opening, `<a to='x' id='1' from='y'/><a to='x' id='2`, Limits{}},
	{"ids that end the tag", opening, `<a to='x' id='1' from='y'/><a to='x' id='2'/><a to='x' id='3' from='y'/>`, Limits{}},
	{"ids with a fault", opening, "<a to='x' id='1' from='y'/><a to='x' id='\x01' from='y'/>", Limits{}},
	{"ids twice", opening, `<a to='x' id='1' from='y'/><a to='x' id='1' id='y'/>`, Limits{}},
	{"ids beyond the limit", opening, `<a to='x' id='1' from='y'/><a to='x' id='` + strings.Repeat("i", 30) + `' from='y'/>`, Limits{AttrBytes: 20}},
	{"ids and namespaces", opening, `<a xmlns='u' id='1'><b xmlns='v' id='1'/><b xmlns='v' id='2'/></a><a xmlns='u' id='2'><b xmlns='v' id='3'/></a>`, Limits{}},
	{"ids in long tags", opening, `<a to='` + strings.Repeat("t", 190) + `' id='1' from='y'/><a to='` + strings.Repeat("t", 190) + `' id='` + strings.Repeat("i", 300) + `' from='y'/><a to='` + strings.Repeat("t", 230) + `' id='1'/>`, Limits{}},
	{"quotes", opening, `<a to="x" from='x'><b xmlns="u"/><b xmlns='u'/><b xmlns="u'"/></a><a to='"' from="'"><b xmlns='u"'/></a><a to='x">'/>`, Limits{}},
	{"quote unlike the first", opening, `<a to='x"/><b c='1'/>`, Limits{}},
	{"names of eight letters and more", opening, `<a abcdefgh='1' abcdefghi='2' abcdefghj='3'/><a abcdefg='1' abcdefgh='2'/>`, Limits{}},
	{"names of eight letters, twice", opening, `<a abcdefghi='1' abcdefghi='2'/>`, Limits{}},
	{"names with more behind the letters", opening, `<a to='1' to2='2' to-x='3' to.='4' to_='5' toX='6' tO='7'/><a id1='' id=''/>`, Limits{}},
	{"names with more behind the letters, twice", opening, `<a to2='1' to='2' to2='3'/>`, Limits{}},
	{"names without a letter first", opening, `<a To='1' _to='2' ID='3' id='4'/><A _b='1'/><_/>`, Limits{}},
	{"name and capital, twice", opening, `<a To='1' id='' To='2'/>`, Limits{}},
	{"names beyond ASCII", opening, "<a toé='1' é='2'/><é/><aé/><a to='é' fromé='1'/>", Limits{}},
	{"name of a bad character", opening, "<a to\xff='1'/>", Limits{}},
	{"nearly xmlns", opening, `<a xmlns-x='u' xmlnsx='v' xmln='w' xmlns2='x'><b xmlns-x='u'/><b xmlnsx='v'/></a>`, Limits{}},
	{"nearly xml:lang", opening, `<a xml:langx='1' xml:lang='2' xml:lan='3' xml='4' xm='5'/><a xml:lang-='1'/>`, Limits{}},
	{"xml:lang twice", opening, `<a xml:lang='1' xml:lang='1'/>`, Limits{}},
	{"xml:lang and lang", opening, `<a xml:lang='1' lang='2'/><a lang='2'/>`, Limits{}},
	{"xml: alone", opening, `<a xml:='1'/>`, Limits{}},
	{"xmlns:xml", opening, `<a xmlns:xml='` + NSXML + `' xml:lang='x'/>`, Limits{}},
	{"xmlns twice", opening, `<a><b xmlns='u' xmlns='u'/></a>`, Limits{}},
	{"no namespace", opening, `<a xmlns=''><b/><b xmlns=''/><b xmlns='jabber:client'/></a><a xmlns=""/><a><b xmlns=''><c/></b></a>`, Limits{}},
	{"namespace with a reference", opening, `<a xmlns='u&amp;v'><b xmlns='&#117;'/><b xmlns='u'/></a>`, Limits{}},
	{"namespace with blanks", opening, "<a xmlns='u\tv'><b xmlns='u\r\nv'/><b xmlns=' u '/></a>", Limits{}},
	{"stream namespace", opening, `<error xmlns='` + NSStreams + `'><a xmlns='u'/></error><features xmlns="` + NSStreams + `"/>`, Limits{}},
	{"stream namespace, inherited", opening, `<error xmlns='` + NSStreams + `'><b/></error>`, Limits{}},
	{"stream namespace, inherited by a known tag", opening, `<a><b/></a><a><body></body></a><error xmlns='` + NSStreams + `'><body></body></error>`, Limits{}},
	{"stream namespace within", opening, `<a><b xmlns='u'><c xmlns='` + NSStreams + `'/></b></a>`, Limits{}},
	{"stream namespace, left and entered", opening, `<error xmlns='` + NSStreams + `'><a xmlns='u'><b/><c/></a><b xmlns='v'/></error>`, Limits{}},
	{"streams as content", streamsDefault, `<a/><a xmlns='u'><b/></a>`, Limits{}},
	{"streams as content, child", streamsDefault, `<a><b xmlns='u'/><b/></a>`, Limits{}},
	{"streams as content, stream", streamsDefault, `<stream/>`, Limits{}},
	{"no content namespace", noDefault, `<a/><a xmlns='u'><b/><b xmlns=''/></a><stream/><s:features><b/></s:features>`, Limits{}},
	{"reserved namespace", opening, `<a><b xmlns='` + NSXML + `'/></a>`, Limits{}},
	{"namespace of declarations", opening, `<a xmlns='` + NSXMLNS + `'/>`, Limits{}},
	{"prefixes", manyPrefixes, `<a p:x='1'/><p:a xmlns:p='w'><p:b/><q:b q:x='' to=''/></p:a><a><b p:x='1' xmlns:p='u'/></a>`, Limits{}},
	{"prefixes of one namespace", manyPrefixes, `<a/><a p:x='1' q:x='2'/>`, Limits{}},
	{"prefix of the header and of the tag", manyPrefixes, `<a/><a xmlns:r='v' q:x='1' r:x='2'/>`, Limits{}},
	{"values", opening, "<a to='a\tb' from='a\nb' id='a\r\nb' type='&#9;' xml:lang='&amp;'/><a to='&#65;' id='é'/><a id='>'/><a id=''/>", Limits{}},
	{"value with NUL", opening, "<a to='\x00'/>", Limits{}},
	{"value with <", opening, "<a to='x' from='<'/>", Limits{}},
	{"value with a bad reference", opening, "<a to='&#65;' from='&x;'/>", Limits{}},
	{"value with a bad reference, then prefixes", opening, "<a to='&#65;' from='&#0;' p:x=''/>", Limits{}},
	{"a repeated value", opening, "<a to='x@y.example'/><a to='x@y.example' from='x@y.example' to='x@y.example'/>", Limits{}},
	{"32 attributes", opening, "<a" + lettered(" %='1'", 26) + lettered(" %x='1'", 6) + "/>", Limits{}},
	{"33 attributes", opening, "<a" + lettered(" %='1'", 26) + lettered(" %x='1'", 7) + "/>", Limits{}},
	{"33 attributes, one twice", opening, "<a" + lettered(" %='1'", 26) + lettered(" %x='1'", 6) + " c=''/>", Limits{}},
	{"13 attributes, one twice", opening, "<a" + lettered(" %='1'", 12) + " c=''/>", Limits{}},
	{"blanks", opening, "<a  to='x'/><a to='x' /><a to = 'x'/><a\nto='x'\tid='y'></a\n><a ></a ><a\t/><a><b /><b ></b></a>", Limits{}},
	{"no blank", opening, "<a to='x'id='y'/>", Limits{}},
	{"no value", opening, "<a to/>", Limits{}},
	{"no name", opening, "<a ='x'/>", Limits{}},
	{"slash", opening, "<a to='x'/ >", Limits{}},
	{"end tags", opening, "<aa><b></b><bb></bb><b></b ></aa><a></aa>", Limits{}},
	{"end tag too long", opening, "<a><b></bb></a>", Limits{}},
	{"end tag too short", opening, "<a><bb></b></a>", Limits{}},
	{"short tags", opening, "<a><b/><b></b><c/><cc/><ccc/><cccc/><ccccc/><cccccc/><ccccccc/><cccccccc/><ccccccccc/></a>", Limits{}},
	{"tags with equal beginnings", opening, "<a><body/><body></body><bodyx/><body xmlns='u'/><body xmlns='uu'/><body xmlns='u'></body></a>", Limits{}},
	{"attribute limit", opening, "<a b='1' c='2'/><a b='1' c='2' d='3'/><a b='1' c='2' d='3' e='4' f='5'/>", Limits{Attrs: 4}},
	{"attribute limit, many", opening, "<a" + lettered(" %='1'", 26) + lettered(" %x='1'", 20) + "/>", Limits{Attrs: 40}},
	{"attribute length limit", opening, "<a bcd='" + strings.Repeat("x", 41) + "'/><a bcd='" + strings.Repeat("x", 42) + "'/>", Limits{AttrBytes: 44}},
	{"attribute length limit of a namespace", opening, "<a><b xmlns='" + strings.Repeat("x", 39) + "'/><b xmlns='" + strings.Repeat("x", 40) + "'/></a>", Limits{AttrBytes: 44}},
	{"attribute length limit of a name", opening, "<a " + strings.Repeat("x", 44) + "=''/><a " + strings.Repeat("x", 45) + "=''/>", Limits{AttrBytes: 44}},
	{"attribute length limit within a character", opening, "<a b='" + strings.Repeat("x", 42) + "é'/>", Limits{AttrBytes: 44}},
	{"element limit", opening, "<a><b/><b/><b/></a><a><b/><b/><b/><b/></a>", Limits{Elements: 4}},
	{"depth limit", opening, "<a><b><c/></b></a><a><b><c><d/></c></b></a>", Limits{Depth: 3}},
	{"declaration limit", opening, "<a xmlns='u'><b xmlns='v'/><b xmlns='v'/></a><a xmlns='u'><b xmlns='v'/><b xmlns='v'/><b xmlns='v'/></a>", Limits{Namespaces: 3}},
	{"byte limit", opening, text(150) + text(151), Limits{Bytes: 150}},
	{"byte limit within a tag", opening, text(150) + "<a to='" + strings.Repeat("x", 150) + "'/>", Limits{Bytes: 150}},
	{"second header", opening, `<a/><stream:stream>`, Limits{}},
	{"text between", opening, `<a/>x`, Limits{}},
	{"sections", opening, `<a><![CDATA[x]]></a><a>]]<b/>></a><a>]]></a>`, Limits{}},
	{"comment", opening, `<a/><!-- x -->`, Limits{}},
	{"end of the stream", opening, `<a></a></stream:stream> `, Limits{}},
	{"second root", opening, `<a/></stream:stream ><a/>`, Limits{}},
	{"more prefixes than may be in scope, when written again", `<s xmlns='u'` + lettered(` xmlns:%='%'`, 26) + lettered(` xmlns:%x='%'`, 9) + `>`, "<a" + lettered(" %:x='1'", 26) + lettered(" %x:y='2'", 9) + "/>", Limits{}},
}

// withMemo lets its reader have no scanner and no memo but its own: before each
// read between elements it gives it another scanner, before each read a copy of
// memo, unless that is nil.
type withMemo struct {
	src  io.Reader
	r    *Reader
	memo *memo
}

func (w *withMemo) Read(p []byte) (int, error) {
	if w.r.scan == nil {
		w.r.scan = &scanner{lim: w.r.lim, doc: &w.r.doc, fresh: true}
	}
	if w.memo != nil {
		own := *w.memo
		w.r.scan.memo = &own
	}
	return w.src.Read(p)
}

// readWith is readAll with a memo. It says too how elements came.
func readWith(src io.Reader, limits Limits, m *memo) (t transcript) {
	w := &withMemo{src: src, memo: m}
	w.r = NewReader(w, Limits{})
	if t.header, t.err = w.r.Header(); t.err != nil {
		return t
	}
	w.r.SetLimits(limits)
	for {
		e, err := w.r.Next()
		if err == io.EOF {
			_, err = w.r.Next()
		}
		if err != nil {
			t.err = err
			return t
		}
		kept := owned(e)
		kept.Head.Rewritten, kept.Head.Decoded = e.Head.Rewritten, e.Head.Decoded
		t.elements = append(t.elements, kept)
	}
}

// learn has m remember what is in docs.
func learn(m *memo, docs ...string) *memo {
	for _, doc := range docs {
		s := &scanner{lim: Limits{}.withDefaults(), doc: &document{contentNS: "jabber:client"}, memo: m, fresh: true}
		for b := []byte(doc); len(b) > 0 && b[0] == '<'; b = b[s.pos:] {
			if s.begin(false); !s.scan(b) {
				break
			}
		}
	}
	return m
}

func TestSec_WaysAgree(t *testing.T) {
	if poison {
		t.Skip("nothing here is concurrent, and with -race it takes long")
	}
	all := new(memo)
	for _, tt := range paths {
		learn(all, tt.in)
	}
	for _, tt := range paths {
		t.Run(tt.name, func(t *testing.T) {
			doc := tt.header + tt.in
			other := strings.NewReplacer("'", `"`, `"`, "'")
			memos := map[string]*memo{
				"fresh":            new(memo),
				"warmed":           learn(new(memo), tt.in),
				"warmed by quotes": learn(new(memo), other.Replace(tt.in)),
				"warmed by names":  learn(new(memo), strings.NewReplacer("to=", "tp=", "b", "c", "='u'", "='v'", "/>", ">").Replace(tt.in)),
				"warmed by all":    all,
			}
			check := func(how string, got, want transcript) {
				t.Helper()
				if !sameError(got.err, want.err) || !reflect.DeepEqual(got.header, want.header) || !reflect.DeepEqual(got.elements, want.elements) {
					t.Fatalf("%s\n%s: %s\nstep by step: %s", doc, how, show(got), show(want))
				}
			}
			want := readWith(&chopped{doc, 1}, tt.limits, nil)
			if want.err == nil {
				t.Fatal("no end")
			}
			for name, m := range memos {
				check(name+", whole", readWith(strings.NewReader(doc), tt.limits, m), want)
				check(name+", byte by byte", readWith(&chopped{doc, 1}, tt.limits, m), want)
				for at := len(tt.header); at < len(doc); at++ {
					check(fmt.Sprintf("%s, split at %d", name, at-len(tt.header)),
						readWith(io.MultiReader(strings.NewReader(doc[:at]), strings.NewReader(doc[at:])), tt.limits, m), want)
				}
			}
			for end := len(tt.header); end < len(doc); end++ {
				want := readWith(&chopped{doc[:end], 1}, tt.limits, nil)
				for _, name := range []string{"fresh", "warmed"} {
					check(fmt.Sprintf("%s, cut at %d", name, end-len(tt.header)), readWith(strings.NewReader(doc[:end]), tt.limits, memos[name]), want)
				}
			}
		})
	}
}

// show writes a transcript out.
func show(t transcript) string {
	var b strings.Builder
	for _, e := range t.elements {
		h := *e.Head
		fmt.Fprintf(&b, "\n\t%v %q to %q from %q id %q type %q lang %q %v %v others %v rewritten %v decoded %v",
			e.Name, e.Raw, h.To, h.From, h.ID, h.Type, h.Lang, h.Children, h.Parts, h.Others, h.Rewritten, h.Decoded)
	}
	fmt.Fprintf(&b, "\n\t%v", t.err)
	return b.String()
}

// soiling has another reader use the pools before each read, and leaves those of
// its scanners and memos there that did.
type soiling struct {
	src    io.Reader
	doc    string
	kept   []*scanner // so that nobody gets them back
	shared bool       // leave the pools to both
}

func (s *soiling) Read(p []byte) (int, error) {
	if !s.shared {
		s.kept = append(s.kept[:0], scanners.Get().(*scanner), scanners.Get().(*scanner))
	}
	readAll(strings.NewReader(s.doc), Limits{})
	return s.src.Read(p)
}

// Between elements a reader may get another scanner, and within one another memo:
// a document reads the same if it gets them between any two bytes.
func TestSec_ScannersAreAlike(t *testing.T) {
	const soil = `<s xmlns='urn:soil' xmlns:p='urn:soil:p' xmlns:q='urn:soil:p'><p:a to='&lt;' from='x' xml:lang='en'><p:b/><![CDATA[x]]></p:a><body xmlns='urn:soil:b'/>`
	for _, tt := range paths {
		doc := tt.header + tt.in
		want := readAll(strings.NewReader(doc), Limits{})
		for _, src := range []io.Reader{
			&soiling{src: &chopped{doc, 1}, doc: soil},
			&soiling{src: &chopped{doc, 1}, doc: doc, shared: true},
		} {
			got := readAll(src, Limits{})
			if !sameError(got.err, want.err) || !reflect.DeepEqual(got.header, want.header) || !reflect.DeepEqual(got.elements, want.elements) {
				t.Errorf("%s: got %s\nwant %s", tt.name, show(got), show(want))
			}
		}
	}
}

// Hashes of namespaces are compared between the scanner that has read the header
// and that which reads an element: they once had seeds of their own, by which an
// attribute could come twice.
func TestSec_DuplicateAttributeByAPrefixOfTheRoot(t *testing.T) {
	const header = `<s:stream xmlns='jabber:client' xmlns:p='u' xmlns:s='` + NSStreams + `'>`
	for _, in := range []string{
		`<a xmlns:q='u' p:x='1' q:x='2'/>`,
		`<a xmlns:q='u' p:x='1' q:x='2'` + lettered(" %='3'", fewAttrs) + `/>`,
	} {
		src := &soiling{src: io.MultiReader(strings.NewReader(header), strings.NewReader("<b/>"), strings.NewReader(in)), doc: header}
		if got := readAll(src, Limits{}); condition(got.err) != notWellFormed || len(got.elements) != 1 {
			t.Errorf("%s: got %s", in, show(got))
		}
	}
}
