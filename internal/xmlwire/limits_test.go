package xmlwire

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// Each limit admits what just fits and refuses one more, however the bytes come.
func TestSec_Limits(t *testing.T) {
	many := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name       string
		limits     Limits
		fits, over string
	}{
		{"bytes", Limits{Bytes: 200}, "<a>" + strings.Repeat("x", 193) + "</a>", "<a>" + strings.Repeat("x", 194) + "</a>"},
		{"bytes of a tag", Limits{Bytes: 200}, "<a" + strings.Repeat(" ", 196) + "/>", "<a" + strings.Repeat(" ", 197) + "/>"},
		{"depth", Limits{Depth: 3}, "<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>"},
		{"elements", Limits{Elements: 4}, "<a><b/><b/><b/></a>", "<a><b/><b/><b/><b/></a>"},
		{"attrs", Limits{Attrs: 3}, "<a xmlns='u' b='1' c='2'/>", "<a xmlns='u' b='1' c='2' d=''/>"},
		{"namespaces", Limits{Namespaces: 3}, "<a xmlns='u' xmlns:p='v'><b xmlns='w'/></a>", "<a xmlns='u' xmlns:p='v'><b xmlns='w'/><b xmlns='w'/></a>"},
		{"attribute value", Limits{AttrBytes: 10}, "<a bcd='1234567'/>", "<a bcd='12345678'/>"},
		{"attribute name", Limits{AttrBytes: 10}, "<a bcdefghijk=''/>", "<a bcdefghijkl=''/>"},
		{"name of an attribute without end", Limits{AttrBytes: 10}, "<a bcdefghijk=''/>", "<a " + strings.Repeat("b", 999)},
		{"value in references", Limits{AttrBytes: 11}, "<a b='&amp;&amp;'/>", "<a b='&amp;&amp;&amp;'/>"},
		{"prefixes in scope", Limits{Attrs: 100}, "<a" + many(" xmlns:p%d='u'", 63) + "/>", "<a" + many(" xmlns:p%d='u'", 64) + "/>"},
		{"prefixes one after another", Limits{}, "<a>" + many("<b xmlns:p%d='u'/>", 100) + "</a>", "<a>" + many("<b xmlns:p%d='u'>", 64)},
		{"default depth", Limits{}, strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), strings.Repeat("<a>", 101)},
		{"default attributes", Limits{}, "<a" + many(" b%d=''", 64) + "/>", "<a" + many(" b%d=''", 65) + "/>"},
		{"negative is default", Limits{Bytes: -1, Depth: -1, Elements: -1, Attrs: -1, Namespaces: -1, AttrBytes: -1}, "<a/>", strings.Repeat("<a>", 101)},
		{"10 kB of <a/> before login", Limits{Bytes: 10000, Elements: 32}, "<a/>", "<a>" + strings.Repeat("<a/>", 2500)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{1, 2, 7, 1 << 20} {
				if n == 1 {
					if _, err := Parse([]byte(tt.fits), "", tt.limits); err != nil {
						t.Errorf("Parse: %v", err)
					}
				}
				lim := tt.limits
				r := NewReader(&chopped{opening + tt.fits, n}, Limits{})
				if _, err := r.Header(); err != nil {
					t.Fatal(err)
				}
				r.SetLimits(lim)
				if _, err := r.Next(); err != nil {
					t.Errorf("%d bytes at a time: %v", n, err)
				}
				r = NewReader(&chopped{opening + tt.over, n}, Limits{})
				if _, err := r.Header(); err != nil {
					t.Fatal(err)
				}
				r.SetLimits(lim)
				if _, err := r.Next(); condition(err) != policyViolation {
					t.Errorf("%d bytes at a time: got %v, want policy-violation", n, err)
				}
			}
		})
	}
}

// Limits may change while an element is on its way, and may be as large as can be.
func TestLimitsChange(t *testing.T) {
	const most = math.MaxInt
	for _, in := range []string{"<a>", "<a ", "<a b='", "<a", "<", "<a></a", "<a><![CDATA[", "<a><!"} {
		for _, to := range []Limits{{Bytes: 1}, {Bytes: 2}, {Bytes: 5}, {AttrBytes: 1}, {Bytes: most, Depth: most, Elements: most, Attrs: most, Namespaces: most, AttrBytes: most}} {
			r := NewReader(strings.NewReader(opening+in), Limits{})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := r.Next(); err != io.ErrUnexpectedEOF && condition(err) != policyViolation {
					t.Errorf("%s, limits %v: %v", in, to, err)
				}
				r.SetLimits(to)
			}
		}
	}
}

// A header is bounded too, in length and in what it declares.
func TestSec_LimitsHeader(t *testing.T) {
	for _, in := range []string{
		"<stream:stream a='" + strings.Repeat("x", 1000),
		"<" + strings.Repeat("x", 1000),
		"<a" + strings.Repeat(" ", 1000),
		"<a" + strings.Repeat(" xmlns:p='u'", 40),
	} {
		got := readAll(strings.NewReader(in), Limits{Bytes: 400})
		if condition(got.err) != policyViolation {
			t.Errorf("%.40s…: got %v", in, got.err)
		}
	}
	in := `<a xmlns:a='1' xmlns:b='2' xmlns:c='3'/>`
	if got := readAll(strings.NewReader(in), Limits{Namespaces: 2}); condition(got.err) != policyViolation {
		t.Errorf("declarations: got %v", got.err)
	}
}

// No token is waited for beyond the limit: 200 MB of anything cost at most about
// as much memory as the limit, and are not even read.
func TestSec_NeverEndingTokens(t *testing.T) {
	const size, limit = 200 << 20, 64 << 10
	for _, prefix := range []string{
		"<a>", "<a b='", "<a ", "<a b", "<a b=", "<", "<a", "<a></a", "<a><![CDATA[", "<a>&", "<a>&#", "<a>&#x0", "<a b='&",
	} {
		for _, unit := range []string{"x", " ", "0", "<b>", "<b/>", "<b xmlns:p='u'>", "y='z' ", "]", "é"} {
			src := &endless{prefix: opening + prefix, unit: unit, size: size}
			r := NewReader(src, Limits{Bytes: limit, Depth: 1 << 20, Elements: 1 << 20, Attrs: 1 << 20, AttrBytes: 1 << 20})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			_, err := r.Next()
			if c := condition(err); c != policyViolation && c != notWellFormed && c != restrictedXML {
				t.Errorf("%s%s…: got %v", prefix, unit, err)
			}
			if src.given > 2*limit {
				t.Errorf("%s%s…: read %d bytes with a limit of %d", prefix, unit, src.given, limit)
			}
		}
	}
}

// The buffer stays within the limit while a peer sends byte after byte, and goes
// back to a small one afterwards.
func TestSec_DripFeed(t *testing.T) {
	const limit = 40 << 10
	big := "<a>" + strings.Repeat("x", limit-7) + "</a>"
	src := &chopped{opening + strings.Repeat(big+"\n", 3) + "<small/>", 1}
	r := NewReader(src, Limits{Bytes: limit})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if e, err := r.Next(); err != nil || string(e.Raw) != big {
			t.Fatalf("got %d bytes, %v", len(e.Raw), err)
		}
		if got := len(r.win.buf); got > limit+smallBuffer {
			t.Errorf("buffer of %d bytes with a limit of %d", got, limit)
		}
	}
	if e, err := r.Next(); err != nil || string(e.Raw) != "<small/>" {
		t.Fatalf("got %s, %v", e.Raw, err)
	}
	if got := len(r.win.buf); got > idleBuffer {
		t.Errorf("idle buffer of %d bytes", got)
	}
}

// Blanks between elements, keep-alives for years, are not kept.
func TestSec_BlanksAreNotBuffered(t *testing.T) {
	src := &endless{prefix: opening, unit: " \n", size: 64 << 20}
	r := NewReader(src, Limits{Bytes: 100 << 10})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if got := len(r.win.buf); got > busyBuffer {
		t.Errorf("buffer of %d bytes", got)
	}
}

// Writing an element again cannot make it much longer than peers may send.
func TestSec_PlainFormIsBounded(t *testing.T) {
	long := strings.Repeat("u", 30<<10)
	in := "<x xmlns:a='" + long + "'>" + strings.Repeat("<a:b/>", 5000) + "</x>"
	if _, err := Parse([]byte(in), "", Limits{}); condition(err) != policyViolation {
		t.Errorf("got %v, want policy-violation", err)
	}
	// A short one cannot make it as long as the longest may become.
	in = "<x xmlns:a='" + strings.Repeat("u", 1<<10) + "'>" + strings.Repeat("<a:b/>", 170) + "</x>"
	if _, err := Parse([]byte(in), "", Limits{}); condition(err) != policyViolation {
		t.Errorf("got %v, want policy-violation", err)
	}
	few := "<x xmlns:a='" + long + "'>" + strings.Repeat("<a:b/>", 5) + "</x>"
	if _, err := Parse([]byte(few), "", Limits{}); err != nil {
		t.Error(err)
	}
}
