package xmlwire

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestHeader(t *testing.T) {
	r := NewReader(strings.NewReader(`<?xml version='1.0'?>
<stream:stream from="juliet@example.com" to='example.com' version='1.0' xml:lang='de' note='a&amp;b&#10;c	d'
  xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' db:x='1'>`), Limits{})
	h, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	want := []xml.Attr{
		{Name: xml.Name{Local: "from"}, Value: "juliet@example.com"},
		{Name: xml.Name{Local: "to"}, Value: "example.com"},
		{Name: xml.Name{Local: "version"}, Value: "1.0"},
		{Name: xml.Name{Space: NSXML, Local: "lang"}, Value: "de"},
		{Name: xml.Name{Local: "note"}, Value: "a&b\nc d"},
		{Name: xml.Name{Space: "jabber:server:dialback", Local: "x"}, Value: "1"},
	}
	if !reflect.DeepEqual(h.Attrs, want) {
		t.Errorf("got %v\nwant %v", h.Attrs, want)
	}
	if h.Name != (xml.Name{Space: NSStreams, Local: "stream"}) || h.ContentNS != "jabber:server" {
		t.Errorf("got %v, content %q", h.Name, h.ContentNS)
	}
	if !h.Declares("jabber:server:dialback") || h.Declares("jabber:server") {
		t.Errorf("Declares: dialback %v, server %v", h.Declares("jabber:server:dialback"), h.Declares("jabber:server"))
	}
	if lang, ok := h.Attr(NSXML, "lang"); lang != "de" || !ok {
		t.Errorf("xml:lang = %q, %v", lang, ok)
	}
	if _, ok := h.Attr("", "lang"); ok {
		t.Error("lang without a namespace")
	}
	if _, err := r.Header(); err != errHeaderTwice {
		t.Errorf("second Header = %v", err)
	}
}

func TestNextBeforeHeader(t *testing.T) {
	if _, err := NewReader(strings.NewReader(opening), Limits{}).Next(); err != errNoHeader {
		t.Errorf("got %v", err)
	}
}

func TestEndOfSource(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want error
	}{
		{"", io.EOF},
		{" ", io.ErrUnexpectedEOF},
		{"<", io.ErrUnexpectedEOF},
		{"<?xml version='1.0'?>", io.ErrUnexpectedEOF},
		{opening[:len(opening)-1], io.ErrUnexpectedEOF},
		{opening, io.ErrUnexpectedEOF},
		{opening + " ", io.ErrUnexpectedEOF},
		{opening + "<a>", io.ErrUnexpectedEOF},
		{opening + "<a>\xe2\x82", io.ErrUnexpectedEOF},
		{opening + "\xe2\x82", io.ErrUnexpectedEOF},
		{opening + "<a/></stream:strea", io.ErrUnexpectedEOF},
		{opening + "<a/></stream:stream>", nil},
		{opening + "</stream:stream>\xe2\x82", io.ErrUnexpectedEOF},
	} {
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "bytes": iotest.OneByteReader(strings.NewReader(tt.in)), "with data": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			if got := readAll(src, Limits{}); got.err != tt.want {
				t.Errorf("%q, %s: got %v, want %v", tt.in, name, got.err, tt.want)
			}
		}
	}
}

// patient gives one byte, then a timeout, then one byte …
type patient struct {
	s    string
	next bool
}

func (p *patient) Read(b []byte) (int, error) {
	p.next = !p.next
	if p.next {
		return 0, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	}
	if p.s == "" {
		return 0, io.EOF
	}
	n := copy(b[:1], p.s)
	p.s = p.s[n:]
	return n, nil
}

// A deadline that passes loses nothing.
func TestTimeoutsLoseNothing(t *testing.T) {
	const in = opening + ` <a b='c&amp;d' xmlns:p='ü'>x<![CDATA[y]]><p:z/></a > <b/></stream:stream> `
	want := readAll(strings.NewReader(in), Limits{})
	r := NewReader(&patient{s: in}, Limits{})
	timeouts := 0
	wait := func(err error) bool {
		if e, ok := err.(net.Error); ok && e.Timeout() && errors.Is(err, os.ErrDeadlineExceeded) {
			timeouts++
			return true
		}
		return false
	}
	var got transcript
	for got.header, got.err = r.Header(); wait(got.err); got.header, got.err = r.Header() {
	}
	for got.err == nil {
		var e *Element
		if e, got.err = r.Next(); got.err == nil {
			got.elements = append(got.elements, owned(e))
		} else if wait(got.err) {
			got.err = nil
		}
	}
	for got.err = nil; got.err == nil; {
		if _, got.err = r.Next(); wait(got.err) {
			got.err = nil
		}
	}
	if got.err != io.EOF || want.err != nil || !reflect.DeepEqual(got.elements, want.elements) || !reflect.DeepEqual(got.header, want.header) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if timeouts < len(in) {
		t.Errorf("%d timeouts over %d bytes", timeouts, len(in))
	}
}

func TestTimeoutOfConn(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	r := NewReader(here, Limits{})
	if err := here.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err := r.Header()
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestSourceErrors(t *testing.T) {
	reset := errors.New("connection reset")
	// With the last bytes, so that they count first.
	r := NewReader(iotest.DataErrReader(io.MultiReader(strings.NewReader(opening+"<a/><b"), iotest.ErrReader(reset))), Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Next(); err != nil || string(e.Raw) != "<a/>" {
		t.Fatalf("got %s, %v", e.Raw, err)
	}
	_, err := r.Next()
	if !errors.Is(err, reset) || err.Error() != "xmlwire: read: connection reset" {
		t.Errorf("got %v", err)
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Error("counts as a timeout")
	}
}

// steps is a source that does one thing after the other.
type steps []func(p []byte) (int, error)

func (s *steps) Read(p []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	step := (*s)[0]
	*s = (*s)[1:]
	return step(p)
}

// A source may fail once and with the last bytes, and may return nothing now and then.
func TestSourceFailsOnce(t *testing.T) {
	once := errors.New("once")
	nothing := func([]byte) (int, error) { return 0, nil }
	r := NewReader(&steps{
		nothing, nothing,
		func(p []byte) (int, error) { return copy(p, opening+"<a/><b"), once },
		nothing,
		func(p []byte) (int, error) { return copy(p, "/>"), nil },
	}, Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 4 {
		if e, err := r.Next(); err != nil {
			got = append(got, err.Error())
		} else {
			got = append(got, string(e.Raw))
		}
	}
	want := []string{"<a/>", "xmlwire: read: once", "<b/>", "unexpected EOF"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type badSource struct{ n int }

func (b badSource) Read([]byte) (int, error) { return b.n, nil }

func TestBadSources(t *testing.T) {
	for n, want := range map[int]error{0: io.ErrNoProgress, -1: errBadRead, 1 << 20: errBadRead} {
		if _, err := NewReader(badSource{n}, Limits{}).Header(); err != want {
			t.Errorf("a source that returns %d: got %v, want %v", n, err, want)
		}
	}
}

// What came before the TLS handshake is dropped.
func TestSec_ResetDropsWhatIsBuffered(t *testing.T) {
	const injected = `<iq type='set'/>`
	r := NewReader(strings.NewReader(opening+`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`+injected), Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if got := r.Buffered(); got != len(injected) {
		t.Errorf("Buffered = %d, want %d", got, len(injected))
	}
	if got := r.Reset(strings.NewReader(`<s xmlns='urn:second'><x/></s>`)); got != len(injected) {
		t.Errorf("Reset = %d, want %d", got, len(injected))
	}
	h, err := r.Header()
	if err != nil || h.ContentNS != "urn:second" || h.Name.Local != "s" {
		t.Fatalf("got %+v, %v", h, err)
	}
	if e, err := r.Next(); err != nil || string(e.Raw) != `<x/>` {
		t.Errorf("got %s, %v", e.Raw, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// What a client sends right behind the end of SASL is kept; nothing of the old
// header is.
func TestRestartKeepsWhatIsBuffered(t *testing.T) {
	const second = `<?xml version='1.0'?><s:stream xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams'>`
	for _, between := range []string{"", "\n"} { // blanks are of the old document: RFC 6120 §6.3.5
		for _, n := range []int{1, 1 << 20} {
			r := NewReader(&chopped{opening + `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>` + between + second + `<s:features/><stream:error/>`, n}, Limits{})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			r.Restart()
			h, err := r.Header()
			if err != nil || h.ContentNS != "jabber:server" {
				t.Fatalf("got %+v, %v", h, err)
			}
			if e, err := r.Next(); err != nil || e.Name != (xml.Name{Space: NSStreams, Local: "features"}) {
				t.Errorf("got %v, %v", e.Name, err)
			}
			_, err = r.Next()
			if condition(err) != notWellFormed {
				t.Errorf("a prefix of the old header: got %v", err)
			}
			if e, ok := errors.AsType[*Error](err); !ok || e.Offset != int64(len(second+`<s:features/><stream:error/>`)) {
				t.Errorf("offset %d is not of the new document", e.Offset)
			}
		}
	}
}

// What Next returns is lent until the next call. Where races are looked for, who
// keeps it finds it overwritten; nobody can write beyond it by appending.
func TestElementsAreLent(t *testing.T) {
	for _, in := range []string{"<a to='x'>1</a>", "<p:a xmlns:p='u' to='&#120;'><![CDATA[1]]></p:a>"} {
		r := NewReader(strings.NewReader(opening+in+"<b>2</b></stream:stream>"), Limits{})
		if _, err := r.Header(); err != nil {
			t.Fatal(err)
		}
		a, err := r.Next()
		if err != nil || string(a.Head.To) != "x" {
			t.Fatalf("got %s, %q, %v", a.Raw, a.Head.To, err)
		}
		raw, to := a.Raw, a.Head.To
		_, _, _ = append(raw, "overwritten?"...), append(to, 'y'), append(a.Head.Children, xml.Name{})
		b, err := r.Next()
		if err != nil || string(b.Raw) != "<b>2</b>" {
			t.Fatalf("got %s, %v", b.Raw, err)
		}
		if poison && (string(raw[:1]) != "\xff" || string(to) != "\xff") {
			t.Errorf("kept too long and not noticed: %s, %s", raw, to)
		}
	}
}

func TestParse(t *testing.T) {
	e, err := Parse([]byte("\n<a><b/></a> "), "urn:x", Limits{})
	if err != nil || string(e.Raw) != "<a><b/></a>" || e.Name != (xml.Name{Space: "urn:x", Local: "a"}) {
		t.Errorf("got %v %s, %v", e.Name, e.Raw, err)
	}
	for _, tt := range []struct{ in, condition string }{
		{"", notWellFormed},
		{" ", notWellFormed},
		{"<a>", notWellFormed},
		{"<a", notWellFormed},
		{"</a>", notWellFormed},
		{"<a/><b/>", notWellFormed},
		{"<a/>x", notWellFormed},
		{"x<a/>", badFormat},
		{"<a/>\xff", unsupportedEncoding},
		{"<a/>\xe2\x82", notWellFormed},
		{"<a/>&am", notWellFormed},
		{"\xe2\x82", notWellFormed},
		{"<?xml version='1.0'?><a/>", notWellFormed},
		{"<!DOCTYPE a><a/>", restrictedXML},
		{"<stream:features/>", notWellFormed},
		{"<stream xmlns='http://etherx.jabber.org/streams'/>", badFormat},
	} {
		if e, err := Parse([]byte(tt.in), "jabber:client", Limits{}); condition(err) != tt.condition || e.Raw != nil {
			t.Errorf("%q: got %s, %v; want %s", tt.in, e.Raw, err, tt.condition)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse([]byte("<a></b>"), "", Limits{})
	const want = "xmlwire: not-well-formed at byte 5: end tag of another name than the start tag (XML §3)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
